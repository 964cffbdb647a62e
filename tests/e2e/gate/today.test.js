// `crawltab today`: the day so far beside those before, as a table, for programs, and as a page to be mailed.
// Tests ledger/format/markup.c
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import fs from 'node:fs'
import path from 'node:path'
import { test } from 'node:test'
import { build, until } from '../support.js'
import { scene, withWebBotAuth } from '../signers.js'

const page = '/articles/harbour-bell.html'
const named = { 'user-agent': 'GPTBot/1.2' }

// A zone in which it is about noon: no day ends while a test runs.
const zone = () => {
    const ahead = 12 - new Date().getUTCHours()
    return `Etc/GMT${ahead < 0 ? '+' : '-'}${Math.abs(ahead)}`
}

const written = (ledger, count) =>
    until(
        () => Number(ledger.query('SELECT coalesce(sum(requests), 0) FROM traffic_counts')) === count,
        `${count} requests in the table`
    )

// As a gate would have written them so many days ago, at this time of the day.
const add = (ledger, days, crawler, outcome, requests, micros = 0, site = 'example') =>
    ledger.query(`INSERT INTO traffic (batch, site_id, period, crawler, verified, rule, outcome, reason,
                                       requests, bytes, amount_micros, pages)
        SELECT gen_random_uuid(), site_id, now() - interval '${days} days', $$${crawler}$$, false, 'rest',
               '${outcome}', '', ${requests}, 1000, ${micros}, set_bit(repeat('0', 3072)::bit(3072), 0, 1)
          FROM site WHERE name = '${site}'`)

const words = async promise => (await promise).stdout

