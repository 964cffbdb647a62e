// Tools that cost something: real servers and clients of the Model Context Protocol with the gate in between,
// from the list of tools to the invoice and a dispute about a line of it.
// Tests server/gate/tool.c, server/mcp/filter.c, server/mcp/calls.c, server/mcp/replay.c
import assert from 'node:assert/strict'
import fs from 'node:fs'
import path from 'node:path'
import { test } from 'node:test'
import { payForTools } from '../../../tools/x402/index.js'
import { toolShop } from '../mcp.js'
import { until } from '../support.js'

// So far back that the day of the calls can be closed at any hour.
const offset = -(26 * 3600 + 300)

// What the gate has recorded, and what of it it has taken back or lowered.
const rows = shop =>
    shop.ledger
        .query("SELECT (SELECT count(*) FROM charge) || ' ' || (SELECT count(*) FROM undelivered)")
        .split(' ')
        .map(Number)

// The same, since it was called.
function counting(shop) {
    const [charged, taken] = rows(shop)
    return () => {
        const now = rows(shop)
        return `${now[0] - charged} ${now[1] - taken}`
    }
}

// What is billed of the last entry.
const billed = shop =>
    shop.ledger.query(`SELECT c.amount_micros || ' ' ||
        CASE WHEN u.payment_id IS NULL THEN 'all' ELSE coalesce(u.final_micros::text, 'nothing') END
        FROM charge c LEFT JOIN undelivered u USING (payment_id) ORDER BY c.payment_id DESC LIMIT 1`)

const initialize = {
    ...{ jsonrpc: '2.0', id: 0, method: 'initialize' },
    params: {
        protocolVersion: '2025-06-18',
        capabilities: {},
        clientInfo: { name: 'bare', version: '1' }
    }
}

async function paysAndGets(shop) {
    for (const [revision, where] of [['2025-11-25', '/mcp'], ['2025-03-26', '/old']]) {
        const client = await shop.client(revision, where)
        const { tools } = await client.listTools()
        const costs = name => tools.find(tool => tool.name === name)._meta?.['agents-x402/priceUSD'] ?? 0
        assert.deepEqual(['free', 'search', 'fails'].map(costs), [0, 0.02, 0.05])
        assert.equal((await client.callTool({ name: 'free', arguments: {} })).content[0].text, 'given')
        const before = shop.state.calls.length
        const unpaid = await client.callTool({ name: 'search', arguments: { query: 'tides' } })
        assert.equal(unpaid.isError, true)
        assert.equal(unpaid.content[0].text, JSON.stringify(unpaid.structuredContent))
        assert.deepEqual(unpaid._meta['x402/error'], unpaid.structuredContent)
        const [offer] = unpaid.structuredContent.accepts
        assert.deepEqual([offer.scheme, offer.amount, offer.asset], ['deferred', '20000', 'USD'])
        const { url } = unpaid.structuredContent.resource
        assert.match(url, /^mcp:\/\/shop\.example\/tools\/search\?arguments=/)
        assert.equal(shop.state.calls.length, before)
        const asked = []
        const paying = payForTools(client, {
            payer: shop.payer,
            confirm: question => asked.push(question.amount),
            budget: { USD: '0.05' }
        })
        const result = await paying.callTool({ name: 'search', arguments: { query: 'tides', n: 7 } })
        assert.equal(result.content[0].text, 'found tides')
        const receipt = result._meta['x402/payment-response']
        assert.deepEqual([receipt.success, receipt.amount, receipt.asset], [true, '20000', 'USD'])
        assert.deepEqual(asked, ['20000'])
        assert.equal(shop.state.calls.at(-1), 'search {"query":"tides","n":7}')
        // What is more than the budget is not paid.
        await assert.rejects(paying.callTool({ name: 'waits', arguments: {} }), /budget/)
        const lookup = await shop.crawltab('lookup', receipt.transaction)
        assert.match(lookup.stdout, /mcp:\/\/shop\.example\/tools\/search\?arguments=/)
    }
    assert.equal(shop.charged(), '2 for 40000')
}

