// make bench: see README.md beside this. With --smoke a few hundred requests of each kind, to see that it
// works: no figure of it means anything.
import assert from 'node:assert/strict'
import { execFileSync, spawn } from 'node:child_process'
import fs from 'node:fs'
import path from 'node:path'
import { createInterface } from 'node:readline'
import { freePort, root, stage, until } from '../e2e/support.js'
import * as bench from './measure.js'

const smoke = process.argv.includes('--smoke')
const size = smoke
    ? { rounds: 1, seconds: 1, payments: 300, peer: 0, idle: 50, crowds: [100], rate: 200 }
    : { rounds: 5, seconds: 3, payments: 30000, peer: 6000, idle: 10000, crowds: [1000, 10000], rate: 2000 }
const peers = [
    ['fastify', 1],
    ['fastify', 2],
    ['express', 1],
    ['express', 2]
]
const cores = bench.useTwoCores()
const results = new bench.Results()
const cleanUps = []
const t = { after: f => cleanUps.unshift(f) }
let paid = 0

// The gate's own offer, as something that others can serve: the same fields and body, made once.
async function writeOffer(gate, folder) {
    const answer = await gate.request(bench.page, { headers: { 'user-agent': 'GPTBot/1.2' } })
    assert.equal(answer.status, 402)
    const own = ['date', 'connection', 'content-length']
    const fields = Object.entries(answer.headers).filter(([name]) => !own.includes(name))
    const file = path.join(folder, 'offer.txt')
    fs.writeFileSync(file, fields.map(([name, value]) => `${name}: ${value}\n`).join('') + '\n' + answer.text)
    return { file, fields, body: answer.text }
}

function nginxConfig(folder, port, { fields, body }) {
    const quote = text => `'${text.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`
    const added = fields
        .filter(([name]) => name !== 'content-type')
        .map(([name, value]) => `add_header ${name} ${quote(value)} always;`)
    return `daemon off; worker_processes ${cores}; pid ${folder}/nginx.pid; error_log stderr crit;
events { worker_connections 4096; }
http {
    access_log off; keepalive_requests 1000000000; default_type application/json; server_tokens off;
    client_body_temp_path ${folder}; proxy_temp_path ${folder}; fastcgi_temp_path ${folder};
    uwsgi_temp_path ${folder}; scgi_temp_path ${folder};
    server {
        listen 127.0.0.1:${port} reuseport;
        location / { ${added.join('\n')} return 402 ${quote(body)}; }
    }
}`
}

const installed = command => {
    try {
        execFileSync(command, ['-v'], { stdio: 'pipe' })
        return true
    } catch {
        return false
    }
}

// What the gate's offers are compared with.
async function startStatic(folder, offer) {
    const servers = {}
    servers['libmicrohttpd, one prepared offer'] = await freePort()
    await bench.serve(
        t,
        bench.program('ceiling'),
        [`127.0.0.1:${servers['libmicrohttpd, one prepared offer']}`, cores, 402, offer.file],
        servers['libmicrohttpd, one prepared offer']
    )
    if (!installed('nginx')) return servers
    servers['nginx, the same offer'] = await freePort()
    const config = path.join(folder, 'nginx.conf')
    fs.writeFileSync(config, nginxConfig(folder, servers['nginx, the same offer'], offer))
    const words = ['-e', 'stderr', '-p', folder, '-c', config]
    await bench.serve(t, 'nginx', words, servers['nginx, the same offer'])
    return servers
}

// The site behind a server of its own, nginx with the same files, and another nginx before that one: what
// a front alone costs. The gate, which asks the same server, stands beside it.
const behind = 'origin.example'
const question = { CRAWLTAB_BENCH_FIELD: `X-Original-URI: ${bench.page}` }