test('the day so far, against yesterday and a week ago', async t => {
    const set = await scene(t, { site: { time_zone: zone() } })
    const { gate, ledger, agent, key, crawltab, folder } = set
    for (let i = 0; i < 3; i++) await gate.request(page, { headers: named })
    const unknown = { 'user-agent': 'x', 'signature-agent': `"${agent.origin}"` }
    const id = await gate.offer(page, { headers: unknown })
    const signed = await withWebBotAuth(key, agent.origin, `https://shop.example${page}`, id)
    assert.equal((await gate.request(page, { headers: signed })).status, 200)
    await written(ledger, 5)
    add(ledger, 1, 'GPTBot', 'offered', 2)
    add(ledger, 1, 'Bot<i>&"', 'paid', 7, 70_000)
    add(ledger, 7, 'GPTBot', 'offered', 5)
    add(ledger, 8, 'GPTBot', 'offered', 1000) // another day
    add(ledger, 2, 'GPTBot', 'offered', 1000)
    ledger.query(`INSERT INTO site (name, currency, currency_decimals, time_zone, network, seller,
                                    registered_at)
        SELECT 'other', 'JPY', 0, '${zone()}', 'other:402', 'x', now()`)
    add(ledger, 0, 'GPTBot', 'paid', 4, 4_000_000_000, 'other')

    await t.test('as a table of 80 columns', async () => {
        const out = await words(crawltab('today', '--site', 'example'))
        for (const line of out.split('\n')) assert.ok(line.length <= 80, line)
        assert.match(out, /^TODAY at example\n[-0-9]{10} until 1[123]:\d\d \(Etc\/GMT/)
        assert.match(out, /^GPTBot +3 +3 +0 +0 +1 +\S+ +0\.00 +\+50% +-40%$/m)
        assert.match(out, /^Bot<i>&" +0 +0 +0 +0 +0 +0 +0\.00 -100% +$/m)
        assert.match(out, new RegExp(`^${agent.origin}\n +1 +0 +1 +0 +1 +\\S+ +0\\.05 +new +new$`, 'm'))
        assert.match(out, /^Total +5 +4 +1 +0 +1 +\S+ +0\.05 +-44% +\+0%$/m)
        assert.match(out, /^until 1[34]:00: 9 and 5, which earned 0\.07 and 0\.00\.$/m)
        assert.doesNotMatch(out, /JPY/)
    })
    await t.test('of each site in its currency, and of none together', async () => {
        const all = JSON.parse(await words(crawltab('today', '--json')))
        assert.deepEqual(
            all.map(({ site, currency, earned_micros }) => [site, currency, earned_micros]),
            [
                ['example', 'USD', 50_000],
                ['other', 'JPY', 4_000_000_000]
            ]
        )
        const yesterday = { requests: 9, earned_micros: 70_000, would_have_earned_micros: 0 }
        assert.deepEqual(all[0].yesterday, yesterday)
        assert.equal(all[0].traffic.find(part => part.crawler === 'GPTBot').week_ago.requests, 5)
    })
    await t.test('as CSV, a row for each crawler', async () => {
        const out = await words(crawltab('today', '--csv', '--site', 'example'))
        const [head, ...rows] = out.trim().split('\r\n')
        const gptbot = rows.find(row => row.includes(',"GPTBot",')).split(',')
        const of = name => gptbot[head.split(',').indexOf(name)]
        const earlier = ['requests_yesterday', 'requests_week_ago'].map(of)
        assert.deepEqual([...['requests', 'offered', 'earned', 'currency'].map(of), ...earlier], [
            ...['3', '3', '0.00', 'USD', '2', '5']
        ])
    })
    await t.test('as a page that needs nothing else', async () => {
        const file = path.join(folder, 'today.html')
        await crawltab('today', '--html', file)
        const html = fs.readFileSync(file, 'utf8')
        assert.equal(fs.statSync(file).mode & 0o777, 0o600)
        assert.doesNotMatch(html, /<script|<link|<img|<iframe|\bsrc=|\bhref=|url\(|@import/)
        assert.ok(html.includes('Bot&lt;i&gt;&amp;&quot;') && !html.includes('Bot<i>'))
        assert.equal(html.match(/<section>/g).length, 2)
        assert.match(html, /1 page was sold to 1 crawler for 0\.05 USD; /)
        assert.match(html, /4 pages were sold to 1 crawler for 4,000\.00 JPY/)
        assert.ok(html.match(/<rect class="offered"/g).length >= 2, 'a column, and a bar')
        assert.equal(html.match(/<svg/g).length, html.match(/<\/svg>/g).length)
        const parted = await crawltab('today', '--html', file, '--by', 'rule').catch(error => error)
        assert.match(parted.stderr, /--by is for the table, --json and --csv/)
        const month = path.join(folder, 'month.html')
        await crawltab('traffic', '--html', month)
        assert.match(fs.readFileSync(month, 'utf8'), /Requests by day/)
    })
    await t.test('by path, of whom the gate knows', async () => {
        const out = await words(crawltab('today', '--by', 'path', '--site', 'example'))
        for (const line of out.split('\n')) assert.ok(line.length <= 80, line)
        assert.match(out, /^By path +requests offered/m)
        assert.match(out, new RegExp(`^${page}\n +4 +3 +1 +0 +0 +1 +\\S+ +0\\.05$`, 'm'))
        assert.match(out, /^Total +4 /m)
    })
    await t.test('again and again, on a terminal alone', async () => {
        const refused = await crawltab('today', '--watch').catch(error => error)
        assert.equal(refused.code, 64)
        assert.match(refused.stderr, /--watch is for a terminal/)
        const command = [path.join(build, 'crawltab'), '--config', set.config, 'today', '--watch'].join(' ')
        const child = spawn('script', ['-qefc', command, '/dev/null'], { stdio: ['pipe', 'pipe', 'inherit'] })
        const ended = new Promise(resolve => child.on('exit', resolve))
        let out = ''
        child.stdout.on('data', data => (out += data))
        const screens = () => out.split('\x1b[2J').length - 1
        await until(() => screens() >= 1 && /Ctrl-C ends it/.test(out), 'a screen')
        await gate.request(page, { headers: named })
        await until(() => /GPTBot +4 +4 /.test(out), 'the next request')
        assert.ok(screens() >= 2)
        child.stdin.write('\x03')
        await ended
    })
})

test('where nothing is charged, what would have been', async t => {
    const site = { mode: 'observe', time_zone: zone() }
    const { gate, ledger, crawltab, folder } = await scene(t, { site })
    for (let i = 0; i < 2; i++) await gate.request(page, { headers: named })
    await written(ledger, 2)
    add(ledger, 1, 'GPTBot', 'observed', 1, 50_000)
    const out = await words(crawltab('today'))
    for (const line of out.split('\n')) assert.ok(line.length <= 80, line)
    const [above, head] = out.split('\n').slice(3, 5)
    assert.equal(above.length, head.indexOf('earned') + 'earned'.length)
    assert.match(above, /^ +would have$/)
    assert.match(out, /^GPTBot +2 +2 +0 +0 +1 +\S+ +0\.10 +\+100% +new$/m)
    assert.match(out, /: 1 and 0, which would have earned 0\.05 and 0\.00\.$/m)
    const file = path.join(folder, 'today.html')
    await crawltab('today', '--html', file)
    assert.match(fs.readFileSync(file, 'utf8'), /If every request had paid, it would have earned 0\.10 USD/)
})
