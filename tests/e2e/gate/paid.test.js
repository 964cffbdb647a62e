// The paid crawl, from the offer to the invoice, with clients that we did not write.
// Tests server/gate/crawl.c, server/gate/crawl_reply.c
import assert from 'node:assert/strict'
import { createPrivateKey, sign } from 'node:crypto'
import fs from 'node:fs'
import path from 'node:path'
import { test } from 'node:test'
import { decodePaymentRequiredHeader } from '@x402/core/http'
import { certificates, directory, payment, stage, temporaryFolder } from '../support.js'
import { makeKey, makeRsaKey, scene, withHttpMessageSig, withWebBotAuth } from '../signers.js'

const page = '/articles/harbour-bell.html'
const url = `https://shop.example${page}`

function assertPaid(response, id) {
    assert.equal(response.status, 200, response.text)
    const receipt = /^scheme="deferred", network="example:402", id="([\w-]{64})", timestamp=(\d+)$/.exec(
        response.headers['payment-response']
    )
    assert.ok(receipt, response.headers['payment-response'])
    assert.equal(receipt[1], id)
    assert.match(response.text, /<html/)
    return Number(receipt[2])
}

for (const [name, sign] of [
    ['web-bot-auth', withWebBotAuth],
    ['http-message-sig', withHttpMessageSig]
]) {
    test(`a crawler signing with npm ${name} pays and gets the page`, async t => {
        const { gate, ledger, key, agent } = await scene(t)
        const id = await gate.offer(page)
        const before = Math.floor(Date.now() / 1000)
        const response = await gate.request(page, { headers: await sign(key, agent.origin, url, id) })
        const timestamp = assertPaid(response, id)
        assert.ok(timestamp >= before && timestamp <= Date.now() / 1000)
        assert.equal(response.headers['crawler-charged'], 'USD 0.05')
        assert.equal(ledger.count('charge'), 1)
        assert.equal(agent.path, '/.well-known/http-message-signatures-directory')
        const row = ledger
            .query(
                `SELECT payment_id, amount_micros, resource, rule, encode(thumbprint, 'base64')
            FROM charge`
            )
            .split('|')
        assert.equal(row[0].replaceAll('-', ''), Buffer.from(id, 'base64url').subarray(0, 16).toString('hex'))
        assert.deepEqual(row.slice(1, 4), ['50000', url, 'articles'])
        assert.equal(row[4].replaceAll('+', '-').replaceAll('/', '_').replace('=', ''), key.keyid)
    })
}

// The last byte of an id's UUID, less the second of its offer: one number for all that a gate offers.
const firstLane = id => {
    const uuid = Buffer.from(id, 'base64url').subarray(0, 16)
    return (uuid[15] - Math.floor(uuid.readUIntBE(0, 6) / 1000)) & 0xff
}

test('the same commitment again gets the same receipt and is charged once', async t => {
    const { gate, ledger, key, agent, startGate } = await scene(t)
    const id = await gate.offer(page)
    const others = [await gate.offer(page), await gate.offer('/articles/tide-tables.html')]
    assert.deepEqual(others.map(firstLane), [firstLane(id), firstLane(id)])
    assert.notEqual(others[0], id)
    const headers = await withWebBotAuth(key, agent.origin, url, id)
    const first = assertPaid(await gate.request(page, { headers }), id)
    await new Promise(resolve => setTimeout(resolve, 1100))
    assert.equal(assertPaid(await gate.request(page, { headers }), id), first)
    const again = await withHttpMessageSig(key, agent.origin, url, id)
    assert.equal(assertPaid(await gate.request(page, { headers: again }), id), first)
    await gate.stop()
    const restarted = await startGate()
    assert.equal(assertPaid(await retry(() => restarted.request(page, { headers })), id), first)
    assert.equal(ledger.count('charge'), 1)
})

// 503 means "try again": so a crawler does.
async function retry(request) {
    for (let i = 0; i < 100; i++) {
        const response = await request()
        if (response.status !== 503) return response
        assert.ok(Number(response.headers['retry-after']) > 0)
        await new Promise(resolve => setTimeout(resolve, 100))
    }
    assert.fail('503 for ever')
}

