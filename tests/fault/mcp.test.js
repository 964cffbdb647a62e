// Calls of tools while the gate and the server of the tools are killed: each is made at most once for its
// payment id, and nothing is billed of one whose result did not arrive, or more than its receipt says. And a
// stream that goes on for longer than any of the gate's time limits. MCP_CALLS and MCP_SECONDS say how much.
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import fs from 'node:fs'
import path from 'node:path'
import { test } from 'node:test'
import { payForTools, toolUrl } from '../../tools/x402/index.js'
import { toolShop } from '../e2e/mcp.js'
import { freePort, root, temporaryFolder, until } from '../e2e/support.js'
import { full } from './support.js'

const total = Number(process.env.MCP_CALLS || (full ? 1000 : 60))
const seconds = Number(process.env.MCP_SECONDS || (full ? 600 : 4))
const kills = Math.max(4, Math.round(total / 25))

// A process of its own, on the same port each time. `made`: the calls that it has made.
async function killableServer(t) {
    const port = await freePort()
    const file = path.join(temporaryFolder(t), 'calls')
    fs.writeFileSync(file, '')
    let child
    const start = async () => {
        const program = path.join(root, 'tests/fault/tool-server.js')
        const stdio = ['ignore', 'pipe', 'inherit']
        child = spawn(process.execPath, [program, String(port), file], { stdio })
        await new Promise(resolve => child.stdout.once('data', resolve))
    }
    const kill = async () => {
        const ended = new Promise(resolve => child.once('exit', resolve))
        child.kill('SIGKILL')
        await ended
    }
    await start()
    t.after(kill)
    const made = () => fs.readFileSync(file, 'utf8').trim().split('\n')
    const server = { origin: `http://127.0.0.1:${port}`, made, up: Promise.resolve() }
    server.restart = () => (server.up = kill().then(start))
    return server
}

// Every second call says what it costs in the end.
const argumentsOf = n => (n % 2 ? { amount: '7000', n } : { query: `q${n}` })
const nameOf = n => (n % 2 ? 'metered' : 'search')

// One call with one payment, sent again until somebody says what came of it.
async function callOnce(shop, n) {
    const call = { jsonrpc: '2.0', id: n, method: 'tools/call' }
    const params = { name: nameOf(n), arguments: argumentsOf(n) }
    const patient = async body => {
        for (let tries = 0; tries < 400; tries++) {
            const answer = await shop.post(body).catch(() => undefined)
            if (answer && answer.status !== 503 && answer.status !== 502) {
                try {
                    return JSON.parse(answer.text)
                } catch {
                    // It was cut off.
                }
            }
            await new Promise(resolve => setTimeout(resolve, 25))
        }
        throw new Error(`call ${n} was never answered`)
    }
    const { result: unpaid } = await patient({ ...call, params })
    const { resource, accepts } = unpaid.structuredContent
    const commitment = shop.payer.commit(accepts[0], resource.url)
    const payment = { x402Version: 2, resource, accepted: accepts[0], ...commitment }
    const paid = await patient({ ...call, params: { ...params, _meta: { 'x402/payment': payment } } })
    const receipt = paid.result?._meta?.['x402/payment-response']
    return [toolUrl('shop.example', 'tools', nameOf(n), argumentsOf(n)), receipt?.success && receipt.amount]
}

// What would be billed, by the URL of the call.
function billedOf(shop) {
    const rows = shop.ledger.query(`SELECT resource || ' ' || coalesce(u.final_micros, c.amount_micros)
        FROM charge c LEFT JOIN undelivered u USING (payment_id)
        WHERE u.payment_id IS NULL OR u.final_micros > 0`)
    return new Map(rows.split('\n').filter(Boolean).map(row => row.split(' ')))
}

test(`of ${total} calls with ${kills} kills each is made once, and none is billed in vain`, async t => {
    const server = await killableServer(t)
    const shop = await toolShop(t, { tools: server, origin: { head_seconds: 5 }, threads: 1 })
    const done = new Map()
    let next = 0
    const work = async () => {
        while (next < total) {
            done.set(...(await callOnce(shop, next++)))
            await server.up // or all would be used up on a server that is not there
        }
    }
    const kill = async () => {
        for (let i = 0; i < kills; i++) {
            const due = Math.floor(((i + 1) * total) / (kills + 1))
            await until(() => done.size >= due || next >= total, 'calls go on', 5)
            if (i % 2 === 0) await shop.restart('SIGKILL')
            else await server.restart()
        }
    }
    await Promise.all([kill(), ...Array.from({ length: 6 }, work)])
    assert.equal(done.size, total)
    const made = server.made()
    assert.equal(new Set(made).size, made.length, 'no call was made twice')
    const given = [...done].filter(([, amount]) => amount)
    assert.ok(given.length > total / 3, `${given.length} of ${total} gave a result`)
    // What is billed is what arrived, at what its receipt says: the rest is taken back.
    const wrong = () => [...billedOf(shop)].filter(([url, micros]) => done.get(url) !== micros)
    await until(() => wrong().length === 0, `is billed: ${wrong().join(', ')}`).catch(() => undefined)
    assert.deepEqual(wrong(), [])
    const billed = billedOf(shop).size
    t.diagnostic(`${given.length} results of ${total} calls, ${billed} billed, ${made.length} made`)
})

test(`a stream of ${seconds} seconds is billed once, when it has ended`, async t => {
    const shop = await toolShop(t, { origin: { head_seconds: 2, gap_seconds: 2 } })
    const steps = Math.max(8, seconds)
    const pause = Math.round((seconds * 1000) / steps)
    const client = await shop.client()
    let heard = 0
    const options = { onprogress: () => heard++, resetTimeoutOnProgress: true }
    const call = { name: 'steps', arguments: { steps, pause } }
    const waiting = payForTools(client, { payer: shop.payer }).callTool(call, undefined, options)
    await until(() => heard > 0, 'it goes on')
    assert.equal(shop.charged(), '1 for 50000')
    const result = await waiting
    assert.equal(result.content[0].text, 'done')
    assert.equal(result._meta['x402/payment-response'].amount, '50000')
    assert.equal(heard, steps)
    assert.equal(shop.charged(), '1 for 50000')
    assert.equal(shop.ledger.query('SELECT count(*) FROM undelivered'), '0')
})
