// Pays for tools of the Model Context Protocol: for clients of @modelcontextprotocol/sdk.
import { createHash } from 'node:crypto'

/** A call that was not paid for: confirmation or budget said no, or the offer is for something else. */
export class ToolPaymentError extends Error {
    constructor(message, offer) {
        super(`crawltab-x402: ${message}`)
        this.name = 'ToolPaymentError'
        this.offer = offer
    }
}

// RFC 8785: what the gate makes its digest of, whatever the order of the members.
const canonical = value => {
    if (Array.isArray(value)) return `[${value.map(canonical).join(',')}]`
    if (value === null || typeof value !== 'object') return JSON.stringify(value)
    const members = Object.keys(value)
        .filter(name => value[name] !== undefined)
        .sort()
        .map(name => `${JSON.stringify(name)}:${canonical(value[name])}`)
    return `{${members.join(',')}}`
}

// As the gate spells names in URLs: all but letters, digits and - . _ ~ is escaped.
const escaped = name =>
    encodeURIComponent(name).replace(/[!'()*]/g, c => `%${c.charCodeAt(0).toString(16).toUpperCase()}`)

/** The URL that a call is offered for: no offer for another one is signed. */
export function toolUrl(authority, kind, name, args) {
    const path = `mcp://${authority}/${kind}/${escaped(name)}`
    if (kind === 'resources') return path
    // As it will be on the wire, where what JSON does not have is left out.
    const sent = JSON.parse(JSON.stringify(args ?? {}))
    return `${path}?arguments=${createHash('sha256').update(canonical(sent)).digest('base64url')}`
}

const offerOf = result =>
    (result?.resultType === 'payment_required' && result.paymentRequired) ||
    (result?.isError && (result._meta?.['x402/error'] ?? result.structuredContent)) ||
    undefined

const deferredOf = offer => offer.accepts.find(({ scheme }) => scheme === 'deferred')

// A server that bills by itself names what it sells by a URL of its site.
const names = (offered, url) =>
    typeof offered === 'string' && /^(?:mcp|https?):/.test(offered) &&
    offered.replace(/^[a-z]+:/, 'mcp:') === url

const isOffer = value => value?.x402Version === 2 && Array.isArray(value.accepts)

const micros = text => {
    const found = /^(\d+)(?:\.(\d{1,6}))?$/.exec(String(text))
    if (!found) throw new Error(`crawltab-x402: ${text} is no amount such as 5 or 0.25`)
    return BigInt(found[1] + (found[2] ?? '').padEnd(6, '0'))
}

/**
 * The client with callTool, readResource and getPrompt that pay what is asked for, by the deferred scheme.
 *
 * payer: a DeferredClient. server: the URL of the MCP server; by default that of the client's transport.
 * confirm: is asked before each payment, with { url, amount, asset, offer }; false: it is not paid.
 * budget: the most that is spent in all, by currency: { USD: '5' }. Without it any amount is paid.
 * retries: how often a call is repeated that got no answer, with the same payment: it is charged once.
 */
export function payForTools(client, { payer, server, confirm, budget, retries = 2 }) {
    const left = budget && new Map(Object.entries(budget).map(([asset, sum]) => [asset, micros(sum)]))
    const authority = () => {
        const url = server ?? client.transport?._url
        if (!url) throw new Error('crawltab-x402: say the URL of the MCP server, as `server`')
        return new URL(url).host
    }

    const commit = async (offer, url) => {
        const requirement = deferredOf(offer)
        if (!requirement) throw new ToolPaymentError('the server takes no deferred payment', offer)
        const offered = offer.resource?.url
        if (!names(offered, url))
            throw new ToolPaymentError(`the offer for ${url} is for ${offered}: nothing was signed`, offer)
        const { amount, asset } = requirement
        const price = BigInt(amount)
        if (left && (left.get(asset) ?? 0n) < price)
            throw new ToolPaymentError(`${url} costs ${amount} millionths, more than the budget has`, offer)
        // Taken before anybody is asked: of two calls at once both would fit.
        if (left) left.set(asset, left.get(asset) - price)
        const giveBack = (rest = price) => left && left.set(asset, left.get(asset) + rest)
        if (confirm && !(await confirm({ url: offered, amount, asset, offer }))) {
            giveBack()
            throw new ToolPaymentError(`the payment for ${url} was not confirmed`, offer)
        }
        const payment = {
            x402Version: 2,
            resource: { url: offered },
            accepted: requirement,
            ...payer.commit(requirement, offered)
        }
        // What was billed in the end, which may be less than was offered.
        const settle = receipt => giveBack(receipt?.success ? price - BigInt(receipt.amount ?? price) : price)
        return { payment, settle }
    }

    // What has no answer is asked for again: the gate has the result, or takes the payment back.
    const insist = async send => {
        for (let tries = 0; ; tries++)
            try {
                return await send()
            } catch (error) {
                // An error of JSON-RPC is an answer.
                if (tries >= retries || typeof error?.code === 'number') throw error
            }
    }

    // A result, or an error; with the offer, where it is one.
    const attempt = async send => {
        try {
            const result = await send()
            const offer = offerOf(result)
            return { result, offer: isOffer(offer) ? offer : undefined }
        } catch (error) {
            return { error, offer: isOffer(error?.data) ? error.data : undefined }
        }
    }

    const call = async (kind, name, params, send) => {
        let answer = await attempt(() => send(params))
        let paid
        // Once more at another price: who has an agreement is known only by what he has signed.
        for (let tries = 0; answer.offer && tries < 2; tries++) {
            const { offer } = answer
            if (paid && deferredOf(offer)?.amount === paid) break
            paid = deferredOf(offer)?.amount
            const url = toolUrl(authority(), kind, name, params.arguments)
            const { payment, settle } = await commit(offer, url)
            const _meta = { ...params._meta, 'x402/payment': payment }
            answer = await attempt(() => insist(() => send({ ...params, _meta })))
            settle(answer.result?._meta?.['x402/payment-response'])
        }
        if (answer.error) throw answer.error
        return answer.result
    }

    const methods = {
        callTool: (params, ...more) =>
            call('tools', params.name, params, sent => client.callTool(sent, ...more)),
        readResource: (params, ...more) =>
            call('resources', params.uri, params, sent => client.readResource(sent, ...more)),
        getPrompt: (params, ...more) =>
            call('prompts', params.name, params, sent => client.getPrompt(sent, ...more))
    }
    // All else is the client's own, with its private members.
    return new Proxy(client, {
        get(target, name) {
            if (Object.hasOwn(methods, name)) return methods[name]
            const value = Reflect.get(target, name, target)
            return typeof value === 'function' ? value.bind(target) : value
        }
    })
}
