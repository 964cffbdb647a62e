// Whom a request is from when a proxy hands it on: the client behind a proxy that the configuration trusts,
// and the peer itself otherwise, whatever the request says.
// Tests server/http/client.c, server/http/listen.c
import assert from 'node:assert/strict'
import http from 'node:http'
import path from 'node:path'
import { test } from 'node:test'
import { Gate, freePort, payment, stage, temporaryFolder, until } from '../support.js'
import { scene, withBase, withWebBotAuth } from '../signers.js'
import { nginx } from '../fronts.js'

const page = '/articles/harbour-bell.html'
const url = `https://shop.example${page}`

// Three clients, each in a network of its own.
const [loud, honest, third] = ['127.0.7.1', '127.0.8.1', '127.0.9.1']

const pass = (port, gate, field = 'X-Forwarded-For $remote_addr') => `
    upstream gate { server ${gate}; keepalive 16; }
    server {
        listen 127.0.0.1:${port};
        location / {
            proxy_pass http://gate;
            proxy_http_version 1.1;
            proxy_set_header Connection "";
            proxy_set_header Host $http_host;
            proxy_set_header ${field};
        }
    }`

// A commitment as it must be, but for its signature.
function madeUp(key, agent, id) {
    const fields = { Payment: payment(id), 'Signature-Agent': `"${agent}"` }
    return withBase(key, fields, [
        ['"@authority"', 'shop.example'],
        ['"payment"', fields.Payment],
        ['"signature-agent"', 'something else']
    ])
}

test('a flood from one client behind nginx keeps no other from paying', async t => {
    const { gate, key, agent, ledger } = await scene(t, {
        trustedProxies: ['127.0.0.1'],
        directory: { client_fetches: 5 }
    })
    const front = await freePort()
    const { port } = await nginx(t, pass(front, `127.0.0.1:${gate.port}`), front)
    const id = await gate.offer(page, { port, from: loud })
    const flood = await Promise.all(
        Array.from({ length: 60 }, (_, i) =>
            gate.request(page, {
                port,
                from: loud,
                headers: {
                    ...madeUp(key, `${agent.origin}/made-up/${i}`, id),
                    'X-Forwarded-For': `192.0.2.${i}`,
                    Forwarded: `for=192.0.2.${i}`
                }
            })
        )
    )
    const codes = flood.map(answer => answer.headers['crawler-error'])
    // A field of the client's own that nginx hands on makes it count as nginx, and nobody else.
    assert.ok(codes.filter(code => code === 'rate_limited').length >= 55 - 5, codes.join(' '))
    const plain = await Promise.all(
        Array.from({ length: 20 }, (_, i) =>
            gate.request(page, {
                port,
                from: loud,
                headers: madeUp(key, `${agent.origin}/more/${i}`, id)
            })
        )
    )
    const limited = plain.filter(answer => answer.status === 429)
    assert.equal(limited.length, 15)
    assert.equal(limited[0].headers['retry-after'], '12')
    const paid = await gate.request(page, {
        port,
        from: honest,
        headers: await withWebBotAuth(
            key,
            agent.origin,
            url,
            await gate.offer(page, { port, from: honest })
        )
    })
    assert.equal(paid.status, 200, paid.text)
    assert.equal(ledger.count('charge'), 1)
    await gate.logged(new RegExp(`client=${loud.replaceAll('.', '\\.')} status=429`))
    await gate.logged(new RegExp(`client=${honest.replaceAll('.', '\\.')} status=200`))
})

test('whoever is not trusted is himself, whatever his request says', async t => {
    const { gate, key, agent } = await scene(t, {
        trustedProxies: ['127.0.8.0/24', '10.0.0.0/8'],
        directory: { client_fetches: 3 }
    })
    const id = await gate.offer(page)
    const attempt = (from, i, headers) =>
        gate.request(page, { from, headers: { ...madeUp(key, `${agent.origin}/${i}`, id), ...headers } })
    for (let i = 0; i < 6; i++) {
        const { status } = await attempt(loud, i, { 'X-Forwarded-For': `192.0.${i}.1` })
        assert.equal(status, i < 3 ? 403 : 429)
    }
    // A trusted one speaks for others; one it does not speak for has nothing of its own to spend.
    for (let i = 10; i < 16; i++) {
        const handed = { 'X-Forwarded-For': `9.9.9.9, 192.0.${i}.1, 10.0.0.9` }
        assert.equal((await attempt(honest, i, handed)).status, 403)
    }
    await gate.logged(/client=192\.0\.15\.1 status=403/)
    assert.ok(!gate.log.includes('client=9.9.9.9'))
})

// A site whose answers wait until they are let go.
async function waitingSite(t) {
    const waiting = []
    const server = http.createServer((request, response) => waiting.push(response))
    await new Promise(resolve => server.listen(0, '127.0.0.1', resolve))
    t.after(() => {
        server.closeAllConnections()
        server.close()
    })
    return {
        waiting,
        origin: `http://127.0.0.1:${server.address().port}`,
        release: () => waiting.splice(0).forEach(response => response.end('here'))
    }
}

