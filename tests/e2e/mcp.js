// An MCP server behind the gate, and clients of it: both are packages that we did not write.
import http from 'node:http'
import { randomUUID } from 'node:crypto'
import { Readable } from 'node:stream'
import { z } from 'zod'
import * as z4 from 'zod/v4'
import { Client } from '@modelcontextprotocol/sdk/client/index.js'
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js'
import { McpServer } from '@modelcontextprotocol/sdk/server/mcp.js'
import { StreamableHTTPServerTransport } from '@modelcontextprotocol/sdk/server/streamableHttp.js'
import { Client as OldClient } from 'mcp-sdk-old/client/index.js'
import { StreamableHTTPClientTransport as OldTransport } from 'mcp-sdk-old/client/streamableHttp.js'
import { McpServer as OldServer } from 'mcp-sdk-old/server/mcp.js'
import { StreamableHTTPServerTransport as OldServerTransport } from 'mcp-sdk-old/server/streamableHttp.js'
import { DeferredClient } from '../../tools/x402/index.js'
import { scene } from './signers.js'

// The newest revision that the SDK has, and the first one with this transport.
export const sdks = {
    '2025-11-25': {
        Client,
        Transport: StreamableHTTPClientTransport,
        Server: McpServer,
        ServerTransport: StreamableHTTPServerTransport
    },
    '2025-03-26': {
        Client: OldClient,
        Transport: OldTransport,
        Server: OldServer,
        ServerTransport: OldServerTransport
    }
}

const text = words => ({ content: [{ type: 'text', text: words }] })

// What is called is counted in `calls`; a call that waits goes on by `release`.
function offerTools(server, state) {
    const note = (name, args) => state.calls.push(`${name} ${JSON.stringify(args)}`)
    const query = { query: z.string(), n: z.number().optional() }
    server.tool('search', 'finds', query, async args => {
        note('search', args)
        return text(`found ${args.query}`)
    })
    server.tool('fails', 'is an error', {}, async () => {
        note('fails', {})
        return { ...text('no'), isError: true }
    })
    server.tool('waits', 'waits', {}, async (args, extra) => {
        note('waits', {})
        extra.signal.addEventListener('abort', () => state.cancelled++)
        await new Promise(resolve => state.waiting.push(resolve))
        return text('waited')
    })
    // What it costs in the end its own server says.
    const use = { amount: z.any(), n: z.number().optional() }
    server.tool('metered', 'costs what is said', use, async ({ amount, n }) => {
        note('metered', { amount, n })
        return { ...text('measured'), _meta: { 'x402/amount': amount, mine: 'too' } }
    })
    const steps = { steps: z.number(), pause: z.number() }
    server.tool('steps', 'tells how far it is', steps, async (args, extra) => {
        note('steps', args)
        for (let i = 1; i <= args.steps && !state.over; i++) {
            await new Promise(resolve => setTimeout(resolve, args.pause))
            const progressToken = extra._meta?.progressToken ?? 'none'
            const params = { progressToken, progress: i, total: args.steps }
            await extra.sendNotification({ method: 'notifications/progress', params })
        }
        return text('done')
    })
    server.tool('free', 'costs nothing', {}, async () => (note('free', {}), text('given')))
    server.prompt('letter', { to: z.string() }, ({ to }) => {
        note('letter', { to })
        return { messages: [{ role: 'user', content: { type: 'text', text: `Dear ${to}` } }] }
    })
    server.resource('tides', 'data://tides/today', async uri => {
        note('tides', {})
        return { contents: [{ uri: uri.href, text: 'high at six' }] }
    })
}

// The server by itself. Sessions that begin at a path with "json" are answered without events, at one with
// "old" by the old SDK. `calls` has a push that hears of each call.
export async function toolServer(t, { json = false, sessions = true, port = 0, calls = [] } = {}) {
    const state = { calls, waiting: [], seen: [], cancelled: 0, sessions: new Map() }
    const open = async url => {
        const { Server, ServerTransport } = sdks[url.includes('old') ? '2025-03-26' : '2025-11-25']
        const transport = new ServerTransport({
            sessionIdGenerator: sessions ? randomUUID : undefined,
            enableJsonResponse: json || url.includes('json'),
            onsessioninitialized: id => state.sessions.set(id, transport)
        })
        const server = new Server({ name: 'tides', version: '1' })
        offerTools(server, state)
        await server.connect(transport)
        return transport
    }
    const server = http.createServer(async (request, response) => {
        state.seen.push(`${request.method} ${request.headers['mcp-session-id'] ? 'session' : 'none'}`)
        const known = state.sessions.get(request.headers['mcp-session-id'])
        if (request.headers['mcp-session-id'] && !known) return response.writeHead(404).end()
        const transport = known ?? (await open(request.url))
        await transport.handleRequest(request, response)
    })
    await new Promise(resolve => server.listen(port, '127.0.0.1', resolve))
    t.after(() => ((state.over = true), server.closeAllConnections(), server.close()))
    state.release = () => state.waiting.splice(0).forEach(resolve => resolve())
    return { state, server, origin: `http://127.0.0.1:${server.address().port}` }
}

