// What leaves the ledger for an auditor: the rows that he asks for, a manifest that is signed, and a check
// that names the row somebody was at.
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import fs from 'node:fs'
import path from 'node:path'
import { after, before, describe, test } from 'node:test'
import zlib from 'node:zlib'
import { fill } from '../entries.js'
import { build, stage, temporaryFolder, until } from '../support.js'

const dayMs = 86_400_000
const isoDate = ms => new Date(ms).toISOString().slice(0, 10)
const today = Math.floor(Date.now() / dayMs) * dayMs
const ago = days => isoDate(today - days * dayMs)
const zone = 'Pacific/Kiritimati' // its days are 14 hours ahead of those in UTC
const all = ['--from', ago(20), '--to', isoDate(today + 5 * dayMs)]

// RFC 4180, to objects by the names in the first line.
function csv(text) {
    const rows = [[]]
    for (const [, quoted, plain, end] of text.matchAll(/(?:"((?:[^"]|"")*)"|([^",\r\n]*))(,|\r\n)/g)) {
        rows.at(-1).push(quoted === undefined ? plain : quoted.replaceAll('""', '"'))
        if (end === '\r\n') rows.push([])
    }
    assert.deepEqual(rows.pop(), [])
    const [names, ...values] = rows
    return values.map(row => {
        assert.equal(row.length, names.length)
        return Object.fromEntries(row.map((value, i) => [names[i], value]))
    })
}

// Copies: Node 18 has no words of its own for them.
const having = (list, at, value) => list.map((one, i) => (i === at ? value : one))
const spliced = (list, ...words) => {
    const copy = [...list]
    copy.splice(...words)
    return copy
}

