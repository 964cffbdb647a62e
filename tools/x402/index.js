// Lets the x402 SDKs pay by the deferred scheme: nothing is transferred, the crawler signs a commitment and
// the publisher bills it. What is signed is a JWS (server/WIRE.md, section 1) by a key of its directory.
import { createHash, createPrivateKey, sign } from 'node:crypto'
import { readFileSync } from 'node:fs'

export { billTools } from './bill.js'
export { payForTools, ToolPaymentError, toolUrl } from './tools.js'

const base64url = value => Buffer.from(JSON.stringify(value)).toString('base64url')

// RFC 7638 over the members of RFC 8037: the order is theirs.
const thumbprint = ({ crv, kty, x }) =>
    createHash('sha256').update(JSON.stringify({ crv, kty, x })).digest('base64url')

const readKey = key => {
    const jwk = typeof key === 'string' ? JSON.parse(readFileSync(key, 'utf8')) : key
    try {
        if (jwk.kty !== 'OKP' || jwk.crv !== 'Ed25519') throw new Error('it is another kind of key')
        return { keyid: thumbprint(jwk), signer: createPrivateKey({ key: jwk, format: 'jwk' }) }
    } catch (cause) {
        const wanted = 'the key has to be a private Ed25519 JWK, or the name of a file with one'
        throw new Error(`crawltab-x402: ${wanted}: ${cause.message}`, { cause })
    }
}

/** Another page's offer: what came for one URL asks to be paid for another. */
export class RelayedOfferError extends Error {
    constructor(asked, offered) {
        super(`the offer that came for ${asked} is for ${offered}: nothing was signed`)
        this.name = 'RelayedOfferError'
    }
}

// An offer that cannot be read is left to the SDK, which tells what is wrong with it.
function assertOwn(field, asked) {
    let offered
    try {
        offered = new URL(JSON.parse(Buffer.from(field, 'base64')).resource.url).href
    } catch {
        return
    }
    const wanted = new URL(asked)
    wanted.hash = ''
    if (offered !== wanted.href) throw new RelayedOfferError(wanted.href, offered)
}

/**
 * A fetch that takes no other page's offer. A commitment is good for whoever holds it: a hostile site could
 * hand on the offer of a shop, and have its visitors pay there for what it takes.
 */
export const sameResource =
    (fetch = globalThis.fetch) =>
    async (input, init) => {
        const response = await fetch(input, init)
        const field = response.status === 402 && response.headers.get('payment-required')
        if (field) assertOwn(field, response.url || (input.url ?? String(input)))
        return response
    }

/** The same for an axios instance. Before wrapAxiosWithPayment. */
export function sameResourceAxios(axios) {
    axios.interceptors.response.use(undefined, error => {
        const field = error.response?.status === 402 && error.response.headers['payment-required']
        if (field) assertOwn(field, axios.getUri(error.config))
        throw error
    })
    return axios
}

/** Pays by the deferred scheme. */
export class DeferredClient {
    scheme = 'deferred'
    #signer
    #keyid
    #agent
    #currencies
    #lifetime
    #resources = new WeakMap()

