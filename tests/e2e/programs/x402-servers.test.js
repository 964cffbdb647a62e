// Servers of the x402 SDKs as they are published sell by the scheme of tools/x402, and bill through the
// facilitator. Their clients pay with it.
// Tests server/facilitator/offers.c
import assert from 'node:assert/strict'
import http from 'node:http'
import { test } from 'node:test'
import express from 'express'
import { Hono } from 'hono'
import { HTTPFacilitatorClient } from '@x402/core/server'
import * as forExpress from '@x402/express'
import * as forHono from '@x402/hono'
import * as identifier from '@x402/extensions/payment-identifier'
import * as oldExpress from 'x402-express-oldest'
import * as oldHono from 'x402-hono-oldest'
import { decodePaymentResponseHeader, wrapFetchWithPayment, x402Client } from '@x402/fetch'
import { DeferredClient, DeferredServer, sameResource } from '../../../tools/x402/index.js'
import { scene } from '../signers.js'
import { freePort, until } from '../support.js'

const terms = { scheme: 'deferred', network: 'shop:402', payTo: 'merchant' }
const routes = {
    'GET /page': {
        accepts: { ...terms, price: '$0.05' },
        extensions: { [identifier.PAYMENT_IDENTIFIER]: identifier.declarePaymentIdentifierExtension() }
    },
    'GET /dear': { accepts: { ...terms, price: '$12.50' } },
    'GET /fails': { accepts: { ...terms, price: '$0.05' } },
    'GET /costs-less': { accepts: { ...terms, price: '$0.05' } },
    'GET /metered': { accepts: { ...terms, price: '$0.05', extra: { paymentFlow: 'authorization' } } },
    'GET /wrong': { accepts: { ...terms, price: '$0.07' } }
}

// For middleware that does not know of the flow escrow, and so would not tell when a handler has failed.
const afterwards = Object.fromEntries(
    Object.entries(routes).map(([route, { accepts }]) => [
        route,
        { accepts: { ...accepts, extra: { paymentFlow: 'authorization' } } }
    ])
)

// A ledger whose only site is a server of one's own, on the port that is given.
async function shop(t, port) {
    const set = await scene(t, {
        facilitator: { listen: '127.0.0.1:0' },
        sites: [
            {
                name: 'shop',
                hosts: [`127.0.0.1:${port}`],
                scheme: 'http',
                network: 'shop:402',
                terms_url: 'https://shop.example/terms',
                rules: [
                    { name: 'dear', paths: ['/dear'], action: 'charge', price: '12.5' },
                    { name: 'rest', action: 'charge', price: '0.05' }
                ]
            }
        ]
    })
    const key = (await set.crawltab('token', 'add', 'shop-1')).stdout.trim()
    const url = `http://${/event=facilitating address=([^ \n]+)/.exec(set.gate.log)[1]}`
    const bills = new DeferredServer({ url, key })
    const client = new HTTPFacilitatorClient(bills.facilitator)
    await until(() => client.getSupported().then(() => true, () => false), 'the gate reads the key')
    const payer = new DeferredClient({ key: set.key.private, agent: set.agent.origin })
    const wallet = payer.register(new x402Client())
    wallet.setSpendControls({ maxAmountPerPayment: '$20' })
    wallet.registerExtension({
        key: identifier.PAYMENT_IDENTIFIER,
        enrichPaymentPayload: (payload, { extensions }) => ({
            ...payload,
            extensions: identifier.appendPaymentIdentifierToExtensions(structuredClone(extensions ?? {}))
        })
    })
    const pay = wrapFetchWithPayment(sameResource(), wallet)
    const get = path => pay(`http://127.0.0.1:${port}${path}`)
    const sum = table => Number(set.ledger.query(`SELECT coalesce(sum(amount_micros), 0) FROM ${table}`))
    return { ...set, bills, client, get, sum, origin: `http://127.0.0.1:${port}` }
}

// Whatever the framework: pages are billed, what fails is not, and the price may be lowered. The oldest
// packages settle when the handler has run, and know of no other amount.
async function sells({ ledger, get, sum, origin, crawltab }, oldest) {
    const unpaid = await fetch(`${origin}/page`)
    assert.equal(unpaid.status, 402)
    const page = await get('/page')
    assert.deepEqual([page.status, await page.text()], [200, 'a page'])
    const receipt = decodePaymentResponseHeader(page.headers.get('payment-response'))
    assert.deepEqual([receipt.success, receipt.amount, receipt.network], [true, '50000', 'shop:402'])
    assert.match((await crawltab('lookup', receipt.transaction)).stdout, /\/page/)
    assert.equal((await get('/dear')).status, 200)
    assert.deepEqual([ledger.count('charge'), sum('charge')], [2, 12550000])
    // The handler fails: what was recorded is taken back.
    assert.equal((await get('/fails')).status, 500)
    if (oldest) {
        assert.deepEqual([ledger.count('charge'), sum('spend')], [2, 12550000])
        assert.ok((await fetch(`${origin}/wrong`)).status >= 500)
        await crawltab('audit')
        return
    }
    assert.equal(ledger.query('SELECT count(*) FROM undelivered JOIN charge USING (payment_id)'), '1')
    assert.deepEqual([ledger.count('charge'), sum('spend')], [3, 12550000])
    assert.equal(ledger.count('payment_identifier'), 1)
    // And one that costs less than was offered.
    const metered = await get('/metered')
    assert.equal(metered.headers.get('settlement-overrides'), null)
    assert.equal(decodePaymentResponseHeader(metered.headers.get('payment-response')).amount, '20000')
    assert.deepEqual([ledger.count('charge'), sum('spend')], [4, 12570000])
    // The same where it is recorded first, and the second settlement says what it costs; again, too.
    const less = await get('/costs-less')
    assert.equal(less.headers.get('settlement-overrides'), null)
    assert.equal(decodePaymentResponseHeader(less.headers.get('payment-response')).amount, '20000')
    assert.equal(ledger.query('SELECT final_micros FROM undelivered WHERE final_micros > 0'), '20000')
    assert.deepEqual([ledger.count('charge'), sum('charge'), sum('spend')], [5, 12670000, 12590000])
    // A price that is not the ledger's sells nothing.
    assert.ok((await fetch(`${origin}/wrong`)).status >= 500)
    await crawltab('audit')
}

