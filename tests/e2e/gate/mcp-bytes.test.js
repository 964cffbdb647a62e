// What has no price passes a gate with tools byte for byte, both ways: each exchange is made with the site's
// own server alone and through the gate, and what either side got is compared.
// Tests server/mcp/filter.c, server/mcp/rpc.c, server/gate/tool.c
import assert from 'node:assert/strict'
import http from 'node:http'
import { test } from 'node:test'
import { toolShop } from '../mcp.js'

const json = 'application/json'
const events = 'text/event-stream'

// Answers by what the test has put into `next`, and remembers what it was asked.
async function echo(t) {
    const state = { next: undefined, asked: undefined }
    const server = http.createServer((request, response) => {
        const chunks = []
        request.on('data', chunk => chunks.push(chunk))
        request.on('end', async () => {
            state.asked = { ...request, body: Buffer.concat(chunks), headers: request.headers }
            state.asked.line = `${request.method} ${request.url}`
            const { status = 200, headers = {}, pieces } = state.next
            response.writeHead(status, headers)
            for (const piece of pieces) {
                response.write(piece)
                await new Promise(setImmediate)
            }
            response.end()
        })
    })
    await new Promise(resolve => server.listen(0, '127.0.0.1', resolve))
    t.after(() => (server.closeAllConnections(), server.close()))
    return { state, server, origin: `http://127.0.0.1:${server.address().port}` }
}

function ask(port, { method = 'POST', headers = {}, body }) {
    return new Promise((resolve, reject) => {
        const fields = { host: 'shop.example', accept: `${json}, ${events}`, ...headers }
        if (body !== undefined) fields['content-length'] = Buffer.byteLength(body)
        const options = { host: '127.0.0.1', port, path: '/mcp?x=1', method, headers: fields, agent: false }
        const request = http.request(options, response => {
            const chunks = []
            response.on('data', chunk => chunks.push(chunk))
            response.on('error', reject)
            response.on('end', () =>
                resolve({
                    status: response.statusCode,
                    headers: response.headers,
                    body: Buffer.concat(chunks)
                })
            )
        })
        request.on('error', reject)
        request.end(body)
    })
}

// Of headers those that MCP has, and what says how to read the body.
const named = /^(mcp-|content-type|last-event-id|accept$|allow$)/
const told = headers =>
    Object.fromEntries(Object.entries(headers).filter(([name]) => named.test(name)))

const message = (method, params, id = 1) => JSON.stringify({ jsonrpc: '2.0', id, method, params })
const free = message('tools/call', { name: 'free', arguments: {} })
const answer = '{"jsonrpc":"2.0","id":1,"result":{"content":[]}}'

// Whatever a server may write that a reader and writer of JSON would write otherwise.
const odd = [
    ' {\r\n\t"id" : 18446744073709551617 ,"jsonrpc":"2.0","result":{"n":1.0,"m":1e400,"z":-0}}\n\n',
    '{"id":1,"id":2,"result":{"a":1,"a":2},"result":{"b":3}}',
    '{"id":1,"result":{"half":"\\ud800","pair":"\\uD83D\\uDE00","plain":"\u{1f600}","nul":"\\u0000"}}',
    Buffer.from([0xff, 0xfe, 0x7b, 0x00]),
    '{"id":1,"result":{"_meta":{"x402/amount":"5","x402/payment-response":{"success":true}}}}',
    '[{"id":1,"result":{}}, {"id":2,"error":{"code":1,"message":""}}]',
    'no JSON at all',
    ''
]
const streams = [
    ': a comment\r\nretry: 10\r\nid: 7\r\ndata: {"method":"notifications/progress"}\r\n\r\n',
    `event: message\ndata:${answer}\n\n`,
    'data: {"id":1,\ndata: "result":{}}\rid:\r\r',
    '\ufeffdata: x\n\nfield\n: y\n\n\n\n',
    'data: no end'
]