describe('an export', () => {
    const ended = []
    let set, crawltab, ledger, folder
    const rows = async (...words) => csv((await crawltab('export', ...words)).stdout)
    const lines = async (...words) =>
        (await crawltab('export', ...words, '--format', 'jsonl')).stdout
            .split('\n')
            .filter(Boolean)
            .map(line => JSON.parse(line))

    before(async () => {
        const t = { after: end => ended.push(end) }
        folder = temporaryFolder(t)
        const options = { nightly: { verify: 'none' }, site: { time_zone: zone } }
        set = await stage(t, options, '--clock-offset', String(-5 * 86400))
        ;({ crawltab, ledger } = set)
        // 06:00 in UTC is 20:00 of that day in the site's zone, and 12:00 on, 02:00 of the next.
        fill(ledger, ago(4), 300)
        fill(ledger, ago(3), 7, '12:00Z')
        await crawltab('nightly')
        const [paid] = JSON.parse((await crawltab('invoice', 'list', '--json')).stdout)
        await crawltab('invoice', 'paid', paid.number, '--amount', '1.00', '--reference', '=cmd|x\nSEPA 7')
        const list = JSON.parse((await crawltab('invoice', 'list', '--json')).stdout)
        const left = list.find(one => one.open_minor > 0)
        await crawltab('invoice', 'write-off', left.number, '--reason', '=bankrupt')
        const [first, second] = await rows(...all)
        for (const entry of [first, second])
            await crawltab('adjust', entry.payment_id, '--credit', '0.001', '--reason', '+1, "as agreed"')
        ledger.query(
            `INSERT INTO conflict SELECT payment_id, sha256('x'), site_id, crawler_id, 7, rule, resource,
                 recorded_at, thumbprint, signature, signature_base, NULL
               FROM charge WHERE payment_id = '${first.payment_id}'`
        )
    })
    after(async () => {
        for (const end of ended.reverse()) await end()
    })

    test('has entries with their day, invoice, line and key, which come to the invoices', async () => {
        const entries = await rows('entries', ...all)
        assert.equal(entries.length, 307)
        assert.deepEqual(
            entries,
            (await lines(...all)).map(entry =>
                Object.fromEntries(
                    Object.entries(entry).map(([name, value]) => [
                        name,
                        value === null
                            ? ''
                            : name === 'signature_base' && value.base64
                              ? entries.find(other => other.payment_id === entry.payment_id)[name]
                              : String(value)
                    ])
                )
            )
        )
        assert.deepEqual([...new Set(entries.map(entry => entry.billing_day))], [ago(4), ago(2)])
        for (const entry of entries) assert.ok(entry.signature && entry.thumbprint.length === 43)
        const bills = await rows('invoices', ...all)
        assert.ok(bills.length > 10)
        let found = 0
        for (const line of bills.filter(line => line.line_kind === 'crawls')) {
            const of = entries.filter(
                entry => entry.invoice === line.invoice && entry.invoice_line === line.invoice_line
            )
            assert.equal(of.length, Number(line.quantity))
            assert.equal(
                of.reduce((sum, entry) => sum + BigInt(entry.amount_micros), 0n),
                BigInt(line.amount_micros)
            )
            found += of.length
        }
        assert.equal(found, entries.filter(entry => entry.invoice).length)
        assert.ok(found > 250)
    })

    test('has what was chosen', async () => {
        const entries = await rows(...all)
        const pick = async (...words) => (await rows(...words)).map(entry => entry.payment_id)
        const ids = list => list.map(entry => entry.payment_id)
        assert.deepEqual(
            await pick('--from', ago(4), '--to', ago(3)),
            ids(entries.filter(entry => entry.billing_day === ago(4)))
        )
        const { agent, invoice } = entries[10]
        assert.deepEqual(
            await pick(...all, '--crawler', agent),
            ids(entries.filter(entry => entry.agent === agent))
        )
        assert.deepEqual(
            await pick('--invoice', invoice),
            ids(entries.filter(entry => entry.invoice === invoice))
        )
        assert.deepEqual(
            await pick(...all, '--path', '/ßß*'),
            ids(entries.filter(entry => /example\/ßß/.test(entry.resource)))
        )
        const wanted = [entries[3].payment_id, entries[305].payment_id, entries[3].payment_id]
        const file = path.join(folder, 'ids')
        fs.writeFileSync(file, `${wanted.join('\r\n')}\n\n`)
        assert.deepEqual(await pick('--ids', file), [wanted[0], wanted[1]])
        fs.writeFileSync(file, `${wanted[0]}\nnonsense\n`)
        await assert.rejects(crawltab('export', '--ids', file), /ids:2/)
        for (const [problem, ...words] of [
            [/--from and --to are needed/],
            [/no such export.*did you mean entries/s, 'entires', ...all],
            [/--path is not for payments/, 'payments', ...all, '--path', '/x'],
            [/no such crawler/, ...all, '--crawler', 'https://nobody.example'],
            [/no crawls are on this invoice/, '--invoice', 'INV-1999-000001'],
            [/exclude each other/, ...all, '--gzip', '--zstd']
        ])
            await assert.rejects(crawltab('export', ...words), problem)
    })

    test('has all that goes with the entries', async () => {
        const [paid] = await rows('payments', ...all)
        assert.deepEqual(
            [paid.reference, paid.amount, paid.amount_micros],
            ["'=cmd|x\nSEPA 7", '1.00', '1000000']
        )
        const events = await lines('events', ...all)
        assert.ok(events.some(one => one.invoice === paid.invoice && /paid$/.test(one.event)))
        const [off, ...others] = events.filter(one => one.event === 'written-off')
        const now = ledger.query('SELECT local_date FROM day WHERE now() >= starts_at AND now() < ends_at')
        assert.deepEqual([off.detail, off.billing_day, others], ['=bankrupt', now, []])
        const ofIt = events.filter(one => one.invoice === off.invoice)
        assert.deepEqual(await lines('events', '--invoice', off.invoice), ofIt)
        const taken = await lines('adjustments', ...all)
        assert.deepEqual(
            taken.map(row => [row.reason, row.amount, row.kind]),
            [
                ['+1, "as agreed"', '0.001', 'credit'],
                ['+1, "as agreed"', '0.001', 'credit']
            ]
        )
        const entries = await rows(...all)
        const [attempt, ...none] = await lines('conflicts', ...all)
        assert.deepEqual(none, [])
        assert.deepEqual(
            [attempt.payment_id, attempt.amount_micros, attempt.billing_day],
            [entries[0].payment_id, 7, ago(4)]
        )
        const deeds = await rows('actions', ...all)
        const exports = deeds.filter(deed => deed.action === 'export').map(deed => deed.detail)
        assert.ok(exports.includes(`conflicts from ${ago(20)} to ${isoDate(today + 5 * dayMs)}`))
        assert.match(exports.at(-1), /^actions from /)
    })

    const sha256 = bytes => createHash('sha256').update(bytes).digest('hex')
    const verify = (...words) => crawltab('verify', ...words).then(({ stdout }) => stdout)

    test('is signed, and the same bytes each time', async () => {
        const key = (await crawltab('checkpoint', 'key')).stdout.trim()
        const plain = (await crawltab('export', ...all)).stdout
        for (const [option, unpack] of [
            [[], bytes => bytes],
            [['--gzip'], bytes => zlib.gunzipSync(bytes)],
            [['--zstd'], null]
        ]) {
            const file = path.join(folder, `rows${option.join('')}`)
            const written = async () => {
                await crawltab('export', ...all, ...option, '--out', file)
                return ['', '.index', '.manifest'].map(suffix => fs.readFileSync(file + suffix))
            }
            const first = await written()
            assert.deepEqual(await written(), first)
            const [bytes, index, manifest] = first
            if (unpack) assert.equal(unpack(bytes).toString(), plain)
            assert.ok(bytes.length <= plain.length * 4)
            const text = manifest.toString()
            assert.match(text, new RegExp(`^sha256 ${sha256(bytes)}$`, 'm'))
            assert.match(text, new RegExp(`^index-sha256 ${sha256(index)}$`, 'm'))
            assert.match(text, new RegExp(`^day example ${ago(4)} USD 300 \\S+ sealed \\d+ \\S{44}$`, 'm'))
            assert.match(text, /^rows 307$/m)
            const total = csv(plain).reduce((sum, entry) => sum + Number(entry.amount_micros), 0)
            const [, sum] = /^sum USD 307 (\S+)$/m.exec(text)
            assert.equal(Math.round(Number(sum) * 1e6), total)
            assert.match(await verify(file, '--vkey', key), /signed by the key that you gave.*307 rows, are/s)
            const kept = path.join(folder, 'kept')
            const newest = /^checkpoint (\S+) (\d+) (\S+)$/m.exec(text)
            const day = new RegExp(`^day \\S+ (\\S+) .*sealed ${newest[2]} `, 'm').exec(text)[1]
            fs.writeFileSync(kept, (await crawltab('checkpoint', 'show', '--day', day)).stdout)
            assert.match(await verify(file, '--checkpoint', kept), /is in the log of the checkpoint/)
        }
        await crawltab('export', ...all, '--unsigned', '--out', path.join(folder, 'bare'))
        assert.match(await verify(path.join(folder, 'bare')), /not proven: the manifest is not signed/)
    })

    // The line of names, which JSON has not, and the rows; some are no UTF-8 and have line ends in them.
    const linesOf = (file, format) => [
        ...(format === 'csv' ? [] : ['']),
        ...fs
            .readFileSync(file, 'latin1')
            .split(/(?<=\n)(?=(?:\{"payment_id":")?[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-)/)
    ]

    // Each makes another file of the lines, and says what must be told of it, all of it.
    const at = (n, name) => `row ${n} (${name})`
    const mistakes = (list, name) => {
        const last = list.length - 1
        const other = name(8).replace(/.$/, 'g')
        return [
            ['changed', having(list, 4, list[4].replace('rule', 'rulf')), `${at(4, name(4))} was changed`],
            ['removed', spliced(list, 7, 1), `${at(7, name(7))} was removed`],
            [
                'added',
                spliced(list, 9, 0, list[8].replace(name(8), other)),
                `${at(9, other)} was added`
            ],
            ['twice', spliced(list, 9, 0, list[2]), `${at(9, name(2))} was added`],
            [
                'swapped',
                spliced(list, 5, 2, list[6], list[5]),
                `${at(5, name(6))} was moved: it was row 6`
            ],
            [
                'moved up',
                [list[0], list[200], ...spliced(list, 200, 1).slice(1)],
                `${at(1, name(200))} was moved: it was row 200`
            ],
            [
                'moved down',
                [...spliced(list, 3, 1), list[3]],
                `${at(last, name(3))} was moved: it was row 3`
            ],
            ['the last removed', list.slice(0, -1), `${at(last, name(last))} was removed`]
        ]
    }
    const wrongs = out =>
        [...out.matchAll(/WRONG: (.*)/g)]
            .map(([, what]) => what)
            .filter(what => !/^the file is not/.test(what))
    const checked = file => crawltab('verify', file).catch(error => error)

    test('is checked row by row', async () => {
        for (const format of ['csv', 'jsonl']) {
            const file = path.join(folder, `rows.${format}`)
            await crawltab('export', ...all, '--format', format, '--out', file)
            const list = linesOf(file, format)
            const name = n => /[0-9a-f]{8}-[0-9a-f-]{27}/.exec(list[n])[0]
            assert.equal(list.length, 308)
            for (const [what, changed, told] of mistakes(list, name)) {
                fs.writeFileSync(file, changed.join(''), 'latin1')
                const result = await checked(file)
                assert.equal(result.code, 1, what)
                assert.deepEqual(wrongs(result.stdout), [told], `${format}, ${what}`)
                assert.match(result.stdout, /WRONG: the file is not what was exported/)
            }
        }
    })

    test('is checked whatever else was done to it', async () => {
        const file = path.join(folder, 'more.csv')
        await crawltab('export', ...all, '--out', file)
        const list = linesOf(file, 'csv')
        const write = lines => fs.writeFileSync(file, lines.join(''), 'latin1')
        // A quote that is not closed swallows no other row.
        write(having(list, 20, list[20].replace('"', '')))
        const quote = await checked(file)
        assert.deepEqual(wrongs(quote.stdout), [`row 20 (${list[20].slice(0, 36)}) was changed`])
        write(having(list, 0, list[0].replace('amount', 'Amount')))
        assert.deepEqual(wrongs((await checked(file)).stdout), ['the line of column names was changed'])
        write([])
        const empty = await checked(file)
        assert.match(empty.stdout, /row 307 \(\S+\) was removed/)
        write(list)
        const index = fs.readFileSync(`${file}.index`, 'utf8')
        fs.writeFileSync(`${file}.index`, index.replace(/^(.*\n){5}/, ''))
        assert.match((await checked(file)).stdout, /the index is not the one that was made with the file/)
        fs.writeFileSync(`${file}.index`, index)
        const manifest = fs.readFileSync(`${file}.manifest`, 'utf8')
        fs.writeFileSync(`${file}.manifest`, manifest.replace('rows 307', 'rows 308'))
        assert.match((await checked(file)).stdout, /the manifest is not what this key has signed/)
        const key = (await crawltab('checkpoint', 'key')).stdout.trim()
        fs.writeFileSync(`${file}.manifest`, manifest.slice(0, manifest.lastIndexOf('\n\n') + 2))
        await assert.rejects(crawltab('verify', file, '--vkey', key), error =>
            /not signed by the key that you gave/.test(error.stdout)
        )
        fs.writeFileSync(`${file}.manifest`, manifest)
        assert.match((await checked(`${file}.manifest`)).stdout, /307 rows, are those that were exported/)
        const packed = path.join(folder, 'cut.gz')
        await crawltab('export', ...all, '--gzip', '--out', packed)
        fs.truncateSync(packed, 9000)
        const cut = await checked(packed)
        assert.match(cut.stdout, /the file does not unpack to its end/)
        assert.match(cut.stdout, /row 307 \(\S+\) was removed/)
    })

    test('that is killed leaves nothing under its name', async () => {
        const home = fs.mkdtempSync(path.join(folder, 'killed-'))
        const file = path.join(home, 'rows.csv')
        const words = ['--config', set.config, 'export', ...all, '--out', file]
        // It waits for what somebody holds, at its first row.
        const holds = "BEGIN; LOCK TABLE crawler_key; SELECT 'held'; SELECT pg_sleep(60)"
        const server = ['-X', '-h', ledger.sockets, '-U', 'postgres', '-d', 'crawltab']
        const holder = spawn('psql', [...server, '-c', holds], { stdio: 'ignore' })
        const released = new Promise(resolve => holder.on('exit', resolve))
        const held = `SELECT count(*) FROM pg_locks WHERE mode = 'AccessExclusiveLock' AND granted
                         AND relation = 'crawler_key'::regclass`
        await until(() => ledger.query(held) === '1', 'the lock is held')
        const child = spawn(path.join(build, 'crawltab'), words)
        const gone = new Promise(resolve => child.on('exit', resolve))
        await until(() => fs.readdirSync(home).length === 2, 'the export is at it')
        child.kill('SIGKILL')
        await gone
        assert.ok(fs.readdirSync(home).every(name => name.endsWith('.part')))
        ledger.query(
            `SELECT pg_terminate_backend(pid) FROM pg_stat_activity
              WHERE query LIKE '%pg_sleep(60)%' AND pid <> pg_backend_pid()`
        )
        await released
        await crawltab('export', ...all, '--out', file)
        assert.match(await verify(file), /307 rows, are those/)
    })

    test('and all else is open to an auditor, who changes nothing', async () => {
        set.configure({ ledger: { command_role: 'auditor' } })
        const [entry] = await rows(...all)
        const file = path.join(folder, 'auditors.csv')
        const written = await crawltab('export', 'invoices', ...all, '--out', file)
        assert.match(written.stderr, /not recorded in the ledger.*crawltab_auditor/s)
        assert.match(await verify(file), /are those that were exported/)
        const shown = await crawltab('lookup', entry.payment_id).catch(error => error)
        assert.match(shown.stdout, new RegExp(entry.invoice))
        await crawltab('checkpoint', 'check')
        await crawltab('invoice', 'show', entry.invoice)
        const audit = await crawltab('audit').catch(error => error)
        const findings = audit.stdout.split('\n').filter(line => !/^example: (entry|payment)/.test(line))
        const words = text => text.replace(/\d+ findings?/, '')
        set.configure({})
        // It finds what the operator's finds: here are entries that nobody has signed, and a conflict.
        const own = await crawltab('audit').catch(error => error)
        assert.ok(findings.length > 0)
        assert.equal(words(audit.stdout), words(own.stdout))
        set.configure({ ledger: { command_role: 'auditor' } })
        const before = ledger.query('SELECT count(*), max(action_id) FROM operator_action')
        const agent = entry.agent
        for (const command of [
            ['adjust', entry.payment_id, '--credit', '0.001', '--reason', 'x'],
            ['invoice', 'paid', entry.invoice, '--amount', '1.00', '--reference', 'x'],
            ['invoice', 'void', entry.invoice, '--reason', 'x'],
            ['invoice', 'sent', entry.invoice],
            ['crawler', 'suspend', agent, '--reason', 'x'],
            ['agreement', 'set', agent, 'cadence=weekly', '--reason', 'x'],
            ['checkpoint', 'key', 'rotate', '--reason', 'x'],
            ['site', 'zone', 'example', 'Europe/Paris'],
            ['settle'],
            ['nightly', '--day', ago(1)]
        ])
            await assert.rejects(crawltab(...command), /permission denied/, command.join(' '))
        set.configure({})
        assert.equal(ledger.query('SELECT count(*), max(action_id) FROM operator_action'), before)
        const tables = ledger
            .query(
                `SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace
                    AND relkind IN ('r', 'p', 'v') AND NOT relispartition`
            )
            .split('\n')
        assert.ok(tables.length > 40)
        const refused = ['DELETE FROM', 'TRUNCATE', 'INSERT INTO'].flatMap(verb =>
            tables.map(table => `${verb} ${table}${verb === 'INSERT INTO' ? ' DEFAULT VALUES' : ''}`)
        )
        const tries = tables.map(table => `PERFORM * FROM ${table} LIMIT 1;`).join(' ')
        const attempts = refused
            .map(
                sql =>
                    `BEGIN ${sql}; RAISE 'done'; EXCEPTION
                     WHEN insufficient_privilege OR object_not_in_prerequisite_state OR feature_not_supported
                       OR wrong_object_type THEN NULL; END;`
            )
            .join(' ')
        ledger.query(`DO $$ BEGIN ${tries} ${attempts} END $$`, 'crawltab_auditor')
    })
})
