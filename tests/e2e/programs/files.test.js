// Files that the programs write: on the disk before anybody relies on them, whole or not at all, for their
// owner's eyes, and never through what somebody else has put in their way.
import assert from 'node:assert/strict'
import { execFile, execFileSync } from 'node:child_process'
import fs from 'node:fs'
import path from 'node:path'
import { test } from 'node:test'
import { scene, withWebBotAuth } from '../signers.js'
import { build, Gate, stage, temporaryFolder } from '../support.js'

const page = '/articles/harbour-bell.html'
// So far back that the day of the crawls can be closed at any hour.
const offset = -(26 * 3600 + 300)
const settlement = {
    rail: 'x402',
    network: 'eip155:8453',
    asset: '0x833589fCD6eDb6E08f4c7C32D4f71b54bdA02913',
    pay_to: '0x209693Bc6afc0C5328bA36FaF03C514EF312287C',
    decimals: 6
}

// Runs a program to its end; `before`: words in front of it.
function run(program, words, { env = {}, before = [] } = {}) {
    const all = [...before, path.join(build, program), ...words]
    const options = { encoding: 'utf8', timeout: 60_000, env: { ...process.env, ...env } }
    return new Promise(resolve =>
        execFile(all[0], all.slice(1), options, (error, stdout, stderr) =>
            resolve({ code: error ? error.code : 0, stdout, stderr })
        )
    )
}

// A program's deeds, as tests/fault/journal.c notes them.
function journal(t) {
    const file = path.join(temporaryFolder(t), 'journal')
    return {
        env: {
            LD_PRELOAD: path.join(build, 'tests/fault/journal.so'),
            TEST_JOURNAL: file,
            // A sanitizer wants to come first, but has nothing to do with these functions.
            ASAN_OPTIONS: `${process.env.ASAN_OPTIONS ?? ''}:verify_asan_link_order=0`
        },
        take: () => {
            const lines = fs.readFileSync(file, 'utf8').trimEnd().split('\n')
            fs.rmSync(file)
            return lines
        }
    }
}

// The file was flushed, then named, and then its folder was flushed. Returns the last line's number.
function assertDurable(lines, file, how = 'link') {
    const folder = path.dirname(file)
    const named = lines.indexOf(`${how} ${file}`)
    assert.ok(named > 0, `${file} in ${lines.join('\n')}`)
    const part = new RegExp(`^flush ${folder}/\\.${path.basename(file)}\\.[0-9a-f]{16}\\.part$`)
    // Other threads ask the ledger meanwhile.
    const before = lines.slice(0, named).filter(line => !line.startsWith('ask '))
    assert.match(before.at(-1), part)
    const flushed = lines.indexOf(`flush ${folder}`, named)
    assert.ok(flushed > named, `the folder of ${file} in ${lines.join('\n')}`)
    assert.equal(fs.statSync(file).mode & 0o777, 0o600)
    return flushed
}

// An invoice over 0.05, whose day can leave the ledger.
async function billed(t, options = {}) {
    const set = await scene(t, options, '--clock-offset', String(offset))
    const id = await set.gate.offer(page)
    const time = Date.now() + offset * 1000
    const headers = await withWebBotAuth(set.key, set.agent.origin, `https://shop.example${page}`, id, {
        time
    })
    assert.equal((await set.gate.request(page, { headers })).status, 200)
    await set.crawltab('nightly')
    const terms = Object.entries(settlement).map(([key, value]) => `settlement.${key}=${value}`)
    await set.crawltab('agreement', 'set', set.agent.origin, '--reason', 'test', 'buyer.name=C', ...terms)
    const date = set.ledger.query(`SELECT (uuid_instant(payment_id) AT TIME ZONE 'UTC')::date FROM charge`)
    const number = set.ledger.query('SELECT number FROM invoice')
    return { ...set, date, number, command: (...words) => ['--config', set.config, ...words] }
}

