// Observe mode: everything is judged and counted, and no byte of any answer is another than a person's.
// Tests server/gate/observe.c
import assert from 'node:assert/strict'
import http from 'node:http'
import net from 'node:net'
import { test } from 'node:test'
import { until } from '../support.js'
import { makeKey, scene, withWebBotAuth } from '../signers.js'

const page = '/articles/harbour-bell.html'

// The answer as it comes over the wire, but for its date.
function raw(gate, target, headers = {}, method = 'GET') {
    const fields = { Host: 'shop.example', Connection: 'close', ...headers }
    const lines = Object.entries(fields).map(([name, value]) => `${name}: ${value}\r\n`)
    return new Promise((resolve, reject) => {
        const socket = net.connect(gate.port, '127.0.0.1')
        const chunks = []
        socket.on('data', chunk => chunks.push(chunk))
        socket.on('error', reject)
        socket.on('end', () => {
            const text = Buffer.concat(chunks).toString('latin1')
            resolve(text.replace(/^Date: .*\r\n/m, '').replace(/max-age=\d+/, 'max-age=N'))
        })
        socket.write(`${method} ${target} HTTP/1.1\r\n${lines.join('')}\r\n`)
    })
}

// What a crawler may send, from a name to a commitment that holds: its id was given before.
async function crawlers({ key, agent }, target, id) {
    const url = `https://shop.example${target}`
    const stranger = await makeKey()
    const signed = await withWebBotAuth(key, agent.origin, url, id)
    return {
        person: { 'User-Agent': 'Firefox' },
        named: { 'User-Agent': 'GPTBot/1.2' },
        unsigned: { 'User-Agent': 'GPTBot/1.2', Payment: signed.Payment },
        garbage: { 'User-Agent': 'GPTBot/1.2', Payment: '((', 'Signature-Input': 'x', Signature: 'y' },
        forged: await withWebBotAuth(stranger, agent.origin, url, id),
        expired: await withWebBotAuth(key, agent.origin, url, id.replace(/^..../, 'AAAA')),
        paying: signed,
        again: signed
    }
}

const requests = ledger => Number(ledger.query('SELECT coalesce(sum(requests), 0) FROM traffic_counts'))
const outcomes = ledger =>
    ledger
        .query(
            'SELECT outcome, reason, sum(requests), sum(amount_micros) FROM traffic_counts' +
                ' GROUP BY 1, 2 ORDER BY 1, 2'
        )
        .split('\n')

async function ids(gate, targets) {
    const found = {}
    for (const target of targets) found[target] = await gate.offer(target)
    return found
}

async function observe(set, changed = {}) {
    set.configure({ ...changed, site: { ...changed.site, mode: 'observe' } })
    set.gate.process.kill('SIGHUP')
    await set.gate.logged(/event=reloaded/)
    await set.gate.logged(/event=observing site=example/)
}

test('files: everybody gets what a person gets, and nothing is charged', async t => {
    const set = await scene(t)
    const { gate, ledger, agent } = set
    const targets = [page, '/index.html', '/missing.html', '/a%2e']
    const offered = await ids(gate, targets)
    await observe(set)
    let sent = targets.length
    for (const target of [...targets, '/drafts/x', '/about.html']) {
        const all = await crawlers(set, target, offered[target] ?? offered[page])
        for (const method of ['GET', 'HEAD', 'POST'])
            for (const more of [{}, { Range: 'bytes=0-3' }, { 'If-None-Match': '*' }]) {
                const answer = await raw(gate, target, { ...all.person, ...more }, method)
                for (const [who, headers] of Object.entries(all)) {
                    const got = await raw(gate, target, { ...headers, ...more }, method)
                    assert.equal(got, answer, `${who} ${method} ${target}`)
                    assert.doesNotMatch(got, /^(payment|crawler-(price|charged)|accept-signature)/im)
                }
                sent += 9
            }
    }
    assert.equal(ledger.count('charge') + ledger.count('spend') + ledger.count('crawler'), 0)
    await until(() => requests(ledger) === sent, `${sent} requests, ${requests(ledger)} counted`)
    const found = outcomes(ledger)
    const reasons = ['blocked', 'key_unknown', 'malformed_payment', 'offered', 'paid', 'signature_required']
    for (const reason of reasons)
        assert.ok(found.some(row => row.startsWith(`observed|${reason}|`)), found.join('\n'))
    // Who proved it is known by its account, whether it would have paid or not.
    const own = `SELECT sum(requests) > 10 FROM traffic_counts WHERE verified AND crawler = '${agent.origin}'`
    assert.equal(ledger.query(own), 't')
    const { stdout } = await set.crawltab('traffic')
    assert.match(stdout, /In observe mode, .* would have been earned: \d+\.\d+ USD/)
})

