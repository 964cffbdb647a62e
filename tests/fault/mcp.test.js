// Calls of tools while the gate and the server of the tools are killed: each is made at most once for its
// payment id, and none is charged whose result did not arrive. MCP_CALLS=1000 is the long form.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { toolShop } from '../e2e/mcp.js'
import { until } from '../e2e/support.js'

const total = Number(process.env.MCP_CALLS ?? 60)
const kills = Math.max(4, Math.round(total / 25))
const post = (shop, body, session) =>
    shop.current.gate.request('/mcp', {
        method: 'POST',
        headers: {
            'content-type': 'application/json',
            accept: 'application/json, text/event-stream',
            ...(session ? { 'mcp-session-id': session } : {})
        },
        body: JSON.stringify(body)
    })
const messageOf = ({ text }) => JSON.parse(/^data: (.*)$/m.exec(text)?.[1] ?? text)

async function newSession(shop) {
    const params = {
        protocolVersion: '2025-06-18',
        capabilities: {},
        clientInfo: { name: 'killed', version: '1' }
    }
    const answer = await post(shop, { jsonrpc: '2.0', id: 0, method: 'initialize', params })
    return answer.headers['mcp-session-id']
}

// One call with one payment, sent again until somebody says what came of it.
async function callOnce(shop, number, session) {
    const call = { jsonrpc: '2.0', id: number, method: 'tools/call' }
    const params = { name: 'search', arguments: { query: `q${number}` } }
    let payment, result
    const patient = async body => {
        for (let tries = 0; tries < 400; tries++) {
            const answer = await post(shop, body, session()).catch(() => undefined)
            if (answer && answer.status !== 503 && answer.status !== 502) {
                try {
                    return messageOf(answer)
                } catch {
                    // It was cut off.
                }
            }
            await new Promise(resolve => setTimeout(resolve, 25))
        }
        throw new Error(`call ${number} was never answered`)
    }
    const { result: unpaid } = await patient({ ...call, params })
    const { resource, accepts } = unpaid.structuredContent
    const commitment = shop.payer.commit(accepts[0], resource.url)
    payment = { x402Version: 2, resource, accepted: accepts[0], ...commitment }
    const paid = await patient({ ...call, params: { ...params, _meta: { 'x402/payment': payment } } })
    result = paid.result?._meta?.['x402/payment-response']
    return { number, id: accepts[0].extra.id, given: result?.success === true, paid }
}

test(`of ${total} calls with ${kills} kills each is made once, and none is charged in vain`, async t => {
    const shop = await toolShop(t, { server: { json: true }, origin: { head_seconds: 5 }, threads: 1 })
    let session = await newSession(shop)
    let next = 0
    const done = []
    const work = async () => {
        while (next < total) done.push(await callOnce(shop, next++, () => session))
    }
    const kill = async () => {
        for (let i = 0; i < kills; i++) {
            const due = Math.floor(((i + 1) * total) / (kills + 1))
            await until(() => done.length >= due || next >= total, 'calls go on', 5)
            if (i % 2 === 0) {
                await shop.current.gate.stop('SIGKILL')
                shop.current.gate = await shop.startGate()
                await shop.current.gate.ready()
            } else {
                shop.server.closeAllConnections() // in the middle of whatever it does
            }
        }
    }
    await Promise.all([kill(), ...Array.from({ length: 6 }, work)])
    assert.equal(done.length, total)
    // No query was run twice.
    assert.equal(new Set(shop.state.calls).size, shop.state.calls.length)
    const billed = () =>
        new Set(
            shop.ledger
                .query('SELECT string_agg(resource, $$ $$) FROM charge c WHERE NOT EXISTS' +
                    ' (SELECT FROM undelivered u WHERE u.payment_id = c.payment_id)')
                .split(' ')
                .filter(Boolean)
        )
    const given = done.filter(call => call.given)
    assert.ok(given.length > total / 2, `${given.length} of ${total} gave a result`)
    // What was charged is what arrived: the rest is taken back, now or by the next start.
    await until(() => billed().size <= given.length, `billed ${billed().size}, given ${given.length}`)
})