    // key: a private JWK (Ed25519), or the name of a file with one, such as crawler keygen makes.
    // agent: the origin, or the URL, of the key directory, as Signature-Agent says it.
    // currencies: those in which the SDK's spend controls may take a unit for a dollar.
    constructor({ key, agent, currencies = ['USD'], lifetimeSeconds = 60 }) {
        const { keyid, signer } = readKey(key)
        this.#signer = signer
        this.#keyid = keyid
        this.#agent = String(agent).replace(/^(https?:\/\/[^/]+)\/$/, '$1')
        if (!/^https?:\/\/[^/]+/.test(this.#agent))
            throw new Error('crawltab-x402: agent has to be the URL of your key directory, with https://')
        this.#currencies = new Set(currencies)
        if (!(lifetimeSeconds > 0 && lifetimeSeconds <= 300))
            throw new Error('crawltab-x402: lifetimeSeconds has to be between 1 and 300')
        this.#lifetime = Math.floor(lifetimeSeconds)
    }

    /** Registers with an x402Client, for crawltab's networks or for the one that is named. Returns it. */
    register(client, network = '*:402') {
        client.register(network, this)
        // The SDK does not tell a scheme which page is paid for, but its hooks.
        client.onBeforePaymentCreation(async ({ paymentRequired, selectedRequirements }) => {
            this.#resources.set(selectedRequirements, paymentRequired.resource?.url)
        })
        return client
    }

    // Amounts of the scheme are millionths.
    findDefaultAsset(asset) {
        return this.#currencies.has(asset) ? { asset, decimals: 6, symbol: asset } : undefined
    }

    async createPaymentPayload(x402Version, requirements) {
        const resource = this.#resources.get(requirements)
        if (!resource)
            throw new Error('crawltab-x402: the offer names no resource, or register() was not called')
        return { x402Version, ...this.commit(requirements, resource) }
    }

    /** Signs the commitment to a requirement of an offer, for the resource. */
    commit(requirements, resource) {
        const { network, amount, asset, extra, maxTimeoutSeconds } = requirements
        const iat = Math.floor(Date.now() / 1000)
        const lifetime = Math.min(this.#lifetime, maxTimeoutSeconds ?? this.#lifetime)
        const header = { alg: 'EdDSA', kid: this.#keyid, typ: 'x402-deferred+jws' }
        const claims = {
            ...{ iss: this.#agent, id: extra?.id, network, amount, asset },
            ...{ aud: new URL(resource).host, resource, scheme: this.scheme, iat, exp: iat + lifetime }
        }
        const input = `${base64url(header)}.${base64url(claims)}`
        const signature = sign(null, Buffer.from(input), this.#signer).toString('base64url')
        return { payload: { commitment: `${input}.${signature}` } }
    }
}

/** What a server sells without a price that the ledger knows: the message says which differ. */
export class PriceError extends Error {}

const dollars = /^\$?(\d+)(?:\.(\d{1,6}))?$/

/**
 * Sells by the deferred scheme: offers get their ids from the facilitator, a payment is recorded before the
 * handler runs (payment flow escrow), and is taken back when the handler fails. A server that knows only
 * afterwards what something costs says extra: { paymentFlow: 'authorization' }.
 */
export class DeferredServer {
    scheme = 'deferred'
    defaultAssetTransferMethod = 'default'
    paymentFlows = { default: { supported: ['escrow', 'authorization'], default: 'escrow' } }
    // Each offer has its own, so that they are left out when what was accepted is compared.
    dynamicExtraFields = ['id', 'termsUrl', 'decimals']
    #url
    #authorization

    // url: of the facilitator. key: that crawltab token has made for this server.
    constructor({ url, key }) {
        this.#url = String(url).replace(/\/+$/, '')
        this.#authorization = { Authorization: `Bearer ${String(key).trim()}` }
    }

    /** For the SDK's HTTPFacilitatorClient. */
    get facilitator() {
        const headers = this.#authorization
        const createAuthHeaders = async () => ({ verify: headers, settle: headers, supported: headers })
        return { url: this.#url, createAuthHeaders }
    }

    /** Registers with an x402ResourceServer, for crawltab's networks or the one that is named. Returns it. */
    register(server, network = '*:402') {
        server.register(network, this)
        return server
    }

    // Amounts of the scheme are millionths.
    async parsePrice(price) {
        if (typeof price === 'object') return price
        const found = dollars.exec(String(price))
        if (!found)
            throw new Error(`crawltab-x402: ${price} is no price such as $0.05; or name { amount, asset }`)
        return { amount: String(BigInt(found[1] + (found[2] ?? '').padEnd(6, '0'))), asset: 'USD' }
    }

    getAssetDecimals() {
        return 6
    }

    async enhancePaymentRequirements(requirements) {
        return requirements
    }

    async enrichPaymentRequiredResponse({ requirements, resourceInfo, error, paymentPayload }) {
        // It is only compared with what was accepted, which has its id.
        if (error === undefined && !paymentPayload) return undefined
        const offered = await this.#offer(resourceInfo.url)
        return requirements.map(requirement => {
            if (requirement.scheme !== this.scheme) return requirement
            for (const name of ['network', 'amount', 'asset', 'payTo'])
                if (requirement[name] !== offered[name])
                    throw new PriceError(
                        `crawltab-x402: ${resourceInfo.url} has ${name} ${requirement[name]} here, and ` +
                            `${offered[name]} by the rules of its site`
                    )
            return { ...requirement, extra: { ...requirement.extra, ...offered.extra } }
        })
    }

    async #call(path, body) {
        return fetch(`${this.#url}/${path}`, {
            method: 'POST',
            headers: { ...this.#authorization, 'Content-Type': 'application/json' },
            body: JSON.stringify(body)
        })
    }

    /** Offers of pages: for each URL { resource, accepts }, or { resource, error }. At most 32. */
    async offers(urls) {
        const answer = await this.#call('offers', { resources: urls.map(url => ({ url })) })
        const body = await answer.json()
        return body.offers ?? urls.map(url => ({ resource: { url }, error: body.detail ?? answer.status }))
    }

    async #offer(url) {
        const [{ accepts, error }] = await this.offers([url])
        const found = accepts?.find(({ scheme }) => scheme === 'deferred')
        if (!found) throw new PriceError(`crawltab-x402: no offer for ${url}: ${error}`)
        return found
    }

    /** Settles a payment by the requirement, whose amount may be lower than what was accepted. */
    async settle(payment, requirement) {
        const call = { x402Version: 2, paymentPayload: payment, paymentRequirements: requirement }
        for (let tries = 0; ; tries++) {
            const answer = await this.#call('settle', call).catch(error => error)
            // It is not known to be recorded: the same call again charges nothing twice.
            if (answer.status !== 503 && !(answer instanceof Error)) return answer.json()
            if (tries === 2)
                throw new Error('crawltab-x402: it is not known to be settled', { cause: answer })
            await new Promise(resolve => setTimeout(resolve, 200 << tries))
        }
    }

    // Nothing was delivered.
    async settleOnCancel({ requirements }) {
        return { ...requirements, amount: '0' }
    }
}
