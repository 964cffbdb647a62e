// Invariant: whatever some clients do to a gate with their connections, the others are answered, the gate
// lives and does not spin, and what it took from the badly behaved is given back in bounded time. The others
// are crawlers that pay, so that the ledger is in it too.
import net from 'node:net'
import { test } from 'node:test'
import { check } from './checker.js'
import { ask, Load } from './load.js'
import { assert, fs, full, millicpu, page, ready, seed, sleep, until, world } from './support.js'

const openFiles = gate => fs.readdirSync(`/proc/${gate.process.pid}/fd`).length

function connect(port) {
    const socket = net.connect(port, '127.0.0.1')
    const state = { socket, text: '', open: true }
    socket.on('data', data => (state.text += data.toString('latin1')))
    socket.on('error', () => {})
    state.closed = new Promise(resolve =>
        socket.on('close', () => {
            state.open = false
            resolve(state)
        })
    )
    return state
}

// The longest that a person waits for a page, looked at all the time until `until` is settled.
async function longestWait(gate, until) {
    let over = false
    let longest = 0
    const ended = until.finally(() => (over = true))
    while (!over) {
        const start = Date.now()
        const answer = await ask(gate.port, page.target, { host: 'shop.example' })
        assert.equal(answer.status, 200, JSON.stringify(answer))
        longest = Math.max(longest, Date.now() - start)
        await sleep(10)
    }
    await ended
    return longest
}

test('a thousand clients send byte by byte', async t => {
    const headerSeconds = full ? 10 : 1
    const set = await world(t, { http: { header_seconds: headerSeconds } })
    const load = new Load(set, { clients: 4, seed })
    await load.progress(20)
    const files = openFiles(set.gate)
    const text = `GET ${page.target} HTTP/1.1\r\nHost: shop.example\r\nX: ${'x'.repeat(1000)}`
    const start = Date.now()
    const slow = Array.from({ length: 1000 }, () => connect(set.gate.port))
    let at = 0
    const drip = setInterval(() => {
        for (const { socket, open } of slow) if (open && socket.writable) socket.write(text[at])
        at++
    }, 200)
    const receipts = load.receipts
    const longest = await longestWait(set.gate, Promise.all(slow.map(({ closed }) => closed)))
    const took = Date.now() - start
    clearInterval(drip)
    // Looked for twice a second, and connecting a thousand takes a moment too.
    assert.ok(took < headerSeconds * 1000 + 5000, `they were cut off within ${took} ms`)
    assert.ok(longest < 2000, `a person waited ${longest} ms`)
    assert.ok(load.receipts > receipts + 10, 'crawlers went on paying')
    await until(() => openFiles(set.gate) <= files + 10, 'their connections are given back')
    await check(set, await load.stop())
    t.diagnostic(`cut off within ${took} ms; a person waited ${longest} ms at most`)
})

test('requests that are too large are refused, and the rest goes on', async t => {
    const set = await world(t)
    const load = new Load(set, { clients: 4, seed })
    const send = async fields => {
        const client = connect(set.gate.port)
        client.socket.write(`GET ${page.target} HTTP/1.1\r\nHost: shop.example\r\n${fields}\r\n`)
        await client.closed
        return client.text
    }
    const refused = /^(HTTP\/1\.1 (431|413|400) |$)/
    for (let i = 0; i < (full ? 500 : 50); i++) {
        const texts = await Promise.all([
            send(`x: ${'y'.repeat(65536)}\r\n`),
            send('x: y\r\n'.repeat(1000)),
            send(`${'x'.repeat(65536)}: y\r\n`),
            send(`Payment: ${'a="b", '.repeat(6000)}\r\n`)
        ])
        for (const text of texts) assert.match(text, refused)
    }
    await load.progress(20)
    await check(set, await load.stop())
})

test('there are no more open files to be had', async t => {
    const set = await world(t, { gate: false, http: { idle_seconds: 2, header_seconds: 2 } })
    // Hard and soft: the gate raises what it may.
    const gate = await set.otherGate({ before: ['prlimit', '--nofile=64:64'] })
    await ready(gate)
    set.gate = gate
    const load = new Load(set, { clients: 0, seed })
    assert.equal((await load.pay()).outcome, 'receipt')
    const commitments = []
    for (let i = 0; i < 3; i++) commitments.push(await load.commitment())

    const crowd = Array.from({ length: 200 }, () => connect(gate.port))
    await sleep(500) // nothing to wait for: the crowd does nothing
    const before = millicpu(gate.process.pid)
    const start = Date.now()
    await sleep(1000)
    const busy = (millicpu(gate.process.pid) - before) / (Date.now() - start)
    assert.ok(busy < 0.5, `it is at work ${Math.round(busy * 100)} % of the time`)
    // A new connection to the ledger needs a descriptor, which the crowd has not taken.
    set.ledger.query(`SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'crawltab_gate'`)
    const connected = `SELECT count(*) FROM pg_stat_activity WHERE usename = 'crawltab_gate'`
    await until(() => set.ledger.query(connected) !== '0', 'the ledger is connected again')
    for (const { socket } of crowd) socket.destroy()
    for (const commitment of commitments) assert.equal((await load.decide(commitment)).outcome, 'receipt')
    // A key that is not known yet is fetched.
    assert.equal((await load.pay({ signer: set.signers[0] })).outcome, 'receipt')
    assert.equal((await load.pay({ signer: set.signers[1] })).outcome, 'receipt')
    assert.equal(gate.process.exitCode, null)
    await check(set, load.history)
})
