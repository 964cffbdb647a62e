// Who lost an answer sends the same payment again: with an identifier of its own (x402's payment-identifier,
// by the SDK's helper) or without, also when its times are over.
// Tests ledger/entry/identifier.c, ledger/dialect/x402.c, server/gate/crawl.c
import assert from 'node:assert/strict'
import http from 'node:http'
import { test } from 'node:test'
import { wrapFetchWithPayment, x402Client } from '@x402/fetch'
import * as identifier from '@x402/extensions/payment-identifier'
import { DeferredClient, sameResource } from '../../../tools/x402/index.js'
import { claims, fromBase64, jws, paymentSignature, signed } from '../dialects.js'
import { makeKey, scene } from '../signers.js'
import { directory, until } from '../support.js'

const page = '/articles/harbour-bell.html'
const made = '/made-by-the-site'
const host = 'shop.example'
const minutes = count => ['--clock-offset', String(count * 60)]

// The SDK's client with an identifier, and what it has sent.
function wallet(gate, key, agent, id) {
    const sent = []
    const client = new DeferredClient({ key: key.private, agent }).register(new x402Client())
    client.registerExtension({
        key: identifier.PAYMENT_IDENTIFIER,
        enrichPaymentPayload: (payload, { extensions }) => {
            const own = structuredClone(extensions)
            return { ...payload, extensions: identifier.appendPaymentIdentifierToExtensions(own, id) }
        }
    })
    const send = async (input, init) => {
        const request = new Request(input, init)
        const { pathname, search, host } = new URL(request.url)
        const headers = { ...Object.fromEntries(request.headers), 'user-agent': 'GPTBot/1.2' }
        if (headers['payment-signature']) sent.push({ 'payment-signature': headers['payment-signature'] })
        const answer = await gate.request(pathname + search, { host, headers })
        return new Response(answer.body, { status: answer.status, headers: answer.headers })
    }
    return { sent, send, pay: (fetch = send) => wrapFetchWithPayment(sameResource(fetch), client) }
}

// The request is sent whole, and its connection cut before there is an answer.
const cutOff = (gate, target, headers) =>
    new Promise((resolve, reject) => {
        const request = http.request({ port: gate.port, path: target, headers: { host, ...headers } })
        request.on('response', () => reject(new Error('it was answered')))
        request.on('error', resolve)
        request.end(() => request.destroy(new Error('cut')))
    })