test('many at once are each charged once', async t => {
    const { gate, ledger, key, agent } = await scene(t)
    const ids = await Promise.all(Array.from({ length: 40 }, () => gate.offer(page)))
    assert.equal(new Set(ids).size, 40)
    const requests = await Promise.all(ids.map(id => withWebBotAuth(key, agent.origin, url, id)))
    const answers = await Promise.all(
        [...requests, ...requests].map(headers => gate.request(page, { headers }))
    )
    answers.forEach((answer, i) => assertPaid(answer, ids[i % 40]))
    assert.equal(ledger.count('charge'), 40)
    assert.equal(agent.requests, 1, 'one fetch serves all who wait')
})

test('a new key is fetched once for all who come with it', async t => {
    const { gate, ledger, key, agent } = await scene(t)
    const first = await gate.offer(page)
    assertPaid(
        await gate.request(page, { headers: await withWebBotAuth(key, agent.origin, url, first) }),
        first
    )
    const next = await makeKey()
    agent.answer = (request, response) =>
        setTimeout(() => response.end(JSON.stringify({ keys: [key.public, next.public] })), 300)
    const ids = await Promise.all(Array.from({ length: 30 }, () => gate.offer(page)))
    const requests = await Promise.all(ids.map(id => withWebBotAuth(next, agent.origin, url, id)))
    const answers = await Promise.all(requests.map(headers => gate.request(page, { headers })))
    answers.forEach((answer, i) => assertPaid(answer, ids[i]))
    assert.equal(ledger.count('charge'), 31)
    assert.equal(agent.requests, 2)
})

test('an id is charged to one signer for one page', async t => {
    const { gate, ledger, key, agent, tls } = await scene(t)
    // The other crawler has a directory on the same host, at a path of its own.
    const other = await makeKey()
    agent.answer = (request, response) =>
        response.end(
            JSON.stringify({
                keys: [request.url === '/other' ? other.public : key.public]
            })
        )
    assert.ok(tls)
    const id = await gate.offer(page)
    assertPaid(await gate.request(page, { headers: await withWebBotAuth(key, agent.origin, url, id) }), id)
    const second = await gate.request(page, {
        headers: await withWebBotAuth(other, `${agent.origin}/other`, url, id)
    })
    assert.equal(second.status, 409)
    assert.equal(second.headers['crawler-error'], 'payment_conflict')
    assert.equal(ledger.count('charge'), 1)
    assert.equal(ledger.count('conflict'), 1)
})

test('every form of the commitment that WIRE.md lists is taken', async t => {
    const { gate, ledger, key, agent } = await scene(t)
    const forms = [
        id =>
            withWebBotAuth(key, agent.origin, url, id, {
                components: ['@target-uri', 'payment', 'signature-agent']
            }),
        id =>
            withWebBotAuth(key, agent.origin, url, id, {
                components: ['@method', '@authority', '@path', 'payment', 'signature-agent']
            }),
        id =>
            withHttpMessageSig(key, `${agent.origin}/.well-known/http-message-signatures-directory`, url, id)
    ]
    for (const form of forms) {
        const id = await gate.offer(page)
        assertPaid(await gate.request(page, { headers: await form(id) }), id)
    }
    assert.equal(ledger.query('SELECT count(*), count(DISTINCT crawler_id) FROM charge'), '3|1')
})

test('an RSA key pays where the publisher takes its algorithm', async t => {
    const tls = certificates(temporaryFolder(t))
    const key = await makeRsaKey()
    const agent = await directory(t, tls, [key.public])
    const options = { insecureHosts: [agent.host], caFile: tls.caFile }
    const { gate, ledger, configure, startGate } = await stage(t, options)
    const pay = async gate => {
        const id = await gate.offer(page)
        return gate.request(page, { headers: await withWebBotAuth(key, agent.origin, url, id) })
    }
    const refused = await pay(gate)
    assert.equal(refused.headers['crawler-error'], 'signature_invalid')
    await gate.logged(/ check=alg /)
    await gate.stop()
    configure({ algorithms: ['ed25519', 'rsa-pss-sha512'] })
    const taking = await startGate()
    assert.equal((await retry(() => pay(taking))).status, 200)
    assert.equal(ledger.count('charge'), 1)
})

