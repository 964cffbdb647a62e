// make bench-entries, second part: what it costs a payment that its delivery is recorded. Two gates on one
// ledger, one that records and one that does not, are paid in turn. --smoke: one short round.
import assert from 'node:assert/strict'
import path from 'node:path'
import { root, stage } from '../e2e/support.js'
import * as bench from './measure.js'

const smoke = process.argv.includes('--smoke')
const size = smoke ? { rounds: 1, payments: 300 } : { rounds: 7, payments: 20000 }
const cores = bench.useTwoCores()
const results = new bench.Results()
const cleanUps = []
const t = { after: f => cleanUps.unshift(f) }

// The journal writes once a second: a round is over when it has.
async function pay(name, { gate, ledger }, words) {
    const groups = { gate: [gate.process.pid], postgres: bench.postgres(ledger) }
    const before = ledger.query('SELECT pg_current_wal_insert_lsn()')
    const result = await bench.load(words, groups)
    assert.equal(result.good, size.payments)
    await new Promise(resolve => setTimeout(resolve, 2000))
    const bytes = Number(ledger.query(`SELECT pg_current_wal_insert_lsn() - '${before}'::pg_lsn`))
    results.add(name, { ...result, wal: Math.round(bytes / result.good) })
}

try {
    const options = {
        insecureHosts: [`127.0.0.1:${bench.directoryPort}`],
        logLevel: 'info',
        log: { decisions: false },
        asUsed: true,
        root: path.join(root, 'tools/demo/site')
    }
    const scene = await stage(t, options)
    const recording = scene.gate
    scene.configure({ delivery: { record: false } })
    const silent = await scene.startGate()
    await silent.ready()
    const gates = { recorded: recording, 'not recorded': silent }
    for (let n = 0; n < size.rounds; n++)
        for (const [name, gate] of Object.entries(gates)) {
            const words = ['payments', `127.0.0.1:${gate.port}`, bench.site, size.payments, 64]
            await pay(name, { ...scene, gate }, words)
        }
    await recording.stop() // what it has is written
    assert.equal(scene.ledger.count('delivery'), size.rounds * size.payments)
    const columns = ['deliveries', 'per second', 'p99 ms', 'server µs', 'PostgreSQL µs', 'WAL bytes']
    const rows = Object.keys(gates).map(name => [
        name,
        results.of(name),
        bench.ms(results.of(name, 'p99_us')),
        results.of(name, 'gate_us')?.toFixed(0),
        results.of(name, 'postgres_us')?.toFixed(0),
        results.of(name, 'wal')
    ])
    console.log(`\n${bench.heading(size.rounds, cores)}\n\n${bench.table(columns, rows)}`)
    const ratio = results.of('recorded') / results.of('not recorded')
    console.log(`\nof those not recorded: ${ratio.toFixed(3)}`)
} finally {
    for (const f of cleanUps) await f()
}
