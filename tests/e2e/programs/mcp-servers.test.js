// An MCP server that no gate stands in front of bills its tools through the facilitator: the example of
// tools/x402 as it stands, from an agent's list of tools to the line of the invoice.
// Tests server/facilitator/offers.c
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import fs from 'node:fs'
import path from 'node:path'
import { test } from 'node:test'
import { pathToFileURL } from 'node:url'
import { Client } from '@modelcontextprotocol/sdk/client/index.js'
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js'
import { payForTools } from '../../../tools/x402/index.js'
import { payerAt } from '../mcp.js'
import { scene } from '../signers.js'
import { freePort, root, until } from '../support.js'

// So far back that the day of the calls can be closed at any hour.
const offset = -(26 * 3600 + 300)
const example = fs.readFileSync(path.join(root, 'tools/x402/examples/mcp.js'), 'utf8')

// More tools beside the example's one: one that is free, one that fails, and one that measures.
const more = `
    const say = text => ({ content: [{ type: 'text', text }] })
    server.tool('ports', 'which there are', {}, async () => say('Husum'))
    server.tool('fails', 'is an error', {}, async () => ({ ...say('no'), isError: true }))
    server.tool('throws', 'fails at once', {}, async () => { throw new Error('thrown') })
    server.tool('metered', 'costs what is said', { amount: z.string() }, async ({ amount }) => (
        console.log('metered'), { ...say('measured'), _meta: { 'x402/amount': amount } }))
    return server`

// The example as a program of its own, with the addresses of this test.
async function serve(t, set, { url, key, site, port }) {
    const file = path.join(root, 'tests/e2e/node_modules', `.mcp-server-${process.pid}.mjs`)
    const text = example
        .replace("'crawltab-x402'", JSON.stringify(pathToFileURL(path.join(root, 'tools/x402/index.js'))))
        .replace('https://facilitator.example', url)
        .replace('https://mcp.tides.example', site)
        .replace('listen(8080)', `listen(${port}, '127.0.0.1')`)
        .replace('\n    return server', more)
    fs.writeFileSync(file, text)
    const environment = { ...process.env, CRAWLTAB_KEY: key }
    const server = spawn(process.execPath, [file], { env: environment, stdio: ['ignore', 'pipe', 'inherit'] })
    let said = ''
    server.stdout.on('data', piece => (said += piece))
    t.after(() => (server.kill(), fs.rmSync(file)))
    return () => said
}