test('@x402/core reads the offer', async t => {
    const { gate } = await scene(t)
    const response = await gate.request(`${page}?a="b"&c=1`.replaceAll('"', '%22'), {
        headers: { 'user-agent': 'ClaudeBot' }
    })
    const offer = decodePaymentRequiredHeader(response.headers['payment-required'])
    assert.equal(offer.x402Version, 2)
    assert.equal(offer.accepts[0].scheme, 'deferred')
    assert.equal(offer.accepts[0].amount, '50000')
    assert.equal(offer.accepts[0].network, 'example:402')
    assert.deepEqual(offer, JSON.parse(response.text))
    assert.equal(offer.resource.url, `${url}?a=%22b%22&c=1`)
    assert.ok(response.headers['payment-required'].length < 2048)
    assert.equal(response.headers['crawler-price'], 'USD 0.05')
    assert.equal(response.headers['crawler-error'], 'payment_required')
    assert.equal(
        response.headers.link,
        '<https://shop.example/terms>; rel="terms-of-service", ' +
            '</rsl.xml>; rel="license"; type="application/rsl+xml"'
    )
    assert.equal(
        response.headers['accept-signature'],
        'sig=("@authority" "payment" "signature-agent");created;expires;' +
            `nonce="${offer.accepts[0].extra.id}";tag="web-bot-auth"`
    )
})

test('what gives nothing away costs nothing', async t => {
    const { gate, ledger, key, agent } = await scene(t)
    const person = await gate.request(page)
    const commit = async (target, extra, method) => {
        const id = await gate.offer(target)
        const headers = await withWebBotAuth(key, agent.origin, `https://shop.example${target}`, id)
        return gate.request(target, { method, headers: { ...headers, ...extra } })
    }
    const missing = await commit('/articles/nothing.html')
    assert.equal(missing.status, 404)
    assert.equal(missing.headers['crawler-error'], 'not_found')
    assert.equal((await commit(page, { 'if-none-match': person.headers.etag })).status, 304)
    assert.equal((await commit('/articles')).status, 301)
    assert.equal((await commit(page, { range: 'bytes=999999-' })).status, 416)
    assert.equal((await commit(page, {}, 'HEAD')).status, 402)
    assert.equal(ledger.count('charge'), 0)
    const part = await commit(page, { range: 'bytes=0-9' })
    assert.equal(part.status, 206)
    assert.equal(part.body.length, 10)
    assert.equal(ledger.count('charge'), 1)
})

test('a crawler with a long header is refused before it pays, or gets what it paid for', async t => {
    const { gate, ledger, key, agent } = await scene(t)
    const fillings = {
        'one field': n => ({ 'x-fill': 'a'.repeat(n) }),
        'a cookie': n => ({ cookie: `a=${'b'.repeat(n)}` }),
        'many fields': n =>
            Object.fromEntries(Array.from({ length: 60 }, (_, i) => [`x-${i}`, 'a'.repeat(n / 60)]))
    }
    for (const [name, fill] of Object.entries(fillings)) {
        const statuses = new Set()
        for (let n = 16000; n < 34000; n += 1500) {
            const id = await gate.offer(page)
            const headers = await withWebBotAuth(key, agent.origin, url, id)
            const before = ledger.count('charge')
            const response = await gate
                .request(page, { headers: { ...headers, ...fill(n) } })
                .catch(() => ({ status: 'closed' }))
            if (response.status === 200) assertPaid(response, id)
            assert.equal(ledger.count('charge') - before, Number(response.status === 200), `${name}, ${n}`)
            statuses.add(response.status)
        }
        assert.deepEqual([...statuses].slice(0, 2), [200, 431], name)
    }
})

