// Invariant: two gates on one ledger that get the same commitments at the same time record each once, and
// give the same receipt for it, also while one of them is killed again and again. (P2)
import { test } from 'node:test'
import { check } from './checker.js'
import { Load } from './load.js'
import { assert, full, generator, killGate, ready, seed, sleep, world } from './support.js'

test('two gates race on the same commitments while one is killed', async t => {
    const set = await world(t)
    const other = await set.otherGate()
    await ready(other)
    const gates = [set.gate, other]
    const load = new Load(set, { clients: 2, gates, seed })
    const random = generator(seed)
    // Each commitment goes to both gates at once, until both have decided it.
    const racer = async () => {
        while (!load.stopping) {
            const commitment = await load.commitment()
            if (!commitment) return
            const [one, two] = await Promise.all(gates.map(gate => load.decide(commitment, gate)))
            assert.equal(one.outcome, 'receipt', JSON.stringify(one))
            assert.equal(two.outcome, 'receipt', JSON.stringify(two))
        }
    }
    const racers = Promise.all(Array.from({ length: 6 }, racer))
    racers.catch(error => (load.failure = error))
    const kills = full ? 100 : 5
    for (let i = 0; i < kills; i++) {
        await load.progress(4 + random.below(10))
        await sleep(random.below(20))
        const gate = random.pick(gates)
        await killGate(gate)
        await gate.start(...set.words)
    }
    await load.progress(20)
    const history = await load.stop()
    await racers
    const figures = await check(set, history)
    assert.equal(set.ledger.count('conflict'), 0, 'the same commitment is no conflict')
    t.diagnostic(`${kills} points, two gates, seed ${seed}: ${JSON.stringify(figures)}`)
})
