// Limits and agreements at the gate: to the micro-unit for one gate, within the stated bound for several,
// through restarts, kills and midnights.
import assert from 'node:assert/strict'
import fs from 'node:fs'
import path from 'node:path'
import { test } from 'node:test'
import { directory, until } from '../support.js'
import { makeKey, scene, withWebBotAuth } from '../signers.js'

const page = '/articles/harbour-bell.html'
const urlOf = target => `https://shop.example${target}`
const quick = { refresh_seconds: 1 }

// A fresh offer, committed to. The answer and the fields that were sent.
async function pay({ key, agent }, gate, target = page, time = Date.now()) {
    const id = await offerTo(gate, agent, target)
    return commit({ key, agent }, gate, id, target, time)
}

async function commit({ key, agent }, gate, id, target = page, time = Date.now()) {
    const headers = await withWebBotAuth(key, agent.origin, urlOf(target), id, { time })
    for (let i = 0; i < 100; i++) {
        const response = await gate.request(target, { headers })
        if (response.status !== 503) return { response, headers, id }
        await new Promise(resolve => setTimeout(resolve, 100))
    }
    assert.fail('503 for ever')
}

async function offerTo(gate, agent, target = page) {
    return gate.offer(target, { headers: { 'signature-agent': `"${agent.origin}"` } })
}

function assertRefused(response, code, status) {
    assert.equal(response.headers['crawler-error'], code, response.text)
    assert.equal(response.status, status)
}

function assertAtLimit(response) {
    assertRefused(response, 'credit_limit_reached', 402)
    const [offer] = JSON.parse(response.text).accepts
    assert.match(offer.extra.id, /^[\w-]{64}$/)
}

async function payUntilRefused(set, gate, most) {
    for (let paid = 0; paid <= most; paid++) {
        const { response, id } = await pay(set, gate)
        if (response.status === 200) continue
        assertAtLimit(response)
        assert.notEqual(JSON.parse(response.text).accepts[0].extra.id, id)
        return paid
    }
    assert.fail('the limit is never reached')
}

// Sets an agreement with the operator's command.
async function agree(set, terms, ...words) {
    const file = path.join(set.folder, 'terms.yaml')
    fs.writeFileSync(file, JSON.stringify(terms))
    if (set.ledger.query(`SELECT count(*) FROM crawler WHERE agent = '${set.agent.origin}'`) === '0')
        await set.crawltab('crawler', 'add', set.agent.origin)
    await set.crawltab('agreement', 'set', set.agent.origin, '--reason', 'test', '--file', file, ...words)
}

// Waits until the gate's offer to this crawler is at this price.
async function priced(set, gate, price, target = page) {
    const headers = { 'user-agent': 'GPTBot/1.2', 'signature-agent': `"${set.agent.origin}"` }
    await until(
        async () => (await gate.request(target, { headers })).headers['crawler-price'] === `USD ${price}`,
        `an offer at ${price}`
    )
}

test('a limit can be reached and not passed, and survives a restart and a kill', async t => {
    const set = await scene(t, { agents: { day_limit: '0.20' }, ledger: quick })
    const ids = await Promise.all(Array.from({ length: 12 }, () => set.gate.offer(page)))
    const answers = await Promise.all(ids.map(id => commit(set, set.gate, id)))
    const paid = answers.filter(({ response }) => response.status === 200)
    assert.equal(paid.length, 4)
    for (const { response } of answers) if (response.status !== 200) assertAtLimit(response)
    let gate = set.gate
    for (const signal of [null, 'SIGTERM', 'SIGKILL']) {
        if (signal) {
            await gate.stop(signal)
            gate = await set.startGate()
        }
        assertAtLimit((await pay(set, gate)).response)
        assertAtLimit((await pay(set, gate, '/index.html')).response)
        for (const { headers, response } of paid) {
            const again = await gate.request(page, { headers })
            assert.equal(again.status, 200)
            assert.equal(again.headers['payment-response'], response.headers['payment-response'])
        }
    }
    assert.equal(set.ledger.query('SELECT count(*), sum(amount_micros) FROM charge'), '4|200000')
    assert.equal(set.ledger.query('SELECT sum(entries), sum(amount_micros) FROM spend'), '4|200000')
    const free = await gate.request('/about.html', { headers: { 'user-agent': 'GPTBot/1.2' } })
    assert.equal(free.status, 200)
})