async function takesBack(shop) {
    const client = await shop.client()
    const paying = payForTools(client, { payer: shop.payer })
    const counts = counting(shop)
    const failed = await paying.callTool({ name: 'fails', arguments: {} })
    assert.deepEqual([failed.isError, failed.content[0].text], [true, 'no'])
    await until(() => counts() === '1 1', 'an error is taken back')
    // It had arguments that the tool does not take: an error of JSON-RPC, or one that says to be a result.
    await paying.callTool({ name: 'search', arguments: { query: 5 } }).catch(() => undefined)
    await until(() => counts() === '2 2', 'a refusal is taken back')
    // A server that breaks off in the middle.
    const waiting = paying.callTool({ name: 'waits', arguments: {} })
    await until(() => shop.state.waiting.length === 1, 'the tool is called')
    assert.equal(counts(), '3 2') // the entry is there before the tool
    shop.server.closeAllConnections()
    await assert.rejects(waiting, /nothing is charged/)
    await until(() => counts() === '3 3', 'what broke off is taken back')
    assert.equal(billed(shop), '50000 nothing')
    shop.state.release()
}

async function metersUse(shop) {
    const paying = payForTools(await shop.client(), { payer: shop.payer, budget: { USD: '0.08' } })
    const measure = async amount => {
        const { content, _meta } = await paying.callTool({ name: 'metered', arguments: { amount } })
        assert.equal(content[0].text, 'measured')
        assert.deepEqual([_meta.mine, _meta['x402/amount']], ['too', undefined])
        const receipt = _meta['x402/payment-response']
        assert.equal(receipt.success, true)
        return receipt.amount
    }
    for (const [said, expected, entry] of [
        ['15000', '15000', '40000 15000'],
        [2500, '2500', '40000 2500'],
        ['0', '0', '40000 nothing'],
        // What does not count is charged as offered, and said in the log.
        ['40001', '40000', '40000 all']
    ]) {
        assert.equal(await measure(said), expected)
        await until(() => billed(shop) === entry, `${JSON.stringify(said)} is billed: ${billed(shop)}`)
    }
    const said = /event=amount_refused site=example detail="it is more than/
    await until(() => said.test(shop.current.gate.log), 'what does not count is logged')
    // Of the budget is spent what was billed: 0.0575, and so there is no room for another offer of 0.04.
    await assert.rejects(measure('1'), /budget/)
}

async function onceForAPayment(shop, where) {
    const client = await shop.client('2025-11-25', where)
    const counts = counting(shop)
    const calls = shop.state.calls.length
    const call = { name: 'waits', arguments: {} }
    const unpaid = await client.callTool(call)
    const { resource, accepts } = unpaid.structuredContent
    const [accepted] = accepts
    const payment = { x402Version: 2, resource, accepted, ...shop.payer.commit(accepted, resource.url) }
    const paid = value => ({ ...call, _meta: { 'x402/payment': value } })
    const base64 = Buffer.from(JSON.stringify(payment)).toString('base64')
    const both = [client.callTool(paid(payment)), client.callTool(paid(base64))]
    await until(() => shop.state.waiting.length === 1, 'the tool is called')
    shop.state.release()
    const [first, second] = await Promise.all(both)
    const third = await client.callTool(paid(base64))
    assert.equal(first.content[0].text, 'waited')
    assert.ok(first._meta['x402/payment-response'].success)
    assert.deepEqual(second, first)
    assert.deepEqual(third, first)
    // By the header that says the same, too.
    const session = { 'mcp-session-id': client.transport.sessionId, 'payment-signature': base64 }
    const message = { jsonrpc: '2.0', id: 7, method: 'tools/call', params: call }
    assert.deepEqual(JSON.parse((await shop.post(message, session)).text).result, first)
    assert.deepEqual(shop.state.calls.slice(calls), ['waits {}'])
    assert.equal(counts(), '1 0')
    // It opens nothing else: other arguments, another tool.
    const other = await client.callTool({ ...paid(payment), name: 'search', arguments: { query: 'x' } })
    assert.equal(other.isError, true)
    assert.equal(other.structuredContent.accepts[0].amount, '20000')
    return () => assert.rejects(client.callTool(paid(payment)), /handed to the site before/)
}

