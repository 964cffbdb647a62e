/** A private Ed25519 key (RFC 8037). */
export interface PrivateJwk {
    kty: 'OKP'
    crv: 'Ed25519'
    x: string
    d: string
}

export interface DeferredClientOptions {
    /** The key, or the name of a file with it, such as `crawler keygen` makes. */
    key: PrivateJwk | string
    /** The origin, or the URL, of the key directory, as `Signature-Agent` says it. */
    agent: string | URL
    /** Currencies in which the SDK's spend controls may take a unit for a dollar. Default: USD. */
    currencies?: string[]
    /** How long a commitment is good for, 1 to 300. Default: 60. */
    lifetimeSeconds?: number
}

/** Pays by the deferred scheme. */
export declare class DeferredClient {
    readonly scheme: 'deferred'
    constructor(options: DeferredClientOptions)
    /**
     * Registers with an x402Client, for the networks of crawltab or the one that is named. Returns it. Any
     * version 2 of the SDK will do, so its type is only what is called.
     */
    register<T extends { register: Function; onBeforePaymentCreation: Function }>(client: T, network?: string): T
    findDefaultAsset(asset: string): { asset: string; decimals: number; symbol: string } | undefined
    createPaymentPayload(
        x402Version: number,
        requirements: { network: string; amount: string; asset: string; extra?: Record<string, unknown> }
    ): Promise<{ x402Version: number; payload: Record<string, unknown> }>
}

/** Another page's offer: nothing was signed. */
export declare class RelayedOfferError extends Error {}

/** A fetch that takes no other page's offer. */
export declare function sameResource(fetch?: typeof globalThis.fetch): typeof globalThis.fetch

/** The same for an axios instance; before wrapAxiosWithPayment. */
export declare function sameResourceAxios<T>(axios: T): T

/** A price of the server that is not that of its site's rules. */
export declare class PriceError extends Error {}

export interface DeferredServerOptions {
    /** Of the facilitator. */
    url: string | URL
    /** That `crawltab token add` has made for this server. */
    key: string
}

/** Sells by the deferred scheme, and bills through a facilitator of crawltab. */
export declare class DeferredServer {
    readonly scheme: 'deferred'
    constructor(options: DeferredServerOptions)
    /** For the SDK's HTTPFacilitatorClient. */
    readonly facilitator: { url: string; createAuthHeaders(): Promise<any> }
    /** Registers with an x402ResourceServer, for crawltab's networks or the one that is named. Returns it. */
    register<T extends { register: Function }>(server: T, network?: string): T
    parsePrice(price: unknown, network?: string): Promise<{ amount: string; asset: string }>
    getAssetDecimals(asset: string, network?: string): number
    enhancePaymentRequirements<T>(requirements: T): Promise<T>
    enrichPaymentRequiredResponse(context: any): Promise<any>
    settleOnCancel(context: any): Promise<any>
    /** Offers of pages: for each URL { resource, accepts }, or { resource, error }. At most 32. */
    offers(urls: string[]): Promise<any[]>
    /** Settles a payment by the requirement, whose amount may be lower than what was accepted. */
    settle(payment: unknown, requirement: unknown): Promise<any>
}

/** Makes the tools of an MCP server cost what the rules of its site say. Before the first one is registered. */
export function billTools<T extends object>(server: T, options: { bills: DeferredServer; site: string | URL }): T

export class ToolPaymentError extends Error {
  offer: unknown
}

/** The URL that a call of an MCP server is offered for. */
export function toolUrl(
  authority: string,
  kind: 'tools' | 'resources' | 'prompts',
  name: string,
  args?: Record<string, unknown>
): string

export interface ToolPayment {
  payer: DeferredClient
  /** The URL of the MCP server; by default that of the client's transport. */
  server?: string | URL
  /** Is asked before each payment; false: it is not made. */
  confirm?(question: { url: string; amount: string; asset: string; offer: unknown }): unknown
  /** The most that is spent in all, by currency: { USD: '5' }. */
  budget?: Record<string, string>
  /** How often a call without an answer is repeated, with the same payment. */
  retries?: number
}

/** A client of @modelcontextprotocol/sdk whose calls pay what is asked for. */
export function payForTools<T extends object>(client: T, options: ToolPayment): T
