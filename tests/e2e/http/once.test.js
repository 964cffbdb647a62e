// What the site's own server never hears: payment ids that are dead, crawlers that may not pay, and a second
// time what changes something.
// Tests server/gate/gate_passage.c
import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import http from 'node:http'
import { test } from 'node:test'
import { Proxy } from '../../fault/proxy.js'
import { fromBase64, paymentSignature } from '../dialects.js'
import { scene, withBase, withWebBotAuth } from '../signers.js'
import { freePort, until } from '../support.js'

// A site, of which `answer` can be changed, and what it was asked.
async function beside(t, options = {}) {
    const state = { seen: [], answer: (request, response) => response.end('done\n') }
    const server = http.createServer((request, response) => {
        request.resume()
        request.on('end', () => {
            state.seen.push(`${request.method} ${request.url}`)
            state.answer(request, response)
        })
    })
    await new Promise(resolve => server.listen(0, '127.0.0.1', resolve))
    t.after(() => (server.closeAllConnections(), server.close()))
    const set = await scene(t, {
        ...options,
        site: {
            root: '',
            origin: `http://127.0.0.1:${server.address().port}`,
            methods: ['POST', 'PUT', 'PATCH', 'DELETE']
        }
    })
    // Any method, with a body that the commitment signs; `field`: what an offer is taken by.
    const commit = async (method, target, body, { gate = set.gate, field = payment } = {}) => {
        const head = { method, headers: { 'user-agent': 'GPTBot/1.2' } }
        const offered = await send(gate, target, body, head)
        assert.equal(offered.status, 402, offered.text)
        const [offer] = JSON.parse(offered.text).accepts
        const digest = `sha-256=:${createHash('sha256').update(body ?? '').digest('base64')}:`
        const fields = {
            ...field(offer),
            'Signature-Agent': `"${set.agent.origin}"`,
            ...(body === undefined ? {} : { 'Content-Digest': digest })
        }
        const pairs = [
            ['"@method"', method],
            ['"@authority"', 'shop.example'],
            ...Object.entries(fields).map(([name, value]) => [`"${name.toLowerCase()}"`, value])
        ]
        return { id: offer.extra.id, headers: withBase(set.key, fields, pairs) }
    }
    // Another gate, whose connection to the ledger can be cut.
    const cuttable = async () => {
        const proxy = await Proxy.start(t, { path: `${set.ledger.sockets}/.s.PGSQL.5432` })
        const options = 'dbname=crawltab sslmode=disable gssencmode=disable'
        set.configure({ ledger: { connection: `host=127.0.0.1 port=${proxy.port} ${options}` } })
        const gate = await set.startGate()
        await gate.ready()
        return { proxy, gate }
    }
    return { ...set, state, commit, cuttable }
}

const payment = ({ extra }) => ({
    Payment: `scheme="deferred", network="example:402", id="${extra.id}"`
})

const send = (gate, target, body, { method, headers }) => gate.request(target, { method, headers, body })

test('what changes something reaches the site once for a payment', async t => {
    const { gate, ledger, state, commit, startGate } = await beside(t)
    const refused = async (where, method, target, body, headers, receipt) => {
        const answer = await send(where, target, body, { method, headers })
        assert.deepEqual([answer.status, answer.headers['crawler-error']], [409, 'request_repeated'])
        assert.equal(JSON.parse(answer.text).code, 'request_repeated')
        assert.equal('payment-response' in answer.headers, receipt)
        if (receipt) assert.equal(answer.headers['crawler-charged'], 'USD 0.05')
    }
    const sent = []
    for (const [method, body] of [
        ['POST', '{"query":"tides"}'],
        ['PUT', 'x'],
        ['PATCH', 'y'],
        ['DELETE', undefined]
    ]) {
        const target = `/articles/${method}`
        const { headers } = await commit(method, target, body)
        const answer = await send(gate, target, body, { method, headers })
        assert.equal(answer.text, 'done\n')
        assert.ok(answer.headers['payment-response'])
        sent.push([method, target, body, headers, true])
    }
    // Refused by the site: nothing is charged, and the id is used up all the same.
    state.answer = (request, response) => ((response.statusCode = 422), response.end('no'))
    const wrong = await commit('POST', '/articles/wrong', 'z')
    const first = await send(gate, '/articles/wrong', 'z', { method: 'POST', headers: wrong.headers })
    assert.deepEqual([first.status, first.text], [422, 'no'])
    sent.push(['POST', '/articles/wrong', 'z', wrong.headers, false])
    // Nobody knows what the site has done that does not answer.
    state.answer = request => request.socket.destroy()
    const lost = await commit('POST', '/articles/lost', 'z')
    const none = await send(gate, '/articles/lost', 'z', { method: 'POST', headers: lost.headers })
    assert.equal(none.headers['crawler-error'], 'origin_unavailable')
    sent.push(['POST', '/articles/lost', 'z', lost.headers, false])
    const asked = state.seen.length
    assert.equal(asked, 6)
    state.answer = (request, response) => response.end('twice\n')
    for (const words of sent) await refused(gate, ...words)
    await gate.stop()
    const other = await startGate()
    await other.ready()
    for (const words of sent) await refused(other, ...words)
    assert.equal(state.seen.length, asked)
    assert.deepEqual([ledger.count('charge'), ledger.count('handover')], [4, 6])
})