// Nothing in the body, all in the header.
async function paysByHeader(shop) {
    const begun = await shop.post(initialize)
    const session = { 'mcp-session-id': begun.headers['mcp-session-id'] }
    const params = { name: 'search', arguments: { query: 'by header' } }
    const message = { jsonrpc: '2.0', id: 'h-1', method: 'tools/call', params }
    const { structuredContent: offer } = JSON.parse((await shop.post(message, session)).text).result
    const [accepted] = offer.accepts
    const payment = { x402Version: 2, resource: offer.resource, accepted }
    const both = { ...payment, ...shop.payer.commit(accepted, offer.resource.url) }
    const field = { 'payment-signature': Buffer.from(JSON.stringify(both)).toString('base64') }
    const twice = { ...message, params: { ...params, _meta: { 'x402/payment': both } } }
    const refused = JSON.parse((await shop.post(twice, { ...session, ...field })).text)
    assert.equal(refused.error.data.code, 'conflicting_payment')
    const { text } = await shop.post(message, { ...session, ...field })
    const answer = JSON.parse(/^data: (.*)$/m.exec(text)[1])
    assert.deepEqual([answer.id, answer.result.content[0].text], ['h-1', 'found by header'])
    assert.equal(answer.result._meta['x402/payment-response'].amount, '20000')
}

async function stepsAndCancels(shop) {
    const counts = counting(shop)
    const client = await shop.client()
    const paying = payForTools(client, { payer: shop.payer })
    const times = []
    const steps = { name: 'steps', arguments: { steps: 6, pause: 150 } }
    const onprogress = () => times.push(performance.now())
    const result = await paying.callTool(steps, undefined, { onprogress })
    assert.equal(result.content[0].text, 'done')
    assert.ok(result._meta['x402/payment-response'].success)
    assert.equal(times.length, 6)
    assert.ok(times[5] - times[0] > 400, `they came together: ${times}`)
    // A call that is cancelled is so at its server, which gives no result: once its stream has ended, as it
    // does at last by origin.gap_seconds, nothing is charged.
    const stop = new AbortController()
    const waiting = paying.callTool({ name: 'waits', arguments: {} }, undefined, { signal: stop.signal })
    await until(() => shop.state.waiting.length === 1, 'the tool is called')
    stop.abort()
    await assert.rejects(waiting)
    await until(() => shop.state.cancelled === 1, 'the server hears of it')
    assert.equal(counts(), '2 0')
    shop.server.closeAllConnections()
    await until(() => counts() === '2 1', 'what was cancelled is taken back')
    shop.state.release()
    // The client goes away in the middle.
    const other = await shop.client()
    const long = { name: 'steps', arguments: { steps: 1000, pause: 50 } }
    const left = payForTools(other, { payer: shop.payer }).callTool(long, undefined, {
        onprogress: () => other.close()
    })
    await assert.rejects(left)
    await until(() => counts() === '3 2', 'what nobody waits for is taken back')
}

async function promptsAndResources(shop) {
    const client = await shop.client()
    await assert.rejects(client.getPrompt({ name: 'letter', arguments: { to: 'Ann' } }), { code: -32402 })
    const paying = payForTools(client, { payer: shop.payer, budget: { USD: '0.04' } })
    const prompt = await paying.getPrompt({ name: 'letter', arguments: { to: 'Ann' } })
    assert.equal(prompt.messages[0].content.text, 'Dear Ann')
    const read = await paying.readResource({ uri: 'data://tides/today' })
    assert.equal(read.contents[0].text, 'high at six')
    assert.ok(read._meta['x402/payment-response'].success)
    const found = shop.ledger.query(`SELECT string_agg(rule || ' ' || amount_micros, ', ' ORDER BY rule)
        FROM charge WHERE rule NOT LIKE 'tools/%'`)
    assert.equal(found, 'prompts/letter 10000, resources/data://tides/* 30000')
    await assert.rejects(paying.readResource({ uri: 'data://tides/today' }), /budget/)
}

