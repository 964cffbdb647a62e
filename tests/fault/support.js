// What the fault tests share: the scene with its clients, the form and the seed of the run, and ways to hurt
// the processes of a PostgreSQL.
import assert from 'node:assert/strict'
import { execFile, spawn } from 'node:child_process'
import fs from 'node:fs'
import path from 'node:path'
import { promisify } from 'node:util'
import { makeKey, scene } from '../e2e/signers.js'
import { generator } from '../e2e/random.js'
import { Gate, root, until } from '../e2e/support.js'

// `make fault` runs the full form, `make test` the short one: the same faults, fewer points, shorter pauses.
export const full = process.env.FAULT === 'full'
export const seed = Number(process.env.SEED || Math.floor(Math.random() * 0x7fffffff))
export const sleep = ms => new Promise(resolve => setTimeout(resolve, ms))
export { generator, until }

// The gate's clock is a day and two hours behind, so that its day is over for the night's real clock.
export const behind = -93900

const prices = { '/articles/harbour-bell.html': 50000, '/articles/tide-tables.html': 50000, '/': 2500 }
export const pages = Object.entries(prices).map(([target, amount]) => ({
    target,
    amount,
    url: `https://shop.example${target}`
}))
export const page = pages[0]

// A gate that takes payments from two crawlers, whose directories are on one host.
export async function world(t, options = {}, { offset = behind } = {}) {
    const words = offset === 0 ? [] : ['--clock-offset', String(offset)]
    const set = await scene(t, { ttl: 3600, logLevel: 'info', ownServer: true, ...options }, ...words)
    if (set.gate) await ready(set.gate)
    const second = await makeKey()
    set.agent.answer = (request, response) =>
        response.end(JSON.stringify({ keys: [request.url === '/second' ? second.public : set.key.public] }))
    const signers = [
        { key: set.key, agent: set.agent.origin },
        { key: second, agent: `${set.agent.origin}/second` }
    ]
    return {
        ...set,
        t,
        signers,
        offset,
        words,
        now: () => Date.now() + offset * 1000,
        // Another gate with the same configuration, in other circumstances than startGate's.
        otherGate: async (circumstances, ...more) => {
            const gate = new Gate(set.config, circumstances)
            t.after(() => gate.stop('SIGKILL'))
            return gate.start(...words, ...more)
        }
    }
}

export const ready = gate => gate.ready()

// --- Processes ------------------------------------------------------------------------------------------

export function signal(pid, name) {
    try {
        if (pid) process.kill(pid, name)
    } catch (error) {
        if (error.code !== 'ESRCH') throw error // it has ended already
    }
}

// Ends it as a crash does: no handler runs, no answer is finished.
export async function killGate(gate) {
    gate.port = undefined
    gate.process.kill('SIGKILL')
    return gate.ended
}

const dataFolder = ledger => path.join(fs.realpathSync(ledger.sockets), 'data')

// Its pid; undefined if there is none.
export function postmaster(ledger) {
    try {
        const text = fs.readFileSync(path.join(dataFolder(ledger), 'postmaster.pid'), 'utf8')
        const pid = Number(text.split('\n')[0])
        return pid > 0 && !hasEnded(pid) ? pid : undefined
    } catch (error) {
        if (error.code === 'ENOENT') return undefined
        throw error
    }
}

// The children of the postmaster as { pid, title }; a title: "postgres: crawltab_gate crawltab [local] idle".
export const isGate = ({ title }) => title.includes('crawltab_gate')
export function backends(ledger) {
    const parent = postmaster(ledger)
    const found = []
    for (const pid of parent ? childrenOf(parent) : []) {
        try {
            const title = fs.readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ').trim()
            found.push({ pid, title })
        } catch (error) {
            if (error.code !== 'ENOENT' && error.code !== 'ESRCH') throw error
        }
    }
    return found
}

export function childrenOf(pid) {
    try {
        const text = fs.readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8')
        return text.split(' ').filter(Boolean).map(Number)
    } catch (error) {
        if (error.code === 'ENOENT') return [] // it has ended
        throw error
    }
}

// SIGSTOP or SIGCONT for all of a PostgreSQL; the postmaster first, so that it makes no new backend.
export function signalServer(ledger, name) {
    signal(postmaster(ledger), name)
    for (const { pid } of backends(ledger)) signal(pid, name)
}

// What pg_ctl stop -m immediate does: the next start must replay the WAL.
export async function stopImmediately(ledger) {
    const pid = postmaster(ledger)
    signal(pid, 'SIGQUIT')
    await until(() => !pid || hasEnded(pid), 'the postmaster has ended', 5)
}

// As Ledger.start, but the clients go on meanwhile.
export const startLedger = ({ ledger: { how, sockets } }) =>
    promisify(execFile)(path.join(root, 'tools/dev/postgres.sh'), ['start', ...how, sockets])

// A process that nobody has waited for yet has ended too.
export function hasEnded(pid) {
    try {
        return /^State:\tZ/m.test(fs.readFileSync(`/proc/${pid}/status`, 'utf8'))
    } catch (error) {
        if (error.code === 'ENOENT' || error.code === 'ESRCH') return true
        throw error
    }
}

// A session of the superuser that runs statements one after the other and can be left open.
export class Session {
    constructor(world) {
        const words = ['-X', '-q', '-At', '-h', world.ledger.sockets, '-U', 'postgres', '-d', 'crawltab']
        this.process = spawn('psql', words, { stdio: ['pipe', 'pipe', 'inherit'] })
        this.out = ''
        this.process.stdout.on('data', data => {
            this.out += data
        })
        this.process.stdin.on('error', () => {})
        world.t.after(() => this.process.kill())
    }
    async run(sql) {
        const mark = `done ${Math.random()}`
        this.process.stdin.write(`${sql};\n\\echo ${mark}\n`)
        await until(() => this.out.includes(mark), `${sql} is done`)
    }
    async end() {
        this.process.stdin.end()
        await new Promise(resolve => this.process.on('exit', resolve))
    }
}

export const millicpu = pid => {
    // utime and stime of proc(5), counted from behind the name, in hundredths of a second.
    const fields = fs.readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1].split(' ')
    return (Number(fields[11]) + Number(fields[12])) * 10
}

export { assert, fs, path, root }
