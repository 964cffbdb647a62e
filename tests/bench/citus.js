// make bench-citus: what a ledger on a Citus cluster (a coordinator and two workers) costs beside one on
// plain PostgreSQL, of the same programs and in the same run: payments by connections, and batches by their
// size. Processor time is that of all PostgreSQL processes of all servers. Where there is no Citus, one line
// says so. Numbers on the command line are other numbers of connections. --smoke: one short round.
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import fs from 'node:fs'
import { createInterface } from 'node:readline'
import { Cluster, noCitus } from '../e2e/cluster.js'
import { stage } from '../e2e/support.js'
import * as bench from './measure.js'

if (noCitus) {
    console.log(`${noCitus}: nothing is measured`)
    process.exit(0)
}
const numbers = process.argv.slice(2).map(Number).filter(Boolean)
const smoke = process.argv.includes('--smoke')
const size = smoke
    ? { rounds: 1, payments: 300, connections: [64], batches: [16] }
    : {
          rounds: 3,
          payments: 5000,
          connections: numbers.length ? numbers : [64, 250, 1000],
          batches: [16, 64, 256, 512]
      }
const wanted = 1.5 // times plain, at 250 connections
const cores = bench.useTwoCores()
const results = new bench.Results()
const cleanUps = []
const t = { after: f => cleanUps.unshift(f) }

// Processor time so far, in nanoseconds, of each process of all servers of a ledger, by its number.
function used({ ledger }) {
    const pids = [ledger, ...(ledger.workers ?? [])].flatMap(bench.postgres)
    return new Map(
        pids.flatMap(pid => {
            try {
                return [[pid, Number(fs.readFileSync(`/proc/${pid}/schedstat`, 'utf8').split(' ')[0])]]
            } catch {
                return [] // It has ended.
            }
        })
    )
}

// Microseconds since, of the processes that are still there.
const since = (scene, before) =>
    [...used(scene)].reduce((sum, [pid, ns]) => sum + ns - (before.get(pid) ?? 0), 0) / 1000

async function pay(scene, connections) {
    const words = ['payments', `127.0.0.1:${scene.gate.port}`, bench.site, size.payments, connections]
    const before = used(scene)
    const result = await bench.load(words, { gate: [scene.gate.process.pid] })
    scene.recorded += size.payments
    results.add(`${scene.name}, ${connections} connections`, {
        ...result,
        postgres_us: since(scene, before) / size.payments
    })
}

async function write(scene, batch) {
    const child = spawn(bench.program('entries'), [scene.config, '8', String(batch)], {
        stdio: ['pipe', 'pipe', 'inherit']
    })
    const ended = once(child, 'exit')
    let before
    for await (const line of createInterface({ input: child.stdout })) {
        if (line === 'ready') {
            before = used(scene)
            child.stdin.end(`${child.pid}\n`) // its own time, which nobody asks for here
        } else {
            const { entries } = JSON.parse(line)
            scene.recorded += entries + 50 * 16 // with those that it warms up by
            results.add(`${scene.name}, batches of ${batch}`, { postgres_us: since(scene, before) / entries })
        }
    }
    assert.deepEqual(await ended, [0, null])
}

async function make(name, options) {
    const scene = await stage(t, {
        insecureHosts: [`127.0.0.1:${bench.directoryPort}`],
        logLevel: 'info',
        log: { decisions: false },
        asUsed: true,
        ledger: { timeout_seconds: 20 }, // all share the cores
        gate: false,
        ...options
    })
    if (scene.ledger.workers) {
        scene.ledger.join()
        // As Citus has it of its own: tests want what was cut off to end sooner.
        for (const server of [scene.ledger, ...scene.ledger.workers]) {
            server.alter('citus.recover_2pc_interval', '60s')
            server.query('SELECT pg_reload_conf()', 'postgres', 'postgres')
        }
        await scene.crawltab('migrate', '--citus')
    }
    scene.ledger.query(`INSERT INTO crawler (agent, first_seen_at)
        SELECT 'https://crawler' || n || '.example', now() FROM generate_series(1, 8) AS n`)
    scene.gate = await scene.startGate()
    await scene.gate.ready()
    return Object.assign(scene, { name, recorded: 0 })
}

const us = name => results.of(name, 'postgres_us')
const ratio = what => us(`Citus, ${what}`) / us(`plain, ${what}`)

function tables() {
    const rows = size.connections.map(connections => {
        const what = `${connections} connections`
        const of = name => [results.of(`${name}, ${what}`), us(`${name}, ${what}`).toFixed(0)]
        const p99 = bench.ms(results.of(`Citus, ${what}`, 'p99_us'))
        return [what, ...of('plain'), ...of('Citus'), p99, ratio(what).toFixed(2)]
    })
    const heads = ['payments', 'plain/s', 'its µs', 'Citus/s', 'its µs', 'its p99 ms', 'µs, times plain']
    const batches = ['plain', 'Citus'].map(name => [
        name,
        ...size.batches.map(batch => us(`${name}, batches of ${batch}`).toFixed(1))
    ])
    const times = size.batches.map(batch => ratio(`batches of ${batch}`).toFixed(2))
    return [
        bench.table(heads, rows),
        bench.table(
            ['µs an entry', ...size.batches.map(batch => `batches of ${batch}`)],
            [...batches, ['times', ...times]]
        )
    ]
}

try {
    const scenes = [await make('plain', {}), await make('Citus', { ledgerKind: Cluster })]
    for (let round = 0; round < size.rounds; round++) {
        for (const connections of size.connections)
            for (const scene of scenes) await pay(scene, connections)
        for (const batch of size.batches) for (const scene of scenes) await write(scene, batch)
    }
    for (const { ledger, recorded } of scenes) assert.equal(ledger.count('charge'), recorded)
    console.log(`\n${bench.heading(size.rounds, cores)}\n\n${tables().join('\n\n')}`)
    if (size.connections.includes(250))
        console.log(`\nwanted at 250 connections: ≤ ${wanted} times plain: ` +
            (ratio('250 connections') <= wanted ? 'met' : 'missed'))
} finally {
    for (const cleanUp of cleanUps) await cleanUp()
}