test('keys are on the disk before anybody relies on them', async t => {
    const { folder, config } = await stage(t, {
        gate: false,
        site: { webhook: { url: 'http://127.0.0.1:1/', secret_file: 'keys/webhook.secret' } },
        ledger: { checkpoint_key_file: 'keys/checkpoint.key' }
    })
    const { env, take } = journal(t)
    const gate = await new Gate(config, { env }).start()
    await gate.stop()
    const started = take()
    assertDurable(started, path.join(folder, 'offer.key'))
    assertDurable(started, path.join(folder, 'var/identity.key'))
    const done = async (program, ...words) => {
        const { code, stderr } = await run(program, words, { env })
        assert.equal(code, 0, stderr)
        return take()
    }
    const crawltab = (...words) => done('crawltab', '--config', config, ...words)
    assertDurable(await crawltab('key', 'rotate'), path.join(folder, 'var/identity.key'), 'rename')
    const nightly = await crawltab('nightly')
    assertDurable(nightly, path.join(folder, 'keys/checkpoint.key'))
    assert.ok(nightly.indexOf(`flush ${folder}`) >= 0, 'the new folder is in its own')
    assertDurable(await crawltab('webhook', 'secret'), path.join(folder, 'keys/webhook.secret'))
    const key = path.join(folder, 'crawler.key')
    assertDurable(await done('crawler', 'keygen', '--key', key), key)
})

test('entries leave the ledger when their file is on the disk, for its owner alone', async t => {
    const { folder, date, command, ledger } = await billed(t)
    const { env, take } = journal(t)
    const archive = () => run('crawltab', command('archive', date, '--to', folder), { env })
    const { code, stderr } = await archive()
    assert.equal(code, 0, stderr)
    const file = path.join(folder, `entries-${date}.jsonl`)
    const lines = take()
    assert.ok(assertDurable(lines, file) < lines.indexOf('ask archive_day'), lines.join('\n'))
    assert.equal(ledger.count('charge'), 0)
    // A file that an older version left, which a killed run had named: everybody could read it.
    assert.equal((await run('crawltab', command('archive', 'restore', file))).code, 0)
    fs.chmodSync(file, 0o644)
    assert.equal((await archive()).code, 0)
    assert.equal(fs.statSync(file).mode & 0o777, 0o600)
    const again = take()
    assert.ok(again.indexOf(`flush ${file}`) < again.indexOf('ask archive_day'), again.join('\n'))
    assert.ok(again.includes(`flush ${file}`) && again.includes(`flush ${folder}`))
})

// Everything that writes a file, into `to`; and what must not have happened where it failed.
function writers({ command, date, number, batch, ledger, folder }, to) {
    const key = path.join(folder, 'crawler.key')
    const pdf = ['invoice', 'show', number, '--format', 'pdf']
    return [
        ['crawler', ['keygen', '--key', path.join(to, 'key')]],
        ['crawler', ['directory', '--key', key, '--out', path.join(to, 'directory')]],
        ['crawltab', command(...pdf, '--out', path.join(to, 'invoice'))],
        ['crawltab', command('invoice', 'export', '--format', 'html', '--out', to)],
        ['crawltab', command('settle', 'write', batch, '--out', to)],
        ['crawltab', command('archive', date, '--to', to), () => assert.equal(ledger.count('charge'), 1)]
    ]
}

async function assertNothingLeft(set, to, options = {}) {
    const before = fs.readdirSync(to)
    for (const [program, words, then] of writers(set, to)) {
        const { code, stderr } = await run(program, words, options)
        assert.equal(code, 1, `${words.join(' ')}: ${stderr}`)
        assert.match(stderr, options.says)
        assert.deepEqual(fs.readdirSync(to), before, words.join(' '))
        then?.()
    }
}