test('a rule for one agent holds only for who proves to be that agent', async t => {
    const tls = certificates(temporaryFolder(t))
    const key = await makeKey()
    const stranger = await makeKey()
    const agent = await directory(t, tls, [key.public])
    const { gate, ledger } = await stage(t, {
        insecureHosts: [agent.host],
        caFile: tls.caFile,
        rules: [
            {
                name: 'friend',
                agents: [agent.origin],
                paths: ['/articles/harbour-bell.html'],
                action: 'allow'
            },
            { name: 'cheap', agents: [agent.origin], action: 'charge', price: '0.01' },
            { name: 'rest', action: 'charge', price: '0.05' }
        ]
    })
    const friend = await gate.request(page, { headers: await withWebBotAuth(key, agent.origin, url) })
    assert.equal(friend.status, 200)
    assert.equal(friend.headers['payment-response'], undefined)
    const impostor = await gate.request(page, { headers: await withWebBotAuth(stranger, agent.origin, url) })
    assert.equal(impostor.headers['crawler-error'], 'key_unknown')
    const unsigned = await gate.request(page, { headers: { 'signature-agent': `"${agent.origin}"` } })
    assert.equal(unsigned.headers['crawler-error'], 'signature_required')
    // An offer at the friend's price is no use to others, and the other way round.
    const other = '/articles/tide-tables.html'
    const cheap = await gate.request(other, { headers: { 'signature-agent': `"${agent.origin}"` } })
    assert.equal(cheap.headers['crawler-price'], 'USD 0.01')
    const dear = await gate.offer(other)
    const mismatch = await gate.request(other, {
        headers: await withWebBotAuth(key, agent.origin, `https://shop.example${other}`, dear)
    })
    assert.equal(mismatch.headers['crawler-error'], 'offer_mismatch')
    assert.equal(mismatch.headers['crawler-price'], 'USD 0.01')
    assert.equal(ledger.count('charge'), 0)
})

