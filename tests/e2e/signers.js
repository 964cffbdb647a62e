// Crawlers made of packages that we did not write. Each signs the commitment to an offer and gives back the
// fields to send. `time` is the signer's clock in milliseconds.
import { createHash, createPrivateKey, sign, webcrypto } from 'node:crypto'
import { signatureHeaders, jwkToKeyID, helpers } from 'web-bot-auth'
import { signerFromJWK } from 'web-bot-auth/crypto'
import { appendSignature, component, createSignature, webcrypto as providers } from 'http-message-sig'
import { certificates, directory, payment, stage, temporaryFolder } from './support.js'

export async function makeKey() {
    const pair = await webcrypto.subtle.generateKey('Ed25519', true, ['sign', 'verify'])
    const { kty, crv, x, d } = await webcrypto.subtle.exportKey('jwk', pair.privateKey)
    const key = { kty, crv, x, d }
    const keyid = await jwkToKeyID({ kty, crv, x }, helpers.WEBCRYPTO_SHA256, helpers.BASE64URL_DECODE)
    return { private: key, public: { kty, crv, x, use: 'sig' }, keyid, crypto: pair }
}

// An RSA key; its keyid is the thumbprint of RFC 7638 too.
export async function makeRsaKey() {
    const algorithm = {
        name: 'RSA-PSS',
        hash: 'SHA-512',
        modulusLength: 2048,
        publicExponent: Buffer.from([1, 0, 1])
    }
    const pair = await webcrypto.subtle.generateKey(algorithm, true, ['sign', 'verify'])
    const key = await webcrypto.subtle.exportKey('jwk', pair.privateKey)
    const { kty, n, e } = key
    const keyid = await jwkToKeyID({ kty, n, e }, helpers.WEBCRYPTO_SHA256, helpers.BASE64URL_DECODE)
    return { private: key, public: { kty, n, e, use: 'sig' }, keyid, crypto: pair }
}

// A P-256 key, which withBase signs with.
export async function makeEcKey() {
    const pair = await webcrypto.subtle.generateKey({ name: 'ECDSA', namedCurve: 'P-256' }, true, ['sign'])
    const key = await webcrypto.subtle.exportKey('jwk', pair.privateKey)
    const { kty, crv, x, y } = key
    const keyid = createHash('sha256').update(JSON.stringify({ crv, kty, x, y })).digest('base64url')
    return { private: key, public: { kty, crv, x, y, use: 'sig' }, keyid, crypto: pair }
}

// npm web-bot-auth 0.1.3: Signature-Agent as a string.
export async function withWebBotAuth(
    key,
    agent,
    url,
    id,
    { time = Date.now(), lifetime = 60, components } = {}
) {
    const headers = { 'Signature-Agent': `"${agent}"` }
    if (id) headers.Payment = payment(id)
    const signature = await signatureHeaders(
        { method: 'GET', url, headers },
        await signerFromJWK(key.private),
        {
            created: new Date(time),
            expires: new Date(time + lifetime * 1000),
            components:
                components ??
                (id ? ['@authority', 'payment', 'signature-agent'] : ['@target-uri', 'signature-agent'])
        }
    )
    return { ...headers, ...signature }
}

// npm http-message-sig 0.3.0: Signature-Agent as a dictionary, covered by its member.
export async function withHttpMessageSig(
    key,
    agent,
    url,
    id,
    { time = Date.now(), lifetime = 60, components } = {}
) {
    const fields = new Headers({ 'Signature-Agent': `sig="${agent}"`, Payment: payment(id) })
    const created = Math.floor(time / 1000)
    const signature = await createSignature(new Request(url, { headers: fields }), {
        label: 'sig',
        components: components ?? [
            '@target-uri',
            component('payment', { key: 'id' }),
            component('signature-agent', { key: 'sig' })
        ],
        parameters: {
            created,
            expires: created + lifetime,
            keyid: key.keyid,
            alg: 'ed25519',
            tag: 'web-bot-auth'
        },
        signer: providers.signer(key.crypto.privateKey)
    })
    return Object.fromEntries(appendSignature(fields, signature))
}

// By hand, for what no package writes: `components` are identifiers with their values, `more` is parameters.
export function withBase(key, fields, components, options = {}) {
    const { time = Date.now(), lifetime = 60, label = 'sig', tag = 'web-bot-auth', more = '' } = options
    const created = Math.floor(time / 1000)
    const parameters =
        `(${components.map(([identifier]) => identifier).join(' ')});created=${created}` +
        `;expires=${created + lifetime};keyid="${key.keyid}"${more};tag="${tag}"`
    const base = [...components, ['"@signature-params"', parameters]].map(pair => pair.join(': ')).join('\n')
    const [hash, by] = [
        key.public.kty === 'EC' ? 'sha256' : null,
        createPrivateKey({ key: key.private, format: 'jwk' })
    ]
    const signature = sign(hash, Buffer.from(base), { key: by, dsaEncoding: 'ieee-p1363' })
    return {
        ...fields,
        'Signature-Input': `${label}=${parameters}`,
        Signature: `${label}=:${signature.toString('base64')}:`
    }
}

// A gate that takes payments, and a crawler with its directory.
export async function scene(t, options = {}, ...extra) {
    const tls = certificates(temporaryFolder(t))
    const key = await makeKey()
    const agent = await directory(t, tls, [key.public])
    const set = await stage(t, { insecureHosts: [agent.host], caFile: tls.caFile, ...options }, ...extra)
    return { ...set, tls, key, agent }
}