test('a server of tools bills each call through the facilitator', async t => {
    const port = await freePort()
    const site = `http://127.0.0.1:${port}`
    const rules = [
        { name: 'tools/forecast', paths: ['/tools/forecast'], action: 'charge', price: '0.02' },
        { name: 'tools/ports', paths: ['/tools/ports'], action: 'allow' },
        { name: 'tools', action: 'charge', price: '0.05' }
    ]
    const set = await scene(
        t,
        {
            facilitator: { listen: '127.0.0.1:0' },
            sites: [
                {
                    name: 'tides',
                    hosts: [`127.0.0.1:${port}`],
                    scheme: 'http',
                    network: 'tides:402',
                    terms_url: 'https://tides.example/terms',
                    rules
                }
            ]
        },
        ...['--clock-offset', String(offset)]
    )
    const key = (await set.crawltab('token', 'add', 'tides-1')).stdout.trim()
    const url = `http://${/event=facilitating address=([^ \n]+)/.exec(set.gate.log)[1]}`
    const authorization = `Bearer ${key}`
    const known = async () => (await fetch(`${url}/supported`, { headers: { authorization } })).ok
    const said = await serve(t, set, { url, key, site, port })
    await until(known, 'the gate reads the key')
    const client = new Client({ name: 'agent', version: '1' })
    const transport = () => new StreamableHTTPClientTransport(new URL(`${site}/mcp`))
    await until(() => client.connect(transport()).then(() => true, () => false), 'the server listens')
    t.after(() => client.close())

    const { tools } = await client.listTools()
    const costs = Object.fromEntries(tools.map(({ name, _meta }) => [name, _meta?.['agents-x402/priceUSD']]))
    assert.deepEqual([costs.forecast, costs.ports, costs.fails], [0.02, undefined, 0.05])
    assert.equal((await client.callTool({ name: 'ports', arguments: {} })).content[0].text, 'Husum')
    const asked = []
    const budget = { USD: '0.13' }
    const payer = payerAt(set, offset)
    const confirm = question => asked.push(`${question.url} ${question.amount}`)
    const paying = payForTools(client, { payer, confirm, budget })
    const call = { name: 'forecast', arguments: { port: 'Husum' } }
    const result = await paying.callTool(call)
    assert.equal(result.content[0].text, 'Husum: high at six')
    const receipt = result._meta['x402/payment-response']
    assert.deepEqual([receipt.success, receipt.amount], [true, '20000'])
    assert.match(asked[0], /^http:\/\/127\.0\.0\.1:\d+\/tools\/forecast\?arguments=[\w-]{43} 20000$/)
    assert.match((await set.crawltab('lookup', receipt.transaction)).stdout, /\/tools\/forecast\?arguments=/)

    // What fails costs nothing; what says so, less.
    for (const name of ['fails', 'throws'])
        assert.equal((await paying.callTool({ name, arguments: {} })).isError, true)
    const measured = await paying.callTool({ name: 'metered', arguments: { amount: '12000' } })
    assert.deepEqual(Object.keys(measured._meta), ['x402/payment-response'])
    assert.equal(measured._meta['x402/payment-response'].amount, '12000')
    const much = await paying.callTool({ name: 'metered', arguments: { amount: '50001' } })
    assert.equal(much._meta['x402/payment-response'].amount, '50000')
    await assert.rejects(paying.callTool({ name: 'metered', arguments: { amount: '1' } }), /budget/)

    // The same payment gets the same result; for other arguments it opens nothing.
    const metered = amount => ({ name: 'metered', arguments: { amount } })
    const { structuredContent: offer } = await client.callTool(metered('7000'))
    const [accepted] = offer.accepts
    const payment = { x402Version: 2, resource: offer.resource, accepted }
    Object.assign(payment, payer.commit(accepted, offer.resource.url))
    const paid = (amount, value = payment) => ({ ...metered(amount), _meta: { 'x402/payment': value } })
    const base64 = Buffer.from(JSON.stringify(payment)).toString('base64')
    const runs = said().length
    const both = await Promise.all([client.callTool(paid('7000')), client.callTool(paid('7000', base64))])
    assert.equal(both[0]._meta['x402/payment-response'].amount, '7000')
    assert.deepEqual(both[1], both[0])
    assert.deepEqual(await client.callTool(paid('7000')), both[0])
    await until(() => said().length > runs, 'the tool says that it runs')
    assert.equal(said().slice(runs), 'metered\n')
    assert.equal((await client.callTool(paid('8000'))).isError, true)
    const forged = { ...payment, accepted: { ...accepted, amount: '1' } }
    assert.equal((await client.callTool(paid('7000', forged))).isError, true)

    await set.crawltab('nightly')
    const number = set.ledger.query("SELECT number FROM invoice WHERE kind = 'invoice'")
    const document = JSON.parse((await set.crawltab('invoice', 'show', number, '--json')).stdout)
    const lines = document.lines.map(({ quantity, description, amount_micros }) =>
        [quantity, description.replace(/payment \S+:/, 'ID:'), amount_micros].join(' ')
    )
    assert.deepEqual(lines.sort(), [
        '-1 Reversal of ID: final amount 0.007 of 0.05, as the server tells -43000',
        '-1 Reversal of ID: final amount 0.012 of 0.05, as the server tells -38000',
        '-1 Reversal of ID: not delivered: 0 bytes, as the server tells -50000',
        '-1 Reversal of ID: not delivered: 0 bytes, as the server tells -50000',
        '1 tools/forecast 20000',
        '5 tools 250000'
    ])
})

test('what matters of the example is twenty lines', () => {
    const lines = example.split('\n').filter(line => line && !line.startsWith('import'))
    assert.ok(lines.length <= 20, `${lines.length}`)
})