test('what is sent again takes no credit', async t => {
    const set = await scene(t, { agents: { day_limit: '0.10' }, ledger: quick })
    const { response, headers } = await pay(set, set.gate)
    assert.equal(response.status, 200)
    for (let i = 0; i < 5; i++) {
        const again = await set.gate.request(page, { headers })
        assert.equal(again.headers['payment-response'], response.headers['payment-response'])
    }
    assert.equal(await payUntilRefused(set, set.gate, 1), 1)
    assert.equal(set.ledger.count('charge'), 2)
})

test('a limit of nothing, and one micro-unit less than two pages cost', async t => {
    const set = await scene(t, { agents: { day_limit: '0' }, ledger: quick })
    assertAtLimit((await pay(set, set.gate)).response)
    await agree(set, { limits: { day: '0.099999' } })
    await until(async () => (await pay(set, set.gate)).response.status === 200, 'the agreement is read')
    assertAtLimit((await pay(set, set.gate)).response)
    assert.equal((await pay(set, set.gate, '/index.html')).response.status, 200)
    assert.equal(set.ledger.query('SELECT sum(amount_micros) FROM charge'), '52500')
    // Raised and lowered while it runs.
    await agree(set, { limits: { day: '0.15' } })
    await until(async () => (await pay(set, set.gate)).response.status === 200, 'the higher limit is read')
    await agree(set, { limits: { day: '0.01' } })
    await until(
        async () => (await pay(set, set.gate, '/index.html')).response.status === 402,
        'the lower limit is read'
    )
})

test('nobody can use up the credit of another', async t => {
    const set = await scene(t, { agents: { day_limit: '0.05' }, ledger: quick })
    const thief = { key: await makeKey(), agent: set.agent }
    for (let i = 0; i < 5; i++) assertRefused((await pay(thief, set.gate)).response, 'key_unknown', 403)
    assert.equal((await pay(set, set.gate)).response.status, 200)
    assertAtLimit((await pay(set, set.gate)).response)
    const key = await makeKey()
    const other = { key, agent: await directory(t, set.tls, [key.public]) }
    set.configure({ insecureHosts: [set.agent.host, other.agent.host] })
    const gate = await set.startGate()
    assert.equal((await pay(other, gate)).response.status, 200)
    assertAtLimit((await pay(set, gate)).response)
})

test('two gates pass a limit by no more than one refresh lets them', async t => {
    const set = await scene(t, { agents: { day_limit: '2.00' }, ledger: quick })
    const gates = [set.gate, await set.startGate()]
    await gates[1].ready()
    const counts = await Promise.all(gates.map(gate => payUntilRefused(set, gate, 40)))
    // Each alone keeps to it, to the micro-unit.
    for (const count of counts) assert.ok(count <= 40, String(counts))
    assert.ok(counts[0] + counts[1] >= 40, String(counts))
    // What is over the limit was recorded within one refresh (and the reading) of its being reached.
    const late = set.ledger.query(
        `WITH c AS (SELECT recorded_at, row_number() OVER (ORDER BY recorded_at) AS number FROM charge)
         SELECT max(recorded_at) - min(recorded_at) < interval '2.5 seconds' FROM c WHERE number >= 40`
    )
    assert.equal(late, 't')
    assert.equal(
        set.ledger.query(
            'SELECT count(*) FROM (SELECT 1 FROM spend GROUP BY writer_id HAVING sum(entries) > 40) w'
        ),
        '0'
    )
    for (const gate of gates) assertAtLimit((await pay(set, gate)).response)
})

test('a gate reads what others took when little is left, and not only when it is time', async t => {
    const set = await scene(t, { agents: { day_limit: '2.00' }, ledger: { refresh_seconds: 60 } })
    const other = await set.startGate()
    await other.ready()
    const rounds = () => other.log.split('event=accounts_read ').length
    for (let i = 0; i < 30; i++) assert.equal((await pay(set, set.gate)).response.status, 200)
    const before = rounds()
    // It knows of none of these. A few of its own, and it looks.
    for (let i = 0; i < 3; i++) assert.equal((await pay(set, other)).response.status, 200)
    await until(() => rounds() > before, 'another round of reading')
    assert.equal(await payUntilRefused(set, other, 40), 7)
})

