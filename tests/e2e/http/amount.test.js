// A site that asks for less than its offer, by X-Crawltab-Amount: what is recorded, told and billed is the
// lower amount, and never a higher one.
// Tests server/gate/forward.c, ledger/entry/receipt_cache.c
import assert from 'node:assert/strict'
import http from 'node:http'
import { test } from 'node:test'
import { scene, withWebBotAuth } from '../signers.js'

// The gate's clock stands at noon three days ago, whatever the time is.
const dayMs = 86400_000
const offset = Math.floor(Date.now() / dayMs) * dayMs - 2.5 * dayMs - Date.now()

// A site whose answers have what `amount` is: one value, several, or none.
async function beside(t, options = {}, ...extra) {
    const state = { asked: 0, amount: undefined }
    const server = http.createServer((request, response) => {
        state.asked++
        if (state.amount !== undefined) response.setHeader('X-Crawltab-Amount', state.amount)
        response.statusCode = state.status ?? 200
        response.end(`page ${request.url}\n`)
    })
    await new Promise(resolve => server.listen(0, '127.0.0.1', resolve))
    t.after(() => (server.closeAllConnections(), server.close()))
    const origin = `http://127.0.0.1:${server.address().port}`
    const set = await scene(
        t,
        {
            rules: [
                { name: 'big', paths: ['/big/**'], action: 'charge', price: '7.50' },
                { name: 'small', action: 'charge', price: '0.05' }
            ],
            ...options,
            site: { root: '', origin }
        },
        ...extra
    )
    const pay = async (target, time = Date.now()) => {
        const id = await set.gate.offer(target)
        const url = `https://shop.example${target}`
        const signed = await withWebBotAuth(set.key, set.agent.origin, url, id, { time })
        return { id, signed, answer: await set.gate.request(target, { headers: signed }) }
    }
    const rows = 'SELECT amount_micros FROM charge ORDER BY recorded_at, payment_id'
    const charged = () => set.ledger.query(rows)
    return { ...set, state, pay, charged }
}

