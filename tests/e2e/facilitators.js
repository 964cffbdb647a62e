// A shop that delivers by itself and bills through the facilitator, as its own requests.
import http from 'node:http'
import path from 'node:path'
import { claims, jws } from './dialects.js'
import { scene } from './signers.js'
import { temporaryFolder, until } from './support.js'

const news = {
    name: 'news',
    hosts: ['news.example'],
    network: 'news:402',
    terms_url: 'https://news.example/terms',
    rules: [{ name: 'all', action: 'charge', price: '1.5' }]
}

const shop = {
    name: 'shop',
    hosts: ['shop.example'],
    network: 'shop:402',
    terms_url: 'https://shop.example/terms',
    rules: [
        { name: 'free', paths: ['/about'], action: 'allow' },
        { name: 'drafts', paths: ['/drafts/**'], action: 'block' },
        { name: 'watched', paths: ['/watched'], action: 'charge', mode: 'observe', price: '1' },
        { name: 'rest', action: 'charge', price: '12.5' }
    ]
}

const written = body =>
    body === undefined || typeof body === 'string' || Buffer.isBuffer(body) ? body : JSON.stringify(body)

// The gate, whose two sites have no content of its own, and a key for each. `call` is one of theirs.
export async function market(t, options = {}) {
    const socket = path.join(temporaryFolder(t), 'facilitator')
    const set = await scene(t, {
        facilitator: { listen: `unix:${socket}` },
        decisions: { listen: `unix:${socket}-ask` },
        sites: [shop, news],
        ...options
    })
    const make = async (name, site, ...words) =>
        (await set.crawltab('token', 'add', name, '--site', site, ...words)).stdout.trim()
    const [inShop, inNews] = await Promise.all([make('shop-1', 'shop'), make('news-1', 'news')])
    const keys = { shop: inShop, news: inNews }
    const call = async (target, body, { key = keys.shop } = {}) => {
        const answer = await set.gate.request(target, {
            method: body === undefined ? 'GET' : 'POST',
            socketPath: socket,
            headers: {
                ...(key ? { authorization: `Bearer ${key}` } : {}),
                ...(body === undefined ? {} : { 'content-type': 'application/json' })
            },
            body: written(body)
        })
        return { ...answer, json: answer.text ? JSON.parse(answer.text) : undefined }
    }
    // The same, by somebody who goes away as soon as all of it is sent.
    const cutOff = (target, body) =>
        new Promise((resolve, reject) => {
            const headers = { host: 'shop.example', authorization: `Bearer ${keys.shop}` }
            const request = http.request({ socketPath: socket, path: target, method: 'POST', headers })
            request.on('error', () => resolve())
            request.on('close', resolve)
            request.on('response', () => reject(new Error('it was answered')))
            request.end(JSON.stringify(body), () => request.destroy())
        })
    // A front's question for the shop.
    const ask = (target, headers) =>
        set.gate.request('/', {
            socketPath: `${socket}-ask`,
            headers: { 'x-original-uri': target, ...headers }
        })
    // What the shop offers: here the gate makes its ids.
    const offer = async (url = 'https://shop.example/page') => {
        const { host, pathname, search } = new URL(url)
        const answer = await set.gate.request(pathname + search, {
            host,
            headers: { 'user-agent': 'GPTBot/1.2' }
        })
        return JSON.parse(answer.text)
    }
    // The body of a call about an offer that the crawler has committed to.
    const order = (offer, options = {}) => {
        const { accept = 0, amount, resource = offer.resource.url, signs, ...more } = options
        const offered = structuredClone(offer)
        const accepted = offered.accepts[accept]
        const commitment = jws(set.key, claims(set.agent.origin, accepted, resource, { ...more, ...signs }))
        return {
            x402Version: 2,
            paymentPayload: {
                x402Version: 2,
                resource: { url: resource },
                accepted,
                payload: { commitment }
            },
            paymentRequirements: { ...accepted, ...(amount === undefined ? {} : { amount }) }
        }
    }
    // The gate reads keys every few seconds.
    const known = key => async () => (await call('/supported', undefined, { key })).status === 200
    await until(known(keys.shop), 'the gate reads the key of the shop')
    await until(known(keys.news), 'the gate reads the key of the news')
    const paid = () =>
        set.ledger.query("SELECT count(*) || ' for ' || coalesce(sum(amount_micros), 0) FROM charge")
    return { ...set, socket, keys, make, known, call, cutOff, ask, offer, order, paid }
}