test("the day begins anew at the site's midnight", async t => {
    const set = await scene(t, {
        agents: { day_limit: '0.05' },
        ledger: quick,
        site: { time_zone: 'Asia/Kathmandu' },
        gate: false
    })
    // Some seconds before a midnight in Kathmandu, which is 5:45 ahead.
    const dayMs = 86400000
    const shift = (5 * 60 + 45) * 60000
    const offset = Math.floor((dayMs - ((Date.now() + shift) % dayMs)) / 1000) - 10
    const clock = () => Date.now() + offset * 1000
    const midnight = Math.ceil((clock() + shift) / dayMs) * dayMs - shift
    set.gate = await set.startGate('--clock-offset', String(offset))
    assert.equal((await pay(set, set.gate, page, clock())).response.status, 200)
    assert.ok(clock() < midnight, 'the scene was set in time')
    const yesterdays = await set.gate.offer(page)
    assertAtLimit((await commit(set, set.gate, yesterdays, page, clock())).response)
    await until(() => clock() > midnight, 'midnight')
    // An id belongs to the day in which it was offered.
    assertAtLimit((await commit(set, set.gate, yesterdays, page, clock())).response)
    assert.equal((await pay(set, set.gate, page, clock())).response.status, 200)
    assertAtLimit((await pay(set, set.gate, page, clock())).response)
})

test('an agreement has prices of its own, for its crawler alone', async t => {
    const set = await scene(t, { ledger: quick })
    const key = await makeKey()
    const other = { key, agent: await directory(t, set.tls, [key.public]) }
    set.configure({ insecureHosts: [set.agent.host, other.agent.host] })
    const gate = await set.startGate()
    await agree(set, {
        prices: [
            { paths: ['/articles/tide-*'], price: '0.01' },
            { rule: 'articles', price: '0.03' }
        ]
    })
    await priced(set, gate, '0.03')
    await priced(set, gate, '0.01', '/articles/tide-tables.html')
    await priced(set, gate, '0.0025', '/index.html')
    await priced(other, gate, '0.05')
    const { response } = await pay(set, gate)
    assert.equal(response.status, 200)
    assert.equal(response.headers['crawler-charged'], 'USD 0.03')
    assert.equal((await pay(set, gate, '/index.html')).response.status, 200)
    assert.equal(
        set.ledger.query('SELECT rule, amount_micros, agreement_id FROM charge ORDER BY payment_id'),
        'articles|30000|1\nrest|2500|1'
    )
    // The list price is not this crawler's, and its price is nobody else's.
    assertRefused((await commit(set, gate, await gate.offer(page))).response, 'offer_mismatch', 402)
    const cheap = await offerTo(gate, set.agent)
    const headers = await withWebBotAuth(other.key, other.agent.origin, urlOf(page), cheap)
    assertRefused(await gate.request(page, { headers }), 'offer_mismatch', 402)
    assert.equal(set.ledger.count('charge'), 2)
})

test('a version takes effect at its instant, and an open offer does not outlive the price', async t => {
    const set = await scene(t, { ledger: { refresh_seconds: 60 } })
    await agree(set, { prices: [{ rule: 'articles', price: '0.04' }] })
    const from = new Date(Math.ceil(Date.now() / 1000) * 1000 + 8000)
    const terms = { prices: [{ rule: 'articles', price: '0.07' }] }
    await agree(set, terms, '--from', from.toISOString().replace('.000Z', 'Z'))
    const gate = await set.startGate() // reads both now, and then not for a minute
    await gate.logged(/event=accounts_ready agreements=2/)
    await gate.ready()
    const open = await offerTo(gate, set.agent)
    assert.ok(Date.now() < from.getTime(), 'the scene was set in time')
    const before = await pay(set, gate)
    assert.equal(before.response.headers['crawler-charged'], 'USD 0.04')
    await priced(set, gate, '0.07')
    assert.ok(Date.now() >= from.getTime())
    const stale = (await commit(set, gate, open)).response
    assertRefused(stale, 'offer_mismatch', 402)
    const fresh = JSON.parse(stale.text).accepts[0]
    assert.equal(fresh.amount, '70000')
    assert.equal((await commit(set, gate, fresh.extra.id)).response.status, 200)
    // What was paid at the former price has been paid: also when the gate has nothing of it in memory.
    const other = await set.startGate()
    await other.logged(/event=accounts_ready agreements=2/)
    await other.ready()
    for (const one of [gate, other]) {
        const again = await one.request(page, { headers: before.headers })
        assert.equal(again.headers['payment-response'], before.response.headers['payment-response'])
        assert.equal(again.text, before.response.text)
    }
    assert.equal(set.ledger.query('SELECT agreement_id FROM charge ORDER BY payment_id'), '1\n2')
})

