// What the tests of key directories share: a gate with directories that it asks, and how to answer it.
import assert from 'node:assert/strict'
import { createHash, sign, createPrivateKey } from 'node:crypto'
import { certificates, directory, stage, temporaryFolder, until } from './support.js'
import { makeKey, withWebBotAuth } from './signers.js'

export const page = '/articles/harbour-bell.html'
export const url = `https://shop.example${page}`

// A gate and `agents` directories that list one key. Their answers are short-lived and failures soon over, as
// far as `settings` does not say otherwise.
export async function scene(t, settings = {}, { agents = 1, ...options } = {}) {
    const folder = temporaryFolder(t)
    const tls = certificates(folder)
    const key = await makeKey()
    const all = []
    for (let i = 0; i < agents; i++) all.push(await directory(t, tls, [key.public]))
    const more = options.moreHosts?.(folder, tls) ?? []
    for (const server of more) all.push(await directory(t, server, [key.public]))
    const set = await stage(t, {
        insecureHosts: all.map(agent => agent.host),
        caFile: tls.caFile,
        directory: { retry_seconds: 1, timeout_seconds: 1, client_fetches: 0, ...settings },
        ...options,
        agents: options.lists?.(all)
    })
    const attempt = async (origin, signer = key) => {
        const id = await set.gate.offer(page)
        return set.gate.request(page, { headers: await withWebBotAuth(signer, origin, url, id) })
    }
    return { ...set, tls, key, agent: all[0], all, attempt }
}

export function assertCode(response, status, code) {
    assert.equal(response.headers['crawler-error'], code, `${response.status} ${response.text}`)
    assert.equal(response.status, status)
    assert.equal(response.headers['payment-response'], undefined)
}

// Waits for the log to say of this directory why it is not taken: the line may come after the answer.
export function told(gate, origin, reason) {
    const lines = () => gate.log.split('\n').filter(line => line.includes(`${origin} `))
    const because = new RegExp(reason)
    return until(() => lines().some(line => because.test(line)), `${reason} in ${gate.log}`)
}

export const list = (response, keys) => response.end(JSON.stringify({ keys: keys.map(key => key.public) }))

// The fields that prove `signer` answered with `body` for `authority` (Web Bot Auth, domain binding).
export function proof(signer, authority, body, { created, expires, components, label = 'sig' } = {}) {
    const now = Math.floor(Date.now() / 1000)
    const digest = `sha-256=:${createHash('sha256').update(body).digest('base64')}:`
    const covered = components ?? ['"@authority";req', '"content-digest"']
    const parameters =
        `(${covered.join(' ')});created=${created ?? now};expires=${expires ?? now + 60}` +
        `;keyid="${signer.keyid}";tag="http-message-signatures-directory"`
    const values = { '"@authority";req': authority, '"@authority"': authority, '"content-digest"': digest }
    const base = [
        ...covered.map(name => `${name}: ${values[name]}`),
        `"@signature-params": ${parameters}`
    ].join('\n')
    const bytes = sign(null, Buffer.from(base), createPrivateKey({ key: signer.private, format: 'jwk' }))
    return {
        'content-digest': digest,
        'signature-input': `${label}=${parameters}`,
        signature: `${label}=:${bytes.toString('base64')}:`
    }
}