async function sellsByExpress(t, packaged, oldest) {
    const port = await freePort()
    const set = await shop(t, port)
    const server = set.bills.register(new packaged.x402ResourceServer(set.client))
    const app = express().use(packaged.paymentMiddleware(oldest ? afterwards : routes, server))
    app.get('/page', (request, response) => response.send('a page'))
    app.get('/dear', (request, response) => response.send('a dear page'))
    app.get('/fails', (request, response) => response.status(500).send('no page'))
    app.get('/metered', (request, response) =>
        response.setHeader('Settlement-Overrides', '{"amount":"20000"}').send('some of it')
    )
    app.get('/costs-less', (request, response) =>
        response.setHeader('Settlement-Overrides', '{"amount":"40%"}').send('some of it')
    )
    app.use((error, request, response, next) => (next, response.status(500).end()))
    const listening = app.listen(port, '127.0.0.1')
    t.after(() => listening.close(listening.closeAllConnections()))
    await new Promise(resolve => listening.on('listening', resolve))
    await sells(set, oldest)
}

async function sellsByHono(t, packaged, oldest) {
    const port = await freePort()
    const set = await shop(t, port)
    const server = set.bills.register(new packaged.x402ResourceServer(set.client))
    const app = new Hono().use(packaged.paymentMiddleware(oldest ? afterwards : routes, server))
    app.get('/page', context => context.text('a page'))
    app.get('/dear', context => context.text('a dear page'))
    app.get('/fails', context => context.text('no page', 500))
    const overrides = { 'Settlement-Overrides': '{"amount":"20000"}' }
    app.get('/metered', context => context.text('some of it', 200, overrides))
    const share = { 'Settlement-Overrides': '{"amount":"$0.02"}' }
    app.get('/costs-less', context => context.text('some of it', 200, share))
    // Hono speaks the web's Request and Response; this much makes it a server.
    const listening = http.createServer(async (request, response) => {
        const answer = await app.fetch(
            new Request(`http://${request.headers.host}${request.url}`, { headers: request.headers })
        )
        response.writeHead(answer.status, Object.fromEntries(answer.headers)).end(await answer.text())
    })
    listening.listen(port, '127.0.0.1')
    t.after(() => listening.close(listening.closeAllConnections()))
    await new Promise(resolve => listening.on('listening', resolve))
    await sells(set, oldest)
}

test('an Express server bills through the facilitator', t => sellsByExpress(t, forExpress))
test('a Hono server bills through the facilitator', t => sellsByHono(t, forHono))
test('an Express server of the oldest package does', t => sellsByExpress(t, oldExpress, true))
test('a Hono server of the oldest package does', t => sellsByHono(t, oldHono, true))

test('offers are made ahead, at the prices of the rules', async t => {
    const port = await freePort()
    const { bills, origin } = await shop(t, port)
    const ask = async (body, headers) => {
        const { url, createAuthHeaders } = bills.facilitator
        const answer = await fetch(`${url}/offers`, {
            method: 'POST',
            headers: headers ?? (await createAuthHeaders()).verify,
            body: JSON.stringify(body)
        })
        return { status: answer.status, json: await answer.json() }
    }
    const urls = ['/dear', '/page', '/page'].map(path => ({ url: origin + path }))
    const { status, json } = await ask({ resources: [...urls, { url: 'https://other.example/' }, {}] })
    assert.equal(status, 200)
    assert.deepEqual(json.offers.map(offer => offer.accepts?.map(({ amount }) => amount) ?? offer.error), [
        ...[['12500000', '1250'], ['50000', '5'], ['50000', '5']],
        ...['misdirected_request', 'misdirected_request']
    ])
    const ids = json.offers.slice(0, 3).map(offer => offer.accepts[0].extra.id)
    assert.equal(new Set(ids).size, 3)
    for (const id of ids) assert.match(id, /^[\w-]{64}$/)
    for (const body of [{}, [], { resources: [] }, { resources: Array(33).fill({ url: origin }) }])
        assert.equal((await ask(body)).status, 400)
    assert.equal((await ask({ resources: Array(32).fill(urls[0]) })).json.offers.length, 32)
    assert.equal((await ask({ resources: urls }, { Authorization: 'Bearer x' })).status, 401)
})
