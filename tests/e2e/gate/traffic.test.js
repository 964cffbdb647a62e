// What crawlers ask for is counted where its outcome is known, and `crawltab traffic` tells it.
// Tests server/gate/count.c
import assert from 'node:assert/strict'
import fs from 'node:fs'
import http from 'node:http'
import path from 'node:path'
import { test } from 'node:test'
import { root, until } from '../support.js'
import { makeKey, scene, withWebBotAuth } from '../signers.js'

const page = '/articles/harbour-bell.html'
const file = path.join(root, 'tools/demo/site', page)
const named = { 'user-agent': 'Mozilla/5.0 (compatible; gptbot/1.2)' }

// By a client whose name is on no list.
async function pay({ gate, key, agent }, target, signer = key) {
    const id = await gate.offer(target, {
        headers: { 'user-agent': 'client', 'signature-agent': `"${agent.origin}"` }
    })
    const signed = await withWebBotAuth(signer, agent.origin, `https://shop.example${target}`, id)
    return { id, signed, answer: await gate.request(target, { headers: signed }) }
}

const written = (ledger, count) =>
    until(
        () => Number(ledger.query('SELECT coalesce(sum(requests), 0) FROM traffic_counts')) === count,
        `${count} requests in the table`
    )

const rows = ledger =>
    ledger
        .query(
            'SELECT crawler, verified, rule, outcome, reason, sum(requests), sum(bytes),' +
                ' sum(amount_micros), distinct_pages(bit_or(pages)) FROM traffic_counts' +
                ' GROUP BY 1, 2, 3, 4, 5' +
                ' ORDER BY crawler COLLATE "C", outcome, reason, rule'
        )
        .split('\n')

// The crawlers of the test below, by other rules.
async function triedRules({ config, folder, agent, ledger, crawltab }) {
    const written = JSON.parse(fs.readFileSync(config, 'utf8'))
    const attempt = path.join(folder, 'tried.yaml')
    const trial = async (rules, ...words) => {
        written.sites[0].rules = rules
        fs.writeFileSync(attempt, JSON.stringify(written))
        return (await crawltab('traffic', 'try', attempt, ...words)).stdout
    }
    const charge = (name, price, more) => ({ name, action: 'charge', price, ...more })
    const bell = charge('bell', '0.20', { paths: ['/articles/harbour-*'] })
    const bot = charge('bot', '3', { user_agents: ['GPTBot'], paths: ['/'] })
    const rest = charge('rest', '0.01')
    ledger.query(`INSERT INTO traffic_path SELECT site_id, current_date - 1, '', 'GPTBot', false, 'articles',
        'offered', 5, 0, 250000 FROM site`)
    const out = await trial([bot, bell, rest])
    for (const line of out.split('\n')) assert.ok(line.length <= 80, line)
    assert.match(out, /the last thirty days would have earned 0\.20 USD\ninstead of 0\.05 USD, if the same/)
    assert.match(out, /^bot +0 +1 +0\.00 +0\.00 +0\.00 +3\.00$/m)
    assert.match(out, /^bell +0 +5 +0\.00 +0\.20 +0\.00 +0\.60$/m)
    assert.match(out, /^rest +1 +0 +0\.00 +0\.00 +0\.0025 +0\.00$/m)
    assert.match(out, /^articles +10 +5 +0\.05 +0\.00 +0\.40 +0\.25$/m)
    assert.match(out, /^Total +11 +11 +0\.05 +0\.20 +0\.4025 +3\.85$/m)
    assert.match(out, /^\/\n {4}rest 0\.0025 -> bot 3\.00\n {4}1 request, 0\.0025 -> 3\.00\n\/articles/m)
    assert.match(out, /^46 % of requests are not known by path/m)
    assert.doesNotMatch(out, /In fact/)
    const csv = await trial([bot, bell, rest], '--csv')
    assert.match(csv, /^"example","\/","rest",0\.0025,"bot",3\.00,1,1,0\.00,0\.00,0\.0025,3\.00,USD\r$/m)
    // Who is refused, or blocked, pays nothing; an agreement's price holds whatever the rule's is.
    written.sites[0].agents = { deny: [agent.origin] }
    const refused = JSON.parse(await trial([rest], '--json'))[0]
    assert.equal(refused.tried.paid_micros, 0)
    assert.equal(refused.paths.find(({ tried }) => tried.action === 'refuse').tried.requests, 3)
    delete written.sites[0].agents
    const terms = path.join(folder, 'terms.json')
    fs.writeFileSync(terms, JSON.stringify({ prices: [{ rule: 'bell', price: '0.07' }] }))
    await crawltab('agreement', 'set', agent.origin, '--reason', 'test', '--file', terms)
    assert.equal(JSON.parse(await trial([bell, rest], '--json'))[0].tried.paid_micros, 70_000)
    const blocked = { name: 'none', action: 'block' }
    assert.equal(JSON.parse(await trial([blocked], '--json'))[0].tried.all_paid_micros, 250_000)
    written.sites[0].name = 'another'
    await assert.rejects(trial([rest]), /the configuration to try has no such site/)
}

