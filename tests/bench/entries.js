// make bench-entries: processor time of PostgreSQL and of the gate for one entry, by the size of the batch
// that it is written in, and what of it is the transaction's and what the row's. --smoke: one round, to see
// that it works.
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { stage } from '../e2e/support.js'
import * as bench from './measure.js'

const rounds = process.argv.includes('--smoke') ? 1 : 7
const sizes = [8, 16, 32, 128, 512]
const warmUp = 50 * 16
const cores = bench.useTwoCores()
const cleanUps = []
const t = { after: f => cleanUps.unshift(f) }
let written = 0

// Tells each size's figures to `add`.
async function write({ config, ledger }, crawlers, add) {
    const words = [config, crawlers, ...sizes].map(String)
    const child = spawn(bench.program('entries'), words, { stdio: ['pipe', 'pipe', 'inherit'] })
    const ended = once(child, 'exit')
    for await (const line of createInterface({ input: child.stdout })) {
        if (line === 'ready') {
            const newest = `SELECT pid FROM pg_stat_activity WHERE application_name = 'crawltabd'
                             ORDER BY backend_start DESC LIMIT 1`
            child.stdin.end(ledger.query(newest) + '\n')
        } else {
            const result = JSON.parse(line)
            written += result.entries
            add(result)
        }
    }
    assert.deepEqual(await ended, [0, null])
    written += warmUp
}

// Least squares of relative errors: microseconds a batch = fixed + row * size.
function fit(points) {
    const sum = f => points.reduce((total, point) => total + f(point) / (point.us * point.us), 0)
    const [n, x, y] = [sum(() => 1), sum(p => p.size), sum(p => p.us)]
    const [xx, xy] = [sum(p => p.size * p.size), sum(p => p.size * p.us)]
    const row = (n * xy - x * y) / (n * xx - x * x)
    return { row, fixed: (y - row * x) / n }
}

try {
    const scene = await stage(t, { logLevel: 'info', log: { decisions: false }, asUsed: true })
    scene.ledger.query(`INSERT INTO crawler (agent, first_seen_at)
        SELECT 'https://crawler' || n || '.example', now() FROM generate_series(1, 8) AS n`)
    const found = new Map([1, 8].map(crawlers => [crawlers, new Map(sizes.map(size => [size, []]))]))
    for (let round = 1; round <= rounds; round++)
        for (const [crawlers, of] of found)
            await write(scene, crawlers, result => of.get(result.size).push(result))
    const rows = []
    for (const [crawlers, of] of found) {
        const us = (size, member) => bench.median(of.get(size).map(result => result[member])) / 1000
        const { row, fixed } = fit(sizes.map(size => ({ size, us: size * us(size, 'postgres_ns') })))
        const each = member => sizes.map(size => us(size, member).toFixed(1))
        const name = crawlers === 1 ? 'one crawler' : `${crawlers} crawlers`
        rows.push([`PostgreSQL, ${name}`, ...each('postgres_ns'), fixed.toFixed(0), row.toFixed(1)])
        rows.push([`gate, ${name}`, ...each('gate_ns'), '', ''])
    }
    console.log(`\n${bench.heading(rounds, cores)}\n`)
    const columns = [...sizes.map(size => `batches of ${size}`), 'a transaction', 'a row']
    console.log(bench.table(['µs an entry', ...columns], rows))
    // What was measured was recorded.
    assert.equal(scene.ledger.count('charge'), written)
} finally {
    for (const cleanUp of cleanUps) await cleanUp()
}
