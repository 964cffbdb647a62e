// What happened to invoices reaches the publisher's own system, and is checked there with a library that we
// did not write.
// Tests ledger/outbox/outbox.c
import assert from 'node:assert/strict'
import http from 'node:http'
import path from 'node:path'
import { test } from 'node:test'
import { Webhook } from 'standardwebhooks'
import { temporaryFolder, until } from '../support.js'
import { scene, withWebBotAuth } from '../signers.js'

const page = '/articles/harbour-bell.html'
// So far back that the day of the crawls can be closed at any hour.
const offset = -(26 * 3600 + 300)

// The publisher's own system: keeps what comes, answers with `status`.
async function receiver(t) {
    const state = { status: 204, messages: [] }
    const server = http.createServer((request, response) => {
        const chunks = []
        request.on('data', chunk => chunks.push(chunk))
        request.on('end', () => {
            const { method, headers } = request
            state.messages.push({ method, headers, body: Buffer.concat(chunks).toString() })
            response.writeHead(state.status, { location: '/elsewhere' }).end('ignored')
        })
    })
    await new Promise(resolve => server.listen(0, '127.0.0.1', resolve))
    state.url = `http://127.0.0.1:${server.address().port}/hook`
    state.close = () => {
        server.closeAllConnections?.()
        server.close()
    }
    t.after(state.close)
    return state
}

// An invoice, and a receiver who has not heard of it.
async function billed(t) {
    const hook = await receiver(t)
    const secret = path.join(temporaryFolder(t), 'webhook.secret')
    const set = await scene(
        t,
        { site: { webhook: { url: hook.url, secret_file: secret } } },
        '--clock-offset',
        String(offset)
    )
    const id = await set.gate.offer(page)
    const time = Date.now() + offset * 1000
    const headers = await withWebBotAuth(set.key, set.agent.origin, `https://shop.example${page}`, id, {
        time
    })
    assert.equal((await set.gate.request(page, { headers })).status, 200)
    await set.crawltab('nightly')
    return { ...set, hook }
}

const counts = async crawltab => {
    const answer = await crawltab('webhook', 'deliver', '--json').catch(error => error)
    return { code: answer.code ?? 0, ...JSON.parse(answer.stdout)[0] }
}

test('an issued invoice is told once, signed so that others can check it', async t => {
    const { crawltab, hook } = await billed(t)
    const { code, delivered } = await counts(crawltab)
    assert.deepEqual([code, delivered], [0, 1])
    assert.equal(hook.messages.length, 1)
    const [{ method, headers, body }] = hook.messages
    assert.equal(method, 'POST')
    assert.equal(headers['content-type'], 'application/json')
    const secret = (await crawltab('webhook', 'secret')).stdout.trim()
    const message = new Webhook(secret).verify(body, headers)
    assert.equal(message.type, 'invoice.issued')
    assert.match(message.data.number, /^TEST-INV-\d{4}-000001$/)
    assert.equal(message.data.total_minor, 5)
    assert.throws(() => new Webhook(secret).verify(body.replace('issued', 'paid'), headers))
    assert.equal((await counts(crawltab)).delivered, 0)
    assert.equal(hook.messages.length, 1)
    assert.match((await crawltab('webhook', 'list')).stdout, /invoice\.issued +\d{4}-\d\d-\d\d delivered/)
})

test('a message that is not taken is sent again later, with the same id', async t => {
    const { crawltab, hook, ledger } = await billed(t)
    hook.status = 302 // no success, and nowhere to be followed to
    assert.deepEqual(await counts(crawltab), {
        code: 1,
        site: 'example',
        delivered: 0,
        failed: 1,
        waiting: 0,
        given_up: 0
    })
    hook.status = 200
    // Not at once: the receiver is given some seconds.
    await until(async () => (await counts(crawltab)).delivered === 1, 'the second delivery')
    assert.equal(hook.messages.length, 2)
    assert.equal(hook.messages[0].headers['webhook-id'], hook.messages[1].headers['webhook-id'])
    const attempts = 'SELECT string_agg(status::text, $$,$$ ORDER BY attempt) FROM outbox_attempt'
    assert.equal(ledger.query(attempts), '302,200')
    await crawltab('webhook', 'replay', hook.messages[0].headers['webhook-id'])
    assert.equal(hook.messages.length, 3)
    assert.equal(hook.messages[2].body, hook.messages[0].body)
    assert.equal(ledger.query(attempts), '302,200,200')
    await assert.rejects(crawltab('webhook', 'replay', 'evt_none'), /there is no such message/)
})

test('a receiver that is away costs nothing but a later delivery', async t => {
    const { crawltab, hook } = await billed(t)
    hook.close()
    const failed = await counts(crawltab)
    assert.deepEqual([failed.code, failed.failed], [1, 1])
    const [message] = JSON.parse((await crawltab('webhook', 'list', '--json')).stdout)
    assert.deepEqual([message.state, message.attempts, message.status], ['failed', 1, 0])
    assert.match(message.detail, /connect/i)
    // Nor does a timer with a mistyped name succeed for ever.
    await assert.rejects(crawltab('webhook', 'deliver', '--site', 'exmaple'), /no such site/)
})