test('each outcome is counted, by crawler and rule', async t => {
    const set = await scene(t)
    const { gate, ledger, agent, crawltab } = set
    const size = fs.statSync(file).size
    const targets = [page, page, '/index.html?who=me']
    const offers = await Promise.all(targets.map(at => gate.request(at, { headers: named })))
    await gate.request('/about.html', { headers: named })
    await gate.request('/drafts/x', { headers: named })
    await gate.request('/about.html', { headers: { 'user-agent': 'Firefox' } })
    const { signed, answer } = await pay(set, page)
    assert.equal(answer.status, 200, answer.text)
    assert.equal((await gate.request(page, { headers: signed })).status, 200) // the same commitment
    assert.equal((await gate.request(page, { headers: { ...signed, range: 'bytes=0-9' } })).status, 206)
    const stranger = await makeKey()
    assert.equal((await pay(set, page, stranger)).answer.status, 403)
    await written(ledger, 12)
    const about = fs.statSync(path.join(root, 'tools/demo/site/about.html')).size
    const bytes = at => offers[at].body.length
    const found = rows(ledger)
    assert.deepEqual(
        found
            .filter(row => !/^others.*offered/.test(row))
            .map(row => row.replace(/(refused.*)\|(\d+)\|\d+\|0\|1$/, '$1|$2|*|0|1')),
        [
            `GPTBot|f|about|free||1|${about}|0|1`,
            `GPTBot|f|articles|offered||2|${bytes(0) + bytes(1)}|100000|1`,
            `GPTBot|f|rest|offered||1|${bytes(2)}|2500|1`,
            'GPTBot|f|drafts|refused|blocked|1|*|0|1',
            `${agent.origin}|t|articles|paid||1|${size}|50000|1`,
            `${agent.origin}|t|articles|repeated||2|${size + 10}|0|1`,
            `others|f||free||1|${about}|0|1`,
            'others|f|articles|refused|key_unknown|1|*|0|1'
        ],
        found.join('\n')
    )
    // By path neither people and strangers, nor what is free, nor a reason; and no query.
    assert.deepEqual(
        ledger
            .query('SELECT path, crawler, outcome, requests, amount_micros FROM traffic_path')
            .split('\n')
            .sort(),
        [
            `${page}|GPTBot|offered|2|100000`,
            `${page}|${agent.origin}|paid|1|50000`,
            `${page}|${agent.origin}|repeated|2|0`,
            '/|GPTBot|offered|1|2500'
        ].sort()
    )
    const { stdout } = await crawltab('traffic')
    assert.match(stdout, /^GPTBot +5 +3 +0 +1 +1 +4 /m)
    assert.match(stdout, /^ {4}refused blocked 1$/m)
    assert.match(stdout, new RegExp(`^${agent.origin}\\n.* 3 .* 0.05$\\n {4}repeated 2$`, 'm'))
    for (const line of stdout.split('\n')) assert.ok(line.length <= 80, line)
    const json = JSON.parse((await crawltab('traffic', '--json', '--by', 'rule')).stdout)[0]
    const articles = json.traffic.find(part => part.rule === 'articles')
    assert.equal(articles.earned_micros, 50000)
    assert.equal(articles.outcomes.reduce((sum, part) => sum + part.requests, 0), articles.requests)
    await t.test('and other rules can be tried on it', async () => triedRules(set))
    const hours = JSON.parse((await crawltab('traffic', '--json', '--by', 'hour')).stdout)[0]
    assert.equal(hours.traffic.reduce((sum, hour) => sum + hour.requests, 0), 12)
    assert.match(hours.traffic[0].hour, /^\d{4}-\d\d-\d\dT\d\d:00\+00:00$/)
})