test('a request for a page that is free for one agent opens that page, once, for a while', async t => {
    const tls = certificates(temporaryFolder(t))
    const key = await makeKey()
    const agent = await directory(t, tls, [key.public])
    const { gate } = await stage(t, {
        insecureHosts: [agent.host],
        caFile: tls.caFile,
        rules: [
            { name: 'friend', agents: [agent.origin], action: 'allow' },
            { name: 'rest', action: 'charge', price: '0.05' }
        ]
    })
    const sign = (target, options) =>
        withWebBotAuth(key, agent.origin, `https://shop.example${target}`, null, options)
    const ask = async (target, headers) => {
        const answer = await gate.request(target, { headers })
        return answer.headers['crawler-error'] ?? answer.status
    }
    // For this URL alone.
    for (const components of [
        ['@target-uri', 'signature-agent'],
        ['@authority', '@path', 'signature-agent'],
        ['@authority', '@method', '@path', 'signature-agent']
    ]) {
        const signed = await sign(page, { components })
        assert.equal(await ask('/about.html', signed), 'signature_invalid', components.join())
        assert.equal(await ask(page, signed), 200, components.join())
        await gate.logged(/ check=verifies /)
    }
    const bare = await sign(page, { components: ['@authority', 'signature-agent'] })
    assert.equal(await ask(page, bare), 'signature_required')
    await gate.logged(/ check=covers-target /)
    // Once, where it has a nonce: npm web-bot-auth gives one.
    const once = await sign(page)
    assert.match(once['Signature-Input'], /;nonce="/)
    assert.equal(await ask(page, once), 200)
    assert.equal(await ask(page, once), 'signature_expired')
    await gate.logged(/ check=nonce /)
    assert.equal(await ask(page, await sign(page)), 200)
    // Five minutes long, whatever it says itself.
    assert.equal(await ask(page, await sign(page, { time: Date.now() - 290_000, lifetime: 3600 })), 200)
    const old = await sign(page, { time: Date.now() - 301_000, lifetime: 3600 })
    assert.equal(await ask(page, old), 'signature_expired')
    await gate.logged(/ check=age /)
})

test('a publisher may let signatures open free pages for longer, and many of them', async t => {
    const tls = certificates(temporaryFolder(t))
    const key = await makeKey()
    const agent = await directory(t, tls, [key.public])
    const { gate } = await stage(t, {
        insecureHosts: [agent.host],
        caFile: tls.caFile,
        signatureKeys: { identity_seconds: 3600 },
        signature: { require_target: false },
        rules: [{ name: 'friend', agents: [agent.origin], action: 'allow' }]
    })
    const signed = await withWebBotAuth(key, agent.origin, url, null, {
        time: Date.now() - 1800_000,
        lifetime: 3600,
        components: ['@authority', 'signature-agent']
    })
    assert.equal((await gate.request('/about.html', { headers: signed })).status, 200)
})

test('a link inside the root costs no less than the page that it leads to', async t => {
    const folder = temporaryFolder(t)
    const put = (name, text) => {
        fs.mkdirSync(path.dirname(path.join(folder, name)), { recursive: true })
        fs.writeFileSync(path.join(folder, name), `<html>${text}`)
    }
    const link = (name, to) => {
        fs.mkdirSync(path.dirname(path.join(folder, name)), { recursive: true })
        fs.symlinkSync(to, path.join(folder, name))
    }
    put('free/page.html', 'free')
    put('cheap/page.html', 'cheap')
    put('dear/page.html', 'dear')
    put('dear/index.html', 'dear index')
    put('secret/page.html', 'secret')
    link('free/cheap.html', '../cheap/page.html')
    link('free/dear.html', 'chain.html')
    link('free/chain.html', '../dear/page.html')
    link('free/secret.html', '../secret/page.html')
    link('free/folder', '../dear')
    link('cheap/dear.html', '../dear/page.html')
    link('cheap/free.html', '../free/page.html')
    link('dear/cheap.html', '../cheap/page.html')
    link('robots.txt', 'secret/page.html')
    const { gate, ledger, key, agent } = await scene(t, {
        root: folder,
        rules: [
            { name: 'free', paths: ['/free/**'], action: 'allow' },
            { name: 'cheap', paths: ['/cheap/**'], action: 'charge', price: '0.01' },
            { name: 'dear', paths: ['/dear/**'], action: 'charge', price: '0.5' },
            { name: 'secret', paths: ['/secret/**'], action: 'block' }
        ]
    })
    const crawler = { 'user-agent': 'GPTBot/1.2' }
    const cost = async target => {
        const answer = await gate.request(target, { headers: crawler })
        return answer.headers['crawler-price'] ?? answer.status
    }
    const costs = {
        '/free/page.html': 200,
        '/free/cheap.html': 'USD 0.01',
        '/free/dear.html': 'USD 0.50',
        '/free/secret.html': 403,
        '/free/folder/page.html': 'USD 0.50',
        '/free/folder/': 'USD 0.50',
        '/free/folder/index.html': 'USD 0.50',
        '/free/nothing.html': 404,
        '/cheap/page.html': 'USD 0.01',
        '/cheap/dear.html': 'USD 0.50',
        '/cheap/free.html': 'USD 0.01',
        '/dear/cheap.html': 'USD 0.50',
        '/robots.txt': 200
    }
    for (const [target, expected] of Object.entries(costs)) assert.equal(await cost(target), expected, target)
    for (const target of ['/free/secret.html', '/free/dear.html'])
        assert.equal((await gate.request(target)).status, 200, 'people read for free')
    const target = '/free/dear.html'
    const id = await gate.offer(target)
    const signed = await withWebBotAuth(key, agent.origin, `https://shop.example${target}`, id)
    assertPaid(await gate.request(target, { headers: signed }), id)
    assert.equal(ledger.query('SELECT rule, amount_micros FROM charge'), 'dear|500000')
})

test('a day from the first offer to the invoice, by the command line', async t => {
    // The gate runs a day and two hours behind, so that its day is over for the night's real clock.
    const { gate, key, agent, crawltab } = await scene(t, {}, '--clock-offset', '-93900')
    const time = Date.now() - 93900_000
    const ids = []
    for (const target of [page, page, '/articles/tide-tables.html', '/']) {
        const id = await gate.offer(target)
        assertPaid(
            await gate.request(target, {
                headers: await withWebBotAuth(key, agent.origin, `https://shop.example${target}`, id, {
                    time
                })
            }),
            id
        )
        ids.push(id)
    }
    const json = async (...words) => JSON.parse((await crawltab(...words, '--json')).stdout)
    const entry = await json('lookup', ids[0])
    assert.match(JSON.stringify(entry), new RegExp(agent.origin))
    assert.match((await crawltab('lookup', ids[0])).stdout, /not yet invoiced/)
    assert.deepEqual(await json('invoice', 'list'), [])
    await crawltab('nightly', '--dry-run')
    assert.deepEqual(await json('invoice', 'list'), [])
    await crawltab('nightly')
    const list = await json('invoice', 'list')
    assert.equal(list.length, 1)
    assert.match(list[0].number, /^TEST-INV-\d{4}-000001$/)
    const again = await crawltab('nightly')
    assert.deepEqual(await json('invoice', 'list'), list)
    assert.ok(again)
    assert.match((await crawltab('audit')).stdout, /everything adds up/)
    // Three articles at 0.05 and the front page at 0.0025: 0.15 is billed, 0.0025 carried forward.
    const shown = (await crawltab('invoice', 'show', list[0].number)).stdout
    assert.match(shown, /0\.15\b/)
    assert.match(shown, /0\.0025/)
    for (const line of shown.split('\n')) assert.ok(line.length <= 80, line)
    assert.match((await crawltab('lookup', ids[0])).stdout, new RegExp(list[0].number))
    const day = offset => new Date(Date.now() + offset).toISOString().slice(0, 10)
    const csv = (await crawltab('export', '--from', day(-3 * 86400_000), '--to', day(2 * 86400_000))).stdout
    assert.equal(csv.trim().split('\r\n').length, 5)
    await assert.rejects(
        crawltab('export', '--from', '2026-01-01', '--to', '2026-02-01', '--site', 'exmaple'),
        /no such site/
    )
    const lines = (
        await crawltab(
            'export',
            '--from',
            day(-3 * 86400_000),
            '--to',
            day(2 * 86400_000),
            '--format',
            'jsonl'
        )
    ).stdout
    const rows = lines
        .trim()
        .split('\n')
        .map(line => JSON.parse(line))
    assert.equal(rows.length, 4)
})

// A signature over long fields takes room in which the receipt would have to be written.
test('who is charged gets the page, however much the request holds', { timeout: 120_000 }, async t => {
    const { gate, ledger, key, agent } = await scene(t)
    const privateKey = createPrivateKey({ key: key.private, format: 'jwk' })
    const statuses = new Set()
    let paid = 0
    for (let length = 3000; length < 8000; length += 40) {
        const id = await gate.offer(page)
        const headers = { Payment: payment(id), 'Signature-Agent': `"${agent.origin}"` }
        headers['X-Long'] = 'x'.repeat(length)
        const created = Math.floor(Date.now() / 1000)
        const parameters =
            '("@authority" "payment" "signature-agent" "x-long" "x-long";bs)' +
            `;created=${created};expires=${created + 60};keyid="${key.keyid}";tag="web-bot-auth"`
        const base = [
            '"@authority": shop.example',
            `"payment": ${headers.Payment}`,
            `"signature-agent": ${headers['Signature-Agent']}`,
            `"x-long": ${headers['X-Long']}`,
            `"x-long";bs: :${Buffer.from(headers['X-Long']).toString('base64')}:`,
            `"@signature-params": ${parameters}`
        ].join('\n')
        headers['Signature-Input'] = `sig=${parameters}`
        headers.Signature = `sig=:${sign(null, Buffer.from(base), privateKey).toString('base64')}:`
        const { status, headers: fields } = await gate.request(page, { headers })
        assert.ok(status === 200 || status === 431, `${status} at ${length} bytes`)
        assert.equal(fields['crawler-error'], status === 431 ? 'request_too_large' : undefined)
        statuses.add(status)
        if (status === 200) paid++
    }
    assert.deepEqual([...statuses].sort(), [200, 431])
    assert.equal(ledger.count('charge'), paid)
})
