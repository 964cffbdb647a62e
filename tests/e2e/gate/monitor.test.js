// The monitor listener, asked as Prometheus and a supervisor ask it, and the alerts that are made of it.
// Tests server/monitor/monitor.c, server/monitor/exposition.c, server/monitor/readiness.c and
// server/monitor/process.c
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import fs from 'node:fs'
import net from 'node:net'
import path from 'node:path'
import { test } from 'node:test'
import { scene, withWebBotAuth } from '../signers.js'
import { root, stage, until } from '../support.js'

const promtool = (() => {
    try {
        execFileSync('promtool', ['--version'], { stdio: 'pipe' })
        return true
    } catch {
        console.log('# promtool (Debian: prometheus) is not here: its checks are left out')
        return false
    }
})()

const crawler = { 'user-agent': 'GPTBot/1.2' }

// The text as a map from series to number; fails where it is no exposition.
function read(text) {
    const series = new Map()
    const types = new Map()
    for (const line of text.trimEnd().split('\n')) {
        const type = /^# TYPE (\S+) (counter|gauge|histogram)$/.exec(line)
        if (type) {
            assert.ok(!types.has(type[1]), `${type[1]} begins twice`)
            types.set(type[1], type[2])
        }
        if (line.startsWith('#')) continue
        const sample = /^([a-z_]+)(\{[^}]*\})? (-?[0-9.]+)$/.exec(line)
        assert.ok(sample, line)
        const family = sample[1].replace(/_(bucket|sum|count)$/, '')
        assert.ok(types.has(sample[1]) || types.get(family) === 'histogram', line)
        if (types.get(sample[1]) === 'counter') assert.match(sample[1], /_total$/)
        assert.ok(!series.has(sample[1] + (sample[2] ?? '')), `twice: ${line}`)
        series.set(sample[1] + (sample[2] ?? ''), Number(sample[3]))
    }
    return series
}

async function monitorOf(gate) {
    await gate.logged(/event=monitored address=\S+\n/)
    return Number(/event=monitored address=[^ \n]*:(\d+)\n/.exec(gate.log)[1])
}

async function watched(t, options = {}, ...extra) {
    const set = await scene(t, { ...options, monitor: { listen: '127.0.0.1:0' } }, ...extra)
    const { gate } = set
    const port = await monitorOf(gate)
    const ask = (target, more = {}) => gate.request(target, { ...more, port, host: 'localhost' })
    const metrics = async () => read((await ask('/metrics')).text)
    const pay = async target => {
        const id = await gate.offer(target)
        const url = `https://shop.example${target}`
        const headers = await withWebBotAuth(set.key, set.agent.origin, url, id)
        return { ...(await gate.request(target, { headers })), fields: headers }
    }
    return { ...set, ask, metrics, pay }
}

// The series that the dashboard and the alerts ask for; a fresh site has had no night.
function assertAllThere(text) {
    const folder = path.join(root, 'tools/deploy/prometheus')
    const dashboard = JSON.parse(fs.readFileSync(path.join(folder, 'dashboard.json'), 'utf8'))
    const asked = dashboard.panels.flatMap(panel => (panel.targets ?? []).map(target => target.expr))
    asked.push(fs.readFileSync(path.join(folder, 'alerts.yaml'), 'utf8'))
    const names = new Set(asked.flatMap(expr => expr.match(/\b(crawltab|process)_[a-z_]+/g) ?? []))
    assert.ok(names.size > 15)
    for (const name of names)
        assert.ok(
            /_((seal|night|audit)_timestamp_seconds|audit_findings)$/.test(name) ||
                text.includes(`# TYPE ${name.replace(/_(bucket|sum|count)$/, '')} `),
            name
        )
}

const decisions = (series, outcome, code) =>
    series.get(`crawltab_decisions_total{outcome="${outcome}",code="${code}"}`)

