// Payments in every dialect and every delivery style: what comes in, what goes out, and one entry for each.
// Tests ledger/dialect/dialect.c, ledger/dialect/x402.c, ledger/dialect/claims.c
import assert from 'node:assert/strict'
import http from 'node:http'
import path from 'node:path'
import { test } from 'node:test'
import { decodePaymentRequiredHeader, decodePaymentResponseHeader } from '@x402/core/http'
import { temporaryFolder, until } from '../support.js'
import { makeKey, scene, withWebBotAuth } from '../signers.js'
import { base64, claims, jws, paymentSignature, signed } from '../dialects.js'

const page = '/articles/harbour-bell.html'
const url = `https://shop.example${page}`
const host = 'shop.example'
const crawler = { 'user-agent': 'GPTBot/1.2' }

// A way to ask the gate of one delivery style, with a page that costs 0.05 there.
const styles = {
    root: async t => {
        const set = await scene(t)
        return { ...set, ask: headers => set.gate.request(page, { headers }) }
    },
    origin: async t => {
        const site = http.createServer((request, response) => response.end('a page of the site\n'))
        await new Promise(resolve => site.listen(0, '127.0.0.1', resolve))
        t.after(() => site.close(site.closeAllConnections()))
        const origin = `http://127.0.0.1:${site.address().port}`
        const set = await scene(t, { site: { root: '', origin } })
        return { ...set, ask: headers => set.gate.request(page, { headers }) }
    },
    decisions: async t => {
        const socket = path.join(temporaryFolder(t), 'decisions')
        const set = await scene(t, { decisions: { listen: `unix:${socket}` }, site: { root: '' } })
        const ask = headers => {
            const fields = { 'x-forwarded-method': 'GET', 'x-forwarded-uri': page, ...headers }
            return set.gate.request('/', { headers: fields, socketPath: socket })
        }
        return { ...set, ask }
    }
}

async function accepts(ask) {
    const answer = await ask(crawler)
    assert.equal(answer.status, 402, answer.text)
    const offer = decodePaymentRequiredHeader(answer.headers['payment-required'])
    assert.deepEqual(
        offer.accepts.map(({ scheme, amount, extra }) => [scheme, amount, extra.decimals]),
        [
            ['deferred', '50000', 6],
            ['batch-settlement', '5', 2]
        ]
    )
    assert.equal(offer.accepts[0].extra.id, offer.accepts[1].extra.id)
    return { offer, deferred: offer.accepts[0], batch: offer.accepts[1] }
}

// The receipt of x402, of a payment with this id.
function assertReceipt(answer, id, { amount, agent }) {
    assert.equal(answer.status, 200, answer.text)
    const receipt = decodePaymentResponseHeader(answer.headers['payment-response'])
    assert.equal(receipt.success, true)
    assert.equal(receipt.transaction, id)
    assert.equal(receipt.network, 'example:402')
    assert.equal(receipt.payer, agent)
    assert.equal(receipt.amount, amount)
    assert.ok(Math.abs(receipt.extra.timestamp - Date.now() / 1000) < 60)
    assert.equal(answer.headers['crawler-charged'], 'USD 0.05')
    return receipt
}

function assertRefused(answer, status, code) {
    assert.equal(answer.headers['crawler-error'], code, `${answer.status} ${answer.text}`)
    assert.equal(answer.status, status)
    if (status === 402) assert.ok(JSON.parse(answer.text).accepts[0].extra.id)
}

