// What the benchmarks share: measuring, and telling.
import { execFile, execFileSync, spawn } from 'node:child_process'
import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { promisify } from 'node:util'
import { build, freePort, root } from '../e2e/support.js'

const run = promisify(execFile)
export const here = path.join(root, 'tests/bench')
export const program = name => path.join(build, 'tests/bench', name)
export const site = 'shop.example'
export const page = '/articles/harbour-bell.html'
// The demonstration's site, whose articles are paid for.
export const sites = [
    {
        name: 'example',
        hosts: [site],
        root: path.join(root, 'tools/demo/site'),
        network: 'example:402',
        terms_url: 'https://shop.example/terms',
        rules: [{ name: 'articles', paths: ['/articles/**'], action: 'charge', price: '0.05' }]
    }
]
// Of the key directory that the load generator serves.
export const directoryPort = await freePort()

// The reference machine has two cores, which all share: on a larger one two are used, by our children too.
export function useTwoCores() {
    const cores = os.cpus().length
    if (cores > 2) {
        execFileSync('taskset', ['-a', '-p', '-c', '0,1', String(process.pid)], { stdio: 'pipe' })
        console.log(`this machine has ${cores} cores: everything runs on the first two (taskset -c 0,1)`)
    }
    return Math.min(cores, 2)
}

export const ms = us => (us / 1000).toFixed(2)
export const median = values => [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)]

// Results by name, in the order in which they first came.
export class Results {
    all = new Map()
    add(name, result) {
        this.all.set(name, [...(this.all.get(name) ?? []), result])
        if (result.per_second === undefined) return result
        const latency = result.p99_us ? `   p50 ${ms(result.p50_us)} ms   p99 ${ms(result.p99_us)} ms` : ''
        console.log(`  ${name.padEnd(44)} ${String(result.per_second).padStart(7)}/s${latency}`)
        return result
    }
    has(name) {
        return this.all.has(name)
    }
    // The median of one member, or undefined where there is none.
    of(name, member = 'per_second') {
        const values = (this.all.get(name) ?? []).map(result => result[member])
        return values.length > 0 && values[0] !== undefined ? median(values) : undefined
    }
}

// Runs the load generator; `groups` are processes whose time it tells, as {name: [pid]}.
export async function load(words, groups = {}, env = {}) {
    const named = Object.entries(groups).map(([name, pids]) => `${name}=${pids.join(',')}`)
    const { stdout } = await run(program('load'), [...words, ...named].map(String), {
        env: { ...process.env, CRAWLTAB_BENCH_DIRECTORY: String(directoryPort), ...env },
        encoding: 'utf8'
    })
    return JSON.parse(stdout)
}

export function children(pid) {
    const file = `/proc/${pid}/task/${pid}/children`
    return [pid, ...fs.readFileSync(file, 'utf8').trim().split(' ').filter(Boolean).map(Number)]
}

export function postgres(ledger) {
    const file = path.join(ledger.sockets, 'data/postmaster.pid')
    return children(Number(fs.readFileSync(file, 'utf8').split('\n')[0]))
}

// Resident memory in MiB.
export const memory = pid =>
    Number(/VmRSS:\s+(\d+)/.exec(fs.readFileSync(`/proc/${pid}/status`, 'utf8'))[1]) / 1024

// Starts a server and waits until it answers on the port.
export async function serve(t, command, words, port, env = {}) {
    const child = spawn(command, words.map(String), {
        stdio: ['ignore', 'ignore', 'inherit'],
        env: { ...process.env, ...env }
    })
    const ended = new Promise(resolve => child.on('exit', resolve))
    const stop = async () => {
        child.kill()
        await ended
    }
    t.after(stop)
    for (let tries = 0; ; tries++) {
        try {
            await fetch(`http://127.0.0.1:${port}${page}`)
            break
        } catch (error) {
            if (child.exitCode !== null || tries > 400) throw new Error(`${command}: ${error}`)
            await new Promise(resolve => setTimeout(resolve, 25))
        }
    }
    return { pid: child.pid, stop }
}

export function heading(rounds, cores) {
    const git = (...words) => execFileSync('git', ['-C', root, ...words], { encoding: 'utf8' }).trim()
    return (
        `${new Date().toISOString().slice(0, 10)}, commit ${git('rev-parse', '--short', 'HEAD')}, ` +
        `${cores} cores, ${os.cpus()[0].model}, median of ${rounds}`
    )
}

// A table in Markdown; cells that are undefined stay empty.
export function table(columns, rows) {
    const line = cells => `| ${cells.map(cell => cell ?? '').join(' | ')} |`
    return [line(columns), `|${columns.map(() => '---').join('|')}|`, ...rows.map(line)].join('\n')
}
