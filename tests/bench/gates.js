// make bench-gates: 1, 2 and 4 gates on one PostgreSQL, each with a load generator of its own; how far a
// credit limit is passed that they share; and a tenth of a second of network between a gate and its database,
// by how many writers it has. --smoke: one short round of each.
import assert from 'node:assert/strict'
import fs from 'node:fs'
import net from 'node:net'
import path from 'node:path'
import { freePort, Gate, stage } from '../e2e/support.js'
import * as bench from './measure.js'

const smoke = process.argv.includes('--smoke')
const size = smoke
    ? { rounds: 1, payments: 200, far: 100, gates: [1, 2], writers: [1, 2], limit: 50 }
    : { rounds: 3, payments: 4000, far: 2000, gates: [1, 2, 4], writers: [1, 2, 4, 8], limit: 2000 }
const delayMs = 50 // each way
const cores = bench.useTwoCores()
const results = new bench.Results()
const cleanUps = []
const t = { after: f => cleanUps.unshift(f) }
// A crawler for each gate: one load generator, and one directory of keys.
const directories = [bench.directoryPort]
while (directories.length < Math.max(...size.gates)) directories.push(await freePort())
let paid = 0

// Bytes reach the database, and come back, so much later, in their order and as many at a time as there are.
function later(from, to) {
    from.setNoDelay()
    from.on('data', data => setTimeout(() => to.writable && to.write(data), delayMs))
    from.on('error', () => {})
    from.on('close', () => setTimeout(() => to.destroy(), delayMs))
}

async function distance({ ledger }) {
    const links = new Set()
    const server = net.createServer(gate => {
        const database = net.connect(path.join(ledger.sockets, '.s.PGSQL.5432'))
        later(gate, database)
        later(database, gate)
        for (const socket of [gate, database]) links.add(socket)
    })
    await new Promise(resolve => server.listen(0, '127.0.0.1', resolve))
    t.after(() => {
        server.close()
        for (const socket of links) socket.destroy()
    })
    return server.address().port
}

// What is not answered with 200 makes the load generator fail, which is told by its words all the same.
async function one(gate, count, connections, groups, directory) {
    const words = ['payments', `127.0.0.1:${gate.port}`, bench.site, count, connections]
    const env = { CRAWLTAB_BENCH_DIRECTORY: String(directory) }
    const result = await bench.load(words, groups, env).catch(error => {
        if (!error.stdout) throw error
        return JSON.parse(error.stdout)
    })
    paid += result.good
    return result
}

// So many payments by all gates together, over so many connections.
async function pay(name, { ledger }, gates, count, connections) {
    const processes = () => ({ gate: gates.map(gate => gate.process.pid), postgres: bench.postgres(ledger) })
    const used = () => Object.values(processes()).map(pids => pids.reduce((sum, pid) => sum + cpu(pid), 0))
    const before = ledger.query('SELECT pg_current_wal_insert_lsn()')
    const begun = used()
    const each = await Promise.all(
        gates.map((gate, i) =>
            one(gate, count / gates.length, Math.round(connections / gates.length), {}, directories[i])
        )
    )
    const [gate_us, postgres_us] = used().map((us, i) => (us - begun[i]) / count)
    const bytes = Number(ledger.query(`SELECT pg_current_wal_insert_lsn() - '${before}'::pg_lsn`))
    assert.equal(each.reduce((sum, result) => sum + result.good, 0), count)
    results.add(name, {
        per_second: each.reduce((sum, result) => sum + result.per_second, 0),
        p50_us: bench.median(each.map(result => result.p50_us)),
        p99_us: Math.max(...each.map(result => result.p99_us)),
        gate_us,
        postgres_us,
        wal: Math.round(bytes / count)
    })
}

// Microseconds of processor time of a process, and of its children that have ended.
function cpu(pid) {
    const fields = fs.readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ').at(-1).split(' ')
    return fields.slice(11, 15).reduce((sum, ticks) => sum + Number(ticks) * 10000, 0)
}

async function start(scene, changed, count) {
    scene.configure(changed)
    const gates = []
    for (let i = 0; i < count; i++) {
        const gate = new Gate(scene.config)
        t.after(() => gate.stop())
        await gate.start()
        await gate.ready()
        gates.push(gate)
    }
    return gates
}

async function several(scene) {
    for (let round = 0; round < size.rounds; round++)
        for (const count of size.gates) {
            const gates = await start(scene, {}, count)
            for (const connections of [64, 250])
                await pay(named(count, 'gate', connections), scene, gates, size.payments, connections)
            for (const gate of gates) await gate.stop()
        }
}

// One crawler pays by turns at each of the gates, twice what its limit has room for. Returns how much was
// taken.
async function shared(scene) {
    const first = scene.ledger.query(`SELECT count(*) FROM charge JOIN crawler USING (crawler_id)
                                       WHERE agent = 'http://127.0.0.1:${directories[0]}'`)
    const agents = { day_limit: ((Number(first) + size.limit) * 0.05).toFixed(2) }
    const sites = bench.sites.map(site => ({ ...site, agents }))
    const gates = await start(scene, { sites }, size.gates.at(-1))
    let taken = 0
    for (let turn = 0; turn < 20; turn++) {
        const gate = gates[turn % gates.length]
        taken += (await one(gate, size.limit / 10, 64, {}, directories[0])).good
    }
    for (const gate of gates) await gate.stop()
    return taken
}

async function far(scene) {
    const port = await distance(scene)
    for (const writers of size.writers) {
        const connection = `host=127.0.0.1 port=${port} dbname=crawltab`
        const gates = await start(scene, { ledger: { connection, writers, timeout_seconds: 10 } }, 1)
        for (const connections of [64, 1000])
            await pay(named(writers, 'writer', connections), scene, gates, size.far, connections)
        await gates[0].stop()
    }
}

const named = (count, noun, connections) =>
    `${count} ${noun}${count > 1 ? 's' : ''}, ${connections} connections`

function row(name) {
    const time = member => bench.ms(results.of(name, member))
    const split = ['gate_us', 'postgres_us'].map(member => results.of(name, member).toFixed(0))
    return [name, results.of(name), time('p50_us'), time('p99_us'), ...split, results.of(name, 'wal')]
}

try {
    const scene = await stage(t, {
        insecureHosts: directories.map(port => `127.0.0.1:${port}`),
        logLevel: 'info',
        log: { decisions: false },
        asUsed: true,
        gate: false,
        sites: bench.sites
    })
    await several(scene)
    await far(scene)
    const taken = await shared(scene)
    assert.equal(scene.ledger.count('charge'), paid)
    const columns = ['payments', 'per second', 'p50 ms', 'p99 ms', 'gate µs', 'PostgreSQL µs', 'WAL bytes']
    const rows = [...results.all.keys()].map(row)
    console.log(`\n${bench.heading(size.rounds, cores)}\n\n${bench.table(columns, rows)}`)
    console.log(`\na limit with room for ${size.limit} payments: all gates together took ${taken}`)
    console.log(`${paid} payments, each with one entry in the ledger`)
} finally {
    for (const cleanUp of cleanUps) await cleanUp()
}