test('an answer that was lost can be had again, and is paid once', async t => {
    const asked = []
    const site = http.createServer((request, response) => {
        asked.push(request.url)
        response.end('made by the site\n')
    })
    await new Promise(resolve => site.listen(0, '127.0.0.1', resolve))
    t.after(() => site.close(site.closeAllConnections()))
    const origin = `http://127.0.0.1:${site.address().port}`
    const other = await makeKey()
    const set = await scene(t, { site: { scheme: 'http', origin }, logLevel: 'info' })
    const { gate, ledger, key, agent } = set
    const stranger = await directory(t, set.tls, [other.public])
    set.configure({ site: { scheme: 'http', origin }, insecureHosts: [agent.host, stranger.host] })
    const restarted = await set.startGate()
    await restarted.ready()
    const charges = () => ledger.count('charge')
    const id = identifier.generatePaymentId()
    const same = (answer, first) => {
        assert.equal(answer.status, 200, answer.text)
        for (const name of ['payment-response', 'crawler-charged', 'content-length'])
            assert.equal(answer.headers[name], first.headers[name])
        assert.equal(answer.text, first.text)
    }
    const refused = (answer, status, code) =>
        assert.deepEqual([answer.status, answer.headers['crawler-error']], [status, code], answer.text)
    // The payments: page and URL of each, what was sent, and the answer to it.
    const paid = []
    const buyer = wallet(gate, key, agent.origin, id)

    await t.test('the extension is offered, and an identifier is the payer\'s own', async () => {
        const unpaid = await gate.request(page, { headers: { 'user-agent': 'GPTBot/1.2' } })
        for (const offer of [JSON.parse(unpaid.text), fromBase64(unpaid.headers['payment-required'])]) {
            const extension = offer.extensions[identifier.PAYMENT_IDENTIFIER]
            assert.ok(identifier.isPaymentIdentifierExtension(extension))
            assert.equal(identifier.isPaymentIdentifierRequired(extension), false)
            const named = { ...extension, info: { ...extension.info, id } }
            assert.deepEqual(identifier.validatePaymentIdentifier(named), { valid: true })
        }
        // Cut off: the SDK's client hears nothing, and the same payment is sent again.
        const cut = async (input, init) => {
            const paying = new Request(input, init).headers.get('payment-signature')
            if (!paying) return buyer.send(input, init)
            buyer.sent.push({ 'payment-signature': paying })
            await cutOff(gate, page, buyer.sent.at(-1))
            throw new TypeError('fetch failed')
        }
        await assert.rejects(buyer.pay(cut)(`http://${host}${page}`), /fetch failed/)
        assert.ok(identifier.extractPaymentIdentifier(fromBase64(buyer.sent[0]['payment-signature'])))
        await until(() => charges() === 1, 'the payment is in the ledger')
        const first = await gate.request(page, { headers: buyer.sent[0] })
        assert.equal(first.status, 200)
        same(await gate.request(page, { headers: buyer.sent[0] }), first)
        same(await restarted.request(page, { headers: buyer.sent[0] }), first)
        paid.push({ target: page, headers: buyer.sent[0], first })
        assert.equal(charges(), 1)
    })
    await t.test('with another payment it is refused, and the site does not hear of it', async () => {
        for (const which of [gate, restarted]) {
            const again = wallet(which, key, agent.origin, id)
            for (const target of [page, made]) {
                const answer = await again.pay()(`http://${host}${target}`)
                assert.deepEqual(
                    [answer.status, answer.headers.get('crawler-error')],
                    [409, 'payment_identifier_conflict']
                )
            }
        }
        assert.deepEqual([charges(), asked], [1, []])
        // The same offer, signed anew, is another payload of it.
        const { accepted, extensions } = fromBase64(buyer.sent[0]['payment-signature'])
        const commitment = jws(key, claims(agent.origin, accepted, `http://${host}${page}`, { lifetime: 61 }))
        const anew = paymentSignature(accepted, { commitment }, { extensions })
        refused(await gate.request(page, { headers: anew }), 409, 'payment_identifier_conflict')
        const own = wallet(restarted, other, stranger.origin, id)
        assert.equal((await own.pay()(`http://${host}${page}`)).status, 200)
        assert.equal(charges(), 2)
        for (const wrong of ['short', 'x'.repeat(129), 'pay_with a space!', 7]) {
            const named = { 'payment-identifier': { info: { required: false, id: wrong } } }
            const headers = paymentSignature(accepted, {}, { extensions: named })
            refused(await gate.request(page, { headers }), 400, 'malformed_payment_signature')
        }
    })
    await t.test('payments of every kind are found again', async () => {
        const offer = async target =>
            JSON.parse((await gate.request(target, { headers: { 'user-agent': 'GPTBot/1.2' } })).text)
        const commit = (accepted, target, more = {}) => {
            const commitment = jws(key, claims(agent.origin, accepted, `http://${host}${target}`))
            return paymentSignature(accepted, { commitment }, more)
        }
        const named = (accepted, id) =>
            paymentSignature(accepted, {}, { extensions: { 'payment-identifier': { info: { id } } } })
        for (const [count, target] of [page, made].entries()) {
            const { extra, ...bare } = (await offer(target)).accepts[0]
            assert.ok(extra.id)
            const last = (await offer(target)).accepts[0]
            for (const headers of [
                commit((await offer(target)).accepts[0], target),
                commit(bare, target),
                signed(key, agent.origin, host, named(last, `pay_for_page_number_${count}`))
            ]) {
                const first = await gate.request(target, { headers })
                assert.equal(first.status, 200, first.text)
                paid.push({ target, headers, first })
            }
        }
        assert.equal(charges(), 8)
    })
    await t.test('also when offer and signature are over, for an hour', async () => {
        const { accepts } = JSON.parse(
            (await gate.request(page, { headers: { 'user-agent': 'GPTBot/1.2' } })).text)
        const commitment = jws(key, claims(agent.origin, accepts[0], `http://${host}${page}`))
        const never = paymentSignature(accepts[0], { commitment })
        // Two minutes: the signatures are over, the offers are not. Then both are.
        for (const [offset, status, code] of [[2, 403, 'signature_expired'], [50, 402, 'offer_expired']]) {
            const later = await set.startGate(...minutes(offset))
            await later.ready()
            const before = asked.length
            for (const { target, headers, first } of paid) {
                same(await later.request(target, { headers }), first)
                same(await later.request(target, { headers }), first)
            }
            assert.equal(asked.length, before + 6)
            // What was never recorded is not recorded now, nor asked for at the site.
            refused(await later.request(page, { headers: never }), status, code)
            // Not without the signature: the id alone opens nothing.
            const forged = { ...paid[0].headers }
            const payment = fromBase64(forged['payment-signature'])
            const parts = payment.payload.commitment.split('.')
            const wrong = [parts[0], parts[1], jws(other, {}).split('.')[2]].join('.')
            const bad = paymentSignature(payment.accepted, { commitment: wrong })
            refused(await later.request(page, { headers: bad }), 403, 'signature_invalid')
            // Nor another page.
            refused(await later.request(made, { headers: paid[1].headers }), 402, 'offer_mismatch')
            await later.stop()
        }
        const late = await set.startGate(...minutes(61))
        await late.ready()
        for (const { target, headers } of paid) {
            const answer = await late.request(target, { headers })
            assert.match(answer.headers['crawler-error'], /^(offer|signature)_expired$/)
        }
        assert.equal(charges(), 8)
        assert.equal(ledger.count('conflict'), 0)
    })
})
