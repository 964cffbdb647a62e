// The log of decisions: a line for each request of a crawler, none for people, and why a payer was sent away.
// Tests server/gate/access.c
import assert from 'node:assert/strict'
import net from 'node:net'
import { test } from 'node:test'
import { claims, jws, paymentSignature, signed } from '../dialects.js'
import { answers, ask, talk } from '../raw.js'
import { makeKey, scene, withWebBotAuth } from '../signers.js'
import { until } from '../support.js'

const crawler = { 'user-agent': 'GPTBot/1.2' }
const page = '/articles/harbour-bell.html'

// The fields of the lines about decisions, in the order of their coming.
const decisions = gate =>
    [...gate.log.matchAll(/^time=\S+ level=(\w+) event=decision (.*)\n/gm)].map(([, level, rest]) => ({
        level,
        ...Object.fromEntries(
            [...rest.matchAll(/(\w+)=("(?:[^"\\]|\\.)*"|\S+)/g)].map(([, key, value]) => [
                key,
                value.startsWith('"') ? JSON.parse(value) : value
            ])
        )
    }))

async function lines(gate, count) {
    await until(() => decisions(gate).length >= count, `${count} decisions in ${gate.log}`)
    return decisions(gate)
}

const without = ({ ms, ...rest }) => {
    assert.match(ms, /^[0-9]+$/)
    return rest
}

// The answer, once its line is there: lines of several threads come in any order.
async function logged(gate, request) {
    const before = decisions(gate).length
    const answer = await request
    await lines(gate, before + 1)
    return answer
}

async function pay({ gate, key, agent }, target = page) {
    const id = await logged(gate, gate.offer(target))
    const headers = await withWebBotAuth(key, agent.origin, `https://shop.example${target}`, id)
    return { id, headers, answer: await logged(gate, gate.request(target, { headers })) }
}

test('who asked, what came of it, and nothing about people', async t => {
    const set = await scene(t, { logLevel: 'info', trustedProxies: ['127.0.0.1'] })
    const { gate, ledger, agent } = set
    const person = { 'user-agent': 'Mozilla/5.0 (X11; Linux x86_64)' }
    assert.equal((await gate.request('/about.html', { headers: person })).status, 200)
    const behind = { headers: { ...crawler, 'x-forwarded-for': '198.51.100.7' } }
    const offer = await logged(gate, gate.request(`${page}?secret=1`, behind))
    assert.equal(offer.status, 402)
    const { answer, headers } = await pay(set)
    assert.equal(answer.status, 200)
    assert.equal((await logged(gate, gate.request(page, { headers }))).status, 200)
    assert.equal((await logged(gate, gate.request('/drafts/x', { headers: crawler }))).status, 403)
    const head = { method: 'HEAD', headers: crawler }
    assert.equal((await logged(gate, gate.request('/about.html', head))).status, 200)
    const seen = (await lines(gate, 6)).map(without)
    assert.equal(seen.length, 6)
    const common = { level: 'info', site: 'example', method: 'GET', path: page, client: '127.0.0.1' }
    const bytes = String(offer.body.length)
    const cost = { rule: 'articles', price: '0.05', currency: 'USD' }
    const offered = { crawler: 'GPTBot', identity: 'none', ...cost, bytes }
    const offers = { ...common, ...offered, outcome: 'offered', code: 'payment_required', status: '402' }
    assert.deepEqual(seen[0], { ...offers, client: '198.51.100.7' })
    assert.deepEqual(without({ ms: '0', ...seen[1], bytes }), offers)
    const payment = ledger.query('SELECT payment_id FROM charge')
    const paid = { identity: agent.origin, ...cost, payment }
    const { crawler: name, ...took } = seen[2]
    const whole = String(answer.body.length)
    assert.deepEqual(took, { ...common, ...paid, outcome: 'paid', code: 'ok', status: '200', bytes: whole })
    assert.equal(seen[3].outcome, 'repeated')
    assert.deepEqual([seen[4].outcome, seen[4].code, seen[4].rule], ['refused', 'blocked', 'drafts'])
    assert.deepEqual([seen[5].method, seen[5].outcome, seen[5].bytes], ['HEAD', 'free', '0'])
    assert.ok(name === undefined || name.length > 0)
    assert.doesNotMatch(gate.log, /secret|Mozilla/)
})

