// Invariant: a server settles twice, before its handler runs and after it, and whatever process is killed
// before, during and after the second settlement, there is one entry and one end of it: the one that the
// server was told, or is told when it asks again. What credit is counted by agrees, which audit shows.
//
// SEED and POINTS say where.
import { test } from 'node:test'
import { market } from '../e2e/facilitators.js'
import * as support from './support.js'

const { assert, backends, full, generator, killGate, postmaster, seed, signal, sleep, until } = support
const points = Number(process.env.POINTS || (full ? 60 : 5))

const price = 12_500_000
const finals = [String(price), '7000000', '1', '0']

const faults = {
    'kill -9 of the gate': async world => {
        await killGate(world.gate)
        await world.gate.start()
    },
    'kill -9 of a backend of the gate': async (world, random) => {
        await until(() => backends(world.ledger).some(support.isGate), 'the gate is connected', 1)
        signal(random.pick(backends(world.ledger).filter(support.isGate)).pid, 'SIGKILL')
    },
    'kill -9 of the postmaster': async world => {
        signal(postmaster(world.ledger), 'SIGKILL')
        await support.startLedger(world)
    }
}

const at = (body, amount) => ({
    ...body,
    paymentRequirements: { ...body.paymentRequirements, amount }
})

function answers(ledger) {
    try {
        return ledger.query('SELECT 1') === '1'
    } catch {
        return false
    }
}

// A gate that has just come back may not have read the accounts yet.
async function offerOf(world, url) {
    let offer
    const offers = async () => (offer = await world.offer(url).catch(() => undefined))?.accepts
    await until(offers, 'the page is offered', 60)
    return offer
}

// As the SDK and whoever retries: the same call until the answer says what became of it.
async function settle(world, body) {
    let answer
    await until(
        async () => {
            answer = await world.call('/settle', body).catch(() => undefined) // it was cut off
            return answer && answer.json?.errorReason !== 'settlement_pending'
        },
        'the settlement is answered',
        60
    )
    return answer.json
}

test('kills around the second settlement', async t => {
    const world = await market(t, { ownServer: true, ttl: 3600 })
    const expected = new Map()
    const random = generator(seed)
    for (let point = 0; point < points; point++) {
        const fault = random.pick(Object.keys(faults))
        const [amount, when] = [random.pick(finals), random.pick(['before', 'during', 'after'])]
        const where = `seed ${seed}, point ${point}: ${fault} ${when} ${amount}`
        const body = world.order(await offerOf(world, `https://shop.example/page?${point}`))
        const { id } = body.paymentPayload.accepted.extra
        assert.equal((await settle(world, body)).amount, String(price), where)
        const hurt = () => faults[fault](world, random)
        if (when === 'before') await hurt()
        const second = settle(world, at(body, amount))
        if (when === 'during') await sleep(random.below(4))
        if (when === 'during') await hurt()
        const answer = await second
        if (when === 'after') await hurt()
        assert.deepEqual([answer.success, answer.transaction, answer.amount], [true, id, amount], where)
        // Again, and otherwise.
        assert.deepEqual(await settle(world, at(body, amount)), answer, where)
        if (amount !== String(price)) {
            const other = await settle(world, at(body, amount === '1' ? '2' : '3'))
            assert.deepEqual([other.success, other.errorReason], [false, 'invalid_transaction_state'], where)
        }
        expected.set(`https://shop.example/page?${point}`, amount)
    }
    await until(() => answers(world.ledger), 'the ledger is back', 60)
    const rows = world.ledger.query(
        `SELECT resource, CASE WHEN u.payment_id IS NULL THEN amount_micros ELSE coalesce(final_micros, 0) END
           FROM charge LEFT JOIN undelivered u USING (payment_id)`
    )
    const found = rows.split('\n').map(row => row.split('|'))
    assert.equal(found.length, points)
    assert.deepEqual(new Map(found), expected)
    const sum = [...expected.values()].reduce((total, amount) => total + Number(amount), 0)
    assert.equal(Number(world.ledger.query('SELECT sum(amount_micros) FROM spend')), sum)
    await world.crawltab('audit')
    t.diagnostic(`${points} points, seed ${seed}`)
})
