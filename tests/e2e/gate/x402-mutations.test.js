// Whatever is changed in a payment of x402, on its way to the gate or to its facilitator, nothing is charged
// that was not signed, every answer has a code, and the gate lives. `make x402-mutations` changes 10,000.
// Tests server/facilitator/order.c, ledger/dialect/x402.c, ledger/dialect/claims.c
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { market } from '../facilitators.js'
import { generator } from '../random.js'

const rounds = Number(process.env.ROUNDS || 600)
const seed = Number(process.env.SEED || 4711)
const at = 16 // of them at once

const printable = 'abcXYZ012.:/-_"{}[],é \\\u0000\n'
const claimNames = ['iss', 'id', 'network', 'amount', 'asset', 'aud', 'resource', 'scheme', 'iat', 'exp']
const values = [null, 7, -1, 1e308, 1.5, true, {}, [], '', '0', 'x'.repeat(5000)]

const damage = (random, text) => {
    const place = random.below(text.length + 1)
    return text.slice(0, place) + random.pick(printable) + text.slice(place + random.below(3))
}

// A text somewhere in the body, such as what was signed, becomes another one; or a member goes, or comes.
function changeLeaf(random, whole) {
    const body = structuredClone(whole)
    let node = body
    for (;;) {
        const name = random.pick(Object.keys(node))
        if (random.chance(1, 12)) delete node[name]
        else if (random.chance(1, 12)) node[random.pick(['x402Version', 'extra', 'payload', 'other'])] = 7
        else if (node[name] && typeof node[name] === 'object' && Object.keys(node[name]).length > 0) {
            node = node[name]
            continue
        } else node[name] = random.chance(1, 4) ? random.pick(values) : damage(random, String(node[name]))
        return body
    }
}

function changeBytes(random, bytes) {
    const changed = Buffer.from(bytes)
    for (let i = 0; i <= random.below(3); i++) changed[random.below(changed.length)] = random.below(256)
    return random.chance(1, 4) ? changed.subarray(0, random.below(changed.length)) : changed
}

// Signed as it should be, but saying something else.
const changeClaim = (random, order, offered) =>
    order(offered, {
        signs: {
            [random.pick(claimNames)]: random.pick([undefined, ...values, damage(random, '12500000')])
        }
    })

const codeOf = ({ json, headers }) =>
    json?.errorReason ?? json?.invalidReason ?? json?.code ?? headers['crawler-error']

test('changed payments charge nothing that was not signed', async t => {
    const { call, ask, offer, order, paid, gate, crawltab } = await market(t)
    const random = generator(seed)
    const offered = await offer()
    const whole = order(offered)
    const mutated = () =>
        random.pick([
            () => changeBytes(random, Buffer.from(JSON.stringify(whole))),
            () => Buffer.from(JSON.stringify(changeLeaf(random, whole))),
            () => Buffer.from(JSON.stringify(changeClaim(random, order, offered)))
        ])()
    // The payment alone, in the header of a request.
    const header = () => {
        const payment = whole.paymentPayload
        const bytes = random.pick([
            () => changeBytes(random, Buffer.from(JSON.stringify(payment))),
            () => Buffer.from(JSON.stringify(changeLeaf(random, payment))),
            () => Buffer.from(JSON.stringify(changeClaim(random, order, offered).paymentPayload))
        ])()
        const field = bytes.toString('base64')
        return random.chance(1, 6) ? damage(random, field).replace(/[^ -~]/g, '?') : field
    }
    let judged = 0
    const one = async () => {
        const settles = random.chance(2, 3)
        const [body, field] = settles ? [mutated()] : [undefined, header()]
        const answer = settles
            ? await call(random.pick(['/settle', '/settle', '/verify']), body)
            : await ask('/page', { 'payment-signature': field })
        const what = `seed ${seed}: ${answer.status} ${answer.text} to ${body ?? field}`
        const good = settles ? answer.json.success || answer.json.isValid : answer.status === 200
        assert.ok(
            [200, 400, 402, 403, 409, 413, 431].includes(answer.status) ||
                (answer.status === 503 && ['settlement_pending', 'overloaded'].includes(codeOf(answer))),
            what
        )
        if (!good) assert.match(codeOf(answer) ?? '', /^[a-z_0-9]+$/, what)
        judged += answer.status !== 400
    }
    for (let done = 0; done < rounds; done += at) await Promise.all(Array.from({ length: at }, one))
    assert.ok(judged > rounds / 20, `only ${judged} of ${rounds} were more than garbage`)
    // A change of what nobody signs and nobody reads may settle it, by its one id, also for less.
    assert.match(paid(), /^(0 for 0|1 for \d+)$/)
    assert.equal(gate.process.exitCode, null)
    await crawltab('audit')
    t.diagnostic(`${rounds} changed payments, seed ${seed}, ${judged} of them read, ${paid()}`)
})
