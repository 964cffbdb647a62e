// Invariant: whatever process of a gate or of its PostgreSQL is killed at whatever moment, every receipt that
// a crawler got has exactly one entry, and every payment that it tried again ends in exactly one.
//
// SEED and POINTS say where. A round of points has a ledger and a seed of its own, so that a failure is run
// again by itself: `make fault SEED=<the round's> POINTS=<its points>`. The choices are the same then; the
// moment within a commit is the machine's.
import { test } from 'node:test'
import { check } from './checker.js'
import { Load } from './load.js'
import * as support from './support.js'

const { backends, fs, generator, killGate, postmaster, signal, sleep, until } = support
const points = Number(process.env.POINTS || (support.full ? 1000 : 14))
const roundPoints = 50

async function killOne(world, choose) {
    let child
    await until(() => (child = choose(backends(world.ledger))), 'there is a process to kill', 1)
    signal(child.pid, 'SIGKILL')
}

// Each gives back when what it ended runs again, if that is not the system's own affair.
const faults = {
    'kill -9 of the gate': async world => {
        await killGate(world.gate)
        await world.gate.start(...world.words)
    },
    'kill -9 of a backend of the gate': async (world, random) => {
        await killOne(world, children => random.pick(children.filter(support.isGate)))
    },
    'kill -9 of any child of the postmaster': async (world, random) => {
        await killOne(world, children => children.length > 0 && random.pick(children))
    },
    'kill -9 of the postmaster': async world => {
        signal(postmaster(world.ledger), 'SIGKILL')
        await support.startLedger(world)
    },
    'pg_ctl stop -m immediate': async world => {
        await support.stopImmediately(world.ledger)
        await support.startLedger(world)
    },
    'kill -9 of the gate and of the postmaster': async world => {
        signal(postmaster(world.ledger), 'SIGKILL')
        await killGate(world.gate)
        await Promise.all([support.startLedger(world), world.gate.start(...world.words)])
    }
}

// PostgreSQL gives up when its recovery is killed; then it is started again, as a service manager does.
async function supervise(world, done) {
    let ended = false
    const over = done.finally(() => (ended = true))
    over.catch(() => {}) // told below
    while (!ended) {
        if (!postmaster(world.ledger)) await support.startLedger(world)
        await Promise.race([sleep(50), over.catch(() => {})])
    }
    return over
}

async function round(t, seed, count) {
    const world = await support.world(t)
    const load = new Load(world, { seed })
    const done = {}
    let at
    try {
        for (let point = 1; point <= count; point++) {
            // Of its own, so that what one point draws changes no other.
            const random = generator(seed + point * 1_000_003)
            const name = random.pick(Object.keys(faults))
            at = `point ${point}, ${name}`
            await supervise(world, load.progress(1 + random.below(12)))
            await sleep(random.below(30))
            await faults[name](world, random)
            done[name] = (done[name] ?? 0) + 1
        }
        at = 'after the last point'
        await supervise(world, load.progress(20))
        const figures = await check(world, await load.stop())
        t.diagnostic(`${count} points, seed ${seed}: ${JSON.stringify({ ...figures, ...done })}`)
    } catch (error) {
        const again = `make fault SEED=${seed} POINTS=${count}`
        const log = fs.readFileSync(`${world.ledger.sockets}/postgres.log`, 'utf8').slice(-1000)
        const where = `seed ${seed}, ${at} (run again: ${again})`
        error.message = `${where}: ${error.message}; PostgreSQL's log: ${log}`
        throw error
    }
}

for (let from = 0, seed = support.seed; from < points; from += roundPoints, seed++)
    test(`points ${from + 1} to ${Math.min(from + roundPoints, points)}, seed ${seed}`, t =>
        round(t, seed, Math.min(roundPoints, points - from)))
