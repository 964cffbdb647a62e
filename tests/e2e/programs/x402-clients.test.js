// The x402 SDKs as they are published pay the gate, by the scheme of tools/x402.
// Tests server/published/attest.c
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import fs from 'node:fs'
import http from 'node:http'
import path from 'node:path'
import { test } from 'node:test'
import { promisify } from 'node:util'
import axios from 'axios'
import { decodePaymentResponseHeader, wrapFetchWithPayment, x402Client } from '@x402/fetch'
import * as signed from '@x402/extensions/offer-receipt'
import { extractDiscoveryInfo } from '@x402/extensions/bazaar'
import { wrapAxiosWithPayment, x402Client as axiosX402Client } from '@x402/axios'
import * as oldFetch from 'x402-fetch-oldest'
import * as oldAxios from 'x402-axios-oldest'
import { x402Client as oldClient, x402HTTPClient as oldHttpClient } from 'x402-core-oldest/client'
import * as deferred from '../../../tools/x402/index.js'
import { freePort, root } from '../support.js'
import { scene } from '../signers.js'

const { DeferredClient, RelayedOfferError, sameResource, sameResourceAxios } = deferred
const page = 'http://shop.example/articles/harbour-bell.html'
const crawler = { 'user-agent': 'GPTBot/1.2' }

// A shop, and a fetch that finds it: its name leads to the gate.
async function shop(t, site = {}) {
    const set = await scene(t, { site: { scheme: 'http', ...site } })
    const fetch = async (input, init) => {
        const request = new Request(input, init)
        const { pathname, search, host } = new URL(request.url)
        const headers = { ...Object.fromEntries(request.headers), ...crawler }
        const answer = await set.gate.request(pathname + search, { host, headers })
        return new Response(answer.body, { status: answer.status, headers: answer.headers })
    }
    const payer = (more = {}) =>
        new DeferredClient({ key: set.key.private, agent: set.agent.origin, ...more })
    const paid = () =>
        set.ledger.query('SELECT count(*) || \' for \' || coalesce(sum(amount_micros), 0) FROM charge')
    return { ...set, fetch, payer, paid }
}

test('@x402/fetch pays, within its spend controls', async t => {
    const { fetch, payer, paid, crawltab } = await shop(t)
    const pay = wrapFetchWithPayment(sameResource(fetch), payer().register(new x402Client()))
    const answer = await pay(page)
    assert.equal(answer.status, 200)
    assert.match(await answer.text(), /harbour/i)
    const receipt = decodePaymentResponseHeader(answer.headers.get('payment-response'))
    assert.deepEqual([receipt.success, receipt.amount], [true, '50000'])
    assert.equal(paid(), '1 for 50000')
    // What was signed can be shown, and holds.
    assert.match((await crawltab('lookup', receipt.transaction)).stdout, /signature/i)
    // A price of more than a dollar is refused before anything is signed, and paid when it is allowed.
    const dear = await shop(t, { rules: [{ action: 'charge', price: '12.5' }] })
    const careful = dear.payer().register(new x402Client())
    await assert.rejects(wrapFetchWithPayment(sameResource(dear.fetch), careful)(page), /spendControls/)
    assert.equal(dear.paid(), '0 for 0')
    const generous = dear.payer().register(new x402Client())
    generous.setSpendControls({ maxAmountPerPayment: '$20' })
    assert.equal((await wrapFetchWithPayment(sameResource(dear.fetch), generous)(page)).status, 200)
    assert.equal(dear.paid(), '1 for 12500000')
})

