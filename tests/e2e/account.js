// A crawler that asks for its own account (WIRE.md section 8); every part of the signature may be changed.
import { createHash, randomBytes } from 'node:crypto'
import { withBase } from './signers.js'

export const base = '/.well-known/crawltab/account'

// The fields of one request. `covered` may leave components out, or say other values than the request has.
export function asking(key, agent, target, options = {}) {
    const { method = 'GET', host = 'shop.example', tag = 'crawltab-account', body, nonce } = options
    const url = new URL(`https://${host}${target}`)
    const fields = { 'Signature-Agent': `"${agent}"` }
    if (body !== undefined)
        fields['Content-Digest'] = `sha-256=:${createHash('sha256').update(body).digest('base64')}:`
    const components = [
        ['"@method"', method],
        ['"@authority"', host],
        ['"@path"', url.pathname],
        ['"@query"', url.search || '?'],
        ...Object.entries(fields).map(([name, value]) => [`"${name.toLowerCase()}"`, value])
    ].filter(([name]) => !(options.without ?? []).includes(name))
    const more = nonce === null ? '' : `;nonce="${nonce ?? randomBytes(24).toString('base64')}"`
    return withBase(key, fields, components, { tag, more, ...options })
}

// Asks, and gives the JSON back, or with `raw` the whole answer.
export async function ask(gate, key, agent, below = '', { raw, ...options } = {}) {
    const target = base + below
    const headers = asking(key, agent, target, options)
    const { method, body, host, from } = options
    const answer = await gate.request(target, { headers, method, body, host, from })
    if (raw) return answer
    if (answer.status !== 200) throw new Error(`${answer.status} ${answer.text}`)
    return JSON.parse(answer.text)
}
