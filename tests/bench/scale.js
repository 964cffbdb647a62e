// make bench-scale: the same payments and look-ups with 100 thousand, 1 and 10 million entries in the ledger.
// The entries are made in SQL: valid rows of the hours before. --smoke makes a few, to see that it works.
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { stage } from '../e2e/support.js'
import * as bench from './measure.js'

const smoke = process.argv.includes('--smoke')
const steps = smoke ? [1000, 2000] : [100_000, 1_000_000, 10_000_000]
const size = smoke
    ? { rounds: 1, payments: 200, lookups: 100, chunk: 500 }
    : { rounds: 5, payments: 20000, lookups: 5000, chunk: 500_000 }
const cores = bench.useTwoCores()
const results = new bench.Results()
const cleanUps = []
const t = { after: f => cleanUps.unshift(f) }

// Ids as the gate makes them: version 7, in the order of their time, in yesterday's and today's partitions.
function makeEntries({ ledger }, first, last) {
    ledger.query(`INSERT INTO charge (payment_id, lane, site_id, crawler_id, amount_micros, rule, resource,
                                      recorded_at, thumbprint, signature, signature_base)
        SELECT id, get_byte(uuid_send(id), 15), 1, n % 100 + 1, 2500, 'rest',
               'https://shop.example/articles/' || n || '.html', instant(ms), sha256(int8send(n % 100)),
               sha512(int8send(n)), convert_to(rpad('"@authority": shop.example ' || n, 300, 'b'), 'UTF8')
          FROM (SELECT n, ms, (lpad(to_hex(ms), 12, '0') || '7' || substr(hash, 1, 3) || '8' ||
                               substr(hash, 4, 15))::uuid AS id
                  FROM (SELECT n, md5(n::text) AS hash,
                               (extract(epoch FROM now()) * 1000)::bigint - 20000000 + n AS ms
                          FROM generate_series(${first}::bigint, ${last}) AS n) AS numbered) AS made
        ON CONFLICT DO NOTHING`)
}

async function lookUps(scene, name) {
    const sample = `SELECT payment_id FROM charge TABLESAMPLE SYSTEM_ROWS(${size.lookups * 4})
                     ORDER BY random() LIMIT ${size.lookups}`
    const ids = scene.ledger.query(sample)
    assert.equal(ids.split('\n').length, size.lookups)
    const child = spawn(bench.program('lookup'), [scene.config], { stdio: ['pipe', 'pipe', 'inherit'] })
    let out = ''
    child.stdout.on('data', data => (out += data))
    const ended = new Promise(resolve => child.on('exit', resolve))
    child.stdin.end(ids + '\n')
    assert.equal(await ended, 0)
    const result = JSON.parse(out)
    results.add(name, { ...result, per_second: Math.round(1e6 / result.p50_us) })
}

async function pay(scene, name) {
    const groups = { gate: [scene.gate.process.pid], postgres: bench.postgres(scene.ledger) }
    const words = ['payments', `127.0.0.1:${scene.gate.port}`, bench.site, size.payments, 64]
    results.add(name, await bench.load(words, groups))
}

try {
    const log = { logLevel: 'info', log: { decisions: false } }
    const options = { insecureHosts: [`127.0.0.1:${bench.directoryPort}`], ...log, asUsed: true }
    const scene = await stage(t, options)
    const { ledger } = scene
    ledger.query(`CREATE EXTENSION tsm_system_rows;
        SELECT charge_partitions((now() AT TIME ZONE 'UTC')::date - 1, (now() AT TIME ZONE 'UTC')::date)`)
    ledger.query(`INSERT INTO crawler (agent, first_seen_at)
        SELECT 'https://crawler' || n || '.example', now() FROM generate_series(1, 100) AS n`)
    let made = 0
    let paid = 0
    for (const step of steps) {
        console.log(`making entries, to ${step}`)
        for (; made < step; made += Math.min(size.chunk, step - made))
            makeEntries(scene, made + 1, Math.min(made + size.chunk, step))
        ledger.query('VACUUM ANALYZE charge')
        for (let round = 1; round <= size.rounds; round++) {
            results.add(`Ed25519 verify, beside ${step} entries`, await bench.load(['ed25519', 2, cores]))
            await pay(scene, `payments, 64 connections, ${step} entries`)
            paid += size.payments
            await lookUps(scene, `look-ups by payment id, ${step} entries`)
        }
    }
    // Every entry that was made, and one for every payment.
    assert.equal(ledger.count('charge'), made + paid)
    console.log(`\n${bench.heading(size.rounds, cores)}\n`)
    const rows = [...results.all.keys()]
        .filter(name => !name.startsWith('Ed25519'))
        .map(name => {
            const raw = results.of(name.replace(/^.*, (\d+ entries)$/, 'Ed25519 verify, beside $1'))
            const ratio = name.startsWith('payments') ? (results.of(name) / raw).toFixed(2) : undefined
            const split = results.of(name, 'postgres_us')?.toFixed(0)
            const times = ['p50_us', 'p99_us'].map(member => bench.ms(results.of(name, member)))
            return [name, results.of(name), ...times, ratio, split]
        })
    console.log(
        bench.table(['what', 'per second', 'p50 ms', 'p99 ms', 'of raw Ed25519', 'PostgreSQL µs'], rows)
    )
    const p99 = step => results.of(`look-ups by payment id, ${step} entries`, 'p99_us')
    const growth = p99(steps.at(-1)) / p99(steps[0])
    console.log(
        `\nlook-up p99, ${steps.at(-1)} entries to ${steps[0]}: ${growth.toFixed(2)} (wanted ≤ 2: ` +
            `${growth <= 2 ? 'met' : 'missed'})`
    )
} finally {
    for (const cleanUp of cleanUps) await cleanUp()
}