async function startOrigin(folder, port) {
    const front = await freePort()
    // Root's checkout may be closed to whom nginx would be else.
    const user = process.getuid() === 0 ? 'user root;' : ''
    for (const [name, at, location] of [
        ['origin', port, `root ${path.join(root, 'tools/demo/site')};`],
        [
            'front',
            front,
            'proxy_pass http://origin; proxy_http_version 1.1; proxy_set_header Connection ""; ' +
                'proxy_set_header Host $http_host;'
        ]
    ]) {
        const own = path.join(folder, name)
        fs.mkdirSync(own)
        const file = path.join(own, 'nginx.conf')
        fs.writeFileSync(
            file,
            `daemon off; ${user} worker_processes ${cores}; pid ${own}/nginx.pid; error_log stderr crit;
events { worker_connections 4096; }
http {
    access_log off; keepalive_requests 1000000000; server_tokens off;
    client_body_temp_path ${own}; proxy_temp_path ${own}; fastcgi_temp_path ${own};
    uwsgi_temp_path ${own}; scgi_temp_path ${own};
    upstream origin { server 127.0.0.1:${port}; keepalive 128; keepalive_requests 1000000000; }
    server { listen 127.0.0.1:${at} reuseport; location / { ${location} } }
}`
        )
        await bench.serve(t, 'nginx', ['-e', 'stderr', '-p', own, '-c', file], at)
    }
    return front
}

// In turn with `root` style, whose row stands right before.
async function behindOrigin(scene, address) {
    const pages = ['pages', `127.0.0.1:${scene.front}`, behind, size.seconds, 64]
    results.add('nginx proxy_pass, a page, 64 connections', await bench.load(pages))
    const words = ['payments', address, behind, size.payments, 64]
    await payments('payments, origin style, 64 connections', words, scene)
    const asked = ['payments', scene.decisions, behind, size.payments, 64]
    await payments('payments, decision listener, 64 connections', asked, scene, question)
}

// The same by what is signed as a JWS: sent to the gate, and brought to the facilitator by a server.
async function byCommitment(scene, words) {
    const env = { CRAWLTAB_BENCH_COMMITMENT: 'gate' }
    await payments('payments, signed as JWS, 64 connections', words, scene, env)
    const settles = {
        CRAWLTAB_BENCH_COMMITMENT: scene.facilitator,
        CRAWLTAB_BENCH_FIELD: `Authorization: Bearer ${scene.token}`
    }
    await payments('payments, settled at the facilitator, 64 connections', words, scene, settles)
}

async function payments(name, words, { gate, ledger }, env) {
    const before = ledger.query('SELECT pg_current_wal_insert_lsn()')
    const groups = { gate: [gate.process.pid], postgres: bench.postgres(ledger) }
    const result = await bench.load(words, groups, env)
    const bytes = Number(ledger.query(`SELECT pg_current_wal_insert_lsn() - '${before}'::pg_lsn`))
    paid += result.good
    results.add(name, { ...result, wal: Math.round(bytes / result.good) })
}

async function peer(kind, workers, ledger) {
    const port = await freePort()
    const words = [
        path.join(bench.here, 'peers/server.js'),
        kind,
        port,
        workers,
        path.join(root, 'tools/demo/site', bench.page)
    ]
    const env = { PGHOST: ledger.sockets, PGUSER: 'postgres', PGDATABASE: 'crawltab' }
    const server = await bench.serve(t, 'node', words, port, env)
    const pay = count =>
        bench.load(['payments', `127.0.0.1:${port}`, bench.site, count, 64], {
            gate: bench.children(server.pid),
            postgres: bench.postgres(ledger)
        })
    await pay(3000) // until its code is compiled
    results.add(`${kind}, ${workers} process${workers > 1 ? 'es' : ''}, 64 connections`, await pay(size.peer))
    await server.stop()
}

// As Prometheus does, but fifteen times as often.
function scrape(url) {
    const timer = setInterval(() => fetch(url).then(answer => answer.text()), 1000)
    return () => clearInterval(timer)
}

async function round(scene, servers) {
    const address = `127.0.0.1:${scene.gate.port}`
    results.add(`Ed25519 verify, ${cores} threads`, await bench.load(['ed25519', size.seconds, cores]))
    for (const [name, port] of Object.entries(servers))
        results.add(
            `${name}, 64 connections`,
            await bench.load(['offers', `127.0.0.1:${port}`, bench.site, size.seconds, 64])
        )
    for (const connections of [64, 250]) {
        const groups = { gate: [scene.gate.process.pid] }
        const offers = await bench.load(['offers', address, bench.site, size.seconds, connections], groups)
        results.add(`offers, ${connections} connections`, offers)
        const unwatched = scrape(scene.monitor)
        const watched = await bench.load(['offers', address, bench.site, size.seconds, connections], groups)
        results.add(`offers, ${connections} connections, scraped every second`, watched)
        unwatched()
        const words = ['payments', address, bench.site, size.payments, connections]
        await payments(`payments, ${connections} connections`, words, scene)
        if (connections === 64) await byCommitment(scene, words)
        if (connections === 64 && scene.front) await behindOrigin(scene, address)
    }
    for (const [kind, workers] of size.peer > 0 ? peers : []) await peer(kind, workers, scene.ledger)
}

