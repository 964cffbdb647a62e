// A ledger that is used with a moved clock: the month of the page for finance, and what it is kept apart
// from.
// Tests ledger/pg/sandbox.c
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import fs from 'node:fs'
import path from 'node:path'
import { test } from 'node:test'
import { Ledger, build, freePort, root, stage, temporaryFolder } from '../support.js'

const finance = fs.readFileSync(path.join(root, 'tools/doc/finance.md'), 'utf8')
const section = finance.split('\n## Try a month in five minutes\n')[1].split('\n## ')[0]
const blocks = [...section.matchAll(/(?:^ {4}.*\n|^\n(?= {4}))+/gm)].map(([block]) =>
    block.replace(/^ {4}/gm, '')
)

test('a month in five minutes', { timeout: 300_000 }, async t => {
    const folder = temporaryFolder(t)
    const ledger = new Ledger(folder)
    ledger.start()
    t.after(() => ledger.stop())
    const [gate, keys] = [await freePort(), await freePort()]
    const [config, live, look] = blocks.map(block =>
        block
            .replaceAll('127.0.0.1:8402', `127.0.0.1:${gate}`)
            .replaceAll('127.0.0.1:8403', `127.0.0.1:${keys}`)
            .replaceAll('/var/run/postgresql', ledger.sockets)
            .replaceAll('tools/demo/site', path.join(root, 'tools/demo/site'))
    )
    fs.writeFileSync(path.join(folder, 'trial.yaml'), config)
    fs.mkdirSync(path.join(folder, 'var'))
    // No time that is always enough: until both answer. The script ends what it leaves running.
    const words = `set -e; trap 'for job in $(jobs -p); do kill $job; done' EXIT
crawltab() { command crawltab "$@" $([ "$3" = migrate ] && echo --superuser postgres); }
sleep() {
    for port in ${gate} ${keys}; do
        until (exec 3<>/dev/tcp/127.0.0.1/$port) 2>&-; do command sleep 0.05; done
    done
}
`
    const run = async script => {
        const env = { ...process.env, PATH: `${build}:${process.env.PATH}` }
        const child = spawn('bash', ['-c', words + script], { cwd: folder, env, detached: true })
        t.after(() => {
            try {
                process.kill(-child.pid, 'SIGKILL')
            } catch {
                // It has ended.
            }
        })
        let output = ''
        child.stdout.on('data', data => (output += data))
        child.stderr.on('data', data => (output += data))
        const status = await new Promise(resolve => child.on('close', resolve))
        assert.equal(status, 0, output)
        return output
    }
    assert.equal((await run(live)).match(/1 page, 1 paid, USD 0.50 in all/g).length, 6)
    const shown = await run(look)
    assert.match(shown, /^TEST-INV-\d{4}-000001 .* overdue /m)
    const notice = 'A trial, made with a moved clock: nothing on this document is owed.'
    assert.ok(shown.includes(`\n${notice}\n\nINVOICE     TEST-INV-`), shown)
    assert.match(shown, /rule 1 +2 +0\.50 +1\.00\n/)
    // It is what it is for ever, whatever the clock.
    const [number] = /TEST-INV-\d{4}-000001/.exec(shown)
    const document = async format => {
        const out = `document.${format}`
        await run(`crawltab --config trial.yaml invoice show ${number} --format ${format} --out ${out}`)
        return fs.readFileSync(path.join(folder, out), 'latin1')
    }
    assert.ok((await document('html')).includes(notice))
    assert.ok((await document('html')).includes('Trial invoice'))
    assert.equal(JSON.parse(await document('json')).notice, notice)
    const remove = () => ledger.query('DELETE FROM sandbox', 'crawltab_owner', 'crawltab_trial')
    assert.throws(remove, /append-only/)
})

test('a ledger whose days were closed by the true clock is no sandbox', async t => {
    const { ledger, crawltab, startGate } = await stage(t, { gate: false })
    ledger.own(`INSERT INTO site (name, currency, currency_decimals, time_zone, network, seller,
                                  registered_at)
                VALUES ('example', 'USD', 2, 'UTC', 'example:402', 'example', now() - interval '3 days');
                INSERT INTO day
                SELECT site_id, day, day AT TIME ZONE 'UTC', (day + 1) AT TIME ZONE 'UTC', 'UTC'
                  FROM site, (SELECT (now() AT TIME ZONE 'UTC')::date - 2 AS day) AS d`)
    await crawltab('nightly')
    assert.ok(ledger.count('day_close') > 0)
    assert.equal(ledger.count('sandbox'), 0)
    await assert.rejects(crawltab('--clock-offset', '86400', 'invoice', 'list'), error => {
        assert.match(error.stderr, /ledger is no sandbox.*closed by the true clock/s)
        return error.code === 1
    })
    const gate = await startGate('--clock-offset', '-86400')
    await gate.logged(/event=ledger_is_no_sandbox/)
    assert.equal((await gate.request('/articles/harbour-bell.html')).status, 200, 'people do not need it')
    assert.equal(ledger.count('sandbox'), 0)
})
