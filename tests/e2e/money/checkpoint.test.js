// What was signed for the closed days, checked by a program of its own: from the export and the checkpoint
// alone, as ledger/proof/leaf.h, RFC 6962 and C2SP's signed-note and tlog-checkpoint describe them.
import assert from 'node:assert/strict'
import { createHash, createPublicKey, verify } from 'node:crypto'
import fs from 'node:fs'
import path from 'node:path'
import { test } from 'node:test'
import { fill } from '../entries.js'
import { stage, temporaryFolder } from '../support.js'

const sha256 = (...parts) => createHash('sha256').update(Buffer.concat(parts)).digest()
const number = (value, size) => {
    const bytes = Buffer.alloc(8)
    bytes.writeBigUInt64BE(BigInt(value))
    return bytes.subarray(8 - size)
}
const field = bytes =>
    bytes.length > 8192
        ? Buffer.concat([Buffer.from([255, 255]), sha256(bytes)])
        : Buffer.concat([number(bytes.length, 2), bytes])

// One line of `crawltab export --format jsonl`.
function leaf(entry) {
    const base = entry.signature_base
    const bytes = typeof base === 'string' ? Buffer.from(base) : Buffer.from(base.base64, 'base64')
    return Buffer.concat([
        Buffer.from([1]),
        Buffer.from(entry.payment_id.replaceAll('-', ''), 'hex'),
        number(Date.parse(entry.recorded_at), 8),
        number(entry.amount_micros, 8),
        number(entry.agreement_version, 4),
        Buffer.from(entry.thumbprint, 'base64url'),
        sha256(bytes),
        ...[entry.site, entry.agent, entry.rule, entry.resource].map(text => field(Buffer.from(text))),
        field(Buffer.from(entry.signature, 'base64'))
    ])
}

// RFC 6962 section 2.1.
function root(leaves) {
    if (leaves.length === 0) return sha256()
    if (leaves.length === 1) return sha256(Buffer.from([0]), leaves[0])
    let split = 1
    while (split * 2 < leaves.length) split *= 2
    return sha256(Buffer.from([1]), root(leaves.slice(0, split)), root(leaves.slice(split)))
}

// Text of a signed note, after its signature by the verifier key was checked.
function openNote(note, verifier) {
    const [, name, id, key] = /^([^ +]+)\+([0-9a-f]{8})\+(.+)$/.exec(verifier)
    const typed = Buffer.from(key, 'base64')
    assert.equal(typed.length, 33)
    assert.equal(typed[0], 1)
    assert.equal(sha256(Buffer.from(`${name}\n`), typed).toString('hex', 0, 4), id)
    const at = note.lastIndexOf('\n\n')
    const text = note.slice(0, at + 1)
    const line = new RegExp(`^— ${name.replaceAll('.', '\\.')} (\\S+)\n$`).exec(note.slice(at + 2))
    assert.ok(line, note)
    const signature = Buffer.from(line[1], 'base64')
    assert.equal(signature.toString('hex', 0, 4), id)
    const der = Buffer.concat([Buffer.from('302a300506032b6570032100', 'hex'), typed.subarray(1)])
    const publicKey = createPublicKey({ key: der, format: 'der', type: 'spki' })
    assert.ok(verify(null, Buffer.from(text), publicKey, signature.subarray(4)), 'the signature is good')
    return text
}

const isoDate = ms => new Date(ms).toISOString().slice(0, 10)
const dayMs = 86_400_000

// `facts`: the lines about rows beside the entries, which are not in the export.
function dayLeaf(origin, date, entries, facts) {
    const sum = entries.reduce((total, entry) => total + BigInt(entry.amount_micros), 0n)
    const next = isoDate(Date.parse(date) + dayMs)
    return Buffer.from(
        `crawltab-day/2\nlog ${origin}\ndate ${date}\nstarts ${date}T00:00:00.000Z\n` +
            `ends ${next}T00:00:00.000Z\nzone UTC\ncurrency USD\nentries ${entries.length}\nsum ${sum}\n` +
            `root ${root(entries.map(leaf)).toString('base64')}\n${facts}`
    )
}