// As they stand: what no client would send.
async function refusesHostile(shop) {
    const counts = counting(shop)
    const posts = () => shop.state.seen.filter(line => line.startsWith('POST')).length
    const seen = posts()
    const send = async (body, fields) => {
        const answer = await shop.post(body, fields)
        return { status: answer.status, ...JSON.parse(answer.text) }
    }
    const params = name => ({ name, arguments: {} })
    const call = (name, id = 1) => ({ jsonrpc: '2.0', id, method: 'tools/call', params: params(name) })
    const text = JSON.stringify(call('waits'))
    for (const [code, body, fields] of [
        [-32700, '{'.repeat(100_000)],
        [-32700, `${'['.repeat(65)}${']'.repeat(65)}`],
        [-32700, text.replace('"name"', '"name":"free","name"')],
        [-32700, text.replace('waits', 'w\\ud800')],
        [-32700, Buffer.concat([Buffer.from([0xef, 0xbb, 0xbf]), Buffer.from(text)])],
        [-32600, text.replace('"name"', '"name":"free","NAME"')],
        [-32600, JSON.stringify([call('free'), call('waits', 2)])],
        [-32600, text.replace('"id":1,', '')],
        [-32600, text, { 'content-type': 'application/json; charset=utf-7' }],
        [-32600, text, { 'content-encoding': 'identity' }],
        [-32020, text, { 'mcp-method': 'tools/call', 'mcp-name': 'free' }]
    ]) {
        const answer = await send(body, fields)
        assert.deepEqual([answer.status, answer.error?.code], [400, code], `${body}`.slice(0, 80))
    }
    // More than origin.body_bytes: the answer, or the end of the connection while it is still sent.
    const { status, code } = await shop.post(text + ' '.repeat(1 << 20)).catch(error => error)
    assert.ok(status === 413 || code === 'ECONNRESET' || code === 'EPIPE', `${status} ${code}`)
    // An id that no double can hold comes back as it was.
    const raw = await shop.post(text.replace('"id":1', '"id":18446744073709551617'))
    assert.match(raw.text, /"id":18446744073709551617,"result":\{"resultType":"complete","isError":true/)
    // A client that knows the extension hears of the price in its words.
    const knows = call('waits')
    knows.params._meta = {
        'io.modelcontextprotocol/clientCapabilities': { extensions: { 'org.x402/payment': {} } }
    }
    const { result } = await send(knows)
    assert.equal(result.resultType, 'payment_required')
    assert.equal(result.paymentRequired.accepts[0].amount, '50000')
    assert.equal(posts(), seen)
    assert.equal(counts(), '0 0')
}

// What was agreed on holds for tools by their names, and for prompts by a glob.
async function agreedPrices(shop) {
    const file = path.join(shop.folder, 'terms.yaml')
    const prices = [
        { rule: 'tools/search', price: '0.003' },
        { rule: 'prompts/*', price: '0.004' }
    ]
    fs.writeFileSync(file, JSON.stringify({ prices }))
    const words = ['agreement', 'set', shop.agent.origin, '--reason', 'test', '--file', file]
    await shop.crawltab('--clock-offset', String(offset), ...words)
    const client = await shop.client()
    const asked = []
    // The first offer is to nobody in particular; what was signed says to whom the next one is.
    const amount = async () => {
        const paying = payForTools(client, {
            payer: shop.payer,
            confirm: ({ amount }) => asked.push(amount),
            budget: { USD: '0.02' }
        })
        const result = await paying.callTool({ name: 'search', arguments: { query: 'agreed' } })
        return result._meta['x402/payment-response'].amount
    }
    await until(async () => (await amount()) === '3000', 'the gate knows the agreement', 200)
    assert.deepEqual(asked.slice(-2), ['20000', '3000'])
    const prompt = await payForTools(client, { payer: shop.payer }).getPrompt({
        name: 'letter',
        arguments: { to: 'Bo' }
    })
    assert.equal(prompt._meta['x402/payment-response'].amount, '4000')
}

// The invoice has a line for each tool and price; one of its calls is disputed.
async function billsAndDisputes(shop) {
    const { ledger, crawltab } = shop
    await crawltab('nightly')
    const number = ledger.query("SELECT number FROM invoice WHERE kind = 'invoice'")
    const document = JSON.parse((await crawltab('invoice', 'show', number, '--json')).stdout)
    const shown = document.lines.map(({ quantity, description, unit_price_micros }) =>
        [quantity, description.replace(/payment \S+:/, 'ID:'), unit_price_micros].join(' ')
    )
    for (const line of [
        '1 prompts/letter 4000',
        '1 prompts/letter 10000',
        '1 resources/data://tides/* 30000',
        '4 tools/metered 40000',
        '1 tools/search 3000',
        '-1 Reversal of ID: final amount 0.015 of 0.04, as the gate tells 25000',
        '-1 Reversal of ID: final amount 0.0025 of 0.04, as the gate tells 37500',
        '-1 Reversal of ID: not delivered: 0 bytes, as the gate tells 40000'
    ])
        assert.ok(shown.includes(line), `${line} in\n${shown.join('\n')}`)
    const sum = document.lines.reduce((sum, line) => sum + line.amount_micros, 0)
    const owed = ledger.query(`SELECT sum(CASE WHEN u.payment_id IS NULL THEN c.amount_micros
        ELSE coalesce(u.final_micros, 0) END) FROM charge c LEFT JOIN undelivered u USING (payment_id)`)
    assert.equal(String(sum), owed)
    const digests = ledger.query(`SELECT count(*) FROM charge WHERE rule LIKE 'tools/%'
        AND resource !~ '^mcp://shop[.]example/tools/[a-z]+[?]arguments=[A-Za-z0-9_-]{43}$'`)
    assert.equal(digests, '0')
    const call = ledger.query("SELECT min(payment_id::text) FROM charge WHERE rule = 'tools/search'")
    const words = [call, '--reason', 'service_defective', '--text', 'found nothing']
    const dispute = async (...more) => JSON.parse((await crawltab('dispute', ...more, '--json')).stdout)
    const opened = await dispute('open', ...words)
    assert.deepEqual([opened.status, opened.subjects[0].invoice], ['referred', number])
    const decided = await dispute('decide', opened.dispute_id, '--uphold', '--reason', 'so it was')
    assert.deepEqual([decided.status, decided.upheld_micros], ['upheld', 20000])
    await crawltab('audit')
}

test('tools on a tab: listed, priced, paid, delivered once, billed and disputed', async t => {
    const shop = await toolShop(t, { offset })
    const step = (name, body, ...more) => t.test(name, () => body(shop, ...more))
    await step('an agent lists tools, is told the price, pays and gets the result', paysAndGets)
    await step('what gives no result is taken back, and costs nothing in the end', takesBack)
    await step('a server says what a call costs in the end, never more than offered', metersUse)
    const later = []
    await t.test('the same payment gets the same result, and the tool is called once', async () => {
        for (const where of ['/mcp', '/json']) later.push(await onceForAPayment(shop, where))
    })
    await step('a payment may be in the header', paysByHeader)
    await step('steps of a call arrive as they are made; what is cancelled is not charged', stepsAndCancels)
    await step('prompts and resources cost something, too', promptsAndResources)
    await step('hostile messages are refused, and the server hears nothing of them', refusesHostile)
    await step('agreements have prices for tools', agreedPrices)
    await t.test('nor is it called again by another gate, which has no result', async () => {
        await shop.restart()
        const counted = shop.ledger.query('SELECT DISTINCT path, rule FROM traffic_path').split('\n')
        assert.ok(counted.includes('tools/search|tools/search'), counted.join(' '))
        const calls = shop.state.calls.length
        for (const refused of later) await refused()
        assert.equal(shop.state.calls.length, calls)
    })
    await step('the invoice names tool and price, and a call is disputed', billsAndDisputes)
})

