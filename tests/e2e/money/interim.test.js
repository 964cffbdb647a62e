// What is added to an open day is signed minutes later: who is at it afterwards is found before the night, by
// name, and after it. Tests ledger/proof/interim.c
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import fs from 'node:fs'
import path from 'node:path'
import { after, before, describe, test } from 'node:test'
import { fill } from '../entries.js'
import { build, stage, temporaryFolder, until } from '../support.js'

const dayMs = 86_400_000
const isoDate = ms => new Date(ms).toISOString().slice(0, 10)
const today = Math.floor(Date.now() / dayMs) * dayMs
const ago = days => isoDate(today - days * dayMs)

describe('an interim checkpoint', () => {
    const ended = []
    let set, crawltab, ledger, shelf, ids
    // As a superuser, past every guard.
    const guards = how => `DO $$ DECLARE guard record; BEGIN
        FOR guard IN SELECT tgrelid::regclass AS part, tgname
                       FROM pg_trigger JOIN pg_class c ON c.oid = tgrelid
                      WHERE relname ~ '^charge' AND relkind IN ('r', 'p') AND NOT tgisinternal LOOP
            EXECUTE format('ALTER TABLE %s ${how} TRIGGER %I', guard.part, guard.tgname);
        END LOOP; END $$`
    const tamper = sql => ledger.query(`${guards('DISABLE')}; ${sql}; ${guards('ENABLE ALWAYS')}`)
    const audit = () => crawltab('audit').then(
        ({ stdout }) => stdout,
        error => error.stdout
    )
    const named = out => out.split('\n').filter(line => /interim checkpoint/.test(line))
    // A copy of the row, to put it back as it was.
    const keep = id => ledger.query(`CREATE TABLE kept AS SELECT * FROM charge WHERE payment_id = '${id}'`)
    const back = id =>
        tamper(`DELETE FROM charge WHERE payment_id = '${id}'; INSERT INTO charge SELECT * FROM kept;
                DROP TABLE kept`)

    before(async () => {
        const t = { after: end => ended.push(end) }
        shelf = temporaryFolder(t)
        // Entries come by SQL, and nobody has signed them.
        const options = { nightly: { verify: 'none' }, seal: { publish_folder: shelf } }
        set = await stage(t, options, '--clock-offset', String(-3 * 86400))
        ;({ crawltab, ledger } = set)
        await set.gate.stop()
        fill(ledger, ago(3), 300, '12:00Z')
    })
    after(async () => {
        for (const end of ended.reverse()) await end()
    })
    // At a time of that day.
    const at = time => String((Date.parse(`${ago(3)}T${time}Z`) - Date.now()) / 1000 | 0)
    const interim = time => crawltab('--clock-offset', at(time), 'checkpoint', 'interim').then(r => r.stdout)

    test('covers what is final, once, and is published', async () => {
        // An offer holds for five minutes and a commit is waited for two: these are younger.
        assert.match(await interim('12:06:00'), /interim checkpoints? over 0 entries and \d+ facts/)
        assert.match(
            await interim('12:08:00'),
            /1 interim checkpoint over 300 entries and \d+ facts?, 1 written/
        )
        fill(ledger, ago(3), 300, '12:10Z')
        ids = ledger.query('SELECT payment_id FROM charge ORDER BY 1').split('\n')
        assert.match(await interim('12:16:00'), /1 interim checkpoint over 0 entries and 0 facts/)
        assert.match(
            await interim('12:20:00'),
            /1 interim checkpoint over 300 entries and \d+ facts?, 1 written/
        )
        // Earlier by more than the seconds that have passed meanwhile: there is nothing new to sign.
        assert.match(await interim('12:19:00'), /0 interim checkpoints over 0 entries and 0 facts/)
        assert.equal(ledger.query('SELECT sum(entries) FROM interim'), '600')
        assert.equal(ledger.query('SELECT sum(octet_length(entries)) / 24 FROM interim_tile'), '600')
        const files = fs.readdirSync(shelf).filter(name => /interim/.test(name))
        assert.equal(files.length, ledger.count('interim'))
        const newest = ledger.query('SELECT note FROM interim ORDER BY number DESC LIMIT 1')
        assert.equal(fs.readFileSync(path.join(shelf, files.sort().at(-1)), 'utf8').trim(), newest)
        assert.match(newest, /^crawltab-interim\/2\nlog example:402\/example\nnumber \d+\nprevious /)
        assert.deepEqual(named(await audit()), [])
    })

    test('names who was removed, changed or added', async () => {
        const id = ids[300]
        for (const [sql, problem] of [
            [`DELETE FROM charge WHERE payment_id = '${id}'`, 'was removed after interim checkpoint'],
            [
                `UPDATE charge SET amount_micros = amount_micros + 1 WHERE payment_id = '${id}'`,
                'was changed after interim checkpoint'
            ],
            [
                `UPDATE charge SET signature = 'x' WHERE payment_id = '${id}'`,
                'was changed after interim checkpoint'
            ]
        ]) {
            keep(id)
            tamper(sql)
            const [line, ...others] = named(await audit())
            assert.deepEqual(others, [])
            assert.ok(line.startsWith(`example: entry ${id}: ${problem}`), line)
            back(id)
        }
        const forged = ids[10].slice(0, -2) + (ids[10].endsWith('ff') ? '00' : 'ff')
        tamper(`INSERT INTO charge SELECT '${forged}', get_byte(uuid_send('${forged}'), 15), site_id,
                    crawler_id, amount_micros, rule, resource, recorded_at, thumbprint, signature,
                    signature_base, agreement_id FROM charge WHERE payment_id = '${ids[10]}'`)
        const [line, ...others] = named(await audit())
        assert.deepEqual(others, [])
        assert.match(line, new RegExp(`^example: entry ${forged}: was added after interim checkpoint \\d+`))
        tamper(`DELETE FROM charge WHERE payment_id = '${forged}'`)
        assert.deepEqual(named(await audit()), [])
    })

    test('is not made anew by whoever has no key', async () => {
        const table = (name, sql) =>
            ledger.query(`ALTER TABLE ${name} DISABLE TRIGGER append_only; ${sql};
                          ALTER TABLE ${name} ENABLE ALWAYS TRIGGER append_only`)
        const last = ledger.query('SELECT max(number) FROM interim')
        ledger.query('CREATE TABLE tiles AS SELECT * FROM interim_tile')
        ledger.query('CREATE TABLE facts AS SELECT * FROM interim_fact')
        ledger.query('CREATE TABLE points AS SELECT * FROM interim')
        const restore = () => {
            table('interim_fact', 'DELETE FROM interim_fact; INSERT INTO interim_fact SELECT * FROM facts')
            table('interim_tile', 'DELETE FROM interim_tile; INSERT INTO interim_tile SELECT * FROM tiles')
            table('interim', 'DELETE FROM interim; INSERT INTO interim SELECT * FROM points')
        }
        table('interim_tile', `UPDATE interim_tile SET entries = substr(entries, 25) WHERE number = ${last}`)
        assert.match(await audit(), /interim checkpoint \d+: its list of entries is not what was signed/)
        restore()
        table('interim', `UPDATE interim SET digest = sha256('x') WHERE number = ${last}`)
        assert.match(await audit(), /interim checkpoint \d+: is not what was signed/)
        restore()
        table('interim', 'DELETE FROM interim WHERE number = 1')
        assert.match(await audit(), /interim checkpoint 2: the one before it was removed/)
        restore()
        table('interim_fact', `UPDATE interim_fact SET digest = sha256('x') WHERE key = '1'`)
        assert.match(await audit(), /interim checkpoint \d+: its list of facts is not what was signed/)
        table('interim_fact', 'DELETE FROM interim_fact; INSERT INTO interim_fact SELECT * FROM facts')
        // The newest ones are missed by whoever has them from the folder.
        table('interim', `DELETE FROM interim WHERE number = ${last}`)
        await assert.rejects(interim('12:20:00'), /an interim checkpoint was removed/)
        table('interim_tile', `DELETE FROM interim_tile WHERE number = ${last}`)
        table('interim_fact', `DELETE FROM interim_fact WHERE number = ${last}`)
        await assert.rejects(interim('12:20:00'), /was published before, and it is another one/)
        restore()
        ledger.query('DROP TABLE tiles; DROP TABLE facts; DROP TABLE points')
        assert.deepEqual(named(await audit()), [])
    })

    // Of a crawler of today, and of what an operator did: rows that no closed day has sealed.
    test('names what was done to the rows that money depends on', async () => {
        await interim('12:25:00') // the audits so far, which are deeds themselves
        await crawltab('crawler', 'add', 'https://new.example')
        assert.match(await interim('12:30:00'), /1 interim checkpoint over 0 entries and 2 facts/)
        assert.match(await interim('12:40:00'), /1 interim checkpoint over 0 entries and 0 facts/)
        assert.deepEqual(named(await audit()), [])
        const id = ledger.query(`SELECT crawler_id FROM crawler WHERE agent = 'https://new.example'`)
        const tables = ['crawler', 'fact', 'operator_action']
        const each = how => tables.map(name => `ALTER TABLE ${name} ${how} TRIGGER USER`).join(';')
        const always = tables
            .map(
                name => `SELECT format('ALTER TABLE ${name} ENABLE ALWAYS TRIGGER %I', tgname) FROM pg_trigger
                          WHERE tgrelid = '${name}'::regclass AND NOT tgisinternal`
            )
            .join(' UNION ALL ')
        const past = sql =>
            ledger.query(`${each('DISABLE')}; ${sql}; DO $$ DECLARE guard text; BEGIN
                FOR guard IN ${always} LOOP EXECUTE guard; END LOOP; END $$`)
        for (const name of tables) ledger.query(`CREATE TABLE kept_${name} AS SELECT * FROM ${name}`)
        const digest = `UPDATE fact SET digest = f.digest FROM facts_of('crawler', NULL) f
                         WHERE source = 'crawler' AND fact.key = f.key`
        const deed = `(SELECT max(action_id) FROM kept_operator_action WHERE action <> 'audit')`
        for (const [sql, line] of [
            [
                `UPDATE crawler SET agent = 'https://old.example' WHERE crawler_id = ${id}; ${digest}`,
                new RegExp(`^example: crawler ${id}: was changed with its note: interim checkpoint \\d+ has`)
            ],
            [
                `DELETE FROM fact WHERE source = 'operator_action' AND key = ${deed}::text;
                 DELETE FROM operator_action WHERE action_id = ${deed}`,
                /^example: operator_action .*: was removed with its note, which interim checkpoint \d+ has/
            ]
        ]) {
            past(sql)
            const [first, ...others] = named(await audit())
            assert.match(first, line)
            assert.deepEqual(others, [])
            past(
                `UPDATE crawler SET agent = k.agent FROM kept_crawler k
                  WHERE k.crawler_id = crawler.crawler_id;
                 UPDATE fact SET digest = k.digest FROM kept_fact k
                  WHERE (k.source, k.key) = (fact.source, fact.key);
                 INSERT INTO operator_action OVERRIDING SYSTEM VALUE SELECT * FROM kept_operator_action
                     ON CONFLICT DO NOTHING;
                 INSERT INTO fact SELECT * FROM kept_fact ON CONFLICT DO NOTHING`
            )
        }
        for (const name of tables) ledger.query(`DROP TABLE kept_${name}`)
        assert.deepEqual(named(await audit()), [])
    })

    test('may be made by two at once, and be killed', async () => {
        fill(ledger, ago(3), 500, '13:00Z')
        const words = ['--config', set.config, '--clock-offset', at('13:20:00'), 'checkpoint', 'interim']
        const locks = `BEGIN; LOCK TABLE charge IN ACCESS EXCLUSIVE MODE; SELECT pg_sleep(60)`
        const server = ['-X', '-h', ledger.sockets, '-U', 'postgres', '-d', 'crawltab']
        const holder = spawn('psql', [...server, '-c', locks], { stdio: 'ignore' })
        const released = new Promise(resolve => holder.on('exit', resolve))
        const waiting = `SELECT count(*) FROM pg_locks WHERE relation = 'charge'::regclass AND NOT granted`
        const held = `SELECT count(*) FROM pg_locks WHERE relation = 'charge'::regclass AND granted
                         AND mode = 'AccessExclusiveLock'`
        await until(() => ledger.query(held) === '1', 'the lock is held')
        const runs = [1, 2, 3].map(() => {
            const child = spawn(path.join(build, 'crawltab'), words, { stdio: 'ignore' })
            return { child, gone: new Promise(resolve => child.on('exit', code => resolve(code))) }
        })
        await until(() => Number(ledger.query(waiting)) >= 3, 'all are at it')
        runs[0].child.kill('SIGKILL')
        await runs[0].gone
        ledger.query(`SELECT pg_terminate_backend(pid) FROM pg_stat_activity
                       WHERE query LIKE '%pg_sleep(60)%' AND pid <> pg_backend_pid()`)
        await released
        const codes = await Promise.all(runs.slice(1).map(run => run.gone))
        assert.ok(codes.every(code => code === 0), codes.join())
        await interim('13:20:00')
        assert.equal(ledger.query('SELECT sum(entries) FROM interim'), '1100')
        assert.deepEqual(named(await audit()), [])
    })

    test('is looked at by the night, and holds after it', async () => {
        keep(ids[7])
        tamper(`UPDATE charge SET rule = 'other' WHERE payment_id = '${ids[7]}'`)
        await assert.rejects(crawltab('nightly', '--day', ago(3)), error => {
            assert.equal(error.code, 3, error.stderr)
            assert.match(error.stderr, new RegExp(`open day is not what it was.*entry ${ids[7]}`, 's'))
            return true
        })
        // The sealed tree has the row as somebody has changed it; the interim checkpoint has it as it was.
        const [line, ...others] = named(await audit())
        assert.deepEqual(others, [])
        assert.ok(line.startsWith(`example: entry ${ids[7]}: was changed after interim checkpoint`), line)
        await crawltab('nightly', '--day', ago(2))
        assert.match(await interim('23:00:00'), /0 interim checkpoints/)
    })
})
