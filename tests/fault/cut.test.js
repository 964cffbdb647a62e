// Invariant: wherever the connection to PostgreSQL breaks around the statement that records a payment, before
// it arrives, while it is done, or anywhere in its answer, the payment ends in exactly one entry, and the
// receipt's timestamp is that entry's.
import { test } from 'node:test'
import { check } from './checker.js'
import { Load } from './load.js'
import { Proxy } from './proxy.js'
import { assert, full, generator, ready, seed, until, world } from './support.js'

const recording = /\binsert into charge\b|^commit\b/i

async function proxied(t, ledger) {
    const set = await world(t, { gate: false, ledger })
    const proxy = await Proxy.start(t, { path: `${set.ledger.sockets}/.s.PGSQL.5432` })
    const connection = `host=127.0.0.1 port=${proxy.port} dbname=crawltab sslmode=disable gssencmode=disable`
    set.configure({ ledger: { ...ledger, connection } })
    set.gate = await set.startGate(...set.words)
    await ready(set.gate)
    return { ...set, proxy }
}

test('the connection is cut at COMMIT', async t => {
    const set = await proxied(t)
    const load = new Load(set, { clients: 0, seed })
    const paid = async (moment, bytes) => {
        const fault = set.proxy.arm(moment, recording, bytes)
        const before = load.history.length
        assert.equal((await load.pay()).outcome, 'receipt')
        assert.ok(fault.seen)
        assert.ok(load.history.length > before)
        return fault
    }
    await t.test('before the statement is passed on', () => paid('before'))
    await t.test('as soon as it is passed on', () => paid('sent'))
    await t.test('after it is done, before its answer is passed on', () => paid('after'))
    await t.test('within its answer, at every byte', async () => {
        const length = await (await paid('within', 0)).length
        const step = full ? 1 : Math.ceil(length / 8)
        for (let bytes = 1; bytes <= length; bytes += step) await paid('within', bytes)
    })
    const figures = await check(set, load.history)
    assert.equal(figures.entries, load.receipts, 'each was another payment')
})

test('the connection falls silent at COMMIT', async t => {
    const set = await proxied(t, { timeout_seconds: 1 })
    const load = new Load(set, { clients: 0, seed })
    for (const moment of ['silence before', 'silence after'])
        await t.test(moment, async () => {
            const fault = set.proxy.arm(moment, recording)
            const commitment = await load.commitment()
            const start = Date.now()
            const first = await load.attempt(commitment)
            const took = Date.now() - start
            assert.ok(fault.seen)
            assert.equal(first.outcome, 'again', 'a 503 with Retry-After')
            assert.ok(took < 2500, `answered in ${took} ms, a commit may take 1000`)
            assert.equal((await load.decide(commitment)).outcome, 'receipt')
        })
    await check(set, load.history)
})

test('connections are cut at random moments under load', async t => {
    const set = await proxied(t)
    const random = generator(seed)
    const load = new Load(set, { seed })
    const cuts = full ? 300 : 25
    for (let i = 0; i < cuts; i++) {
        const moment = random.pick(['before', 'sent', 'after', 'within'])
        const fault = set.proxy.arm(moment, recording, random.below(200))
        await until(() => fault.seen, 'a payment is recorded', 2)
        await load.progress(1 + random.below(4))
    }
    const figures = await check(set, await load.stop())
    t.diagnostic(`${cuts} points, seed ${seed}: ${JSON.stringify(figures)}`)
})
