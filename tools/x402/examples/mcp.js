import express from 'express'
import { z } from 'zod'
import { McpServer } from '@modelcontextprotocol/sdk/server/mcp.js'
import { StreamableHTTPServerTransport } from '@modelcontextprotocol/sdk/server/streamableHttp.js'
import { billTools, DeferredServer } from 'crawltab-x402'

const bills = new DeferredServer({ url: 'https://facilitator.example', key: process.env.CRAWLTAB_KEY })
const options = { bills, site: 'https://mcp.tides.example' }

function tides() {
    const server = billTools(new McpServer({ name: 'tides', version: '1.0.0' }), options)
    server.tool('forecast', 'when it is high', { port: z.string() }, async ({ port }) => ({
        content: [{ type: 'text', text: `${port}: high at six` }]
    }))
    return server
}

const app = express().use(express.json())
app.post('/mcp', async (request, response) => {
    const transport = new StreamableHTTPServerTransport({ sessionIdGenerator: undefined })
    await tides().connect(transport)
    await transport.handleRequest(request, response, request.body)
})
app.listen(8080)