// Memory with many connections open: before any request, when each has just been answered once, and when they
// have had nothing to say for some seconds since.
async function idle({ startGate }) {
    const gate = await startGate()
    const holder = spawn(bench.program('hold'), ['127.0.0.1', gate.port, bench.site, size.idle].map(String), {
        stdio: ['pipe', 'pipe', 'inherit']
    })
    const mebibytes = {}
    for await (const line of createInterface({ input: holder.stdout })) {
        mebibytes[line] = bench.memory(gate.process.pid)
        if (line === 'served') {
            await new Promise(resolve => setTimeout(resolve, smoke ? 100 : 5000))
            mebibytes.quiet = bench.memory(gate.process.pid)
        }
        holder.stdin.write('\n')
    }
    await gate.stop()
    return mebibytes
}

function row(name, raw) {
    const time = member => (results.of(name, member) ? bench.ms(results.of(name, member)) : undefined)
    const split = ['gate_us', 'postgres_us', 'load_us'].map(member => results.of(name, member)?.toFixed(0))
    const ratio = name.startsWith('payments') ? (results.of(name) / raw).toFixed(2) : undefined
    return [name, results.of(name), time('p50_us'), time('p99_us'), ratio, ...split, results.of(name, 'wal')]
}

function targets(raw, mebibytes) {
    const best = Math.max(
        ...peers.map(
            ([kind, n]) => results.of(`${kind}, ${n} process${n > 1 ? 'es' : ''}, 64 connections`) ?? 0
        )
    )
    const static64 = name => results.of(`${name}, 64 connections`)
    const offers = results.of('offers, 64 connections')
    const rows = []
    const judge = (what, value, wanted, good) =>
        rows.push([what, value, wanted, good === undefined ? '' : good ? 'met' : 'missed'])
    for (const name of ['payments, 64 connections', 'payments, 250 connections']) {
        const ratio = results.of(name) / raw
        judge(`${name}, of raw Ed25519`, ratio.toFixed(2), '≥ 0.85', ratio >= 0.85)
    }
    if (best > 0) {
        const ratio = results.of('payments, 64 connections') / best
        judge('payments, 64 connections, of the best Node peer', ratio.toFixed(1), '≥ 3', ratio >= 3)
    }
    const inRoot = results.of('payments, 64 connections')
    for (const [style, wanted] of [
        ['origin style', 0.7],
        ['signed as JWS', 0.8],
        ['settled at the facilitator', 0.8],
        ['decision listener', undefined]
    ]) {
        const name = `payments, ${style}, 64 connections`
        if (!results.has(name)) continue
        const ratio = results.of(name) / inRoot
        const bound = wanted ? `≥ ${wanted}` : ''
        judge(`${name}, of root style`, ratio.toFixed(2), bound, wanted && ratio >= wanted)
    }
    if (results.has('payments, origin style, 64 connections')) {
        const pages = results.of('nginx proxy_pass, a page, 64 connections')
        const ratio = results.of('payments, origin style, 64 connections') / pages
        judge('payments, origin style, of pages by nginx proxy_pass', ratio.toFixed(2), '')
    }
    const ceiling = offers / static64('libmicrohttpd, one prepared offer')
    judge("offers, of libmicrohttpd's ceiling", ceiling.toFixed(2), '≥ 0.9', ceiling >= 0.9)
    if (results.has('nginx, the same offer, 64 connections'))
        judge("offers, of nginx's static 402", (offers / static64('nginx, the same offer')).toFixed(2), '')
    for (const connections of [64, 250]) {
        const plain = `offers, ${connections} connections`
        const ratio = results.of(`${plain}, scraped every second`) / results.of(plain)
        judge(`${plain}, scraped, of those that are not`, ratio.toFixed(3), '≥ 0.99', ratio >= 0.99)
    }
    const p99 = results.of('payments, 64 connections', 'p99_us')
    judge('p99 of a payment, 64 connections', `${bench.ms(p99)} ms`, '< 25 ms', p99 < 25000)
    for (const [when, size] of Object.entries(mebibytes))
        judge(
            `gate's memory, idle connections, ${when}`,
            `${size.toFixed(1)} MiB`,
            when === 'served' ? '' : '< 64 MiB',
            when === 'served' ? undefined : size < 64
        )
    return rows
}