test('an independent program finds what was signed in the export, and nothing else', async t => {
    // Entries come by SQL, of all kinds that a tree must have an opinion on, and nobody has signed them.
    const options = { nightly: { verify: 'none' } }
    const { crawltab, ledger } = await stage(t, options, '--clock-offset', String(-4 * 86400))
    const today = Math.floor(Date.now() / dayMs) * dayMs
    ledger.own(
        `INSERT INTO crawler (agent, first_seen_at) VALUES ('https://crawler-1.example/ünï', instant(0));
         INSERT INTO agreement (site_id, crawler_id, version, valid_from, recorded_at, actor, reason, status,
             cadence, subscription, fee_micros, included_crawls, minimum_fee_micros, minimum_invoice_micros,
             tax_treatment, tax_rate_ppm, due_days, buyer, settlement)
         VALUES (1, 1, 3, instant(0), instant(0), 'a', 'b', 'active', 'daily', false, 0, 0, 0, 0, 'none', 0,
                 30, '{}', '{}')`
    )
    fill(ledger, isoDate(today - 4 * dayMs), 300)
    fill(ledger, isoDate(today - 2 * dayMs), 7)
    await crawltab('nightly')
    const verifier = (await crawltab('checkpoint', 'key')).stdout.trim()
    const shown = JSON.parse((await crawltab('checkpoint', 'show', '--json')).stdout)
    assert.ok(shown.log_size >= 3)
    const { stdout } = await crawltab(
        ...['export', '--format', 'jsonl', '--from', isoDate(today - 10 * dayMs), '--to', isoDate(today)]
    )
    const entries = stdout
        .trim()
        .split('\n')
        .map(line => JSON.parse(line))
    assert.equal(entries.length, 307)
    assert.ok(entries.some(entry => entry.agreement_version === 3))
    const origin = verifier.split('+')[0]
    assert.equal(origin, 'example:402/example')

    const facts = new Map()
    for (let back = shown.log_size - 1; back >= 0; back--) {
        const date = isoDate(Date.parse(shown.date) - back * dayMs)
        const day = JSON.parse((await crawltab('checkpoint', 'show', '--day', date, '--json')).stdout)
        facts.set(date, /facts \d+\nfacts-root \S{44}\n$/.exec(day.leaf)[0])
    }
    const leavesOf = list => {
        const leaves = []
        for (let back = shown.log_size - 1; back >= 0; back--) {
            const date = isoDate(Date.parse(shown.date) - back * dayMs)
            leaves.push(
                dayLeaf(
                    origin,
                    date,
                    list.filter(entry => entry.recorded_at.startsWith(date)),
                    facts.get(date)
                )
            )
        }
        return leaves
    }
    const leaves = leavesOf(entries)
    assert.equal(shown.leaf, leaves.at(-1).toString())
    const signed = leaves => `${origin}\n${shown.log_size}\n${root(leaves).toString('base64')}\n`
    const text = openNote(shown.checkpoint, verifier)
    assert.equal(text, signed(leaves))
    // Each earlier checkpoint is of the same log, shorter.
    const first = isoDate(Date.parse(shown.date) - (shown.log_size - 1) * dayMs)
    const before = (await crawltab('checkpoint', 'show', '--day', first)).stdout
    assert.equal(openNote(before, verifier), `${origin}\n1\n${root(leaves.slice(0, 1)).toString('base64')}\n`)
    // One changed bit, and it is another log.
    const changed = structuredClone(entries)
    changed[5].amount_micros ^= 1
    assert.notEqual(text, signed(leavesOf(changed)))
    assert.notEqual(text, signed(leavesOf(entries.slice(1))))
})

// A ledger whose oldest day alone is closed.
async function oneClosed(t, options = {}) {
    const set = await stage(t, options, '--clock-offset', String(-4 * 86400))
    const days = [4, 3, 2].map(ago => isoDate(Math.floor(Date.now() / dayMs) * dayMs - ago * dayMs))
    await set.crawltab('nightly', '--day', days[0])
    // In the first hour of a day a gate that starts makes the day before, too.
    const signed = set.ledger.count('checkpoint')
    const keyFile = path.join(set.folder, 'var/checkpoint.key')
    const keys = async () => JSON.parse((await set.crawltab('checkpoint', 'key', 'list', '--json')).stdout)
    return { ...set, days, signed, keyFile, keys }
}

test('a new key is signed for by the old one', async t => {
    const { crawltab, ledger, days, signed, keys } = await oneClosed(t)
    const before = (await crawltab('checkpoint', 'key')).stdout.trim()
    await assert.rejects(crawltab('checkpoint', 'key', 'rotate'), /needs --reason/)
    await crawltab('checkpoint', 'key', 'rotate', '--reason', 'once a year')
    const after = (await crawltab('checkpoint', 'key')).stdout.trim()
    assert.notEqual(after, before)
    await crawltab('nightly', '--day', days[1])
    await crawltab('checkpoint', 'key', 'rotate', '--reason', 'once more')
    await crawltab('nightly', '--day', days[2])
    const list = await keys()
    assert.deepEqual(
        list.map(key => [key.checkpoints, key.reason, key.old_key_lost]),
        [
            [signed, '', false],
            [1, 'once a year', false],
            [1, 'once more', false]
        ]
    )
    assert.equal(list[0].verifier_key, before)
    assert.equal(list[1].verifier_key, after)
    assert.equal(list[0].until, list[1].from)
    // Both keys have signed it, and an independent program follows from one to the other.
    const note = ledger.query('SELECT note FROM checkpoint_key_change WHERE number = 1')
    const [text, signatures] = note.split('\n\n')
    assert.ok(text.includes(`\nold ${before}\nnew ${after}`))
    for (const [i, verifier] of [after, before].entries())
        openNote(`${text}\n\n${signatures.trim().split('\n')[i]}\n`, verifier)
    await crawltab('checkpoint', 'check')
    assert.match((await crawltab('audit')).stdout, /signed for by the key before it: once more/)
})