// A server of the revision 2026-07-28, which has no sessions; it serves older clients, too.
export async function newToolServer(t) {
    const { McpServer: NewServer, createMcpHandler } = await import('@modelcontextprotocol/server')
    const state = { calls: [], waiting: [], cancelled: 0, versions: new Set() }
    const handler = createMcpHandler(() => {
        const server = new NewServer({ name: 'tides', version: '2' })
        const add = (name, schema, body) => server.registerTool(name, { inputSchema: schema }, body)
        const query = z4.object({ query: z4.string() })
        add('search', query, async ({ query }) => (state.calls.push(query), text(`found ${query}`)))
        add('free', z4.object({}), async () => text('given'))
        add('waits', z4.object({}), async (args, { mcpReq }) => {
            mcpReq.signal.addEventListener('abort', () => state.cancelled++)
            await new Promise(resolve => state.waiting.push(resolve))
            return text('waited')
        })
        return server
    })
    const server = http.createServer(async (request, response) => {
        state.versions.add(request.headers['mcp-protocol-version'])
        const stop = new AbortController()
        response.on('close', () => stop.abort())
        const { method, headers } = request
        const chunks = []
        for await (const chunk of request) chunks.push(chunk)
        const body = chunks.length ? Buffer.concat(chunks) : undefined
        const url = `http://${headers.host}${request.url}`
        const answer = await handler.fetch(new Request(url, { method, headers, body, signal: stop.signal }))
        response.writeHead(answer.status, Object.fromEntries(answer.headers))
        if (answer.body) Readable.fromWeb(answer.body).on('error', () => response.destroy()).pipe(response)
        else response.end()
    })
    await new Promise(resolve => server.listen(0, '127.0.0.1', resolve))
    t.after(() => (server.closeAllConnections(), server.close()))
    state.release = () => state.waiting.splice(0).forEach(resolve => resolve())
    return { state, server, origin: `http://127.0.0.1:${server.address().port}` }
}

export const prices = [
    { tool: 'free', price: '0' },
    { tool: 'search', price: '0.02' },
    { tool: 'metered', price: '0.04' },
    { tool: '*', price: '0.05' },
    { prompt: 'letter', price: '0.01' },
    { resource: 'data://tides/*', price: '0.03' }
]

// Node 18's own way fails where the reader is done before the answer's end is seen.
const streamOf = answer => {
    let done = false
    const once = end => error => {
        if (!done) end(error)
        done = true
    }
    return new ReadableStream({
        start: controller => {
            answer.on('data', bytes => controller.enqueue(new Uint8Array(bytes)))
            answer.on('end', once(() => controller.close()))
            answer.on('error', once(error => controller.error(error)))
        },
        cancel: once(() => answer.destroy())
    })
}

// A fetch whose requests for shop.example reach the gate: as undici's, piece by piece.
export const fetchBy = gate => async (input, init) => {
    const request = new Request(input, init)
    const { pathname, search, host } = new URL(request.url)
    const body = request.body ? Buffer.from(await request.arrayBuffer()) : undefined
    return new Promise((resolve, reject) => {
        const sent = http.request({
            host: '127.0.0.1',
            port: gate().port,
            path: pathname + search,
            method: request.method,
            setHost: false,
            agent: false,
            headers: {
                ...Object.fromEntries(request.headers),
                host,
                ...(body ? { 'content-length': body.length } : {})
            }
        })
        request.signal.addEventListener('abort', () => sent.destroy(new Error('aborted')))
        sent.on('error', reject)
        sent.on('response', answer => {
            const empty = [204, 304].includes(answer.statusCode)
            resolve(
                new Response(empty ? null : streamOf(answer), {
                    status: answer.statusCode,
                    headers: answer.headers
                })
            )
        })
        sent.end(body)
    })
}

// Signs as somebody whose clock is so many seconds ahead.
export function payerAt(set, offset) {
    const payer = new DeferredClient({ key: set.key.private, agent: set.agent.origin })
    const commit = payer.commit.bind(payer)
    payer.commit = (...args) => {
        const { now } = Date
        Date.now = () => now() + offset * 1000
        try {
            return commit(...args)
        } finally {
            Date.now = now
        }
    }
    return payer
}

// The gate in front of a server of tools, and a crawler that may pay. `client` is connected through the gate.
// `offset`: the clock of the ledger, in seconds.
export async function toolShop(t, { server = {}, tools: given, site = {}, offset = 0, ...options } = {}) {
    const tools = given ?? (await toolServer(t, server))
    const clock = offset ? ['--clock-offset', String(offset)] : []
    const set = await scene(t, {
        http: { drain_seconds: 1 }, // clients keep a stream open
        ...options,
        site: {
            scheme: 'http',
            root: '',
            origin: tools.origin,
            methods: ['POST', 'DELETE'],
            rules: [],
            tools: prices,
            ...site
        }
    }, ...clock)
    const current = { gate: set.gate }
    const fetch = fetchBy(() => current.gate)
    // The old SDK takes no other fetch than everybody's.
    const everybodys = globalThis.fetch
    globalThis.fetch = (input, init) =>
        new URL(input.url ?? input).host === 'shop.example' ? fetch(input, init) : everybodys(input, init)
    t.after(() => (globalThis.fetch = everybodys))
    const payer = payerAt(set, offset)
    const url = new URL('http://shop.example/mcp')
    const client = async (revision = '2025-11-25', path = '/mcp') => {
        const { Client, Transport } = sdks[revision]
        const made = new Client({ name: 'agent', version: '1' })
        await made.connect(new Transport(new URL(path, url), { fetch }))
        t.after(() => made.close())
        return made
    }
    const charged = () =>
        set.ledger.query("SELECT count(*) || ' for ' || coalesce(sum(amount_micros), 0) FROM charge")
    // A request as it stands, with the headers of a client.
    const post = (body, headers = {}) =>
        current.gate.request('/mcp', {
            method: 'POST',
            headers: {
                'content-type': 'application/json',
                accept: 'application/json, text/event-stream',
                ...headers
            },
            body: typeof body === 'string' || Buffer.isBuffer(body) ? body : JSON.stringify(body)
        })
    const restart = async signal => {
        await current.gate.stop(signal)
        current.gate = await set.startGate(...clock)
        await current.gate.ready()
    }
    return { ...set, ...tools, current, fetch, payer, url, client, charged, post, restart }
}
