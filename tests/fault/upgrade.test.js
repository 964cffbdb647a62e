// Invariant: two gates behind one address become those of a later version, one after the other, and no
// request is lost or refused, while the ledger gets that version's tables under them. (P1)
import { execFile, spawn } from 'node:child_process'
import fs from 'node:fs'
import path from 'node:path'
import { test } from 'node:test'
import { promisify } from 'node:util'
import { nginx } from '../e2e/fronts.js'
import { Gate, build, freePort } from '../e2e/support.js'
import { check } from './checker.js'
import { Load } from './load.js'
import { assert, full, ready, seed, until, world } from './support.js'

const later = program => path.join(build, 'tests/fault/later', program)

test('two gates are replaced by those of a later version under load', async t => {
    const set = await world(t, { gate: false })
    const { ledger, folder } = set
    const ports = [await freePort(), await freePort()]
    // The same configuration but for the address.
    const configs = ports.map((port, i) => {
        const text = JSON.parse(fs.readFileSync(set.config, 'utf8'))
        const file = path.join(folder, `gate-${i}.yaml`)
        fs.writeFileSync(file, JSON.stringify({ ...text, server: undefined, listen: `127.0.0.1:${port}` }))
        return file
    })
    const start = async (i, program) => {
        const gate = new Gate(configs[i], program ? { program } : {})
        t.after(() => gate.stop('SIGKILL'))
        await gate.start(...set.words)
        await ready(gate)
        return gate
    }
    const old = [await start(0), await start(1)]
    const front = { port: await freePort(), log: '' }
    const servers = ports.map(port => `server 127.0.0.1:${port} max_fails=0;`).join(' ')
    await nginx(
        t,
        `upstream gates { ${servers} }
         server { listen 127.0.0.1:${front.port};
             location / { proxy_pass http://gates; proxy_set_header Host $http_host; } }`,
        front.port
    )
    const load = new Load(set, { clients: 6, gates: [front], seed })
    await load.progress(full ? 200 : 20)

    // Somebody reads the entries for as long as he likes: payments go on, and the migration after him.
    const reader = spawn('psql', [
        ...['-X', '-q', '-h', ledger.sockets, '-U', 'postgres', '-d', 'crawltab'],
        ...['-c', 'BEGIN', '-c', 'SELECT count(*) FROM charge', '-c', 'SELECT pg_sleep(600)']
    ])
    t.after(() => reader.kill())
    const reads = `FROM pg_stat_activity WHERE query = 'SELECT pg_sleep(600)'`
    await until(() => ledger.query(`SELECT count(*) ${reads}`) === '1', 'the reader reads')
    const words = ['--config', set.config]
    const migration = spawn(later('crawltab'), [...words, 'migrate'])
    let told = ''
    migration.stdout.on('data', data => (told += data))
    const migrated = new Promise(resolve => migration.on('close', resolve))
    await until(() => told.includes('waits for a table that somebody else is using, before'), 'it waits')
    await load.progress(full ? 200 : 20)
    ledger.query(`SELECT pg_terminate_backend(pid) ${reads}`)
    assert.equal(await migrated, 0)
    assert.match(told, /applied migration \d+-later\n/)
    await load.progress(full ? 200 : 20)

    // What the old ones open anew they go on with. (Meanwhile they cannot take payments, and say so.)
    const before = load.history.length
    const gates = `FROM pg_stat_activity WHERE usename = 'crawltab_gate'`
    ledger.query(`SELECT pg_terminate_backend(pid) ${gates}`)
    for (const gate of old) await gate.logged(/event=ledger_connection_lost.*event=ledger_ready/s)
    await load.progress(full ? 200 : 20)
    const after = load.history.length

    for (const [i, gate] of old.entries()) {
        assert.deepEqual(await gate.stop(), { code: 0, signal: null })
        await load.progress(full ? 50 : 5)
        await start(i, later('crawltabd'))
        await load.progress(full ? 200 : 20)
    }
    const history = await load.stop()
    const others = history.filter(({ outcome }) => outcome !== 'receipt')
    const meanwhile = history.slice(before, after).filter(({ code }) => code === 'ledger_unavailable')
    assert.deepEqual(others, meanwhile)
    assert.equal(load.putOff, 0)
    // A command of the earlier version would not know all that there is.
    await assert.rejects(set.crawltab('nightly'), /the database's schema is newer than this program/)
    const crawltab = (...more) => promisify(execFile)(later('crawltab'), [...words, ...more])
    const figures = await check({ ...set, crawltab }, history)
    t.diagnostic(`seed ${seed}: ${JSON.stringify(figures)}`)
})