test('a lost key stops the night, and the loss is on record', async t => {
    const { crawltab, ledger, days, signed, keyFile, keys } = await oneClosed(t)
    const kept = fs.readFileSync(keyFile)
    fs.rmSync(keyFile)
    await assert.rejects(crawltab('nightly', '--day', days[1]), /signed by a key.*put a copy back/s)
    await assert.rejects(crawltab('checkpoint', 'key'), /put a copy back/)
    assert.ok(!fs.existsSync(keyFile), 'no key was made')
    // Somebody's new file is not taken for it.
    fs.writeFileSync(keyFile, `${'ab'.repeat(32)}\n`, { mode: 0o600 })
    const another = /the key that signs this site's log is not here/
    await assert.rejects(crawltab('nightly', '--day', days[1]), another)
    await assert.rejects(
        crawltab('checkpoint', 'key', 'rotate', '--reason', 'x'),
        /the old key is not the one that signs/
    )
    assert.equal(ledger.count('checkpoint'), signed)
    fs.writeFileSync(keyFile, kept)
    await crawltab('nightly', '--day', days[1])
    fs.rmSync(keyFile)
    await crawltab('checkpoint', 'key', 'rotate', '--lost', '--reason', 'the disk broke')
    await crawltab('nightly', '--day', days[2])
    assert.deepEqual(
        (await keys()).map(key => key.old_key_lost),
        [false, true]
    )
    const audit = (await crawltab('audit')).stdout
    assert.match(audit, /the key before it was lost: the disk broke/)
})

test('a key to which no change leads is found', async t => {
    const { crawltab, ledger, days } = await oneClosed(t)
    await crawltab('checkpoint', 'key', 'rotate', '--reason', 'test')
    await crawltab('nightly', '--day', days[1])
    await crawltab('audit')
    ledger.query(
        `ALTER TABLE checkpoint_key_change DISABLE TRIGGER append_only;
         UPDATE checkpoint_key_change SET lost = true, reason = 'lost', note = replace(note, 'size', 'sizf')`
    )
    await assert.rejects(crawltab('checkpoint', 'check'), error =>
        /not signed by the new key/.test(error.stdout)
    )
    ledger.query('DELETE FROM checkpoint_key_change')
    await assert.rejects(crawltab('checkpoint', 'check'), error =>
        /a checkpoint is signed by a key to which no change is recorded/.test(error.stdout)
    )
})

test('no key is made while the database is down', async t => {
    const { crawltab, ledger, folder } = await stage(t, { gate: false })
    ledger.stop()
    await assert.rejects(crawltab('nightly'))
    await assert.rejects(crawltab('checkpoint', 'key'))
    assert.ok(!fs.existsSync(path.join(folder, 'var/checkpoint.key')))
})

test('each checkpoint leaves the ledger, once', async t => {
    const folder = temporaryFolder(t)
    const { crawltab, days } = await oneClosed(t, {
        seal: { publish_folder: folder, publish_webhook: true },
        site: { webhook: { url: 'http://127.0.0.1:9/' } }
    })
    // The gate has made the day before its start too, in the first hour of a day.
    const first = fs.readdirSync(folder).length
    const file = nth => path.join(folder, `example:402%2Fexample.0000000${first + nth}.checkpoint`)
    const read = nth => fs.readFileSync(file(nth), 'utf8')
    const shown = async day => (await crawltab('checkpoint', 'show', '--day', day)).stdout
    const told = async () =>
        JSON.parse((await crawltab('webhook', 'list', '--json')).stdout).filter(
            message => message.type === 'checkpoint.signed'
        ).length
    assert.ok(first === 1 || first === 2)
    assert.equal(read(0), await shown(days[0]))
    assert.equal(await told(), first)
    const night = (await crawltab('nightly', '--day', days[1])).stdout
    assert.match(night, /1 checkpoint written to .*1 checkpoint/s)
    assert.equal(read(1), await shown(days[1]))
    await crawltab('checkpoint', 'check', '--checkpoint', file(0))
    // What a run that was killed has left out, the next one makes up for.
    fs.rmSync(file(1))
    await crawltab('nightly', '--day', days[1])
    assert.equal(read(1), await shown(days[1]))
    assert.equal(await told(), first + 1)
    assert.equal(fs.readdirSync(folder).length, first + 1)
    // What was published before is not written over.
    const kept = read(1)
    fs.writeFileSync(file(1), kept.replace('example', 'elpmaxe'))
    await assert.rejects(crawltab('nightly', '--day', days[1]), /was published before, and it is another one/)
    fs.writeFileSync(file(1), kept)
    fs.writeFileSync(file(2), kept)
    await assert.rejects(crawltab('nightly', '--day', days[1]), /a longer log was published/)
    fs.rmSync(file(2))
    fs.renameSync(folder, `${folder}.away`)
    await assert.rejects(crawltab('nightly', '--day', days[2]), /must exist and be writable/)
    fs.renameSync(`${folder}.away`, folder)
    const again = (await crawltab('nightly', '--day', days[2])).stdout
    assert.match(again, /already closed.*1 checkpoint written/s)
    assert.equal(read(2), await shown(days[2]))
})