test('who pays by x402 hears once, and rightly, whether it was charged', async t => {
    const { gate, ledger, state, commit } = await beside(t)
    const told = answer => fromBase64(answer.headers['payment-response'])
    const { headers } = await commit('POST', '/articles/a', 'x', { field: paymentSignature })
    const first = await send(gate, '/articles/a', 'x', { method: 'POST', headers })
    assert.equal(first.text, 'done\n')
    const second = await send(gate, '/articles/a', 'x', { method: 'POST', headers })
    assert.deepEqual([second.status, second.headers['crawler-error']], [409, 'request_repeated'])
    assert.deepEqual(told(second), told(first))
    assert.equal(told(second).success, true)
    state.answer = (request, response) => ((response.statusCode = 422), response.end('no'))
    const wrong = await commit('POST', '/articles/b', 'x', { field: paymentSignature })
    assert.equal((await send(gate, '/articles/b', 'x', { method: 'POST', ...wrong })).status, 422)
    const again = await send(gate, '/articles/b', 'x', { method: 'POST', ...wrong })
    assert.deepEqual([again.status, told(again).success], [409, false])
    assert.deepEqual([state.seen.length, ledger.count('charge')], [2, 1])
})

test('a connection that is lost at the entry costs nobody his answer', async t => {
    const { ledger, state, commit, cuttable } = await beside(t)
    const { proxy, gate } = await cuttable()
    for (const moment of ['before', 'sent', 'after']) {
        const { headers } = await commit('POST', `/articles/${moment}`, 'x', { gate })
        const fault = proxy.arm(moment, /\binsert into charge\b/i)
        const words = [gate, `/articles/${moment}`, 'x', { method: 'POST', headers }]
        const answer = await send(...words)
        assert.ok(fault.seen)
        assert.deepEqual([answer.status, answer.text], [200, 'done\n'], moment)
        assert.equal(answer.headers['crawler-charged'], 'USD 0.05')
        assert.equal((await send(...words)).headers['crawler-error'], 'request_repeated')
    }
    assert.deepEqual([state.seen.length, ledger.count('charge')], [3, 3])
    // Where the id was taken and nobody heard so, the site hears nothing either.
    const { headers } = await commit('POST', '/articles/taken', 'x', { gate })
    proxy.arm('after', /\binsert into handover\b/i)
    const lost = await send(gate, '/articles/taken', 'x', { method: 'POST', headers })
    assert.equal(lost.headers['crawler-error'], 'request_repeated')
    assert.equal('payment-response' in lost.headers, false)
    assert.deepEqual([state.seen.length, ledger.count('charge')], [3, 3])
})

test('of many at once one gets through, at two gates', async t => {
    const { gate, ledger, state, commit, startGate } = await beside(t)
    const other = await startGate()
    await other.ready()
    state.answer = (request, response) => setTimeout(() => response.end('done\n'), 100)
    for (let round = 0; round < 3; round++) {
        const target = `/articles/${round}`
        const { headers } = await commit('POST', target, 'x')
        const all = await Promise.all(
            Array.from({ length: 10 }, (_, i) =>
                send(i % 2 ? gate : other, target, 'x', { method: 'POST', headers })
            )
        )
        const count = status => all.filter(answer => answer.status === status).length
        assert.deepEqual([count(200), count(409)], [1, 9])
    }
    assert.deepEqual(state.seen.length, 3)
    assert.equal(ledger.count('charge'), 3)
})

test('dead ids reach the site once at most, crawlers without credit never', async t => {
    const { gate, ledger, state, key, agent, startGate, crawltab } = await beside(t, {
        agents: { day_limit: '0.10' }
    })
    const sign = async (where, target) => {
        const id = await where.offer(target)
        return { headers: await withWebBotAuth(key, agent.origin, `https://shop.example${target}`, id) }
    }
    const dead = await sign(gate, '/articles/a')
    assert.equal((await gate.request('/articles/a', dead)).status, 200)
    // Told by the front's log, to the ledger and not to the gate.
    const uuid = ledger.query('SELECT payment_id FROM charge')
    ledger.own(`SELECT note_undelivered('${uuid}', 200, 5, 100, 'log', '${uuid}', 1)`)
    await gate.stop()
    const other = await startGate()
    await other.ready()
    // A gate that does not know it may ask the site, and knows it then.
    const first = await other.request('/articles/a', dead)
    assert.equal(first.headers['crawler-error'], 'payment_undelivered')
    const asked = state.seen.length
    assert.ok(asked <= 2)
    for (let i = 0; i < 3; i++) {
        const answer = await other.request('/articles/a', dead)
        assert.equal(answer.headers['crawler-error'], 'payment_undelivered')
    }
    assert.equal(state.seen.length, asked)
    for (const target of ['/articles/1', '/articles/2'])
        assert.equal((await other.request(target, await sign(other, target))).status, 200)
    const over = await other.request('/articles/3', await sign(other, '/articles/3'))
    assert.equal(over.headers['crawler-error'], 'credit_limit_reached')
    assert.equal(state.seen.length, asked + 2)
    await crawltab('audit')
})

test('without the ledger the site hears of one payment at most', async t => {
    const { gate, ledger, state, key, agent } = await beside(t, { listen: `127.0.0.1:${await freePort()}` })
    const id = await gate.offer('/articles/a')
    const headers = await withWebBotAuth(key, agent.origin, 'https://shop.example/articles/a', id)
    ledger.stop()
    // What has noticed it knows it for all that come after.
    const away = await gate.request('/articles/a', { headers })
    assert.equal(away.headers['crawler-error'], 'ledger_unavailable')
    const asked = state.seen.length
    assert.ok(asked <= 1)
    for (let i = 0; i < 3; i++) {
        const answer = await gate.request('/articles/a', { headers })
        assert.equal(answer.headers['crawler-error'], 'ledger_unavailable')
    }
    assert.equal(state.seen.length, asked)
    ledger.start()
    let answer
    await until(async () => {
        answer = await gate.request('/articles/a', { headers })
        return answer.status === 200
    }, 'a page')
    assert.equal(answer.text, 'done\n')
    assert.equal(ledger.count('charge'), 1)
})
