// Requests as load balancers, old clients and people's browsers make them.
// Tests server/published/health.c
import assert from 'node:assert/strict'
import http from 'node:http'
import { test } from 'node:test'
import { stage, until } from '../support.js'
import { scene, withWebBotAuth } from '../signers.js'
import { answers, talk } from '../raw.js'

const health = '/.well-known/crawltab/health'
const page = '/articles/harbour-bell.html'
const raw = async (port, text) => answers(await talk(port, text))

test('health is told without a Host, with any, and by HEAD', async t => {
    const { gate, ledger } = await stage(t)
    for (const head of [
        `GET ${health} HTTP/1.0\r\n\r\n`,
        `GET ${health} HTTP/1.1\r\nConnection: close\r\n\r\n`,
        `GET ${health} HTTP/1.1\r\nHost: 10.0.0.1:8402\r\nUser-Agent: GPTBot\r\nConnection: close\r\n\r\n`
    ]) {
        const [answer] = await raw(gate.port, head)
        assert.equal(answer.status, 200, head)
        assert.deepEqual(JSON.parse(answer.text), { gate: 'up', ledger: 'ready' })
        assert.equal(answer.headers['cache-control'], 'no-store')
    }
    const { status, body } = await gate.request(health, { method: 'HEAD', host: 'somebody.else' })
    assert.deepEqual([status, body.length], [200, 0])
    ledger.stop()
    await until(
        async () => JSON.parse((await gate.request(health)).text).ledger === 'away',
        'the ledger is missed'
    )
    assert.equal((await gate.request(health)).status, 200)
    ledger.start()
})

test('HTTP/1.0 without Host is for the only site', async t => {
    const { gate } = await stage(t)
    const [person] = await raw(gate.port, 'GET /about.html HTTP/1.0\r\n\r\n')
    assert.equal(person.status, 200)
    const [crawler] = await raw(gate.port, `GET ${page} HTTP/1.0\r\nUser-Agent: GPTBot\r\n\r\n`)
    assert.equal(crawler.status, 402)
    assert.equal(JSON.parse(crawler.text).resource.url, `https://shop.example${page}`)
    const [strict] = await raw(gate.port, 'GET /about.html HTTP/1.1\r\n\r\n')
    assert.equal(strict.status, 400)
})

test('HTTP/1.0 without Host is for nobody where there are several sites', async t => {
    const site = (name, host) => ({
        name,
        hosts: [host],
        origin: 'http://127.0.0.1:1',
        network: `${name}:402`,
        terms_url: 'https://shop.example/terms'
    })
    const { gate } = await stage(t, { sites: [site('one', 'one.example'), site('two', 'two.example')] })
    const [answer] = await raw(gate.port, 'GET /about.html HTTP/1.0\r\n\r\n')
    assert.equal(answer.status, 421)
    assert.equal((await raw(gate.port, `GET ${health} HTTP/1.0\r\n\r\n`))[0].status, 200)
})

test('a dot behind the host names the same site', async t => {
    const { gate, key, agent, ledger } = await scene(t)
    for (const host of ['shop.example.', 'SHOP.example.:443', 'shop.example:443']) {
        const named = host.toLowerCase().replace(':443', '')
        const answer = await gate.request(page, {
            host,
            headers: await withWebBotAuth(
                key,
                agent.origin,
                `https://${named}${page}`,
                await gate.offer(page, { host })
            )
        })
        assert.equal(answer.status, 200, answer.text)
    }
    assert.equal(ledger.count('charge'), 3)
    for (const host of ['.', '..', 'shop.example..', 'shop.example.:8443', '.:443', ':443'])
        assert.equal((await gate.request(page, { host })).status, 421, host)
})

test('a person with a cookie of 12 KB is served, by the gate and by the site', async t => {
    const site = http.createServer({ maxHeaderSize: 65536 }, (request, response) =>
        response.end(`cookie of ${request.headers.cookie.length} bytes`)
    )
    await new Promise(resolve => site.listen(0, '127.0.0.1', resolve))
    t.after(() => {
        site.closeAllConnections()
        site.close()
    })
    const { gate } = await stage(t, { site: { origin: `http://127.0.0.1:${site.address().port}` } })
    const headers = { cookie: `a=${'x'.repeat(12 * 1024)}`, 'user-agent': 'Mozilla/5.0' }
    assert.equal((await gate.request(page, { headers })).status, 200)
    const forwarded = await gate.request('/of-the-site', { headers })
    assert.equal(forwarded.text, `cookie of ${headers.cookie.length} bytes`)
})