test('what it would have earned is the price of the pages that crawlers got', async t => {
    const set = await scene(t, { site: { mode: 'observe' } })
    const { gate, ledger } = set
    const named = { 'user-agent': 'GPTBot/1.2' }
    for (let i = 0; i < 3; i++) assert.equal((await gate.request(page, { headers: named })).status, 200)
    assert.equal((await gate.request('/index.html', { headers: named })).status, 200)
    await gate.request(page, { headers: named, method: 'HEAD' })
    await gate.request('/missing.html', { headers: named })
    await gate.request('/drafts/x', { headers: named })
    await gate.request(page, { headers: { 'user-agent': 'Firefox' } })
    await until(() => requests(ledger) === 8, '8 requests')
    assert.deepEqual(outcomes(ledger), [
        'free||1|0',
        'observed|blocked|1|0',
        'observed|offered|6|152500'
    ])
    const [json] = JSON.parse((await set.crawltab('traffic', '--json')).stdout)
    assert.equal(json.traffic.find(part => part.crawler === 'GPTBot').would_have_earned_micros, 152500)
    assert.equal(json.traffic[0].earned_micros, 0)
})

test('a site of its own: it is asked the same for a crawler as for a person', async t => {
    const seen = []
    const site = http.createServer((request, response) => {
        const raw = request.rawHeaders.filter(value => !/GPTBot|Firefox|user-agent/i.test(value))
        seen.push(JSON.stringify([request.url, raw]))
        response.setHeader('Cache-Control', 'public, max-age=60')
        response.setHeader('X-Crawltab-Amount', '0.001')
        if (request.url === '/gone') response.writeHead(404)
        response.end(`a page for ${request.headers['x-crawltab-agent']}\n`)
    })
    await new Promise(resolve => site.listen(0, '127.0.0.1', resolve))
    t.after(() => site.close())
    const own = { root: '', origin: `http://127.0.0.1:${site.address().port}` }
    const set = await scene(t, { site: own })
    const { gate, ledger } = set
    const offered = await ids(gate, ['/page', '/gone'])
    await observe(set, { site: own })
    for (const target of ['/page', '/gone']) {
        const all = await crawlers(set, target, offered[target])
        const answer = await raw(gate, target, all.person)
        assert.match(answer, /^Cache-Control: public, max-age=N\r\n/m)
        const asked = seen.at(-1)
        for (const [who, headers] of Object.entries(all)) {
            assert.equal(await raw(gate, target, headers), answer, who)
            assert.equal(seen.at(-1), asked, who)
        }
    }
    await new Promise(resolve => {
        site.close(resolve)
        site.closeAllConnections()
    })
    const all = await crawlers(set, '/page', offered['/page'])
    const down = await raw(gate, '/page', all.person)
    assert.match(down, /^HTTP\/1.1 502 /)
    assert.equal(await raw(gate, '/page', all.paying), down)
    assert.equal(ledger.count('charge'), 0)
})

test('a rule may observe while the others charge, and the other way round', async t => {
    const rules = [
        { name: 'articles', paths: ['/articles/**'], action: 'charge', price: '0.05', mode: 'observe' },
        { name: 'rest', action: 'charge', price: '0.0025' }
    ]
    const set = await scene(t, { rules })
    const headers = { 'user-agent': 'GPTBot/1.2' }
    assert.equal((await set.gate.request(page, { headers })).status, 200)
    assert.equal((await set.gate.request('/index.html', { headers })).status, 402)
    set.configure({ rules: [rules[0], { ...rules[1], mode: 'charge' }], site: { mode: 'observe' } })
    set.gate.process.kill('SIGHUP')
    await set.gate.logged(/event=reloaded/)
    assert.equal((await set.gate.request(page, { headers })).status, 200)
    assert.equal((await set.gate.request('/index.html', { headers })).status, 402)
    set.configure({ rules, site: { mode: 'watch' } })
    set.gate.process.kill('SIGHUP')
    await set.gate.logged(/mode: \\?"watch\\?" is unknown, use charge or observe/)
})