test('offers and receipts are signed by a key of the host, where it is wished', async t => {
    const port = await freePort()
    const hosts = [`127.0.0.1:${port}`]
    const set = await scene(t, {
        listen: hosts[0],
        identity: { sign_offers: true },
        site: { scheme: 'http', hosts }
    })
    const url = `http://${hosts[0]}/articles/harbour-bell.html`
    const ask = more => fetch(url, { headers: { ...crawler, ...more } })
    const unpaid = await ask()
    assert.ok(unpaid.headers.get('payment-required').length <= 2048)
    const offer = JSON.parse(Buffer.from(unpaid.headers.get('payment-required'), 'base64'))
    const [promise, ...more] = signed.extractOffersFromPaymentRequired(offer)
    assert.equal(more.length, 0)
    // The SDK gets the key from /.well-known/did.json.
    const payload = await signed.verifyOfferSignatureJWS(promise)
    const { scheme, network, amount, asset, payTo, maxTimeoutSeconds } = offer.accepts[0]
    const { validUntil, ...terms } = payload
    assert.deepEqual(terms, { version: 1, resourceUrl: url, scheme, network, asset, payTo, amount })
    assert.ok(Math.abs(validUntil - Date.now() / 1000 - maxTimeoutSeconds) < 60)
    assert.equal(signed.findAcceptsObjectFromSignedOffer(promise, offer.accepts), offer.accepts[0])
    // A changed one does not hold.
    const [head, , signature] = promise.signature.split('.')
    const body = Buffer.from(signed.canonicalize({ ...payload, amount: '1' })).toString('base64url')
    const changed = { ...promise, signature: `${head}.${body}.${signature}` }
    await assert.rejects(signed.verifyOfferSignatureJWS(changed))
    // The client sends all extensions back, and gets the receipt.
    const payer = new DeferredClient({ key: set.key.private, agent: set.agent.origin })
    const sent = []
    const watched = async (input, init) => {
        const request = new Request(input, init)
        sent.push(request.headers.get('payment-signature'))
        return fetch(request)
    }
    const pay = wrapFetchWithPayment(sameResource(watched), payer.register(new x402Client()))
    const answer = await pay(url, { headers: crawler })
    assert.equal(answer.status, 200)
    const receipt = signed.extractReceiptFromResponse(answer)
    const told = await signed.verifyReceiptSignatureJWS(receipt)
    const { transaction } = decodePaymentResponseHeader(answer.headers.get('payment-response'))
    assert.deepEqual([told.transaction, told.resourceUrl, told.network], [transaction, url, network])
    assert.ok(signed.verifyReceiptMatchesOffer(receipt, payload, [set.agent.origin]))
    // Again: the answer that was lost, byte for byte.
    const again = await ask({ 'payment-signature': sent.at(-1) })
    assert.equal(again.headers.get('payment-response'), answer.headers.get('payment-response'))
    assert.equal(set.ledger.count('charge'), 1)
    // What a page is asked for with, and its terms, stand in every offer.
    assert.deepEqual(offer.extensions.terms, { info: { format: 'uri', terms: 'https://shop.example/terms' } })
    const paid = JSON.parse(Buffer.from(sent.at(-1), 'base64'))
    const found = extractDiscoveryInfo(paid, offer.accepts[0])
    assert.deepEqual([found.resourceUrl, found.method], [url, 'GET'])
    const { extensions } = JSON.parse(
        Buffer.from((await ask()).headers.get('payment-required'), 'base64'))
    assert.deepEqual(Object.keys(extensions).sort(), Object.keys(paid.extensions).sort())
})

test('another currency is paid when it is named', async t => {
    const { fetch, payer, paid } = await shop(t, { currency: 'EUR' })
    const refuses = payer().register(new x402Client())
    await assert.rejects(wrapFetchWithPayment(sameResource(fetch), refuses)(page), /spendControls/)
    const takes = payer({ currencies: ['EUR'] }).register(new x402Client())
    assert.equal((await wrapFetchWithPayment(sameResource(fetch), takes)(page)).status, 200)
    assert.equal(paid(), '1 for 50000')
})

test('@x402/axios pays', async t => {
    const { gate, payer, paid } = await shop(t)
    const proxy = { protocol: 'http', host: '127.0.0.1', port: gate.port }
    const instance = sameResourceAxios(axios.create({ proxy, headers: crawler }))
    const client = wrapAxiosWithPayment(instance, payer().register(new axiosX402Client()))
    const answer = await client.get(page)
    assert.equal(answer.status, 200)
    assert.match(answer.data, /harbour/i)
    assert.equal(paid(), '1 for 50000')
})

test('the oldest packages of version 2 pay', async t => {
    const { gate, fetch, payer, paid } = await shop(t)
    const old = payer().register(new oldFetch.x402Client())
    const pay = oldFetch.wrapFetchWithPayment(sameResource(fetch), old)
    assert.equal((await pay(page, {})).status, 200)
    const proxy = { protocol: 'http', host: '127.0.0.1', port: gate.port }
    const instance = sameResourceAxios(axios.create({ proxy, headers: crawler }))
    const wallet = payer().register(new oldAxios.x402Client())
    assert.equal((await oldAxios.wrapAxiosWithPayment(instance, wallet).get(page)).status, 200)
    assert.equal(paid(), '2 for 100000')
    // And by their core alone.
    const client = payer().register(new oldClient())
    const fields = new oldHttpClient(client)
    const unpaid = await fetch(page)
    const required = fields.getPaymentRequiredResponse(name => unpaid.headers.get(name), await unpaid.json())
    const headers = fields.encodePaymentSignatureHeader(await client.createPaymentPayload(required))
    const answer = await fetch(page, { headers })
    assert.equal(answer.status, 200)
    assert.equal(paid(), '3 for 150000')
})