// The requests of a crawler that pays for the page in each dialect, and is known by nothing else.
async function paying({ gate, agent, key }) {
    const offer = async () => JSON.parse((await gate.request(page, { headers: crawler })).body).accepts[0]
    const sign = fields => signed(key, agent.origin, 'shop.example', fields)
    const url = `https://shop.example${page}`
    const [first, second] = [await offer(), await offer()]
    return {
        payment: await withWebBotAuth(key, agent.origin, url, (await offer()).extra.id),
        x402: sign(paymentSignature(first)),
        commitment: paymentSignature(second, { commitment: jws(key, claims(agent.origin, second, url)) }),
        exact: sign({ 'crawler-exact-price': 'USD 0.05' }),
        most: sign({ 'crawler-max-price': 'USD 0.10' })
    }
}

test('payers of every dialect have their lines', async t => {
    const set = await scene(t, { logLevel: 'info' })
    const { gate, ledger, agent } = set
    const requests = Object.entries(await paying(set))
    const offers = decisions(gate).length
    for (const [dialect, headers] of requests) {
        const answer = await gate.request(page, { headers })
        assert.equal(answer.status, 200, `${dialect}: ${answer.body}`)
    }
    const seen = (await lines(gate, offers + requests.length)).slice(offers)
    assert.deepEqual(
        seen.map(line => line.payment).sort(),
        ledger.query('SELECT payment_id FROM charge ORDER BY payment_id').split('\n')
    )
    for (const line of seen) {
        const { identity, outcome, price, currency } = line
        assert.deepEqual([identity, outcome, price, currency], [agent.origin, 'paid', '0.05', 'USD'])
    }
    const version1 = Buffer.from(JSON.stringify({ x402Version: 1, scheme: 'exact', network: 'base' }))
    const old = { 'X-PAYMENT': version1.toString('base64') }
    assert.equal((await gate.request(page, { headers: old })).status, 402)
    const last = (await lines(gate, offers + requests.length + 1)).at(-1)
    assert.deepEqual([last.code, last.identity], ['x402_version_unsupported', 'none'])
})

test('whoever is refused has a line, however early, and however little is known', async t => {
    const { gate, agent } = await scene(t, { logLevel: 'info' })
    const stranger = await makeKey()
    const other = { ...crawler, host: 'other.example' }
    await logged(gate, ask(gate.port, page, crawler, 'POST'))
    await logged(gate, gate.request(page, { headers: other }))
    await logged(gate, ask(gate.port, page, { ...crawler, 'X-Twice': ['a', 'b\x01'] }))
    await logged(gate, ask(gate.port, page, { 'Signature-Agent': 'https://not a list' }))
    await logged(gate, ask(gate.port, page, { Authorization: 'License abc' }))
    const garbled = signed(stranger, agent.origin, 'shop.example', { payment: 'scheme' })
    await logged(gate, ask(gate.port, page, garbled))
    await logged(gate, ask(gate.port, page, { 'crawler-max-price': 'cheap' }))
    await logged(gate, ask(gate.port, page, { ...crawler, 'X-Large': 'x'.repeat(26_000) }))
    await logged(gate, ask(gate.port, page, { ...crawler, 'X-Many': Array.from({ length: 200 }, () => 'x') }))
    await logged(gate, ask(gate.port, '/%zz', crawler))
    const seen = await lines(gate, 10)
    assert.deepEqual(
        seen.map(({ status, code, outcome, crawler }) => [status, code, outcome, crawler]),
        [
            ['405', 'method_not_allowed', 'refused', 'GPTBot'],
            ['421', 'misdirected_request', 'refused', 'GPTBot'],
            ['400', 'malformed_request', 'refused', 'GPTBot'],
            ['402', 'payment_required', 'offered', undefined],
            ['402', 'payment_required', 'offered', undefined],
            ['400', 'malformed_payment', 'refused', undefined],
            ['400', 'malformed_crawler_price', 'refused', undefined],
            ['431', 'request_too_large', 'refused', 'GPTBot'],
            ['431', 'request_too_large', 'refused', 'GPTBot'],
            ['400', 'malformed_request', 'refused', 'GPTBot']
        ]
    )
    assert.equal(seen[1].site, undefined)
    assert.ok(seen.every(line => line.client === '127.0.0.1'))
    // The same of people: none.
    await ask(gate.port, page, {}, 'POST')
    await ask(gate.port, page, { 'X-Twice': ['a', 'b\x01'] })
    const asked = 'GET / HTTP/1.1\r\nHost: other.example\r\nConnection: close\r\n\r\n'
    const elsewhere = await talk(gate.port, asked)
    assert.equal(answers(elsewhere)[0].status, 421)
    await ask(gate.port, page, crawler)
    assert.equal((await lines(gate, 11)).at(-1).code, 'payment_required')
})