test('decisions, verifications and commits are counted, each once', async t => {
    const { ask, metrics, pay, gate } = await watched(t)
    const before = await metrics()
    assert.equal(decisions(before, 'offered', 'payment_required'), 0)
    assert.equal(decisions(before, 'refused', 'blocked'), 0)
    const page = '/articles/harbour-bell.html'
    const paid = await pay(page)
    assert.equal(paid.status, 200)
    assert.equal((await gate.request(page, { headers: paid.fields })).status, 200)
    assert.equal((await gate.request('/drafts/x', { headers: crawler })).status, 403)
    assert.equal((await gate.request('/about.html', { headers: crawler })).status, 200)
    assert.equal((await gate.request('/about.html', { host: 'nobody.example' })).status, 421)
    assert.equal((await gate.request('/.well-known/crawltab/health')).status, 200)
    const after = await metrics()
    assert.equal(decisions(after, 'offered', 'payment_required'), 1)
    assert.equal(decisions(after, 'paid', 'ok'), 1)
    assert.equal(decisions(after, 'repeated', 'ok'), 1)
    assert.equal(decisions(after, 'refused', 'blocked'), 1)
    assert.equal(decisions(after, 'refused', 'misdirected_request'), 1)
    assert.equal(decisions(after, 'free', 'ok'), 1)
    assert.equal(after.get('crawltab_verify_seconds_count'), 2)
    assert.equal(after.get('crawltab_verify_seconds_bucket{le="+Inf"}'), 2)
    assert.ok(after.get('crawltab_verify_seconds_sum') > 0)
    // The second was known already: nothing was committed for it.
    assert.equal(after.get('crawltab_ledger_commit_seconds_count'), 1)
    assert.equal(after.get('crawltab_ledger_commit_entries_sum'), 1)
    assert.equal(after.get('crawltab_ledger_queue_entries'), 0)
    assert.equal(after.get('crawltab_directory_fetches_total{result="new"}'), 1)
    assert.equal(after.get('crawltab_directory_cache_directories'), 1)
    assert.ok(after.get('crawltab_directory_cache_bytes') > 0)
    assert.equal(after.get('crawltab_ledger_connections'), 1)
    assert.ok(after.get('crawltab_credit_refreshes_total{result="good"}') > 0)
    assert.ok(after.get('process_resident_memory_bytes') > 1e6)
    assert.ok(Math.abs(after.get('process_start_time_seconds') - Date.now() / 1000) < 300)
    const answer = await ask('/metrics')
    assert.match(answer.headers['content-type'], /^text\/plain; version=0\.0\.4/)
    assert.match(answer.text, /^crawltab_build_info\{version="[0-9.]+",schema="[0-9]+"\} 1$/m)
    // Nothing that grows with who comes, or tells who pays.
    assert.doesNotMatch(answer.text, /GPTBot|localhost|harbour|https?:|shop\.example/)
    if (promtool) execFileSync('promtool', ['check', 'metrics'], { input: answer.text })
    assertAllThere(answer.text)
    // Whoever is connected and has not asked anything yet waits.
    const state = 'crawltab_http_connections{state="waiting"}'
    const sockets = [1, 2, 3].map(() => net.connect(gate.port, '127.0.0.1'))
    await until(async () => (await metrics()).get(state) >= 3, 'three connections wait')
    assert.ok((await metrics()).get('crawltab_http_connections_taken_total') >= 3)
    for (const socket of sockets) socket.destroy()
    // Other paths and methods.
    assert.equal((await ask('/')).status, 404)
    assert.equal((await ask('/metrics', { method: 'POST' })).status, 405)
    const head = await ask('/metrics', { method: 'HEAD' })
    assert.deepEqual([head.status, head.text], [200, ''])
})

