// Bills calls of an MCP server's tools through the facilitator: for servers of @modelcontextprotocol/sdk that
// no gate stands in front of.
import { toolUrl } from './tools.js'

const KEPT = 10_000
const KEPT_MS = 600_000 // longer than a commitment holds

// Results by payment: a server may be made anew for each request, and the facilitator's client stays.
const results = new WeakMap()

const paymentOf = (request, extra) => {
    const said = (request.params._meta ?? extra?.mcpReq?._meta)?.['x402/payment']
    if (typeof said !== 'string') return said
    try {
        return JSON.parse(Buffer.from(said, 'base64').toString())
    } catch {
        return undefined
    }
}

// What clients of x402 and of the Agents SDK know as "to be paid".
const unpaid = (url, accepts, error) => {
    const offer = { x402Version: 2, error, resource: { url, mimeType: 'application/json' }, accepts }
    return {
        isError: true,
        content: [{ type: 'text', text: JSON.stringify(offer) }],
        structuredContent: offer,
        _meta: { 'x402/error': offer }
    }
}

const price = ({ amount, asset }) => {
    const [whole, rest] = [amount.slice(0, -6) || '0', amount.slice(-6).padStart(6, '0').replace(/0+$/, '')]
    const text = rest ? `${whole}.${rest}` : whole
    return {
        'agents-x402/paymentRequired': true,
        ...(asset === 'USD' ? { 'agents-x402/priceUSD': Number(text) } : {}),
        'x402/price': { amount: text, asset }
    }
}

/**
 * Makes the server's tools cost what the rules of its site say. Before the first tool is registered.
 *
 * bills: a DeferredServer. site: the URL of the site, such as https://mcp.tides.example: a call of `forecast`
 * is sold as the page /tools/forecast there, with the digest of its arguments in the query. Tools whose page
 * the rules give away are free. Returns the server.
 */
export function billTools(server, { bills, site }) {
    const low = server.server ?? server
    const { host, origin } = new URL(site)
    const kept = results.get(bills) ?? new Map()
    results.set(bills, kept)
    const urlOf = (name, args) => origin + toolUrl(host, 'tools', name, args).slice(`mcp://${host}`.length)

    const forget = now => {
        for (const [id, { since }] of kept)
            if (kept.size >= KEPT || since + KEPT_MS < now) kept.delete(id)
            else break
    }

    // The entry is there. What fails, and says so, is taken back; a result may say that it costs less.
    const run = async (payment, receipt, call) => {
        const settle = amount => bills.settle(payment, { ...payment.accepted, amount })
        let result
        try {
            result = await call()
        } catch (error) {
            await settle('0')
            throw error
        }
        if (result.isError) {
            await settle('0')
            return result
        }
        const { 'x402/amount': said, ...meta } = result._meta ?? {}
        const lowered = said === undefined ? receipt : await settle(String(said))
        return { ...result, _meta: { ...meta, 'x402/payment-response': lowered.success ? lowered : receipt } }
    }

    // Once for a payment, whoever sends it how often: the same result for all. Nothing: it does not pay.
    const redeem = async (payment, call) => {
        const receipt = await bills.settle(payment, payment.accepted)
        if (!receipt.success) return { refused: receipt.errorMessage ?? receipt.errorReason }
        const id = receipt.transaction
        if (!kept.has(id)) {
            if (receipt.amount !== payment.accepted.amount)
                return { refused: 'this payment has had its call' }
            forget(Date.now())
            kept.set(id, { since: Date.now(), result: run(payment, receipt, call) })
        }
        return { result: await kept.get(id).result }
    }

    const sell = async (request, extra, call) => {
        const { name, arguments: args } = request.params
        const url = urlOf(name, args)
        const payment = paymentOf(request, extra)
        const pays = payment?.resource?.url === url && payment.accepted
        const { result, refused } = pays ? await redeem(payment, call) : { refused: 'payment required' }
        if (result) return result
        const [offer] = await bills.offers([url])
        if (offer.error === 'free') return call()
        if (!offer.accepts) throw new Error(`crawltab-x402: no offer for ${url}: ${offer.error}`)
        return unpaid(url, offer.accepts, refused)
    }

    const tell = async result => {
        const offers = []
        // As many as are made at once.
        for (let i = 0; i < result.tools.length; i += 32)
            offers.push(...(await bills.offers(result.tools.slice(i, i + 32).map(({ name }) => urlOf(name)))))
        const tools = result.tools.map((tool, i) => {
            const accepted = offers[i].accepts?.find(({ scheme }) => scheme === 'deferred')
            return accepted ? { ...tool, _meta: { ...tool._meta, ...price(accepted) } } : tool
        })
        return { ...result, tools }
    }

    const set = low.setRequestHandler.bind(low)
    low.setRequestHandler = (method, ...rest) => {
        const handler = rest.pop()
        return set(method, ...rest, async (request, extra) => {
            const call = () => handler(request, extra)
            if (request.method === 'tools/call') return sell(request, extra, call)
            return request.method === 'tools/list' ? tell(await call()) : call()
        })
    }
    return server
}