test('payers of every dialect who are sent away with 503 have a line that says why', async t => {
    const set = await scene(t, { logLevel: 'info', log: { decisions: false } })
    const requests = Object.entries(await paying(set))
    set.agent.close()
    for (const [i, [dialect, headers]] of requests.entries()) {
        assert.equal((await set.gate.request(page, { headers })).status, 503, dialect)
        const line = (await lines(set.gate, i + 1)).at(-1)
        assert.deepEqual([line.level, line.code], ['warn', 'directory_unavailable'], dialect)
        assert.ok(line.why.length > 10, dialect)
        assert.equal(line.payment !== undefined, ['payment', 'x402', 'commitment'].includes(dialect))
    }
    assert.equal(decisions(set.gate).length, requests.length)
})

test('a payer who is sent away has a line that says why, also where others have none', async t => {
    const set = await scene(t, { logLevel: 'info', log: { decisions: false } })
    const { gate, ledger, agent, key } = set
    const first = await gate.offer(page)
    const sign = id => withWebBotAuth(key, agent.origin, `https://shop.example${page}`, id)
    agent.close()
    assert.equal((await gate.request(page, { headers: await sign(first) })).status, 503)
    const [line] = await lines(gate, 1)
    assert.deepEqual([line.level, line.outcome, line.code], ['warn', 'refused', 'directory_unavailable'])
    assert.ok(line.why.length > 10, line.why)
    ledger.stop()
    await gate.logged(/event=ledger_unreachable|event=ledger_connection_lost/)
    assert.equal(decisions(gate).length, 1)
})

test('a database that is away is told in the line', async t => {
    const set = await scene(t, { logLevel: 'info' })
    const { gate, ledger } = set
    await pay(set)
    ledger.stop()
    await until(async () => (await pay(set)).answer.status === 503, 'the ledger is missed')
    await until(() => decisions(gate).some(line => line.code === 'ledger_unavailable'), 'the line')
    const line = decisions(gate).find(line => line.code === 'ledger_unavailable')
    assert.equal(line.level, 'warn')
    assert.match(line.why, /^there is no connection to the database$|^the database did not commit it in time/)
})

test('a long path, control characters and JSON', async t => {
    const { gate, configure } = await scene(t, { logLevel: 'info' })
    configure({ log: { format: 'json' } })
    gate.process.kill('SIGHUP')
    await gate.logged(/event=reloaded /)
    await gate.request(`/articles/${'x'.repeat(3000)}`, { headers: crawler })
    await gate.logged(/"path":"\/articles\/xxx/)
    await gate.request('/articles/%0a"\\x', { headers: { ...crawler } })
    await until(() => (gate.log.match(/"event":"decision"/g) ?? []).length === 2, 'two lines')
    const all = [...gate.log.matchAll(/^\{.*"event":"decision".*$/gm)].map(([line]) => JSON.parse(line))
    const [long, odd] = all
    assert.ok(long.path.startsWith('/articles/xxx') && long.path.endsWith('...') && long.path.length < 800)
    assert.equal(long.outcome, 'offered')
    assert.equal(odd.path, '/articles/%0a"\\x')
    assert.equal(all.length, 2)
})

test('a log that nobody reads does not stop the gate', async t => {
    const { gate } = await scene(t, { logLevel: 'info' })
    gate.process.stderr.pause()
    // More than all buffers between hold: a pipe of 64 KiB, Node's, and the gate's MiB.
    const path = `/articles/${'y'.repeat(600)}`
    for (let i = 0; i < 60; i++)
        await Promise.all(
            Array.from({ length: 50 }, () => gate.request(path, { headers: crawler }).then(answer =>
                assert.equal(answer.status, 402)
            ))
        )
    gate.process.stderr.resume()
    await gate.logged(/event=log_lines_lost lines=[1-9]/)
    await gate.request(page, { headers: crawler })
    await gate.logged(new RegExp(`event=decision .*path=${page}`))
})

test('a reply that is cut off is told as such', async t => {
    const { gate } = await scene(t, { logLevel: 'info' })
    const socket = net.connect(gate.port, '127.0.0.1')
    socket.on('error', () => {})
    socket.write(`GET ${page} HTTP/1.1\r\nHost: shop.example\r\nUser-Agent: GPTBot\r\n\r\n`)
    await new Promise(resolve => socket.once('data', resolve))
    socket.destroy()
    const [line] = await lines(gate, 1)
    assert.equal(line.outcome, 'offered')
})
