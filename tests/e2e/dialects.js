// Payments in the dialects that no package writes for us: x402 by header and by commitment, crawler-price.
import { createPrivateKey, sign } from 'node:crypto'
import { withBase } from './signers.js'

export const base64 = value => Buffer.from(JSON.stringify(value)).toString('base64')
export const fromBase64 = text => JSON.parse(Buffer.from(text, 'base64'))
const base64url = value => Buffer.from(JSON.stringify(value)).toString('base64url')

// A compact JWS (RFC 7515) by the key.
export function jws(key, claims, header = {}) {
    const head = { alg: 'EdDSA', kid: key.keyid, typ: 'x402-deferred+jws', ...header }
    const input = `${base64url(head)}.${base64url(claims)}`
    const signature = sign(null, Buffer.from(input), createPrivateKey({ key: key.private, format: 'jwk' }))
    return `${input}.${signature.toString('base64url')}`
}

// The claims of a commitment to what was accepted.
export function claims(agent, accepted, resource, { time = Date.now(), lifetime = 60, ...more } = {}) {
    const iat = Math.floor(time / 1000)
    const { network, amount, asset, extra } = accepted
    return {
        iss: agent,
        id: extra?.id,
        network,
        amount,
        asset,
        aud: new URL(resource).host,
        resource,
        iat,
        exp: iat + lifetime,
        ...more
    }
}

// Fields of a request that a Web Bot Auth signature covers, with the authority and the agent.
export function signed(key, agent, authority, fields, options) {
    const all = { ...fields, 'Signature-Agent': `"${agent}"` }
    const components = [
        ['"@authority"', authority],
        ...Object.entries(all).map(([name, value]) => [`"${name.toLowerCase()}"`, value])
    ]
    return withBase(key, all, components, options)
}

export const paymentSignature = (accepted, payload = {}, more = {}) => ({
    'PAYMENT-SIGNATURE': base64({ x402Version: 2, accepted, payload, ...more })
})
