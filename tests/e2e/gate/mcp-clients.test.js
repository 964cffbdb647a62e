// Clients and servers of MCP 2026-07-28, and the Inspector, with the gate in between.
// Tests server/mcp/answer.c, server/mcp/rpc.c
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import fs from 'node:fs'
import path from 'node:path'
import { test } from 'node:test'
import { promisify } from 'node:util'
import { payForTools } from '../../../tools/x402/index.js'
import { newToolServer, toolShop } from '../mcp.js'
import { freePort, root, until } from '../support.js'

const old = Number(process.versions.node.split('.')[0]) < 20
const skip = old && 'these packages want Node 20'

test('the revision 2026-07-28 and the Inspector', { skip }, async t => {
    const { Client, StreamableHTTPClientTransport } = await import('@modelcontextprotocol/client')
    const port = await freePort()
    const shop = await toolShop(t, {
        tools: await newToolServer(t),
        listen: `127.0.0.1:${port}`,
        site: { hosts: ['shop.example', `127.0.0.1:${port}`] }
    })
    const connect = async (capabilities = {}) => {
        const versionNegotiation = { mode: { pin: '2026-07-28' } }
        const client = new Client({ name: 'agent', version: '2' }, { versionNegotiation, capabilities })
        await client.connect(new StreamableHTTPClientTransport(shop.url, { fetch: shop.fetch }))
        t.after(() => client.close())
        return client
    }
    const rows = () =>
        shop.ledger.query(`SELECT (SELECT count(*) FROM charge) || ' ' || (SELECT count(*) FROM undelivered)`)
    const call = { name: 'search', arguments: { query: 'tides' } }
    const client = await connect()

    await t.test('a client is told prices and the extension, pays and gets the result', async () => {
        assert.deepEqual([...shop.state.versions], ['2026-07-28'])
        assert.deepEqual(client.getServerCapabilities().extensions, { 'org.x402/payment': {} })
        const { tools } = await client.listTools()
        const costs = tools.map(({ name, _meta }) => [name, _meta?.['x402/price']?.amount])
        assert.deepEqual(costs, [['search', '0.02'], ['free', undefined], ['waits', '0.05']])
        assert.equal((await client.callTool({ name: 'free', arguments: {} })).content[0].text, 'given')
        const unpaid = await client.callTool(call)
        assert.deepEqual([unpaid.isError, unpaid.structuredContent.accepts[0].amount], [true, '20000'])
        assert.deepEqual(shop.state.calls, [])
        const paying = payForTools(client, { payer: shop.payer, budget: { USD: '0.02' } })
        const paid = await paying.callTool(call)
        assert.equal(paid.content[0].text, 'found tides')
        assert.equal(paid._meta['x402/payment-response'].amount, '20000')
        assert.equal(rows(), '1 0')
    })

    await t.test('one that says the extension is answered in its words', async () => {
        const knows = await connect({ extensions: { 'org.x402/payment': {} } })
        // Which this client has no reading of.
        const data = { resultType: 'payment_required', method: 'tools/call' }
        await assert.rejects(knows.callTool(call), { code: 'UNSUPPORTED_RESULT_TYPE', data })
    })

    await t.test('a call that is cancelled costs nothing', async () => {
        const stop = new AbortController()
        const paying = payForTools(client, { payer: shop.payer })
        const waiting = paying.callTool({ name: 'waits', arguments: {} }, { signal: stop.signal })
        await until(() => shop.state.waiting.length === 1, 'the tool is called')
        stop.abort()
        await assert.rejects(waiting)
        await until(() => shop.state.cancelled === 1, 'the server hears of it')
        await until(() => rows() === '2 1', 'it is taken back')
    })

    await t.test('the Inspector shows the price, and what is asked for a call', async () => {
        const inspector = path.join(root, 'tests/e2e/node_modules/@modelcontextprotocol/inspector-cli')
        // It looks for its version outside of its package, where nothing is installed.
        fs.copyFileSync(path.join(inspector, 'package.json'), path.join(inspector, '../package.json'))
        const inspect = async (...words) => {
            const url = `http://127.0.0.1:${port}/mcp`
            const program = path.join(inspector, 'build/cli.js')
            const options = ['--cli', url, '--transport', 'http', '--method', ...words]
            const { stdout } = await promisify(execFile)(process.execPath, [program, ...options])
            return JSON.parse(stdout)
        }
        const { tools } = await inspect('tools/list')
        assert.equal(tools.find(({ name }) => name === 'search')._meta['agents-x402/priceUSD'], 0.02)
        const asked = ['tools/call', '--tool-name', 'search', '--tool-arg', 'query=tides']
        const { isError, structuredContent } = await inspect(...asked)
        assert.deepEqual([isError, structuredContent.accepts[0].amount], [true, '20000'])
    })
})
