// A ledger that is backed up and restored on another machine: another PostgreSQL, other folders.
// Tests tools/crawltab/backup/backup.c, tools/crawltab/backup/restore.c, tools/crawltab/backup/bundle.c
// Tests ledger/pg/pg_program.c
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import fs from 'node:fs'
import path from 'node:path'
import { test } from 'node:test'
import { promisify } from 'node:util'
import { scene, withWebBotAuth } from '../signers.js'
import { workFolder } from '../ledger.js'
import { build, Gate, Ledger, root } from '../support.js'

const behind = ['--clock-offset', String(-2 * 86400)]
const page = '/articles/harbour-bell.html'

async function pay({ gate, key, agent }, time = Date.now() - 2 * 86400_000) {
    const id = await gate.offer(page)
    const when = { time, lifetime: 600 }
    const headers = await withWebBotAuth(key, agent.origin, `https://shop.example${page}`, id, when)
    const answer = await gate.request(page, { headers })
    assert.equal(answer.status, 200, answer.text)
    return headers
}

const outcome = promise => promise.then(
    ({ stdout }) => ({ code: 0, text: stdout }),
    ({ code, stdout, stderr }) => ({ code, text: stdout + stderr })
)

// A machine with nothing but the programs: its command line, with a configuration of its own.
function machine(t, set, backup) {
    const folder = workFolder()
    const ledger = new Ledger(folder)
    ledger.start()
    t.after(() => {
        ledger.stop()
        fs.rmSync(folder, { recursive: true, force: true })
    })
    const config = path.join(folder, 'config.yaml')
    const text = fs.readFileSync(path.join(backup, 'config.yaml'), 'utf8')
    const moved = text.replaceAll(set.ledger.sockets, ledger.sockets)
    fs.writeFileSync(config, moved.replaceAll(`"${set.folder}/`, `"${folder}/`))
    const run = (...words) =>
        outcome(promisify(execFile)(path.join(build, 'crawltab'), ['--config', config, ...words]))
    return { folder, ledger, config, run }
}

test('a ledger goes to another machine and everything adds up there', async t => {
    const site = { webhook: { url: 'https://127.0.0.1:9/hook' } }
    const set = await scene(t, { ttl: 3600, site }, ...behind)
    const { crawltab, folder } = set
    await pay(set)
    await pay(set)
    await crawltab('nightly')
    await set.gate.stop()
    const gateNow = await set.startGate()
    await gateNow.ready()
    const headers = await pay({ ...set, gate: gateNow }, Date.now())
    const backup = path.join(folder, "it's a backup")
    const made = await crawltab('backup', '--to', backup)
    assert.match(made.stdout, /^ {2}ledger\.dump$/m)
    assert.match(made.stdout, /^ {2}offer\.key_file$/m)
    assert.match(made.stdout, /^not in it:$/m)
    assert.equal(fs.statSync(backup).mode & 0o777, 0o700)
    for (const name of fs.readdirSync(backup))
        assert.equal(fs.statSync(path.join(backup, name)).mode & 0o077, 0, name)
    const again = await outcome(crawltab('backup', '--to', backup))
    assert.equal(again.code, 1)
    assert.match(again.text, /it is there already/)
    const here = await outcome(crawltab('restore', '--check', '--from', backup))
    assert.equal(here.code, 0, here.text)

    const other = machine(t, set, backup)
    const missing = await other.run('restore', '--check', '--from', backup)
    assert.equal(missing.code, 1)
    assert.match(missing.text, /offer\.key_file: is not in place: copy it from the backup/)
    const restored = await other.run('restore', '--from', backup, '--superuser', 'postgres')
    assert.equal(restored.code, 0, restored.text)
    assert.match(restored.text, /everything adds up/)
    assert.match(restored.text, /its \d+ days? (are|is) the beginning of the log/)
    assert.equal(other.ledger.count('charge'), 3)

    // The gate goes on there: it knows what was paid, and the keys of the offers that are out.
    const open = await gateNow.offer(page)
    const gate = new Gate(other.config)
    t.after(() => gate.stop())
    await gate.start()
    await gate.ready()
    assert.equal((await gate.request(page, { headers })).status, 200)
    assert.equal(other.ledger.count('charge'), 3)
    const paying = await withWebBotAuth(set.key, set.agent.origin, `https://shop.example${page}`, open)
    assert.equal((await gate.request(page, { headers: paying })).status, 200)
    assert.equal(other.ledger.count('charge'), 4)
    const twice = await other.run('restore', '--from', backup, '--superuser', 'postgres')
    assert.equal(twice.code, 1)
    assert.match(twice.text, /already exists/)
    const right = await other.run('restore', '--check', '--from', backup)
    assert.equal(right.code, 0, right.text)
})

