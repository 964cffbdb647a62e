// What a user would take instead of the gate: Node with npm web-bot-auth and pg, on fastify or express. The
// same steps as the gate's, each done in the simplest way that is quick: the payment id's HMAC, the signature
// with the key of the signer's directory (fetched once), one durable row, then the page. Less is checked than
// by the gate: no price, no rules, no conflicts.
//
//   node server.js fastify|express PORT WORKERS PAGE    PostgreSQL by PGHOST, PGUSER, PGDATABASE
import cluster from 'node:cluster'
import { createHash, createHmac, createPublicKey, randomBytes, timingSafeEqual, verify } from 'node:crypto'
import fs from 'node:fs'
import express from 'express'
import fastify from 'fastify'
import pg from 'pg'
import { verify as verifyMessage } from 'web-bot-auth'

const [kind, port, workers, page] = process.argv.slice(2)
const body = fs.readFileSync(page)
const offerKey = Buffer.alloc(32, 7)
const pool = new pg.Pool({ max: 16 })
const keys = new Map() // directory and key id → promise of the key

const mac = (head, host, target) =>
    createHmac('sha256', offerKey).update(head).update(`${host}\0${target}`).digest().subarray(0, 16)

function mint(host, target) {
    const head = Buffer.alloc(32)
    head.writeUIntBE(Date.now(), 0, 6)
    randomBytes(10).copy(head, 6)
    head[6] = 0x70 | (head[6] & 0x0f)
    head[8] = 0x80 | (head[8] & 0x3f)
    head.writeUIntBE(50000, 16, 6)
    createHash('sha256').update(`${host}\0${target}`).digest().copy(head, 22, 0, 10)
    return Buffer.concat([head, mac(head, host, target)]).toString('base64url')
}

function open(id, host, target) {
    const raw = Buffer.from(id, 'base64url')
    const good =
        raw.length === 48 && timingSafeEqual(mac(raw.subarray(0, 32), host, target), raw.subarray(32))
    return good ? raw.subarray(0, 16) : null
}

async function fetchKey(directory, keyid) {
    const answer = await fetch(`${directory}/.well-known/http-message-signatures-directory`)
    for (const jwk of (await answer.json()).keys) {
        const { crv, kty, x } = jwk
        const thumbprint = createHash('sha256').update(JSON.stringify({ crv, kty, x })).digest('base64url')
        if (thumbprint === keyid) return createPublicKey({ key: jwk, format: 'jwk' })
    }
    throw new Error('unknown key')
}

function keyOf(directory, keyid) {
    const name = `${directory} ${keyid}`
    if (!keys.has(name)) keys.set(name, fetchKey(directory, keyid))
    return keys.get(name)
}

const insert = {
    name: 'insert',
    text: `INSERT INTO peer_charge (payment_id, lane, site_id, crawler_id, amount_micros, rule, resource,
        recorded_at, thumbprint, signature, signature_base)
        VALUES ($1, $2, 1, 1, 50000, 'articles', $3, $4, $5, $6, $7)
        ON CONFLICT DO NOTHING RETURNING payment_id`
}

// Status and fields of the answer. The body of a 200 is the page.
async function handle(headers, target) {
    const host = headers.host
    const id = /\bid="([\w-]{64})"/.exec(headers.payment ?? '')?.[1]
    if (!id) {
        const nonce = mint(host, target)
        return [
            402,
            { 'accept-signature': `sig=("@authority" "payment" "signature-agent");nonce="${nonce}"` }
        ]
    }
    const uuid = open(id, host, target)
    if (!uuid) return [402, {}]
    const directory = JSON.parse(headers['signature-agent'])
    const charge = await verifyMessage(
        { method: 'GET', url: `https://${host}${target}`, headers },
        async (base, signature, { keyid, expires }) => {
            const key = await keyOf(directory, keyid)
            if (expires < new Date() || !verify(null, Buffer.from(base), key, signature))
                throw new Error('the signature does not hold')
            return { base, signature, keyid }
        }
    ).catch(() => null)
    if (!charge) return [403, {}]
    const now = new Date()
    await pool.query(insert, [
        uuid.toString('hex'),
        uuid[15],
        `https://${host}${target}`,
        now,
        Buffer.from(charge.keyid, 'base64url'),
        Buffer.from(charge.signature),
        Buffer.from(charge.base)
    ])
    const timestamp = Math.floor(now / 1000)
    return [
        200,
        {
            'content-type': 'text/html',
            'payment-response': `scheme="deferred", network="example:402", id="${id}", timestamp=${timestamp}`
        }
    ]
}

function serve() {
    if (kind === 'express') {
        const app = express()
        app.disable('x-powered-by')
        app.set('etag', false)
        app.get('/{*any}', async (request, response) => {
            const [status, fields] = await handle(request.headers, request.url)
            response.status(status).set(fields)
            response.end(status === 200 ? body : '{}')
        })
        app.listen(port, '127.0.0.1')
    } else {
        const app = fastify()
        app.get('/*', async (request, reply) => {
            const [status, fields] = await handle(request.headers, request.url)
            return reply
                .code(status)
                .headers(fields)
                .send(status === 200 ? body : '{}')
        })
        app.listen({ port: Number(port), host: '127.0.0.1' })
    }
}

if (cluster.isPrimary && workers > 1) {
    for (let i = 0; i < workers; i++) cluster.fork()
} else serve()
