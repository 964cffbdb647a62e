// Invariant: with nginx in front of a gate and the site's own server behind it, whichever of the three is
// killed at whatever moment, who pays has the page whole, and who has the page whole pays, once. What the
// site's server broke off is taken back by the night before it bills.
//
// SEED says where; `make fault-front` kills more often than `make test`.
import { spawn } from 'node:child_process'
import path from 'node:path'
import { test } from 'node:test'
import { frontFolder, nginx } from '../e2e/fronts.js'
import { freePort } from '../e2e/support.js'
import { check } from './checker.js'
import { Load, outcomeOf } from './load.js'
import { textOf } from './site.js'
import * as support from './support.js'

const { assert, full, generator, killGate, seed, signal, sleep } = support
const kills = Number(process.env.KILLS || (full ? 20 : 3))

// The site's own server, on the same port each time.
class Site {
    constructor(t, port) {
        this.port = port
        t.after(() => this.kill())
    }
    async start() {
        const file = path.join(support.root, 'tests/fault/site.js')
        this.process = spawn(process.execPath, [file, String(this.port)], {
            stdio: ['ignore', 'pipe', 'inherit']
        })
        this.ended = new Promise(resolve => this.process.on('exit', resolve))
        await new Promise((resolve, reject) => {
            this.process.stdout.once('data', resolve)
            this.ended.then(() => reject(new Error('the site ended')))
        })
    }
    async kill() {
        this.process.kill('SIGKILL')
        await this.ended
    }
}

// nginx as `crawltab front nginx` configures it. Its workers outlive their master.
async function killNginx(front) {
    const workers = support.childrenOf(front.process.pid)
    for (const pid of [front.process.pid, ...workers]) signal(pid, 'SIGKILL')
    await front.ended
    await support.until(() => workers.every(support.hasEnded), 'the workers of nginx have ended', 5)
}

const faults = {
    gate: async world => {
        await killGate(world.gate)
        await world.gate.start(...world.words)
    },
    site: async world => {
        await world.site.kill()
        await world.site.start()
    },
    nginx: async world => {
        await killNginx(world.front)
        world.front = await world.startFront()
    }
}

async function behindNginx(t) {
    const site = new Site(t, await freePort())
    await site.start()
    const world = await support.world(t, {
        listen: `127.0.0.1:${await freePort()}`,
        trustedProxies: ['127.0.0.1'],
        site: { root: '', origin: `http://127.0.0.1:${site.port}` }
    })
    const port = await freePort()
    const printed = (await world.crawltab('front', 'nginx', '--listen', `127.0.0.1:${port}`)).stdout
    const folder = frontFolder(t)
    const startFront = () => nginx(t, printed, port, folder)
    return { ...world, site, startFront, front: await startFront() }
}

// What an answer means to somebody who wants the page: also what looks whole is compared.
function judge(answer, id, page) {
    const found = outcomeOf(answer, id)
    const whole = answer.status === 200 && answer.text === textOf(page.target)
    if (answer.status === 200 && !(whole && found.outcome === 'receipt'))
        return { ...found, outcome: 'wrong', whole, bytes: answer.text.length }
    // The gate's own word for a site that is down; nothing was charged.
    const away = answer.status === 502 && found.code === 'origin_unavailable'
    return away ? { ...found, outcome: 'again' } : found
}

test(`pages are paid and delivered while gate, site and nginx are killed, seed ${seed}`, async t => {
    const world = await behindNginx(t)
    const load = new Load(world, { seed, gates: [{ port: world.front.port, log: '' }], judge })
    const random = generator(seed)
    const order = []
    const done = { gate: 0, site: 0, nginx: 0 }
    try {
        for (let i = 0; i < kills; i++) {
            // Each of the three in each round, in any order.
            if (order.length === 0) order.push(...random.shuffled(Object.keys(faults)))
            const name = order.pop()
            await load.progress(1 + random.below(12))
            await sleep(random.below(40))
            await faults[name](world)
            done[name]++
        }
        await load.progress(20)
    } catch (error) {
        const where = `seed ${seed}, after ${JSON.stringify(done)}`
        error.message = `${where}: ${error.message}; nginx: ${world.front.log}`
        throw error
    }
    const history = await load.stop()
    const refusals = new Set(history.filter(one => one.outcome === 'refused').map(one => one.code))
    refusals.delete('payment_undelivered')
    assert.deepEqual([...refusals], [], 'nobody was refused for another reason')
    assert.deepEqual(history.filter(one => one.outcome === 'wrong'), [], 'no page is had without a receipt')
    const figures = await check(world, history, { delivery: true })
    await world.crawltab('audit')
    t.diagnostic(`${kills} kills, seed ${seed}: ${JSON.stringify({ ...figures, ...done })}`)
})