function report(mebibytes, scene) {
    const raw = results.of(`Ed25519 verify, ${cores} threads`)
    const columns = ['what', 'per second', 'p50 ms', 'p99 ms', 'of raw Ed25519']
    const split = ['server µs', 'PostgreSQL µs', 'load µs', 'WAL bytes']
    console.log(`\n${bench.heading(size.rounds, cores)}\n`)
    console.log(
        bench.table(
            [...columns, ...split],
            [...results.all.keys()].map(name => row(name, raw))
        )
    )
    console.log(`\n${bench.table(['target', 'measured', 'wanted', ''], targets(raw, mebibytes))}`)
    console.log(`\ngate's memory after all that ${bench.memory(scene.gate.process.pid).toFixed(1)} MiB`)
}

try {
    const options = {
        insecureHosts: [`127.0.0.1:${bench.directoryPort}`],
        logLevel: 'info',
        log: { decisions: false },
        asUsed: true,
        monitor: { listen: '127.0.0.1:0' },
        decisions: { listen: '127.0.0.1:0' },
        facilitator: { listen: '127.0.0.1:0' }
    }
    const originPort = await freePort()
    const rules = [{ name: 'articles', paths: ['/articles/**'], action: 'charge', price: '0.05' }]
    const common = { network: 'example:402', terms_url: 'https://shop.example/terms', rules }
    options.sites = [
        { name: 'example', hosts: [bench.site], root: path.join(root, 'tools/demo/site'), ...common },
        { name: 'behind', hosts: [behind], origin: `http://127.0.0.1:${originPort}`, ...common }
    ]
    const scene = await stage(t, options)
    const address = `127.0.0.1:${scene.gate.port}`
    await scene.gate.logged(/event=monitored address=\S+\n/)
    scene.monitor = `http://${/event=monitored address=(\S+)\n/.exec(scene.gate.log)[1]}/metrics`
    scene.decisions = /event=deciding address=(\S+)\n/.exec(scene.gate.log)[1]
    scene.facilitator = /event=facilitating address=(\S+)\n/.exec(scene.gate.log)[1]
    scene.token = (await scene.crawltab('token', 'add', 'bench', '--site', 'example')).stdout.trim()
    const supported = () =>
        fetch(`http://${scene.facilitator}/supported`, {
            headers: { authorization: `Bearer ${scene.token}` }
        })
    await until(async () => (await supported()).status === 200, 'the gate reads the key')
    if (installed('nginx')) scene.front = await startOrigin(scene.folder, originPort)
    scene.ledger.query('CREATE TABLE peer_charge (LIKE charge INCLUDING ALL)')
    if (size.peer > 0)
        execFileSync('npm', ['ci', '--no-audit', '--no-fund', '--ignore-scripts', '--loglevel=error'], {
            cwd: path.join(bench.here, 'peers'),
            stdio: ['ignore', 'ignore', 'inherit']
        })
    const servers = await startStatic(scene.folder, await writeOffer(scene.gate, scene.folder))
    for (let n = 1; n <= size.rounds; n++) {
        console.log(`round ${n} of ${size.rounds}`)
        await round(scene, servers)
    }
    console.log('once')
    for (const connections of size.crowds) {
        const words = [address, bench.site, size.seconds, connections]
        results.add(`offers, ${connections} connections`, await bench.load(['offers', ...words]))
        if (connections > 4000) continue // the writer's queue answers so many payments at once with 503
        words[2] = size.payments
        await payments(`payments, ${connections} connections`, ['payments', ...words], scene)
    }
    const words = ['rate', address, bench.site, size.rate * size.seconds * 2, 64, size.rate]
    await payments(`payments at ${size.rate}/s, 64 connections`, words, scene)
    const mebibytes = await idle(scene)
    report(mebibytes, scene)
    // Every payment that was answered with 200 has its one entry.
    assert.equal(scene.ledger.count('charge'), paid)
    console.log(`${paid} payments, each with one entry in the ledger`)
} finally {
    for (const cleanUp of cleanUps) await cleanUp()
}
