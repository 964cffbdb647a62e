// Invariant: while PostgreSQL does not answer, refuses, or lets wait, nobody is charged without an entry,
// each parked request gets its 503 with Retry-After within the time that a commit may take, offers and free
// pages go on (P7), and afterwards everything goes on by itself.
import net from 'node:net'
import { test } from 'node:test'
import { check } from './checker.js'
import { ask, Load } from './load.js'
import * as support from './support.js'

const { assert, backends, full, page, ready, seed, Session, signal, signalServer, until, world } = support

const commitMs = 1000
const ledger = { timeout_seconds: 1 }
// What the machine may add to the time that a commit may take, on cores that other suites use too.
const graceMs = 1000

// What goes on without a ledger.
async function assertFreeGoesOn(gate) {
    const offer = await ask(gate.port, page.target, { host: 'shop.example', 'user-agent': 'GPTBot/1.2' })
    assert.equal(offer.status, 402, JSON.stringify(offer))
    const free = await ask(gate.port, '/about.html', { host: 'shop.example', 'user-agent': 'GPTBot/1.2' })
    assert.equal(free.status, 200, JSON.stringify(free))
    const person = await ask(gate.port, page.target, { host: 'shop.example' })
    assert.equal(person.status, 200, JSON.stringify(person))
}

// Sends commitments for that long; none is charged, and each is told in time to try again. Their payments.
async function assertPutOff(load, commitments, ms) {
    const end = Date.now() + ms
    do {
        const start = Date.now()
        const attempts = await Promise.all(commitments.map(commitment => load.attempt(commitment)))
        const took = Date.now() - start
        for (const { outcome, code } of attempts) {
            assert.equal(outcome, 'again', `${outcome} ${code}`)
            assert.equal(code, 'ledger_unavailable')
        }
        assert.ok(took < commitMs + graceMs, `answered in ${took} ms`)
        await assertFreeGoesOn(load.world.gate)
    } while (Date.now() < end)
}

async function assertAllGoOn(load, commitments) {
    for (const commitment of commitments)
        assert.equal((await load.decide(commitment)).outcome, 'receipt', 'afterwards it is paid')
}

async function waiting(t, count = 6) {
    const set = await world(t, { ledger })
    const load = new Load(set, { clients: 0, seed })
    assert.equal((await load.pay()).outcome, 'receipt') // the directories are known now
    const commitments = []
    for (let i = 0; i < count; i++) commitments.push(await load.commitment())
    return { set, load, commitments }
}

test('PostgreSQL is paused', async t => {
    const { set, load, commitments } = await waiting(t)
    signalServer(set.ledger, 'SIGSTOP')
    try {
        await assertPutOff(load, commitments, full ? 30_000 : 2500)
    } finally {
        signalServer(set.ledger, 'SIGCONT') // it could not be stopped otherwise
    }
    await assertAllGoOn(load, commitments)
    await check(set, load.history)
})

test('the backends of the gate are paused, with a transaction open', async t => {
    const { set, load, commitments } = await waiting(t)
    const paused = backends(set.ledger).filter(support.isGate)
    assert.ok(paused.length > 0)
    for (const { pid } of paused) signal(pid, 'SIGSTOP')
    try {
        // Another connection takes its place; what the paused one may still do is done once.
        await assertAllGoOn(load, commitments)
    } finally {
        for (const { pid } of paused) signal(pid, 'SIGCONT')
    }
    await assertAllGoOn(load, [await load.commitment()])
    await check(set, load.history)
})

test('a partition is locked', async t => {
    const { set, load, commitments } = await waiting(t)
    const day = new Date(set.now()).toISOString().slice(0, 10).replaceAll('-', '')
    const locked = async body => {
        const session = new Session(set)
        await session.run(`BEGIN; LOCK TABLE charge_${day} IN ACCESS EXCLUSIVE MODE`)
        await body(session)
        await session.run('COMMIT')
        await session.end()
    }
    await t.test('for less than a commit may take: requests wait and are paid', () =>
        locked(async session => {
            const waits = commitments.slice(0, 3).map(commitment => load.attempt(commitment))
            const blocked = `SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'`
            await until(() => set.ledger.query(blocked) !== '0', 'an insert waits for the lock', 10)
            await session.run('COMMIT; BEGIN')
            for (const { outcome } of await Promise.all(waits)) assert.equal(outcome, 'receipt')
        })
    )
    await t.test('for longer: they are put off, and paid afterwards', () =>
        locked(() => assertPutOff(load, commitments.slice(3), full ? 10_000 : 2500))
    )
    await assertAllGoOn(load, commitments)
    await check(set, load.history)
})

// Holds connections of the superuser until the server takes no more.
class Crowd {
    constructor(world) {
        this.path = `${world.ledger.sockets}/.s.PGSQL.5432`
        this.sockets = []
        world.t.after(() => this.leave())
    }
    // True if there was room.
    enter() {
        return new Promise((resolve, reject) => {
            const socket = net.connect(this.path)
            socket.on('error', reject)
            socket.on('data', data => {
                const refused = data[0] === 0x45 // ErrorResponse
                if (refused) {
                    assert.match(data.toString('latin1'), /C53300/)
                    socket.destroy()
                } else this.sockets.push(socket)
                resolve(!refused)
            })
            const text = Buffer.from('user\0postgres\0database\0postgres\0\0')
            const start = Buffer.alloc(8)
            start.writeInt32BE(8 + text.length, 0)
            start.writeInt32BE(3 << 16, 4)
            socket.write(Buffer.concat([start, text]))
        })
    }
    async fill() {
        while (await this.enter()) assert.ok(this.sockets.length < 200)
        assert.ok(this.sockets.length > 50)
    }
    leave() {
        for (const socket of this.sockets.splice(0)) socket.destroy()
    }
}

test('max_connections is reached', async t => {
    const { set, load, commitments } = await waiting(t)
    await t.test('when the gate starts', async () => {
        await set.gate.stop()
        const crowd = new Crowd(set)
        await crowd.fill()
        await set.gate.start(...set.words)
        await set.gate.logged(/event=ledger_unreachable .*too many|event=ledger_unreachable .*remaining/)
        await assertPutOff(load, commitments.slice(0, 3), 1000)
        crowd.leave()
        await assertAllGoOn(load, commitments.slice(0, 3))
    })
    await t.test('when the gate connects anew', async () => {
        const superuser = new Session(set)
        await ready(set.gate)
        await superuser.run('ALTER ROLE crawltab_gate CONNECTION LIMIT 0')
        await superuser.run(
            `SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE usename = 'crawltab_gate'`
        )
        await assertPutOff(load, commitments.slice(3), 1000)
        await superuser.run('ALTER ROLE crawltab_gate CONNECTION LIMIT -1')
        await assertAllGoOn(load, commitments.slice(3))
        await superuser.end()
    })
    await check(set, load.history)
})