test('a gate says why it is not ready, and is alive all the time', async t => {
    const { ask, metrics, ledger } = await watched(t)
    const ready = await ask('/readyz')
    assert.equal(ready.status, 200, ready.text)
    await until(async () => JSON.parse((await ask('/readyz')).text).sites.length === 1, 'the nights are read')
    assert.deepEqual(JSON.parse((await ask('/readyz')).text), {
        ready: true,
        reasons: [],
        sites: [{ site: 'example', newest_seal_age_seconds: null, last_night_age_seconds: null }]
    })
    ledger.stop()
    await until(async () => (await ask('/readyz')).status === 503, 'the database is missed')
    assert.match(JSON.parse((await ask('/readyz')).text).reasons[0], /^the database cannot be reached/)
    const away = await metrics()
    assert.equal(away.get('crawltab_ledger_up'), 0)
    assert.equal(away.get('crawltab_ledger_connections'), 0)
    assert.equal((await ask('/healthz')).status, 200)
    ledger.start()
    await until(async () => (await ask('/readyz')).status === 200, 'the database is found again')
    const back = await metrics()
    assert.equal(back.get('crawltab_ledger_up'), 1)
    assert.ok(back.get('crawltab_ledger_connections_lost_total') >= 1)
})

test('what was counted goes on through a reload', async t => {
    const { gate, metrics, configure, ask } = await watched(t)
    await gate.request('/articles/a', { headers: crawler })
    configure({ ttl: 200 })
    gate.process.kill('SIGHUP')
    await gate.logged(/event=reloaded /)
    await gate.request('/articles/a', { headers: crawler })
    assert.equal(decisions(await metrics(), 'offered', 'payment_required'), 2)
    const name = 'crawltab_ledger_connections'
    await until(async () => (await metrics()).get(name) === 1, 'the former one is gone')
    assert.equal((await ask('/readyz')).status, 200)
})

test('the last night is told for each site, and the last audit', async t => {
    // A ledger whose first day is three days ago.
    const { crawltab, gate, ledger } = await watched(t, {}, '--clock-offset', String(-3 * 86400))
    await gate.stop()
    await crawltab('nightly')
    ledger.query('CREATE TABLE stranger ()')
    await assert.rejects(crawltab('audit'), error => /audited: 3 findings$/m.test(error.stdout))
    await gate.start()
    const port = await monitorOf(gate)
    const text = async target => (await gate.request(target, { port, host: 'localhost' })).text
    const night = 'crawltab_last_night_timestamp_seconds{site="example"}'
    await until(async () => read(await text('/metrics')).has(night), 'the night is read')
    const series = read(await text('/metrics'))
    assert.ok(Math.abs(series.get(night) - Date.now() / 1000) < 300)
    assert.ok(series.has('crawltab_newest_seal_timestamp_seconds{site="example"}'))
    // And the last audit, of which the gate may see no more than this.
    assert.ok(Math.abs(series.get('crawltab_last_audit_timestamp_seconds') - Date.now() / 1000) < 300)
    assert.equal(series.get('crawltab_last_audit_findings'), 3)
    assert.throws(() => ledger.query('SELECT FROM operator_action', 'crawltab_gate'), /permission denied/)
    const { sites } = JSON.parse(await text('/readyz'))
    assert.ok(sites[0].last_night_age_seconds >= 0 && sites[0].last_night_age_seconds < 300)
})

test('a listener that others reach is warned of, and one that is none is an error', async t => {
    const { config } = await stage(t, { gate: false })
    const text = JSON.parse(fs.readFileSync(config, 'utf8'))
    const check = listen => {
        fs.writeFileSync(config, JSON.stringify({ ...text, monitor: { listen } }))
        const program = path.join(root, process.env.BUILD ?? 'build', 'crawltabd')
        try {
            return execFileSync('sh', ['-c', '"$0" --check-config -c "$1" 2>&1', program, config]).toString()
        } catch (error) {
            return error.stdout.toString()
        }
    }
    assert.match(check('0.0.0.0:9402'), /monitor\.listen: "0\.0\.0\.0:9402" can be reached from other/)
    assert.match(check('9402'), /monitor\.listen: "9402" is not address:port/)
    assert.doesNotMatch(check('127.0.0.1:0'), /monitor/)
})

test('the alerts fire at what they are for', { skip: !promtool }, () => {
    const alerts = path.join(root, 'tools/deploy/prometheus/alerts.yaml')
    execFileSync('promtool', ['check', 'rules', alerts])
    const cases = ['alerts', 'audit-alerts'].map(name => path.join(root, `tests/cases/${name}.test.yaml`))
    execFileSync('promtool', ['test', 'rules', ...cases])
})
