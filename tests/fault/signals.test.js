// Invariant: SIGTERM under load drains: who has sent a commitment gets its answer, nothing that was recorded
// loses its receipt, the door is closed, and the gate ends with status 0 in bounded time. SIGHUP under load
// drops no request, and a configuration with a mistake leaves the old one in force.
import { test } from 'node:test'
import { check, keyOf, readEntries } from './checker.js'
import { ask, Load } from './load.js'
import { assert, full, generator, seed, sleep, until, world } from './support.js'

const isReceipt = ({ outcome }) => outcome === 'receipt'

test('SIGTERM under load', async t => {
    const set = await world(t)
    const random = generator(seed)
    const load = new Load(set, { clients: 16, seed })
    const rounds = full ? 50 : 3
    let longest = 0
    for (let i = 0; i < rounds; i++) {
        await load.progress(10 + random.below(20))
        await sleep(random.below(20))
        const port = set.gate.port
        const start = Date.now()
        const { code, signal } = await set.gate.stop('SIGTERM')
        longest = Math.max(longest, Date.now() - start)
        assert.deepEqual({ code, signal }, { code: 0, signal: null }, set.gate.log)
        assert.equal((await ask(port, '/', { host: 'shop.example' })).cut, 'ECONNREFUSED', 'it is closed')
        await load.settled()
        // Who connects in the instant in which the door closes is reset by the kernel, and read by nobody.
        const recorded = new Set(readEntries(set.ledger).map(({ id }) => id))
        const paid = new Set(load.history.filter(isReceipt).map(({ id }) => keyOf(id)))
        assert.deepEqual(
            [...recorded].filter(id => !paid.has(id)),
            [],
            'recorded, and not answered'
        )
        await set.gate.start(...set.words)
    }
    assert.ok(longest < 5000, `it took ${longest} ms to end`)
    const figures = await check(set, await load.stop())
    t.diagnostic(`${rounds} points, SIGTERM, at most ${longest} ms: ${JSON.stringify(figures)}`)
})

test('SIGHUP under load', async t => {
    const set = await world(t)
    const load = new Load(set, { clients: 16, seed })
    const lines = pattern => [...set.gate.log.matchAll(pattern)].length
    const rounds = full ? 100 : 6
    for (let i = 0; i < rounds; i++) {
        const bad = i % 3 === 2
        const event = bad ? /event=reload_refused/g : /event=reloaded/g
        set.configure(bad ? { ttl: -1 } : { ttl: 3600 - (i % 2), ledger: { timeout_seconds: 3 + (i % 2) } })
        await load.progress(5)
        const before = lines(event)
        set.gate.process.kill('SIGHUP')
        await until(() => lines(event) > before, `${event} in the log: ${set.gate.log.slice(-2000)}`)
    }
    set.configure({}) // the night reads it too
    await load.progress(20)
    const history = await load.stop()
    assert.deepEqual(
        history.filter(attempt => !isReceipt(attempt)),
        [],
        'nothing was cut, put off or refused'
    )
    const figures = await check(set, history)
    t.diagnostic(`${rounds} points, SIGHUP: ${JSON.stringify(figures)}`)
})
