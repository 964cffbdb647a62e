// Tools that cost something: real servers and clients of the Model Context Protocol with the gate in between.
// Tests server/gate/tool.c, server/mcp/filter.c, server/mcp/calls.c, server/mcp/replay.c
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { payForTools } from '../../../tools/x402/index.js'
import { toolShop } from '../mcp.js'
import { until } from '../support.js'

const priced = [0, 0.02, 0.05]

test('an agent lists tools, is told the price, pays and gets the result', async t => {
    const shop = await toolShop(t)
    for (const revision of ['2025-11-25', '2025-03-26']) {
        const client = await shop.client(revision)
        const { tools } = await client.listTools()
        const costs = name => tools.find(tool => tool.name === name)._meta?.['agents-x402/priceUSD'] ?? 0
        assert.deepEqual(['free', 'search', 'fails'].map(costs), priced)
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
})

// What the gate has taken back of all that it has recorded.
const counts = shop =>
    shop.ledger.query('SELECT (SELECT count(*) FROM charge) || \' \' || (SELECT count(*) FROM undelivered)')

test('what gives no result is taken back, and costs nothing in the end', async t => {
    const shop = await toolShop(t)
    const client = await shop.client()
    const paying = payForTools(client, { payer: shop.payer })
    const failed = await paying.callTool({ name: 'fails', arguments: {} })
    assert.deepEqual([failed.isError, failed.content[0].text], [true, 'no'])
    await until(() => counts(shop) === '1 1', 'an error is taken back')
    // It had arguments that the tool does not take: an error of JSON-RPC, or one that says to be a result.
    await paying.callTool({ name: 'search', arguments: { query: 5 } }).catch(() => undefined)
    await until(() => counts(shop) === '2 2', 'a refusal is taken back')
    // A server that breaks off in the middle.
    const waiting = paying.callTool({ name: 'waits', arguments: {} })
    await until(() => shop.state.waiting.length === 1, 'the tool is called')
    assert.equal(counts(shop), '3 2') // the entry is there before the tool
    shop.server.closeAllConnections()
    await assert.rejects(waiting, /nothing is charged/)
    await until(() => counts(shop) === '3 3', 'what broke off is taken back')
    const credit = shop.ledger.query('SELECT coalesce(sum(amount_micros), 0) FROM charge c WHERE NOT EXISTS' +
        ' (SELECT FROM undelivered u WHERE u.payment_id = c.payment_id)')
    assert.equal(Number(credit), 0)
})

test('the same payment gets the same result, and the tool is called once', async t => {
    for (const json of [false, true]) {
        const shop = await toolShop(t, { server: { json } })
        const client = await shop.client()
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
        assert.deepEqual(shop.state.calls, ['waits {}'])
        assert.equal(counts(shop), '1 0')
        // It opens nothing else: other arguments, another tool.
        const other = await client.callTool({ ...paid(payment), name: 'search', arguments: { query: 'x' } })
        assert.equal(other.isError, true)
        assert.equal(other.structuredContent.accepts[0].amount, '20000')
        // Nor anything more once the result is gone.
        await shop.gate.stop()
        shop.current.gate = await shop.startGate()
        await shop.current.gate.ready()
        await assert.rejects(client.callTool(paid(payment)), /handed to the site before/)
        assert.deepEqual(shop.state.calls, ['waits {}'])
        assert.equal(counts(shop), '1 0')
    }
})

test('steps of a call arrive as they are made, and a client that goes away pays nothing', async t => {
    const shop = await toolShop(t)
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
    // The client goes away in the middle.
    const long = { name: 'steps', arguments: { steps: 1000, pause: 50 } }
    const left = paying.callTool(long, undefined, { onprogress: () => client.close() })
    await assert.rejects(left)
    await until(() => counts(shop) === '2 1', 'what was cancelled is taken back')
})

test('prompts and resources cost something, too', async t => {
    const shop = await toolShop(t)
    const client = await shop.client()
    await assert.rejects(client.getPrompt({ name: 'letter', arguments: { to: 'Ann' } }), { code: -32402 })
    const paying = payForTools(client, { payer: shop.payer, budget: { USD: '0.04' } })
    const prompt = await paying.getPrompt({ name: 'letter', arguments: { to: 'Ann' } })
    assert.equal(prompt.messages[0].content.text, 'Dear Ann')
    const read = await paying.readResource({ uri: 'data://tides/today' })
    assert.equal(read.contents[0].text, 'high at six')
    assert.ok(read._meta['x402/payment-response'].success)
    const rows = 'SELECT string_agg(rule || $$ $$ || amount_micros, $$, $$ ORDER BY rule) FROM charge'
    assert.equal(shop.ledger.query(rows), 'prompts/letter 10000, resources/data://tides/* 30000')
    await assert.rejects(paying.readResource({ uri: 'data://tides/today' }), /budget/)
})

// As they stand: what no client would send.
test('hostile messages are refused by the gate, and the server hears nothing of them', async t => {
    const shop = await toolShop(t)
    await shop.client()
    const posts = () => shop.state.seen.filter(line => line.startsWith('POST')).length
    const seen = posts()
    const send = async (body, fields = {}) => {
        const headers = {
            'content-type': 'application/json',
            accept: 'application/json, text/event-stream',
            ...fields
        }
        const answer = await shop.gate.request('/mcp', { method: 'POST', headers, body })
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
    // An id that no double can hold comes back as it was.
    const raw = await shop.gate.request('/mcp', {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: text.replace('"id":1', '"id":18446744073709551617')
    })
    assert.match(raw.text, /"id":18446744073709551617,"result":\{"resultType":"complete","isError":true/)
    // A client that knows the extension hears of the price in its words.
    const knows = call('waits')
    knows.params._meta = {
        'io.modelcontextprotocol/clientCapabilities': { extensions: { 'org.x402/payment': {} } }
    }
    const { result } = await send(JSON.stringify(knows))
    assert.equal(result.resultType, 'payment_required')
    assert.equal(result.paymentRequired.accepts[0].amount, '50000')
    assert.equal(posts(), seen)
    assert.equal(counts(shop), '0 0')
})
