// The gate runs the night by itself at a configured time, beside whoever else runs it.
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import fs from 'node:fs'
import { test } from 'node:test'
import { Gate, clockBefore, stage, until } from '../support.js'

async function gateAt(t, seconds) {
    const { ledger, config } = await stage(t, { gate: false })
    const { offset, at } = clockBefore(seconds)
    const text = JSON.parse(fs.readFileSync(config, 'utf8'))
    fs.writeFileSync(config, JSON.stringify({ ...text, nightly: { at: [at] } }))
    const gate = new Gate(config)
    t.after(() => gate.stop())
    return { gate, ledger, start: () => gate.start('--clock-offset', offset) }
}

process.env.TZ = 'UTC'

test('a gate closes the days that are over at its time', async t => {
    const { gate, ledger, start } = await gateAt(t, 5)
    await start()
    await gate.logged(/event=nightly_started/)
    await gate.logged(/event=nightly_done status=0/)
    assert.ok(ledger.count('day_close') >= 1)
    assert.equal(ledger.count('checkpoint'), ledger.count('day_close'))
    assert.deepEqual(await gate.stop(), { code: 0, signal: null })
})

test('a night that another one keeps from working is no failure of the gate', async t => {
    const { gate, ledger, start } = await gateAt(t, 5)
    ledger.query(
        `INSERT INTO site (name, currency, currency_decimals, time_zone, network, seller, registered_at)
         VALUES ('example', 'USD', 2, 'UTC', 'example:402', 'example', instant(0));
         INSERT INTO number_series VALUES (1, 'day')`
    )
    const asleep = `FROM pg_stat_activity WHERE wait_event = 'PgSleep'`
    const hold = 'BEGIN; SELECT FROM number_series FOR UPDATE; SELECT pg_sleep(600)'
    const words = ['-X', '-h', ledger.sockets, '-U', 'postgres', '-d', 'crawltab', '-c', hold]
    const holder = spawn('psql', words, { stdio: 'ignore' })
    t.after(() => holder.kill())
    await until(() => ledger.query(`SELECT count(*) ${asleep}`) === '1', 'the lock is held')
    await start()
    await gate.logged(/event=nightly_done status=75/)
    ledger.query(`SELECT pg_terminate_backend(pid) ${asleep}`)
    assert.equal(ledger.count('day_close'), 0)
})

test('times that are none are told with the key', async t => {
    const { config } = await stage(t, { gate: false })
    const text = JSON.parse(fs.readFileSync(config, 'utf8'))
    for (const at of ['2:30', '24:00', '12:60', 'noon', '12:5x', '::::1', '02:30:00']) {
        fs.writeFileSync(config, JSON.stringify({ ...text, nightly: { at: [at] } }))
        await assert.rejects(new Gate(config).start(), new RegExp(`nightly.at: "${at}" is no time of a day`))
    }
})
