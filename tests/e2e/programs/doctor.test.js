// What an operator is told of a ledger that is well, and of each thing that can be wrong with it.
// Tests ledger/proof/shelf.c, with what is published.
import assert from 'node:assert/strict'
import { execFile, execFileSync } from 'node:child_process'
import fs from 'node:fs'
import path from 'node:path'
import { test } from 'node:test'
import { build, temporaryFolder } from '../support.js'
import { scene, withWebBotAuth } from '../signers.js'

const page = '/articles/harbour-bell.html'
const states = ['ok', 'warn', 'bad']
const all = ['configuration', 'database', 'schema', 'roles', 'guards', 'clock', 'partitions', 'replication']
const others = ['night', 'checkpoint', 'audit', 'keys', 'disk', 'directories']
const hours = 3600

test('a ledger that is well, and each thing that can be wrong', async t => {
    const folder = temporaryFolder(t)
    const options = {
        asUsed: true,
        seal: { publish_folder: folder },
        site: { webhook: { url: 'https://books.example/' } }
    }
    const set = await scene(t, options)
    const { gate, ledger, agent, key, crawltab, config, configure } = set

    const run = (words, env = {}) =>
        new Promise(resolve => {
            const how = { env: { ...process.env, ...env } }
            const done = (error, stdout, stderr) => resolve({ status: error?.code ?? 0, stdout, stderr })
            execFile(path.join(build, 'crawltab'), ['--config', config, ...words], how, done)
        })
    const ask = async (words = ['--offline'], env = {}) => {
        const { status, stdout, stderr } = await run(['doctor', '--json', ...words], env)
        assert.equal(stderr, '')
        const answer = JSON.parse(stdout)
        const found = answer.findings.map(finding => finding.state)
        for (const state of states) assert.equal(answer[state], found.filter(s => s === state).length)
        const worst = Math.max(...found.map(state => states.indexOf(state)))
        assert.equal(answer.state, states[worst])
        assert.equal(status, worst)
        return answer.findings
    }
    // Of what is looked at here alone: a machine's disk may be full while this runs.
    const wrong = findings => findings.filter(({ check, state }) => state !== 'ok' && check !== 'disk')
    const well = async () => assert.deepEqual(wrong(await ask()), [])
    const has = (findings, check, state, pattern) => {
        const found = findings.filter(f => f.check === check && f.state === state)
        assert.ok(
            found.some(f => pattern.test(f.found)),
            `${check} ${state} ${pattern}: ${JSON.stringify(findings, null, 1)}`
        )
    }
    const sickUntil = async (sick, healed, check, state, pattern, ...how) => {
        ledger.query(sick)
        has(await ask(...how), check, state, pattern)
        ledger.query(healed)
    }
    const reload = sql => {
        ledger.query(`ALTER SYSTEM ${sql}`)
        ledger.query('SELECT pg_reload_conf()')
    }

    const id = await gate.offer(page)
    const signed = await withWebBotAuth(key, agent.origin, `https://shop.example${page}`, id)
    assert.equal((await gate.request(page, { headers: signed })).status, 200)
    await gate.stop()

    await t.test('before the first night, two keys are still to be made', async () => {
        const missing = wrong(await ask())
        assert.deepEqual([...new Set(missing.map(({ check, state }) => `${check} ${state}`))], ['keys warn'])
        assert.equal(missing.length, 2)
    })
    await crawltab('webhook', 'secret')
    const due = Number(
        ledger.query(
            `SELECT floor(extract(epoch FROM min(ends_at) - now())) + 61 * 60 FROM day WHERE ends_at > now()`
        )
    )
    const night = await crawltab(`--clock-offset=${due + 120}`, 'nightly')
    assert.match(night.stdout, /1 entr/)

    await t.test('all is well', async () => {
        const findings = await ask([])
        assert.deepEqual(wrong(findings), [])
        assert.deepEqual([...new Set(findings.map(({ check }) => check))].sort(), [...all, ...others].sort())
        has(findings, 'directories', 'ok', /^1 of 1 crawlers' were asked/)
        has(findings, 'checkpoint', 'ok', /is published$/)
        const { stdout } = await run(['doctor', '--offline'])
        assert.match(stdout, /^(ok: 0 bad, 0|warn: 0 bad, \d|bad: \d bad, \d) [^]*\n\nok {4}configuration /)
        assert.equal((await run(['doctor', 'me'])).status, 64)
    })
    await t.test('the configuration', async () => {
        const text = fs.readFileSync(config, 'utf8')
        fs.writeFileSync(config, text.replace('"charge"', '"chrage"'))
        has(await ask(), 'configuration', 'bad', /config\.yaml:\d+: action: "chrage"/)
        fs.writeFileSync(config, text)
        configure({ ...options, monitor: { listen: '0.0.0.0:9402' } })
        has(await ask(), 'configuration', 'warn', /can be reached from other machines/)
        fs.writeFileSync(config, text)
        assert.match((await run(['--config', '/nowhere.yaml', 'doctor'])).stdout, /^bad: 1 bad.*No such file/)
    })
    await t.test('the database', async () => {
        const text = fs.readFileSync(config, 'utf8')
        fs.writeFileSync(config, text.replace('dbname=crawltab', 'dbname=elsewhere'))
        has(await ask(), 'database', 'bad', /elsewhere/)
        fs.writeFileSync(config, text)
        reload('SET fsync = off')
        has(await ask(), 'database', 'bad', /does not wait for the disk/)
        reload('RESET fsync')
    })
    await t.test('rights that are missing', async () => {
        const bad = (sick, healed, pattern) => sickUntil(sick, healed, 'roles', 'bad', pattern)
        await bad(
            'REVOKE INSERT ON charge FROM crawltab_gate',
            'GRANT INSERT ON charge TO crawltab_gate',
            /^"crawltab_gate" may not INSERT on charge$/
        )
        await bad(
            'REVOKE EXECUTE ON FUNCTION seal_day FROM crawltab_operator',
            'GRANT EXECUTE ON FUNCTION seal_day TO crawltab_operator',
            /^"crawltab_operator" may not EXECUTE on seal_day$/
        )
        await bad(
            'REVOKE UPDATE (last_number) ON number_series FROM crawltab_operator',
            'GRANT UPDATE (last_number) ON number_series TO crawltab_operator',
            /may not UPDATE on number_series$/
        )
        await bad(
            'ALTER ROLE crawltab_gate NOLOGIN',
            'ALTER ROLE crawltab_gate LOGIN',
            /^"crawltab_gate" may not log in$/
        )
        await bad(
            'ALTER ROLE crawltab_gate RENAME TO somebody',
            'ALTER ROLE somebody RENAME TO crawltab_gate',
            /^"crawltab_gate" is not there$/
        )
    })
    await t.test('rights that are too many, and guards', async () => {
        const bad = (sick, healed, pattern) => sickUntil(sick, healed, 'guards', 'bad', pattern)
        await bad(
            'GRANT DELETE ON charge TO crawltab_gate',
            'REVOKE DELETE ON charge FROM crawltab_gate',
            /^table charge: role "crawltab_gate" may DELETE/
        )
        await bad(
            'ALTER ROLE crawltab_gate SUPERUSER',
            'ALTER ROLE crawltab_gate NOSUPERUSER',
            /^role crawltab_gate: is a superuser/
        )
        await bad(
            'GRANT crawltab_owner TO crawltab_operator',
            'REVOKE crawltab_owner FROM crawltab_operator',
            /^role crawltab_operator: may act as role "crawltab_owner"/
        )
        await bad(
            'ALTER TABLE invoice DISABLE TRIGGER append_only',
            'ALTER TABLE invoice ENABLE ALWAYS TRIGGER append_only',
            /^table invoice: its trigger "append_only" does not fire always/
        )
        await well()
    })
    await t.test('clocks', async () => {
        const clock = path.join(folder, 'clock')
        const moved = seconds => {
            const bytes = Buffer.alloc(8)
            bytes.writeBigInt64LE(BigInt(seconds))
            fs.writeFileSync(clock, bytes)
            const env = { LD_PRELOAD: path.join(build, 'tests/fault/clock.so'), TEST_CLOCK: clock }
            env.ASAN_OPTIONS = `${process.env.ASAN_OPTIONS ?? ''}:verify_asan_link_order=0`
            return ask(['--offline'], env)
        }
        has(await moved(-hours), 'clock', 'bad', /this machine's clock and the database's differ/)
        has(await moved(20), 'clock', 'warn', /the database are (19|20|21)\.\d s apart/)
        fs.rmSync(clock)
    })
    await t.test('partitions', async () => {
        const last = ledger.query(`SELECT charge_partition((now() AT TIME ZONE 'UTC')::date + 2)`)
        const make = `SELECT charge_partitions((now() AT TIME ZONE 'UTC')::date,
                                               (now() AT TIME ZONE 'UTC')::date + 3)`
        const pattern = /^there is none for entries of [-\d]{10} \(UTC\)$/
        await sickUntil(`DROP TABLE ${last}`, make, 'partitions', 'warn', pattern)
        const later = await ask([`--clock-offset=${30 * 24 * hours}`, '--offline'])
        has(later, 'partitions', 'bad', pattern)
    })
    await t.test('replication', async () => {
        await sickUntil(
            `SELECT pg_create_physical_replication_slot('gone', true)`,
            `SELECT pg_drop_replication_slot('gone')`,
            'replication',
            'bad',
            /^nobody reads slot "gone"/
        )
        reload(`SET synchronous_standby_names = 'nobody'`)
        has(await ask(), 'replication', 'bad', /^each commit waits for a standby, and none is connected/)
        reload('RESET synchronous_standby_names')
        await well()
    })
    await t.test('nights', async () => {
        const open = Number(
            ledger.query(`SELECT floor(extract(epoch FROM min(ends_at) - now())) + 61 * 60 FROM day d
                WHERE NOT EXISTS (SELECT FROM day_close c WHERE c.local_date = d.local_date)`)
        )
        // A minute more: what was rounded down must not make an hour less of it.
        const at = later => ask([`--clock-offset=${open + later + 60}`, '--offline'])
        has(await at(2 * hours), 'night', 'ok', /^example: all days before/)
        has(await at(4 * hours), 'night', 'warn', /is not closed, 4 hours after it could have been/)
        has(await at(28 * hours), 'night', 'bad', /is not closed, 28 hours after/)
    })
    await t.test('audits', async () => {
        has(await ask(), 'audit', 'ok', /^none yet/)
        await crawltab('audit')
        has(await ask(), 'audit', 'ok', /^the newest, 0 days ago: all sites: everything adds up/)
        const later = await ask([`--clock-offset=${36 * 24 * hours}`, '--offline'])
        has(later, 'audit', 'warn', /^the newest is older than 35 days$/)
        ledger.own('CREATE TABLE stranger (of_nobody text)')
        await assert.rejects(crawltab('audit'), error => error.code === 1 && /stranger/.test(error.stdout))
        has(await ask(), 'audit', 'bad', /^the newest: all sites: \d findings?; /)
        ledger.own('DROP TABLE stranger')
        await crawltab('audit')
    })
    await t.test('checkpoints', async () => {
        const file = fs.readdirSync(folder).findLast(name => name.endsWith('.checkpoint'))
        const number = file.slice(-'00000001.checkpoint'.length, -'.checkpoint'.length)
        const from = path.join(folder, file)
        fs.renameSync(from, `${from}.away`)
        const away = /^example: that of [-\d]{10} is not at .*0000000[12]\.checkpoint$/
        has(await ask(), 'checkpoint', 'bad', away)
        fs.renameSync(`${from}.away`, from)
        const longer = from.replace(number, String(Number(number) + 1).padStart(8, '0'))
        fs.writeFileSync(longer, '')
        has(await ask(), 'checkpoint', 'bad', /a longer log was published/)
        fs.rmSync(longer)
        await well()
    })
    await t.test('keys', async () => {
        const files = (await ask()).filter(({ check }) => check === 'keys')
        const fileOf = name => files.map(f => f.found.replace(/;.*/, '')).find(f => f.endsWith(name))
        for (const name of ['offer.key', 'identity.key', 'checkpoint.key', 'webhook.secret']) {
            const file = fileOf(name)
            const text = fs.readFileSync(file)
            fs.chmodSync(file, 0o644)
            has(await ask(), 'keys', 'bad', new RegExp(`${name}: everybody on this machine may read it`))
            fs.chmodSync(file, 0o600)
            fs.writeFileSync(file, 'x\n')
            has(await ask(), 'keys', 'bad', new RegExp(name))
            fs.rmSync(file)
            has(await ask(), 'keys', 'warn', new RegExp(`${name}: it is not there`))
            fs.writeFileSync(file, text, { mode: 0o600 })
        }
        await well()
        const file = fileOf('checkpoint.key')
        const text = fs.readFileSync(file)
        fs.writeFileSync(file, `${'0'.repeat(64)}\n`)
        has(await ask(), 'keys', 'bad', /the key that signs this site's log is not here/)
        fs.writeFileSync(file, text)
        await well()
    })
    await t.test('disks', async t => {
        configure({ ...options, seal: { publish_folder: '/nowhere/at/all' } })
        has(await ask(), 'disk', 'bad', /^\/nowhere\/at\/all: No such file or directory$/)
        const small = path.join(folder, 'small')
        fs.mkdirSync(small)
        try {
            execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=1m', 'tmpfs', small], { stdio: 'pipe' })
        } catch (error) {
            return t.skip(`mount is not permitted here: ${String(error.stderr ?? error.code).trim()}`)
        }
        try {
            configure({ ...options, seal: { publish_folder: small } })
            has(await ask(), 'disk', 'bad', /small: [01] MiB are free, \d+ %$/)
        } finally {
            execFileSync('umount', [small])
            configure(options)
        }
    })
    await t.test('directories', async () => {
        const found = agent.answer
        agent.answer = (request, response) => response.writeHead(500).end()
        has(await ask([]), 'directories', 'warn', new RegExp(`^${agent.origin}/[^ ]*: `))
        agent.answer = (request, response) => response.end('{"keys":[]}')
        has(await ask([]), 'directories', 'warn', /lists no key that may sign$/)
        agent.answer = found
        assert.deepEqual(wrong(await ask([])), [])
        agent.close()
        has(await ask([]), 'directories', 'warn', /: /)
        const asked = (await ask()).filter(({ check }) => check === 'directories')
        assert.deepEqual(asked, [])
    })
    await t.test('another version', async () => {
        ledger.own(`INSERT INTO schema_version VALUES (9999, 'later', now())`)
        has(await ask(), 'schema', 'bad', /newer than this program/)
    })
})
