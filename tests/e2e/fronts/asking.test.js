// Caddy and nginx ask the gate and deliver by themselves, by the very lines that the README prints.
import assert from 'node:assert/strict'
import fs from 'node:fs'
import http from 'node:http'
import path from 'node:path'
import { test } from 'node:test'
import { change } from '../front_exam.js'
import { frontFolder, nginx, startFront } from '../fronts.js'
import { scene, withWebBotAuth } from '../signers.js'
import { freePort, root } from '../support.js'

// The indented block of the README that begins with this line.
function recipe(first) {
    const lines = fs.readFileSync(path.join(root, 'README.md'), 'utf8').split('\n')
    const begin = lines.indexOf(`    ${first}`)
    assert.ok(begin > 0, first)
    const end = lines.findIndex((line, i) => i > begin && !line.startsWith('    '))
    return lines.slice(begin, end).join('\n')
}

async function asking(t, decisions) {
    const seen = []
    const site = http.createServer((request, response) => {
        seen.push({ url: request.url, headers: request.headers })
        if (request.url === '/gone') return response.writeHead(404).end('gone')
        response.end('a page of the site\n')
    })
    await new Promise(resolve => site.listen(0, '127.0.0.1', resolve))
    t.after(() => (site.closeAllConnections(), site.close()))
    const folder = frontFolder(t)
    const socket = path.join(folder, 'ask.sock')
    fs.chmodSync(folder, 0o777)
    const origin = `127.0.0.1:${site.address().port}`
    const [port, gatePort] = [await freePort(), await freePort()]
    const set = await scene(t, {
        listen: `127.0.0.1:${gatePort}`,
        decisions: { listen: `unix:${socket}`, ...decisions },
        site: {
            root: '',
            scheme: 'http',
            origin: `http://${origin}`,
            rules: [{ action: 'charge', price: '0.05' }]
        }
    })
    fs.chmodSync(socket, 0o777)
    const here = text =>
        text.replaceAll('/run/crawltab/ask.sock', socket).replaceAll('127.0.0.1:8080', origin)
    return { ...set, seen, port, folder, here }
}

async function examine(set) {
    const { gate, seen, port, ledger, key, agent } = set
    const get = (target, headers, options = {}) => gate.request(target, { headers, port, ...options })
    const forged = { 'x-crawltab-agent': 'https://forged.example', 'x-crawltab-payment': 'forged' }
    const misled = { 'x-original-uri': '/robots.txt', 'x-forwarded-uri': '/robots.txt' }
    const person = await get('/articles/a?b=1', { 'user-agent': 'Mozilla/5.0', ...forged })
    assert.deepEqual([person.status, person.text], [200, 'a page of the site\n'])
    assert.equal(seen[0].headers['x-crawltab-agent'] ?? '', '')
    const crawler = { 'user-agent': 'GPTBot/1.2', ...misled }
    const unpaid = await get('/articles/a?b=1', crawler)
    assert.equal(unpaid.status, 402, unpaid.text)
    const offer = JSON.parse(unpaid.text)
    assert.equal(offer.resource.url, 'http://shop.example/articles/a?b=1')
    assert.equal((await get('/articles/a', crawler, { method: 'HEAD' })).status, 402)
    const { id } = offer.accepts[0].extra
    const signed = await withWebBotAuth(key, agent.origin, offer.resource.url, id)
    const paid = await get('/articles/a?b=1', { ...signed, ...forged })
    assert.deepEqual([paid.status, paid.text], [200, 'a page of the site\n'])
    assert.match(paid.headers['payment-response'], new RegExp(id))
    assert.equal(seen.length, 2)
    assert.equal(seen[1].url, '/articles/a?b=1')
    assert.equal(seen[1].headers['x-crawltab-agent'], agent.origin)
    assert.equal(seen[1].headers['x-crawltab-payment'], id)
    assert.equal(ledger.query('SELECT amount_micros, resource FROM charge'), `50000|${offer.resource.url}`)
}

test('Caddy asks the gate first', { timeout: 200_000 }, async t => {
    const set = await asking(t)
    const printed = (await set.crawltab('front', 'caddy', '--listen', `127.0.0.1:${set.port}`)).stdout
    const gates = /\t\treverse_proxy 127\.0\.0\.1:\S+ \{\n(\t\t\t.*\n)+\t\t\}\n/
    const file = path.join(set.folder, 'Caddyfile')
    const text = change(printed, printed.match(gates)[0], `${set.here(recipe('route {'))}\n`)
    fs.writeFileSync(file, `{\n\tadmin off\n\tauto_https off\n}\n${text}`)
    await startFront(t, 'caddy', ['run', '--adapter', 'caddyfile', '--config', file], {
        port: set.port,
        folder: set.folder,
        env: { XDG_DATA_HOME: set.folder, XDG_CONFIG_HOME: set.folder }
    })
    await examine(set)
})

test('nginx asks the gate first', { timeout: 200_000 }, async t => {
    const set = await asking(t, { accel_redirect: '@origin' })
    const conf = `map $http_user_agent$http_payment $crawler { default 0; ~GPTBot 1; ~scheme 1; }
server {
    listen 127.0.0.1:${set.port};
    location / {
        error_page 418 = @crawltab;
        if ($crawler) { return 418; }
        proxy_set_header Host $http_host;
        proxy_set_header X-Crawltab-Agent "";
        proxy_pass http://127.0.0.1:8080;
    }
${recipe('location @crawltab {')}
}`
    await nginx(t, set.here(conf), set.port, set.folder)
    await examine(set)
})