test('a suspended crawler is refused, and one with an agreement is known', async t => {
    const set = await scene(t, { agents: { unknown: 'refuse' }, ledger: quick })
    assertRefused((await pay(set, set.gate)).response, 'agent_unknown', 403)
    await agree(set, { status: 'active' })
    await until(async () => (await pay(set, set.gate)).response.status === 200, 'the agreement is read')
    await agree(set, { status: 'suspended' })
    await until(
        async () => (await pay(set, set.gate)).response.headers['crawler-error'] === 'agent_suspended',
        'the suspension is read'
    )
    const at = { key: set.key, agent: { origin: `${set.agent.origin}/of-the-same-origin` } }
    assertRefused((await pay(at, set.gate)).response, 'agent_suspended', 403)
})

test('what was read last holds while the database is away', async t => {
    const set = await scene(t, { agents: { day_limit: '0.05' }, ledger: quick })
    await agree(set, { prices: [{ rule: 'articles', price: '0.03' }] })
    await priced(set, set.gate, '0.03')
    const id = await offerTo(set.gate, set.agent)
    set.ledger.stop()
    await set.gate.logged(/event=ledger_connection_lost/)
    await priced(set, set.gate, '0.03')
    const headers = await withWebBotAuth(set.key, set.agent.origin, urlOf(page), id)
    assertRefused(await set.gate.request(page, { headers }), 'ledger_unavailable', 503)
    // A gate that has read nothing offers at the list price and takes nothing.
    const blind = await set.startGate()
    assert.equal((await blind.request(page, { headers })).status, 503)
    set.ledger.start()
    assert.equal((await commit(set, set.gate, id)).response.status, 200)
    assertAtLimit((await pay(set, set.gate)).response)
    assert.equal(set.ledger.query('SELECT sum(amount_micros) FROM charge'), '30000')
    await until(async () => (await pay(set, blind)).response.status === 402, 'the other gate reads it')
})

test('a payment whose day is sealed is refused, and the log says why and until when', async t => {
    const set = await scene(t, { ledger: quick })
    assert.equal((await pay(set, set.gate)).response.status, 200)
    // As a night does it whose clock is two days ahead.
    set.ledger.query(`INSERT INTO day_seal SELECT site_id, local_date, uuid_floor(ends_at), ends_at FROM day
                       WHERE starts_at <= now() + interval '1 day'`)
    const end = set.ledger.query(`SELECT instant_text(min(ends_at)) FROM day WHERE ends_at > now()`)
    let refused
    const once = async () => {
        const id = await offerTo(set.gate, set.agent)
        const headers = await withWebBotAuth(set.key, set.agent.origin, urlOf(page), id)
        refused = await set.gate.request(page, { headers })
        return refused.status !== 200
    }
    await until(once, 'the seal is read')
    assertRefused(refused, 'ledger_unavailable', 503)
    await set.gate.logged(/event=payment_day_sealed.*\n/)
    const told = set.gate.log.match(/^.*event=payment_day_sealed.*$/m)[0]
    assert.match(told, /level=error event=payment_day_sealed site=example until=/)
    assert.ok(told.includes(`until=${end} `), told)
    assert.match(told, /detail="a payment was refused: its billing day is sealed.*hint=".*clock.*taken from/)
})
