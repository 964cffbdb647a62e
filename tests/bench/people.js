// make bench-people: what people notice. Their pages through nginx with the lines of `crawltab front nginx`,
// and through the same nginx without them, in turn. --smoke takes a second: no figure of it means anything.
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import fs from 'node:fs'
import path from 'node:path'
import { build, freePort, root, temporaryFolder } from '../e2e/support.js'
import { nginx } from '../e2e/fronts.js'
import * as bench from './measure.js'

const smoke = process.argv.includes('--smoke')
const size = smoke ? { rounds: 1, seconds: 1 } : { rounds: 9, seconds: 3 }
const CONNECTIONS = 16
const cores = bench.useTwoCores()
const cleanUps = []
const t = { after: f => cleanUps.unshift(f) }
const results = new bench.Results()

// The load generator takes an end of a connection for a fault.
const kept = 'keepalive_requests 1000000000;\n'

const alone = (listen, site) => `
    upstream site { server 127.0.0.1:${site}; keepalive 32; }
    server {
        listen 127.0.0.1:${listen};
        location / {
            proxy_pass http://site;
            proxy_http_version 1.1;
            proxy_set_header Connection "";
            proxy_set_header Host $http_host;
            proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
        }
    }`

function printed(folder, listen, site, gate) {
    const config = path.join(folder, 'config.yaml')
    const rules = [{ action: 'charge', price: '0.01' }]
    const names = { name: 'shop', hosts: [bench.site], scheme: 'http', network: 'shop:402', rules }
    const urls = { origin: `http://127.0.0.1:${site}`, terms_url: 'https://shop.example/terms' }
    const sites = [{ ...names, ...urls }]
    const text = { listen: `127.0.0.1:${gate}`, trusted_proxies: ['127.0.0.1'], sites }
    fs.writeFileSync(config, JSON.stringify(text))
    const words = ['--config', config, 'front', 'nginx', '--listen', `127.0.0.1:${listen}`]
    return execFileSync(path.join(build, 'crawltab'), words, { encoding: 'utf8' })
}

try {
    const folder = temporaryFolder(t)
    const [site, plain, routed, gate] = await Promise.all([1, 2, 3, 4].map(freePort))
    // The page lies in a checkout that nginx's user may not be able to enter.
    const page = fs.readFileSync(path.join(root, 'tools/demo/site', bench.page), 'utf8')
    const quoted = page.replaceAll('\\', '\\\\').replaceAll("'", "\\'").replaceAll('$', '')
    await nginx(
        t,
        `${kept}server {
            listen 127.0.0.1:${site};
            location / { default_type text/html; return 200 '${quoted}'; }
        }`,
        site
    )
    const fronts = {
        'nginx alone': await nginx(t, kept + alone(plain, site), plain),
        'with the lines of crawltab': await nginx(t, kept + printed(folder, routed, site, gate), routed)
    }
    for (let n = 1; n <= size.rounds; n++) {
        console.log(`round ${n} of ${size.rounds}`)
        for (const [name, front] of Object.entries(fronts)) {
            const words = ['pages', `127.0.0.1:${front.port}`, bench.site, size.seconds, CONNECTIONS]
            const groups = { nginx: bench.children(front.process.pid) }
            const result = results.add(name, await bench.load(words, groups))
            assert.equal(result.good, result.answered)
            assert.ok(result.good > 0)
        }
    }
    const [before, after] = Object.keys(fronts)
    const ratio = member => (results.of(after, member) / results.of(before, member)).toFixed(3)
    console.log(`\n${bench.heading(size.rounds, cores)}\n`)
    const row = name => [
        name,
        results.of(name),
        ...['p50_us', 'p99_us'].map(member => bench.ms(results.of(name, member))),
        results.of(name, 'nginx_us').toFixed(1)
    ]
    const ratios = ['with to without', ...['per_second', 'p50_us', 'p99_us', 'nginx_us'].map(ratio)]
    const columns = [`people, ${CONNECTIONS} connections`, 'per second', 'p50 ms', 'p99 ms', 'nginx µs']
    console.log(bench.table(columns, [...[before, after].map(row), ratios]))
} finally {
    for (const cleanUp of cleanUps) await cleanUp()
}
