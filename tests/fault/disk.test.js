// Invariant: with no space left for the WAL nobody is charged without an entry, nobody gets paid content
// without one, and the ledger holds what was answered when there is space again. (P1, P7)
import { execFileSync } from 'node:child_process'
import { test } from 'node:test'
import { check } from './checker.js'
import { ask, Load } from './load.js'
import { assert, fs, page, path, ready, seed, startLedger, until, world } from './support.js'

const walFolder = ledger => path.join(fs.realpathSync(ledger.sockets), 'data', 'pg_wal')

// Gives the WAL a small file system of its own. Why not, if that may not be.
function moveToSmallDisk(ledger) {
    const folder = walFolder(ledger)
    const before = `${folder}.before`
    const { uid, gid } = fs.statSync(folder)
    ledger.stop()
    fs.renameSync(folder, before)
    fs.mkdirSync(folder)
    try {
        const options = `size=96m,mode=0700,uid=${uid},gid=${gid}`
        execFileSync('mount', ['-t', 'tmpfs', '-o', options, 'tmpfs', folder], { stdio: 'pipe' })
    } catch (error) {
        return `mount is not permitted here: ${String(error.stderr ?? error.code).trim()}`
    }
    execFileSync('cp', ['-a', `${before}/.`, folder])
    ledger.start()
    return undefined
}

function fillDisk(file) {
    const ballast = fs.openSync(file, 'a')
    for (let size = 1 << 20; size > 0; size >>= 1) {
        try {
            for (;;) fs.writeSync(ballast, Buffer.alloc(size))
        } catch (error) {
            assert.equal(error.code, 'ENOSPC')
        }
    }
    fs.closeSync(ballast)
}

async function fillAndFree(t, set, load) {
    const ballast = path.join(walFolder(set.ledger), 'ballast')
    await load.progress(50)
    fillDisk(ballast)
    // Segment after segment, until there is no space for the next one.
    const segment = `SELECT pg_logical_emit_message(true, 'fault', 'x'); SELECT pg_switch_wal()`
    assert.throws(() => {
        for (let i = 0; i < 20; i++) {
            set.ledger.leave() // who was there before the server fell would ask it once more
            set.ledger.query(segment)
        }
    }, /server closed the connection unexpectedly/)
    const full = load.history.length
    const offer = { host: 'shop.example', 'user-agent': 'GPTBot/1.2' }
    await until(() => load.history.slice(full).some(({ outcome }) => outcome === 'again'), 'a 503')
    assert.equal((await ask(set.gate.port, page.target, offer)).status, 402, 'offers go on')
    const receipts = load.receipts
    const attempts = load.history.length
    await until(() => load.history.length > attempts + 100, 'crawlers try again')
    assert.equal(load.receipts, receipts, 'and nothing is given away')
    fs.rmSync(ballast)
    // Without space for its recovery PostgreSQL has ended.
    await startLedger(set)
    await load.progress(50)
    const figures = await check(set, await load.stop())
    t.diagnostic(JSON.stringify(figures))
    const log = fs.readFileSync(path.join(set.ledger.sockets, 'postgres.log'), 'utf8')
    assert.match(log, /PANIC: .*No space left on device/)
}

test('the disk is full', async t => {
    const set = await world(t, { gate: false, ledger: { timeout_seconds: 1 } })
    const why = moveToSmallDisk(set.ledger)
    if (why) return t.skip(why)
    let load
    try {
        set.gate = await set.startGate(...set.words)
        await ready(set.gate)
        load = new Load(set, { seed })
        await fillAndFree(t, set, load)
    } finally {
        load?.abandon()
        await set.gate?.stop()
        set.ledger.stop()
        execFileSync('umount', ['-l', walFolder(set.ledger)])
    }
})