test('whoever makes up names makes one row, whatever he makes up', async t => {
    const { gate, ledger } = await scene(t)
    const key = await makeKey()
    for (let i = 0; i < 40; i++) {
        await gate.request(page, { headers: { 'user-agent': `Scanner${i}/${i}.0` } })
        await gate.request(page, { headers: { 'signature-agent': `"https://agent-${i}.example"` } })
        const id = await gate.offer(page)
        const signed = await withWebBotAuth(key, `https://a${i}.example`, `https://shop.example${page}`, id)
        await gate.request(page, { headers: { ...signed, 'signature-agent': `"https://b${i}.example"` } })
    }
    await written(ledger, 160)
    const names = 'SELECT string_agg(DISTINCT crawler, $$ $$ ORDER BY crawler) FROM traffic_counts'
    assert.equal(ledger.query(names), 'GPTBot others')
    const kinds = 'SELECT count(DISTINCT (rule, outcome, reason)) FROM traffic_counts'
    assert.ok(Number(ledger.query(kinds)) <= 6)
})

test('what a site streams is counted to the last byte, and what it does not give as free', async t => {
    const site = http.createServer((request, response) => {
        if (request.url === '/gone') response.writeHead(404)
        if (request.url !== '/long') return response.end('short')
        let left = 40
        const more = () => (left-- > 0 ? response.write('x'.repeat(50_000), more) : response.end())
        more()
    })
    await new Promise(resolve => site.listen(0, '127.0.0.1', resolve))
    t.after(() => site.close())
    const set = await scene(t, { site: { root: '', origin: `http://127.0.0.1:${site.address().port}` } })
    const { ledger, agent } = set
    assert.equal((await pay(set, '/long')).answer.body.length, 2_000_000)
    assert.equal((await pay(set, '/gone')).answer.status, 404)
    await written(ledger, 4)
    await until(
        () => rows(ledger).includes(`${agent.origin}|t|rest|paid||1|2000000|2500|1`),
        rows(ledger).join('\n')
    )
    assert.ok(rows(ledger).includes(`${agent.origin}|t|rest|free|404|1|5|0|1`), rows(ledger).join('\n'))
})

test('a killed gate loses the counts of an interval at most, and one that stops loses none', async t => {
    const set = await scene(t)
    const { gate, ledger, startGate } = set
    for (let i = 0; i < 7; i++) await gate.request(page, { headers: named })
    await gate.stop()
    await written(ledger, 7)
    const second = await startGate()
    await until(() => /event=ledger_ready/.test(second.log), 'the ledger')
    for (let i = 0; i < 5; i++) await second.request(page, { headers: named })
    await written(ledger, 12)
    for (let i = 0; i < 3; i++) await second.request(page, { headers: named })
    await second.stop('SIGKILL')
    const third = await startGate()
    await third.request(page, { headers: named })
    await third.stop()
    const found = Number(ledger.query('SELECT sum(requests) FROM traffic_counts'))
    assert.ok(found >= 13 && found <= 16, `${found} requests`)
    assert.equal(ledger.query('SELECT count(DISTINCT batch) > 2 FROM traffic'), 't')
})

test('counting goes on through a reload, and while the database is away', async t => {
    const set = await scene(t)
    const { gate, ledger, configure } = set
    await gate.request(page, { headers: named })
    await written(ledger, 1)
    configure({ ttl: 299 })
    gate.process.kill('SIGHUP')
    await gate.logged(/event=reloaded/)
    await gate.request(page, { headers: named })
    await written(ledger, 2)
    ledger.stop()
    for (let i = 0; i < 10; i++) assert.equal((await gate.request(page, { headers: named })).status, 402)
    await new Promise(resolve => setTimeout(resolve, 1500))
    ledger.start()
    await written(ledger, 12)
})