test("another page's offer is not paid", async t => {
    const { fetch, payer, paid } = await shop(t)
    // A hostile site that hands on the shop's own offer, and what is paid for it.
    const hostile = http.createServer(async (request, response) => {
        const signature = request.headers['payment-signature']
        const answer = await fetch(page, { headers: signature ? { 'payment-signature': signature } : {} })
        response.writeHead(answer.status, Object.fromEntries(answer.headers)).end(await answer.text())
    })
    await new Promise(resolve => hostile.listen(0, '127.0.0.1', resolve))
    t.after(() => hostile.close(hostile.closeAllConnections()))
    const url = `http://127.0.0.1:${hostile.address().port}/free`
    const pay = wrapFetchWithPayment(sameResource(), payer().register(new x402Client()))
    await assert.rejects(pay(url), RelayedOfferError)
    const instance = sameResourceAxios(axios.create({ baseURL: url }))
    const client = wrapAxiosWithPayment(instance, payer().register(new axiosX402Client()))
    await assert.rejects(client.get('', { params: { x: 1 } }), RelayedOfferError)
    assert.equal(paid(), '0 for 0')
    // Another page of the same shop is another page, too; and without the check it would have been paid.
    const other = wrapFetchWithPayment(sameResource(fetch), payer().register(new x402Client()))
    const always = sameResource(() => fetch(page))
    const mistaken = wrapFetchWithPayment(always, payer().register(new x402Client()))
    await assert.rejects(mistaken(`${page}?x=1`), RelayedOfferError)
    assert.equal((await other(page)).status, 200)
    const careless = wrapFetchWithPayment(globalThis.fetch, payer().register(new x402Client()))
    assert.equal((await careless(url)).status, 200)
    assert.equal(paid(), '2 for 100000')
})

test('what will not do is said', async t => {
    const { key } = await scene(t, { gate: false })
    const usual = { key: key.private, agent: 'https://crawler.example' }
    const make = more => () => new DeferredClient({ ...usual, ...more })
    assert.throws(make({ key: { kty: 'EC' } }), /private Ed25519 JWK.*another kind/)
    assert.throws(make({ key: key.public }), /private Ed25519 JWK/)
    assert.throws(make({ key: '/no/such/file' }), /ENOENT/)
    assert.throws(make({ agent: 'crawler' }), /URL of your key directory/)
    assert.throws(make({ lifetimeSeconds: 3600 }), /between 1 and 300/)
    const alone = make({})()
    const requirements = { scheme: 'deferred', network: 'example:402', amount: '1', asset: 'USD', extra: {} }
    await assert.rejects(alone.createPaymentPayload(2, requirements), /register\(\) was not called/)
})

test('what is signed is what the vectors say', async t => {
    const file = path.join(root, 'tests/vectors/x402-deferred-commitments.json')
    const { key, at, commitments } = JSON.parse(fs.readFileSync(file, 'utf8'))
    t.mock.method(Date, 'now', () => at * 1000)
    for (const { agent, resource, accepted, commitment } of commitments) {
        const client = new DeferredClient({ key, agent }).register(new x402Client())
        client.setSpendControls(false)
        const offer = { x402Version: 2, resource: { url: resource }, accepts: [accepted] }
        const { payload } = await client.createPaymentPayload(offer)
        assert.equal(payload.commitment, commitment)
    }
})

// The one for Next is tried by hand: it wants 320 MB of packages.
test('the examples are five lines each', () => {
    const examples = path.join(root, 'tools/x402/examples')
    for (const name of ['fetch', 'axios', 'express', 'hono', 'next']) {
        const lines = fs.readFileSync(path.join(examples, `${name}.js`), 'utf8').trimEnd().split('\n')
        assert.ok(lines.filter(line => line && !line.startsWith('import')).length <= 5, name)
        assert.ok(lines.some(line => line.endsWith(`from '@x402/${name}'`)))
    }
})

test('a client in Python pays', async t => {
    const port = await freePort()
    const hosts = [`127.0.0.1:${port}`]
    const set = await scene(t, { listen: `127.0.0.1:${port}`, site: { scheme: 'http', hosts } })
    const file = path.join(set.folder, 'crawler.jwk')
    fs.writeFileSync(file, JSON.stringify(set.key.private))
    const program = path.join(root, 'tools/x402/examples/client.py')
    const client = most =>
        promisify(execFile)('python3', [
            ...[program, file, set.agent.origin, most],
            `http://${hosts[0]}/articles/harbour-bell.html`
        ])
    const paid = () => set.ledger.query('SELECT count(*), coalesce(sum(amount_micros), 0) FROM charge')
    await assert.rejects(client('49999'), /costs 50000 USD: nothing was signed/)
    assert.equal(paid(), '0|0')
    const { stdout, stderr } = await client('50000')
    assert.match(stdout, /harbour/i)
    const receipt = JSON.parse(stderr)
    assert.deepEqual([receipt.success, receipt.amount, receipt.payer], [true, '50000', set.agent.origin])
    assert.equal(paid(), '1|50000')
})