test('requests under way are counted for each client behind a proxy', async t => {
    const site = await waitingSite(t)
    const { gate } = await stage(t, {
        trustedProxies: ['127.0.0.1'],
        http: { client_connections: 3 },
        site: { root: '', origin: site.origin, rules: [{ action: 'allow' }] }
    })
    const port = await freePort()
    await nginx(t, pass(port, `127.0.0.1:${gate.port}`), port)
    const get = (from, count) =>
        Array.from({ length: count }, () =>
            gate.request('/', { port, from, headers: { connection: 'close' } })
        )
    for (let round = 0; round < 3; round++) {
        const all = [...get(loud, 3), ...get(honest, 2), ...get(third, 3)]
        await until(() => site.waiting.length === 8, 'all are under way')
        const [refused] = await Promise.all(get(loud, 1))
        assert.equal(refused.status, 429, refused.text)
        assert.equal(refused.headers['crawler-error'], 'rate_limited')
        assert.equal(refused.headers['retry-after'], '1')
        const more = get(honest, 1)
        await until(() => site.waiting.length === 9, 'another one has room left')
        site.release()
        for (const answer of await Promise.all([...all, ...more])) assert.equal(answer.text, 'here')
    }
})

test('a gate behind a unix socket', async t => {
    const folder = temporaryFolder(t)
    const socket = path.join(folder, 'gate.sock')
    const { gate, key, agent, config } = await scene(t, {
        listen: `unix:${socket}`,
        trustedProxies: ['unix'],
        directory: { client_fetches: 2 }
    })
    await gate.logged(/event=listening address=unix:\/\S+gate\.sock /)
    const ask = async (from, i) =>
        gate.request(page, {
            headers: {
                ...(await withWebBotAuth(key, `${agent.origin}/${i}`, url, await gate.offer(page))),
                'X-Forwarded-For': from
            }
        })
    for (let i = 0; i < 4; i++) assert.equal((await ask('192.0.2.1', i)).status, i < 2 ? 200 : 429)
    assert.equal((await ask('198.51.100.1', 9)).status, 200)
    await gate.logged(/client=198\.51\.100\.1 status=200/)
    // Many at once, over both threads.
    const all = await Promise.all(Array.from({ length: 50 }, () => gate.request('/about.html')))
    for (const answer of all) assert.equal(answer.status, 200)
    await gate.logged(/client=127\.0\.0\.1 status=200/)
    const second = new Gate(config)
    await assert.rejects(second.start(), /event=listen_failed .*another program listens there/)
    // What a killed gate left is in nobody's way.
    await gate.stop('SIGKILL')
    await gate.start()
    assert.equal((await gate.request('/about.html')).status, 200)
    assert.equal((await gate.stop()).code, 0)
})

// A connection that is there is judged anew, and counted for whoever asks over it from then on.
test('whom the gate trusts changes by SIGHUP, also on connections that are open', async t => {
    const limited = { http: { client_connections: 2 } }
    const { gate, configure } = await stage(t, limited)
    const agents = Array.from({ length: 3 }, () => new http.Agent({ keepAlive: true, maxSockets: 1 }))
    t.after(() => agents.forEach(agent => agent.destroy()))
    const ask = (agent, client) =>
        new Promise((resolve, reject) => {
            const headers = { host: 'shop.example', 'X-Forwarded-For': client }
            const options = { host: '127.0.0.1', port: gate.port, path: '/about.html', agent, headers }
            const request = http.get(options, response => {
                response.resume()
                response.on('end', () => resolve([response.statusCode, request.reusedSocket]))
            })
            request.on('error', reject)
        })
    const trust = async trustedProxies => {
        const count = () => gate.log.match(/event=reloaded .*changed=trusted_proxies/g)?.length ?? 0
        const before = count()
        configure({ ...limited, trustedProxies })
        gate.process.kill('SIGHUP')
        await until(() => count() > before, `reloaded in the log: ${gate.log}`)
        assert.doesNotMatch(gate.log, /reload_ignored/)
    }
    const seen = async (agent, client, as, reused = true) => {
        const at = gate.log.length
        assert.deepEqual(await ask(agent, client), [200, reused])
        await until(() => gate.log.slice(at).includes(`client=${as} `), `${as} in ${gate.log.slice(at)}`)
    }
    await seen(agents[0], '192.0.2.1', '127.0.0.1', false)
    await seen(agents[1], '192.0.2.1', '127.0.0.1', false)
    await trust(['127.0.0.1'])
    await seen(agents[0], '192.0.2.1', '192.0.2.1')
    await seen(agents[1], '192.0.2.2', '192.0.2.2')
    await seen(agents[2], '192.0.2.3', '192.0.2.3', false) // a proxy's connections are not counted
    await trust([])
    await seen(agents[0], '192.0.2.1', '127.0.0.1')
    await seen(agents[1], '192.0.2.1', '127.0.0.1')
    assert.equal((await ask(agents[2], '192.0.2.3'))[0], 429, 'the third of two that one client may have')
    await trust(['127.0.0.1'])
    for (const agent of agents.slice(0, 2)) await seen(agent, '192.0.2.4', '192.0.2.4')
})