const asked = [
    // Requests that are read before they are sent on.
    ['a free call', { body: free }],
    ['odd spaces, numbers and escapes', { body: ` \r\n{"id":\t1e0 , "method":"\\u0070ing" }\t\n` }],
    ['an id of more than 64 bits', { body: '{"id":123456789012345678901234567890,"method":"x"}' }],
    ['a pair of surrogates', { body: '{"id":1,"method":"x","params":["\\ud83d\\ude00","\u{1f600}"]}' }],
    ['numbers of no double', { body: '{"id":1,"method":"x","params":[1.10,1E+2,-0,9007199254740993]}' }],
    ['a batch', { body: `[${free} ,\n ${message('ping', undefined, 2)},{"method":"notifications/x"}]` }],
    ['a notification', { body: '{"jsonrpc":"2.0","method":"notifications/cancelled"}' }],
    ['an answer to its server', { body: '{"jsonrpc":"2.0","id":4,"result":{"roots":[]}}' }],
    ['an upper case type', { body: free, headers: { 'content-type': 'Application/JSON;charset=UTF-8' } }],
    ['a session', { body: free, headers: { 'mcp-session-id': 'a!~z', 'mcp-protocol-version': 'x' } }],
    ['a stream', { method: 'GET', headers: { 'last-event-id': '7', 'mcp-session-id': 's' } }],
    ['an end', { method: 'DELETE', headers: { 'mcp-session-id': 's' } }]
]

const answered = [
    ...odd.map(text => [json, [text]]),
    ...odd.filter(text => text.length > 9)
        .map(text => [`${json}; charset=utf-8`, [text.slice(0, 9), text.slice(9)]]),
    ...streams.map(text => [events, [text]]),
    [events, streams],
    [events, [...streams.join('')]],
    ['text/plain', ['as it is']]
]

test('what has no price passes byte for byte', async t => {
    const tools = await echo(t)
    const shop = await toolShop(t, { tools })
    const { state } = tools
    const alone = tools.server.address().port
    // The same with the server alone and through the gate.
    const compare = async (what, request, next) => {
        const headers = { ...(request.body ? { 'content-type': json } : {}), ...request.headers }
        const seen = []
        for (const port of [alone, shop.gate.port]) {
            state.next = next
            state.asked = undefined
            const got = await ask(port, { ...request, headers })
            assert.ok(state.asked, `${what}: ${got.status} ${got.body}`)
            const { line, body } = state.asked
            seen.push({
                ...{ line, body, asked: told(state.asked.headers) },
                ...{ status: got.status, answer: got.body, told: told(got.headers) }
            })
        }
        assert.deepEqual(seen[1], seen[0], what)
        assert.ok(seen[1].body.equals(Buffer.from(request.body ?? '')), what)
    }
    for (const [what, request] of asked)
        await compare(what, request, { headers: { 'content-type': json }, pieces: [answer] })
    for (const [type, pieces] of answered)
        await compare(`${type} ${pieces}`.slice(0, 200), asked[0][1], {
            headers: { 'content-type': type, 'mcp-session-id': 'new' },
            pieces
        })
    for (const [status, pieces] of [[202, []], [404, ['{"error":{}}']], [405, []], [500, ['oh']]])
        await compare(`status ${status}`, asked[0][1], { status, headers: { 'content-type': json }, pieces })
    // An answer to tools/list in which nothing costs anything, or that cannot be read.
    const list = { body: message('tools/list') }
    for (const text of ['{"id":1,"result":{"tools":[ {"name":"free", "n":1.0} ]}}', ...odd]) {
        await compare(`tools/list ${text}`, list, { headers: { 'content-type': json }, pieces: [text] })
        const event = [`id: 1\ndata: ${text}\n\n`, ': more\n\n']
        if (!/[\r\n]/.test(text))
            await compare(`tools/list ${event}`, list, { headers: { 'content-type': events }, pieces: event })
    }
    // And one in which something does: all but that is as it was.
    const tool = '{ "name":"search","n":1.0 ,"_meta":{"a":1e400}}'
    const before = ' {"id":1 ,"result":{"next":"\\u0041","tools":[{"name":"free"} , '
    state.next = { headers: { 'content-type': json }, pieces: [`${before}${tool} ]}}\n`] }
    const { body } = await ask(shop.gate.port, { ...list, headers: { 'content-type': json } })
    const price = '"agents-x402/paymentRequired":true,"agents-x402/priceUSD":0.02,' +
        '"x402/price":{"amount":"0.02","asset":"USD"}'
    const expected = `${before}${tool.replace('{"a"', `{${price},"a"`)} ]}}\n`
    assert.equal(body.toString(), expected)
})