for (const [style, begin] of Object.entries(styles)) {
    test(`every dialect pays in the style ${style}`, async t => {
        const { ask, key, agent, ledger, crawltab } = await begin(t)
        const base = ask => accepts(ask)
        const origin = agent.origin
        let entries = 0
        const charged = (id, what) => {
            assert.equal(ledger.count('charge'), ++entries, what)
            return id
        }
        const again = async headers => {
            const first = await ask(headers)
            const second = await ask(headers)
            assert.deepEqual(second.headers['payment-response'], first.headers['payment-response'])
            return first
        }

        await t.test('x402, signed as a request', async () => {
            for (const which of ['deferred', 'batch']) {
                const accepted = (await base(ask))[which]
                const fields = paymentSignature(accepted)
                const answer = await again(signed(key, origin, host, fields))
                assertReceipt(answer, accepted.extra.id, { amount: accepted.amount, agent: origin })
                charged()
            }
        })
        await t.test('x402, by a commitment that is signed by itself', async () => {
            for (const which of ['deferred', 'batch']) {
                const accepted = (await base(ask))[which]
                const commitment = jws(key, claims(origin, accepted, url))
                const answer = await again(paymentSignature(accepted, { commitment }))
                assertReceipt(answer, accepted.extra.id, { amount: accepted.amount, agent: origin })
                charged()
                const base64url = ledger.query(
                    "SELECT convert_from(signature_base, 'UTF8') FROM charge ORDER BY payment_id DESC LIMIT 1"
                )
                assert.equal(`${base64url}.`, commitment.slice(0, base64url.length + 1))
            }
        })
        await t.test('without an id of ours, which comes from what was signed', async () => {
            const { extra, ...accepted } = (await base(ask)).deferred
            assert.ok(extra.id)
            const uuid = /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/
            const ids = []
            const commitment = jws(key, claims(origin, accepted, url))
            for (const headers of [
                signed(key, origin, host, paymentSignature(accepted)),
                paymentSignature(accepted, { commitment })
            ]) {
                const answer = await again(headers)
                const { transaction } = decodePaymentResponseHeader(answer.headers['payment-response'])
                assert.match(transaction, uuid)
                assertReceipt(answer, transaction, { amount: '50000', agent: origin })
                ids.push(charged(transaction))
            }
            for (const name of ['crawler-exact-price', 'crawler-max-price']) {
                const price = name === 'crawler-max-price' ? 'USD 0.10' : 'USD 0.05'
                const answer = await again(signed(key, origin, host, { [name]: price }))
                assert.equal(answer.status, 200, answer.text)
                assert.equal(answer.headers['crawler-charged'], 'USD 0.05')
                assert.equal(answer.headers['payment-response'], undefined)
                charged(undefined, name)
            }
            assert.equal(ledger.query('SELECT count(DISTINCT amount_micros) FROM charge'), '1')
            for (const id of ids)
                assert.equal(ledger.query(`SELECT count(*) FROM charge WHERE payment_id = '${id}'`), '1')
        })
        await t.test('one id is one charge, however it comes', async () => {
            const { deferred, batch } = await base(ask)
            const { id } = deferred.extra
            const commitment = jws(key, claims(origin, deferred, url))
            for (const headers of [
                signed(key, origin, host, paymentSignature(deferred)),
                paymentSignature(deferred, { commitment }),
                await withWebBotAuth(key, origin, url, id),
                signed(key, origin, host, paymentSignature(batch))
            ])
                assert.equal((await ask(headers)).status, 200)
            charged()
        })
        await t.test('the night finds each of them signed, and bills them', async () => {
            const { stdout } = await crawltab('--clock-offset', String(3 * 86400), 'nightly')
            assert.equal(ledger.query('SELECT count(*) FROM unproven'), '0', stdout)
            assert.equal(
                ledger.query('SELECT sum(amount_micros) FROM invoice_line'),
                String(entries * 50000),
                stdout
            )
        })
        await t.test('each is found, and proven, by its id', async () => {
            const ids = ledger.query('SELECT payment_id FROM charge').split('\n')
            for (const id of ids) {
                const { stdout } = await crawltab('lookup', id)
                assert.match(stdout, new RegExp(id))
                assert.doesNotMatch(stdout, /NOT PROVEN|does not|do not/)
            }
            await crawltab('audit')
        })
    })
}

test('a payment field of any dialect makes a crawler of its sender', async t => {
    const { gate, ledger } = await scene(t)
    const person = { 'user-agent': 'Mozilla/5.0 (X11) Firefox/130' }
    assert.equal((await gate.request(page, { headers: person })).status, 200)
    const garbage = [
        ['Payment', 'x', 'malformed_payment'],
        ['PAYMENT-SIGNATURE', 'x', 'malformed_payment_signature'],
        ['PAYMENT-SIGNATURE', base64({ x402Version: 2 }), 'malformed_payment_signature'],
        ['X-PAYMENT', 'x', 'malformed_x_payment'],
        ['crawler-exact-price', 'cheap', 'malformed_crawler_price'],
        ['crawler-max-price', '', 'malformed_crawler_price']
    ]
    for (const [name, value, code] of garbage)
        assertRefused(await gate.request(page, { headers: { ...person, [name]: value } }), 400, code)
    for (const scheme of ['License', 'license']) {
        const licence = { ...person, authorization: `${scheme} abc` }
        assertRefused(await gate.request(page, { headers: licence }), 402, 'payment_required')
    }
    const basic = { ...person, authorization: 'Basic bWU6bWU=' }
    assert.equal((await gate.request(page, { headers: basic })).status, 200)
    const v1 = {
        ...person,
        'X-PAYMENT': base64({ x402Version: 1, scheme: 'exact', network: 'base', payload: {} })
    }
    const answer = await gate.request(page, { headers: v1 })
    assertRefused(answer, 402, 'x402_version_unsupported')
    const body = JSON.parse(answer.text)
    assert.equal(body.x402Version, 1)
    assert.match(body.error, /version 2, in PAYMENT-SIGNATURE/)
    for (const accept of body.accepts) {
        assert.match(accept.maxAmountRequired, /^\d+$/)
        assert.deepEqual([accept.description, accept.mimeType, accept.resource], ['', '', url])
    }
    assert.equal(decodePaymentRequiredHeader(answer.headers['payment-required']).x402Version, 2)
    assert.equal(ledger.count('charge'), 0)
})