test('less than the price is charged, more never', async t => {
    const { gate, state, pay, charged, ledger } = await beside(t)
    const cases = [
        ['0.01', '/a', '0.01'],
        ['1.25', '/big/a', '1.25'],
        ['0', '/big/b', '0.00'],
        ['7.5', '/big/c', '7.50'],
        ['0.050001', '/b', '0.05'],
        ['7.51', '/big/d', '7.50'],
        ['-1', '/c', '0.05'],
        ['1e-3', '/d', '0.05'],
        ['', '/e', '0.05'],
        ['USD 0.01', '/f', '0.05'],
        ['99999999999999999999', '/g', '0.05'],
        [['0.01', '0.02'], '/h', '0.05'],
        [undefined, '/i', '0.05']
    ]
    for (const [amount, target, expected] of cases) {
        state.amount = amount
        const { answer } = await pay(target)
        assert.equal(answer.status, 200, answer.text)
        assert.equal(answer.headers['crawler-charged'], `USD ${expected}`, String(amount))
        assert.equal(answer.headers['x-crawltab-amount'], undefined)
        assert.match(answer.headers['payment-response'], /^scheme="deferred"/)
    }
    assert.deepEqual(
        charged().split('\n').map(Number),
        cases.map(([, , amount]) => Math.round(Number(amount) * 1e6))
    )
    const sum = table => ledger.query(`SELECT sum(amount_micros) FROM ${table}`)
    assert.equal(sum('spend'), sum('charge'))
    // Told, and not for each of many: they came within a second or so.
    await gate.logged(/event=amount_refused site=example url=\S+\/b detail="it is more than the price/)
    assert.ok(gate.log.match(/event=amount_refused/g).length < 8, gate.log)
})

test('what is not paid for has no amount', async t => {
    const { gate, state, pay, ledger } = await beside(t)
    state.amount = '0.01'
    state.status = 404
    const { answer } = await pay('/none')
    assert.deepEqual([answer.status, answer.headers['crawler-charged']], [404, undefined])
    state.status = 200
    const person = await gate.request('/a', { headers: { 'user-agent': 'Mozilla/5.0' } })
    assert.equal(person.headers['x-crawltab-amount'], undefined)
    assert.equal(ledger.count('charge'), 0)
})

test('a repeat has the first receipt, whatever the site asks for then', async t => {
    const { gate, state, pay, charged, startGate, config } = await beside(t)
    assert.ok(config)
    state.amount = '2.25'
    const first = await pay('/big/a')
    state.amount = '0'
    const free = await pay('/big/b')
    const again = async (where, { signed }, target, expected) => {
        const answer = await where.request(target, { headers: signed })
        assert.equal(answer.status, 200, answer.text)
        assert.equal(answer.text, `page ${target}\n`)
        assert.equal(answer.headers['crawler-charged'], `USD ${expected}`)
    }
    for (const amount of ['0.01', '5', '9', undefined]) {
        state.amount = amount
        await again(gate, first, '/big/a', '2.25')
        await again(gate, free, '/big/b', '0.00')
    }
    // A gate that has never heard of it asks the ledger.
    await gate.stop()
    const other = await startGate()
    await other.ready()
    await again(other, first, '/big/a', '2.25')
    await again(other, free, '/big/b', '0.00')
    await again(other, first, '/big/a', '2.25')
    assert.equal(charged(), '2250000\n0')
})

test('credit counts what was charged', async t => {
    const { state, pay, gate } = await beside(t, {
        agents: { day_limit: '10' },
        ledger: { refresh_seconds: 1 }
    })
    const status = async target => (await pay(target)).answer.status
    state.amount = '0.50'
    // Each needs 7.50 while it is under way, and 0.50 afterwards: 2.50 and 7.50 are the limit.
    for (let i = 0; i < 6; i++) assert.equal(await status(`/big/${i}`), 200)
    const over = await pay('/big/over')
    assert.equal(over.answer.headers['crawler-error'], 'credit_limit_reached')
    // Seven more of the small ones, at their price: 3.00 of 10 are spent, also when it has been read back.
    state.amount = undefined
    for (let i = 0; i < 7; i++) assert.equal(await status(`/small/${i}`), 200)
    await gate.ready()
})

test('invoices, lookups, the archive and the audit agree', async t => {
    const set = await beside(t, {}, '--clock-offset', `${Math.round(offset / 1000)}`)
    const { state, pay, crawltab, ledger } = set
    const time = Date.now() + offset
    const ids = []
    for (const [amount, target] of [
        ['1.25', '/big/a'],
        ['1.25', '/big/b'],
        ['0', '/big/c'],
        [undefined, '/big/d'],
        ['0.0125', '/a'],
        ['0', '/b']
    ]) {
        state.amount = amount
        const { id, answer } = await pay(target, time)
        assert.equal(answer.status, 200, answer.text)
        ids.push(id)
    }
    await set.gate.stop()
    const told = async id => JSON.parse((await crawltab('lookup', id, '--json')).stdout)
    const lower = await told(ids[0])
    assert.deepEqual([lower.amount, lower.amount_micros, lower.offered_micros], ['1.25', 1250000, 7500000])
    assert.deepEqual(
        lower.checks.filter(check => check.result === 'bad'),
        []
    )
    assert.match((await crawltab('lookup', ids[2])).stdout, /Price +0\.00 USD\nSigned for +7\.50 USD\n/)
    assert.doesNotMatch((await crawltab('lookup', ids[3])).stdout, /Signed for/)
    await crawltab('nightly')
    assert.equal(
        ledger.query(
            `SELECT rule, quantity, unit_price_micros FROM crawler_day_line ORDER BY 1, 3`
        ),
        'big|1|0\nbig|2|1250000\nbig|1|7500000\nsmall|1|0\nsmall|1|12500'
    )
    assert.equal(ledger.query('SELECT sum(amount_micros) FROM invoice_line'), '10012500')
    assert.equal((await told(ids[1])).checks.find(check => check.check === 'sealed').result, 'good')
    await crawltab('audit')
    const day = new Date(time).toISOString().slice(0, 10)
    const next = new Date(time + dayMs).toISOString().slice(0, 10)
    const out = (await crawltab('export', '--format', 'jsonl', '--from', day, '--to', next)).stdout
    const exported = out.trim().split('\n').map(line => JSON.parse(line).amount_micros)
    assert.deepEqual(
        exported.filter(Number.isInteger).sort((a, b) => a - b),
        [0, 0, 12500, 1250000, 1250000, 7500000]
    )
    await crawltab('archive', day, '--to', set.folder)
    await crawltab('audit')
    await crawltab('archive', 'restore', `${set.folder}/entries-${day}.jsonl`)
    await crawltab('audit')
    // Behind the ledger's back the amount is raised to the price that was signed: the seal tells.
    ledger.query(
        `ALTER TABLE charge DISABLE TRIGGER ALL; UPDATE charge SET amount_micros = 7500000 WHERE rule = 'big'`
    )
    const raised = await crawltab('lookup', ids[0], '--json').catch(error => error)
    assert.equal(
        JSON.parse(raised.stdout).checks.find(check => check.check === 'sealed').result,
        'bad'
    )
})