test('what is wrong with a backup or with what was restored is told', async t => {
    const set = await scene(t, { ttl: 3600 }, ...behind)
    const { crawltab, folder } = set
    await pay(set)
    const early = path.join(folder, 'early')
    await crawltab('backup', '--to', early)
    await crawltab('nightly')
    const kept = path.join(folder, 'kept.checkpoint')
    fs.writeFileSync(kept, (await crawltab('checkpoint', 'show')).stdout)

    // An old state: the night that was told elsewhere is not in it.
    const other = machine(t, set, early)
    const restored = await other.run('restore', '--from', early, '--superuser', 'postgres')
    assert.equal(restored.code, 0, restored.text)
    fs.mkdirSync(path.join(other.folder, 'var'), { recursive: true })
    fs.copyFileSync(path.join(folder, 'var/checkpoint.key'), path.join(other.folder, 'var/checkpoint.key'))
    const old = await other.run('restore', '--check', '--from', early, '--checkpoint', kept)
    assert.equal(old.code, 1, old.text)

    const changed = async (name, change, pattern) => {
        const file = path.join(early, name)
        const whole = fs.readFileSync(file)
        change(file, whole)
        const told = await outcome(crawltab('restore', '--check', '--from', early))
        assert.equal(told.code, 1, name)
        assert.match(told.text, pattern, name)
        fs.writeFileSync(file, whole)
    }
    const bit = (file, whole) => {
        whole = Buffer.from(whole)
        whole[whole.length >> 1] ^= 1
        fs.writeFileSync(file, whole)
    }
    await changed('ledger.dump', bit, /ledger\.dump: is not the file that the manifest names/)
    await changed('offer.key_file', bit, /offer\.key_file: is not the file that the manifest names/)
    await changed('offer.key_file', fs.unlinkSync, /cannot be read.*No such file/s)
    await changed('manifest.json', fs.unlinkSync, /this is no backup.*did not end/s)
    await changed('manifest.json', file => fs.writeFileSync(file, '{"files":[{}]}'), /this is no backup/)
    const away = (file, whole) =>
        fs.writeFileSync(file, String(whole).replace('"name": "config.yaml"', '"name": "../kept.checkpoint"'))
    await changed('manifest.json', away, /cannot be the name of a file in a backup/)

    const bare = path.join(folder, 'bare')
    const made = await crawltab('backup', '--no-database', '--to', bare)
    assert.match(made.stdout, /the database \(--no-database\)/)
    const without = await machine(t, set, bare).run('restore', '--from', bare, '--superuser', 'postgres')
    assert.equal(without.code, 1)
    assert.match(without.text, /the database is not in this backup/)
    const nowhere = await outcome(crawltab('backup', '--to', path.join(folder, 'no/where')))
    assert.match(nowhere.text, /No such file or directory/)
})

// Whoever adds a key to the configuration that names a file decides whether a backup must have it.
test('every file that the configuration names is in a backup, or is known not to be', async t => {
    const example = fs.readFileSync(path.join(root, 'config.yaml.example'), 'utf8')
    const named = [...example.matchAll(/^[ #-]*(\w*_(?:file|folder)):/gm)].map(([, key]) => key)
    const bundle = fs.readFileSync(path.join(root, 'tools/crawltab/backup/bundle.c'), 'utf8')
    const left = named.filter(key => !bundle.includes(`.${key}"`))
    // Which calls were under way when a process ended concerns that machine alone.
    assert.deepEqual(left, ['calls_file', 'publish_folder'])
    assert.ok(named.length > 6)
})
