// Invariant: whatever the gate's clock does while it runs, nothing is lost or doubled, each entry belongs to
// the day that its id says and is billed with it, and what is refused is refused with a code that tells the
// crawler what to do.
import { spawnSync } from 'node:child_process'
import { test } from 'node:test'
import { build } from '../e2e/support.js'
import { check } from './checker.js'
import { ask, Load } from './load.js'
import { assert, fs, full, page, path, ready, seed, until, world } from './support.js'

// Two days and two hours behind, so that an hour more or less leaves the days over that are to be closed.
const offset = -180_000
const hour = 3600

// Refusals that a wrong clock may cause: all lead the crawler to another try or to a fresh offer.
const codes = new Set([
    'offer_expired',
    'signature_expired',
    'signature_invalid',
    'ledger_unavailable',
    'directory_unavailable'
])

// A wall clock, moved by step(seconds), for the programs that are started with env.
function movedClock(folder) {
    const file = path.join(folder, 'clock')
    const step = seconds => {
        const bytes = Buffer.alloc(8)
        bytes.writeBigInt64LE(BigInt(seconds))
        fs.writeFileSync(file, bytes, { flag: 'r+' })
    }
    fs.writeFileSync(file, Buffer.alloc(8))
    const env = { LD_PRELOAD: path.join(build, 'tests/fault/clock.so'), TEST_CLOCK: file }
    // A sanitizer wants to come first, but has nothing to do with this function.
    env.ASAN_OPTIONS = `${process.env.ASAN_OPTIONS ?? ''}:verify_asan_link_order=0`
    return { step, env }
}

// A gate with such a clock, which is already moved when the gate starts.
async function steppedWorld(t, seconds = 0) {
    const set = await world(t, { gate: false }, { offset })
    const { step, env } = movedClock(set.folder)
    step(seconds)
    set.gate = await set.otherGate({ env })
    await ready(set.gate)
    return { ...set, step }
}

const timeOf = id => Buffer.from(id, 'base64url').readUIntBE(0, 6)

async function gateTime(gate) {
    const headers = { host: 'shop.example', 'user-agent': 'GPTBot/1.2' }
    const answer = await ask(gate.port, page.target, headers)
    return timeOf(JSON.parse(answer.text).accepts[0].extra.id)
}

async function stepAndLook(set, loads, seconds) {
    set.step(seconds)
    const expected = () => set.now() + seconds * 1000
    await until(async () => Math.abs((await gateTime(set.gate)) - expected()) < 60_000, 'the clock is set')
    const before = loads.map(load => load.history.length)
    await until(() => loads.every((load, i) => load.history.length > before[i] + 20), 'payments are tried')
}

async function run(t, steps) {
    const set = await steppedWorld(t)
    // Crawlers whose clocks are right, and crawlers that sign by the time of the offer.
    const right = new Load(set, { clients: 4, seed })
    const following = new Load(set, { clients: 4, seed: seed + 1, timeOf: id => timeOf(id) - 1000 })
    const loads = [right, following]
    await Promise.all(loads.map(load => load.progress(10)))
    for (const seconds of steps) await stepAndLook(set, loads, seconds)
    await stepAndLook(set, loads, 0)
    await Promise.all(loads.map(load => load.progress(10)))
    const history = (await Promise.all(loads.map(load => load.stop()))).flat()
    for (const { outcome, code } of history)
        if (outcome === 'refused') assert.ok(codes.has(code), `refused with ${code}`)
    assert.ok(history.every(({ outcome }) => outcome !== 'cut'))
    const figures = await check(set, history)
    const wrong = set.ledger.query(
        `SELECT count(*) FROM charge WHERE (SELECT count(*) FROM day d WHERE d.site_id = charge.site_id
            AND uuid_instant(payment_id) >= d.starts_at AND uuid_instant(payment_id) < d.ends_at) <> 1`
    )
    assert.equal(wrong, '0', 'each entry has its day')
    t.diagnostic(JSON.stringify(figures))
}

test('the clock is stepped by an hour, forth and back', t =>
    run(
        t,
        Array.from({ length: full ? 40 : 4 }, (_, i) => [hour, 0, -hour, 0][i % 4])
    ))

test('the clock is set to 1970 and back', t => {
    const toEpoch = -Math.floor(Date.now() / 1000) - offset + 5 * hour
    return run(t, full ? [toEpoch, 0, toEpoch, hour] : [toEpoch])
})

test('a night whose clock is wrong by days closes nothing', async t => {
    const set = await world(t)
    const { step, env } = movedClock(set.folder)
    const words = ['--config', set.config, 'nightly']
    const night = () =>
        spawnSync(path.join(build, 'crawltab'), words, { env: { ...process.env, ...env }, encoding: 'utf8' })
    for (const days of [4, -4]) {
        step(days * 24 * hour)
        const { status, stderr } = night()
        assert.equal(status, 1)
        assert.match(stderr, /this machine's clock and the database's differ/)
        assert.match(stderr, /no day was closed/)
        assert.equal(set.ledger.count('day_close') + set.ledger.count('day_seal'), 0)
    }
    step(0)
    assert.equal(night().status, 0)
    assert.ok(set.ledger.count('day_close') > 0)
})

test('no day is closed that is not over for the slowest gate', async t => {
    const set = await steppedWorld(t, -10 * 24 * hour)
    // Days that are over for the night, but not for the gate.
    const between = () =>
        set.ledger.query(
            `SELECT count(*) FROM day_seal WHERE local_date >= (now() AT TIME ZONE 'UTC')::date - 10`
        )
    const late = await set.crawltab('nightly')
    assert.match(late.stderr, /a gate's clock is behind/)
    assert.equal(between(), '0')
    set.step(0)
    const reports = () => set.ledger.query('SELECT min(ahead_ms) = max(ahead_ms) FROM gate_clock')
    await until(() => reports() === 'f', 'another report')
    await set.crawltab('nightly')
    assert.ok(between() > 0)
})

test('an entry of a time to come is told, waits for its day and does not stop the night', async t => {
    const set = await world(t)
    // A gate whose clock is ahead could, and one that was broken into.
    set.ledger.query(
        `INSERT INTO crawler (agent, first_seen_at) VALUES ('https://hasty.example', now());
         INSERT INTO charge (payment_id, lane, site_id, crawler_id, amount_micros, rule, resource,
                             recorded_at, thumbprint, signature, signature_base)
         SELECT id, get_byte(uuid_send(id), 15), 1, crawler_id, 50000, 'all', 'https://shop.example/',
                now(), sha256('a'), 'x', 'y'
           FROM crawler, uuid_floor(now() + interval '26 hours') AS id`,
        'crawltab_gate'
    )
    const { stderr } = await set.crawltab('nightly')
    assert.match(stderr, /entries of a time to come: they wait for their day/)
    assert.ok(set.ledger.count('day_close') > 0)
    assert.equal(set.ledger.query('SELECT sum(entries) FROM day_close'), '0')
})
