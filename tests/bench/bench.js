// make bench: what the gate does in a second, beside the raw rate of its costliest step in the same run.
// Medians of five rounds; every round measures all of them, one after another, so that a noisy machine
// troubles all alike. Load generator, gate and PostgreSQL share the machine.
import { execFile, execFileSync } from 'node:child_process'
import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { promisify } from 'node:util'
import { build, root, stage } from '../e2e/support.js'

const run = promisify(execFile)
const load = path.join(build, 'tests/bench/load')
const short = process.argv.includes('--short')
const rounds = short ? 1 : 5
const seconds = short ? 1 : 4
const payments = short ? 2000 : 40000
const cores = os.availableParallelism?.() ?? os.cpus().length
const port = 8413
const results = new Map()

async function measure(name, ...words) {
    const { stdout } = await run(load, words.map(String), {
        env: { ...process.env, CRAWLTAB_BENCH_DIRECTORY: String(port) },
        encoding: 'utf8'
    })
    const result = JSON.parse(stdout)
    results.set(name, [...(results.get(name) ?? []), result])
    console.log(
        `  ${name.padEnd(34)} ${String(result.per_second).padStart(9)}/s` +
            (result.p99_us
                ? `   p50 ${ms(result.p50_us)} ms   p99 ${ms(result.p99_us)} ms`
                : '')
    )
}

const ms = us => (us / 1000).toFixed(2)
const median = values => values.sort((a, b) => a - b)[Math.floor(values.length / 2)]
const of = (name, member = 'per_second') => median(results.get(name).map(result => result[member]))

function memory(pid) {
    return Number(/VmRSS:\s+(\d+)/.exec(fs.readFileSync(`/proc/${pid}/status`, 'utf8'))[1]) / 1024
}

const cleanUps = []
try {
    const { gate, ledger } = await stage(
        { after: f => cleanUps.unshift(f) },
        { insecureHosts: [`127.0.0.1:${port}`], logLevel: 'info' }
    )
    const address = `127.0.0.1:${gate.port}`
    for (let round = 1; round <= rounds; round++) {
        console.log(`round ${round} of ${rounds}`)
        await measure(`Ed25519 verify, ${cores} threads`, 'ed25519', seconds, cores)
        for (const connections of [64, 250]) {
            await measure(
                `offers, ${connections} connections`,
                'offers',
                address,
                'shop.example',
                seconds,
                connections
            )
            await measure(
                `payments, ${connections} connections`,
                'payments',
                address,
                'shop.example',
                payments,
                connections
            )
        }
    }
    const paid = ledger.count('charge')
    const expected = rounds * 2 * payments
    if (paid !== expected)
        throw new Error(`${paid} entries in the ledger, ${expected} payments were answered with 200`)
    const raw = of(`Ed25519 verify, ${cores} threads`)
    const commit = execFileSync('git', ['-C', root, 'rev-parse', '--short', 'HEAD'], {
        encoding: 'utf8'
    }).trim()
    console.log(
        `\n${new Date().toISOString().slice(0, 10)}, commit ${commit}, ${cores} cores, ` +
            `${os.cpus()[0].model}, median of ${rounds}`
    )
    console.log(`| what | per second | p50 ms | p99 ms | of raw Ed25519 |\n|---|---|---|---|---|`)
    for (const name of results.keys()) {
        const column = member => (results.get(name)[0][member] ? ms(of(name, member)) : '')
        const ratio = name.startsWith('payments') ? (of(name) / raw).toFixed(2) : ''
        console.log(`| ${name} | ${of(name)} | ${column('p50_us')} | ${column('p99_us')} | ${ratio} |`)
    }
    console.log(`\ngate's memory ${memory(gate.process.pid).toFixed(1)} MiB; ${paid} entries, each paid once`)
} finally {
    for (const cleanUp of cleanUps) await cleanUp()
}