test('commitments of x402 that do not hold', async t => {
    const { gate, ledger, key, agent } = await scene(t)
    const ask = headers => gate.request(page, { headers })
    const { deferred, batch } = await accepts(ask)
    const stranger = await makeKey()
    const pay = (change, more) =>
        paymentSignature(deferred, {
            commitment: jws(
                more?.key ?? key,
                { ...claims(agent.origin, deferred, url, more), ...change },
                more?.header
            )
        })
    const refused = async (headers, status, code) => {
        const answer = await ask(headers)
        assertRefused(answer, status, code)
        const response = answer.headers['payment-response']
        assert.equal(decodePaymentResponseHeader(response).success, false)
        assert.equal(decodePaymentResponseHeader(response).errorReason, code)
    }
    await refused(paymentSignature(deferred), 403, 'signature_required')
    const uncovered = { ...signed(key, agent.origin, host, {}), ...paymentSignature(deferred) }
    await refused(uncovered, 403, 'signature_required')
    const elsewhere = signed(key, agent.origin, 'other.example', paymentSignature(deferred))
    await refused(elsewhere, 403, 'signature_invalid')
    const other = { ...deferred, amount: '49999' }
    await refused(signed(key, agent.origin, host, paymentSignature(other)), 402, 'offer_mismatch')
    const cents = { ...batch, amount: '4' }
    await refused(signed(key, agent.origin, host, paymentSignature(cents)), 402, 'offer_mismatch')
    const { extra, ...bare } = { ...deferred, amount: '49999' }
    assert.ok(extra)
    await refused(signed(key, agent.origin, host, paymentSignature(bare)), 402, 'price_not_acceptable')
    await refused(pay({ aud: 'other.example' }), 402, 'offer_mismatch')
    await refused(pay({ resource: `${url}?x` }), 402, 'offer_mismatch')
    await refused(pay({ amount: '1' }), 402, 'offer_mismatch')
    await refused(pay({ iss: 'http://crawler.example' }), 400, 'malformed_commitment')
    await refused(pay({}, { header: { alg: 'none' } }), 403, 'signature_invalid')
    await refused(pay({}, { header: { crit: ['b64'], b64: false } }), 400, 'malformed_commitment')
    await refused(pay({}, { lifetime: 301 }), 403, 'signature_invalid')
    await refused(pay({}, { time: Date.now() - 120_000 }), 403, 'signature_expired')
    await refused(pay({}, { time: Date.now() + 120_000 }), 403, 'signature_invalid')
    await refused(pay({}, { key: { ...stranger, keyid: key.keyid } }), 403, 'signature_invalid')
    await refused(pay({}, { key: stranger }), 403, 'key_unknown')
    for (const [name, price] of [
        ['crawler-exact-price', 'USD 0.04'],
        ['crawler-exact-price', 'EUR 0.05'],
        ['crawler-max-price', 'USD 0.049999']
    ]) {
        const answer = await ask(signed(key, agent.origin, host, { [name]: price }))
        assertRefused(answer, 402, 'price_not_acceptable')
        assert.equal(answer.headers['crawler-price'], 'USD 0.05')
    }
    assertRefused(await ask({ 'crawler-exact-price': 'USD 0.05' }), 403, 'signature_required')
    assert.equal(ledger.count('charge'), 0)
    assert.equal((await ask(pay({}))).status, 200)
    assert.equal(ledger.count('charge'), 1)
    await until(() => !/event=assert/.test(gate.log), 'the gate is well')
})

// A signature without an id of ours names no page unless it covers the URL: it buys the first one alone.
test('a signature pays for one page', async t => {
    const { gate, ledger, key, agent } = await scene(t)
    const headers = signed(key, agent.origin, host, { 'crawler-exact-price': 'USD 0.05' })
    assert.equal((await gate.request(page, { headers })).status, 200)
    assertRefused(await gate.request('/articles/tide-tables.html', { headers }), 409, 'payment_conflict')
    assert.equal((await gate.request(page, { headers })).status, 200)
    assert.equal(ledger.count('charge'), 1)
})