test('a full disk leaves nothing behind', async t => {
    const set = await billed(t)
    await set.crawltab('settle', '--out', set.folder)
    set.batch = set.ledger.query('SELECT batch_id FROM settlement_batch')
    assert.equal((await run('crawler', ['keygen', '--key', path.join(set.folder, 'crawler.key')])).code, 0)
    await t.test('a limit of the size of files', async () => {
        const to = path.join(set.folder, 'limited')
        fs.mkdirSync(to)
        await assertNothingLeft(set, to, { before: ['prlimit', '--fsize=20'], says: /File too large/ })
    })
    await t.test('no space', async t => {
        const to = path.join(set.folder, 'small')
        fs.mkdirSync(to)
        try {
            execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=64k', 'tmpfs', to], { stdio: 'pipe' })
        } catch (error) {
            return t.skip(`mount is not permitted here: ${String(error.stderr ?? error.code).trim()}`)
        }
        try {
            fs.writeFileSync(path.join(to, 'ballast'), Buffer.alloc(64 * 1024))
            await assertNothingLeft(set, to, { says: /No space left on device/ })
        } finally {
            execFileSync('umount', ['-l', to])
        }
    })
    // The same bytes again are no failure; another file of that name is.
    const to = path.join(set.folder, 'enough')
    for (let i = 0; i < 2; i++) {
        const { code, stdout } = await run('crawltab', set.command('settle', 'write', set.batch, '--out', to))
        assert.equal(code, 0)
        assert.equal(fs.statSync(stdout.trim()).mode & 0o777, 0o600)
    }
    const [file] = fs.readdirSync(to)
    fs.writeFileSync(path.join(to, file), 'something else')
    const other = await run('crawltab', set.command('settle', 'write', set.batch, '--out', to))
    assert.equal(other.code, 1)
    assert.match(other.stderr, /another file has this name/)
    assert.equal(fs.readFileSync(path.join(to, file), 'utf8'), 'something else')
})

test("output goes through no link and over nobody else's file", async t => {
    const set = await billed(t)
    const target = path.join(set.folder, 'target')
    const out = path.join(set.folder, 'out.pdf')
    fs.writeFileSync(target, 'not yours', { mode: 0o666 })
    const show = async says => {
        const words = set.command('invoice', 'show', set.number, '--format', 'pdf', '--out', out)
        const { code, stderr } = await run('crawltab', words)
        assert.equal(code, says ? 1 : 0, stderr)
        if (says) assert.match(stderr, says)
    }
    fs.symlinkSync(target, out)
    await show(/a symbolic link has this name/)
    const archive = path.join(set.folder, `entries-${set.date}.jsonl`)
    fs.symlinkSync(target, archive)
    const { code, stderr } = await run('crawltab', set.command('archive', set.date, '--to', set.folder))
    assert.equal(code, 1)
    assert.match(stderr, /a symbolic link has this name/)
    assert.equal(fs.readFileSync(target, 'utf8'), 'not yours')
    assert.equal(set.ledger.count('charge'), 1)
    fs.rmSync(out)
    // One's own gives way, and is for nobody else from then on.
    fs.writeFileSync(out, 'an earlier one', { mode: 0o666 })
    await show()
    assert.equal(fs.statSync(out).mode & 0o777, 0o600)
    assert.match(fs.readFileSync(out, 'latin1'), /^%PDF/)
    if (process.getuid() !== 0) return
    fs.chownSync(out, 65534, 65534)
    fs.chmodSync(out, 0o666)
    await show(/another user's file has this name/)
    assert.equal(fs.statSync(out).uid, 65534)
})

test('secrets that everybody may read are refused with a hint', async t => {
    const { folder, config, startGate } = await stage(t, {
        site: { webhook: { url: 'http://127.0.0.1:1/', secret_file: 'webhook.secret' } }
    }).then(async set => ({ ...set, gate: await set.gate.stop() }))
    const command = (...words) => run('crawltab', ['--config', config, ...words])
    assert.equal((await command('nightly')).code, 0)
    assert.equal((await command('webhook', 'secret')).code, 0)
    const refused = async (name, attempt) => {
        const file = path.join(folder, name)
        for (const mode of [0o644, 0o604, 0o620, 0o666]) {
            fs.chmodSync(file, mode)
            assert.match(await attempt(), /everybody on this machine may read it.*chmod 600/s)
        }
        fs.chmodSync(file, 0o640) // several accounts may share it
    }
    const start = () =>
        startGate().then(
            gate => gate.stop().then(() => 'it started'),
            error => error.message
        )
    await refused('offer.key', start)
    await refused('var/identity.key', start)
    await refused('var/checkpoint.key', async () => (await command('checkpoint', 'key')).stderr)
    await refused('webhook.secret', async () => (await command('webhook', 'secret')).stderr)
    assert.equal(await start(), 'it started')
    assert.equal((await command('checkpoint', 'key')).code, 0)
})
