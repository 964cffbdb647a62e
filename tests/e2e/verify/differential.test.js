// Random requests signed by npm http-message-sig must be valid for us, over the very same signature base; and
// none that was changed afterwards in what is covered.
//
//   DIFFERENTIAL_REQUESTS=20000 DIFFERENTIAL_SEED=7 node --test tests/e2e/verify/differential.test.js
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import test from 'node:test'
import { component, createSignature, webcrypto as providers } from 'http-message-sig'
import { build, temporaryFolder } from '../support.js'
import { generator } from '../random.js'
import { makeKey } from '../signers.js'

const count = Number(process.env.DIFFERENTIAL_REQUESTS ?? 150)
const seed = Number(process.env.DIFFERENTIAL_SEED ?? 9421)
const now = 1795000000

const lower = 'abcdefghijklmnopqrstuvwxyz'
const letters = lower + lower.toUpperCase()
const digits = '0123456789'
const token = letters + digits + "!#$%&'*+-.^_`|~"
const visible = Array.from({ length: 94 }, (_, i) => String.fromCharCode(33 + i)).join('')

// crawltab check-request on one raw request.
function check(keys, raw, extra = []) {
    return new Promise((resolve, reject) => {
        const words = ['check-request', '--json', '--keys', keys, '--now', String(now), ...extra]
        const child = spawn(path.join(build, 'crawltab'), words, { stdio: ['pipe', 'pipe', 'pipe'] })
        let out = ''
        let err = ''
        child.stdout.on('data', data => (out += data))
        child.stderr.on('data', data => (err += data))
        child.stdin.on('error', () => {})
        child.on('error', reject)
        child.on('close', code => {
            try {
                resolve({ exit: code, ...JSON.parse(out) })
            } catch {
                reject(new Error(`exit ${code}: ${out}${err}`))
            }
        })
        child.stdin.end(Buffer.from(raw, 'latin1'))
    })
}

// --- A request, as a model of which both sides get their view.

function anyValue(r) {
    if (r.chance(1, 8)) return ''
    const words = Array.from({ length: 1 + r.below(4) }, () => r.text(1 + r.below(12), visible))
    return words.join(r.pick([' ', '  ', '\t', ', ']))
}

function anyHost(r) {
    const name = Array.from({ length: 2 + r.below(2) }, () => r.text(1 + r.below(8), lower)).join('.')
    const port = r.pick(['', '', '', ':443', ':80', `:${1024 + r.below(60000)}`])
    return (r.chance(1, 4) ? name.toUpperCase() : name) + port
}

function anyTarget(r) {
    const characters = letters + digits + "-._~!$&'()*+,;=:@"
    const segment = () => r.text(1 + r.below(8), characters) + r.pick(['', '', '%20', '%C3%BC', '%2F', '%7e'])
    const segments = Array.from({ length: r.below(4) }, segment)
    const query = r.chance(1, 2)
        ? '?' + r.pick(['', 'a=1&b=2', r.text(1 + r.below(20), `${characters}/?%`)])
        : ''
    return `/${segments.join('/')}${query.replaceAll('%', '%25')}`
}

// A dictionary field in canonical form, with the members' keys.
function anyDictionary(r) {
    const keys = [...new Set(Array.from({ length: 1 + r.below(4) }, () => r.text(1 + r.below(5), lower)))]
    const value = () =>
        r.pick([
            `=${r.below(1000000) - 500000}`,
            `="${r.text(r.below(8), letters + ' ')}"`,
            `=${r.text(1 + r.below(6), lower)}/x`,
            '=?0',
            '',
            `=:${Buffer.from(r.text(r.below(9), letters)).toString('base64')}:`,
            `=(a "b" ${r.below(9)})`,
            `=${r.below(1000)}.${1 + r.below(9)}`
        ]) + r.pick(['', '', ';x', ';y=1', ';z="q"'])
    return { keys, text: keys.map(key => key + value()).join(r.pick([', ', ',', ' ,\t'])) }
}

function anyRequest(r) {
    const host = anyHost(r)
    const fields = [['host', host]]
    const components = [
        '@authority',
        '@method',
        '@target-uri',
        '@scheme',
        '@request-target',
        '@path',
        '@query'
    ]
        .filter(() => r.chance(1, 3))
        .map(name => ({ name }))
    if (!components.some(({ name }) => name === '@authority' || name === '@target-uri'))
        components.push({ name: '@authority' })
    for (let i = r.below(5); i > 0; i--) {
        const name = `x-${r.text(1 + r.below(8), lower + digits)}`
        if (fields.some(([other]) => other === name)) continue
        for (let lines = 1 + r.below(3); lines > 0; lines--) fields.push([name, anyValue(r)])
        if (r.chance(3, 4)) components.push({ name, plain: true })
    }
    if (r.chance(1, 2)) {
        const { keys, text } = anyDictionary(r)
        fields.push(['example-dict', text])
        for (const key of keys) if (r.chance(1, 2)) components.push({ name: 'example-dict', key })
    }
    const label = r.text(1, lower + '*') + r.text(r.below(6), `${lower}${digits}_-.*`)
    // Without one that is covered there is no crawler, and so no valid request.
    const member = r.chance(1, 2)
    fields.push(['signature-agent', member ? `${label}="https://a.example"` : '"https://a.example"'])
    const name = member ? { key: label } : { plain: true }
    components.push({ name: 'signature-agent', ...name })
    // In any order.
    for (let i = components.length - 1; i > 0; i--) {
        const j = r.below(i + 1)
        const moved = components[i]
        components[i] = components[j]
        components[j] = moved
    }
    return {
        method: r.pick(['GET', 'HEAD', 'POST', 'get', r.text(3, token)]),
        target: anyTarget(r),
        host,
        fields,
        components,
        label
    }
}

function parametersOf(r, keyid) {
    const created = now - r.below(1000)
    const wanted = [
        ['created', created],
        ['expires', now + 1 + r.below(3600)],
        ['keyid', keyid],
        ['tag', 'web-bot-auth']
    ]
    if (r.chance(1, 2)) wanted.push(['alg', 'ed25519'])
    if (r.chance(1, 2)) wanted.push(['nonce', r.text(r.below(20), `${visible} `)])
    const ordered = []
    while (wanted.length > 0) ordered.push(...wanted.splice(r.below(wanted.length), 1))
    return Object.fromEntries(ordered)
}

const authorityOf = host => host.toLowerCase().replace(/:443$/, '')

async function sign(r, request, key) {
    const signer = providers.signer(key.crypto.privateKey)
    let base
    const signature = await createSignature(
        {
            kind: 'request',
            method: request.method,
            targetUri: `https://${authorityOf(request.host)}${request.target}`,
            requestTarget: request.target,
            fields: request.fields.map(([name, value]) => ({ name, value }))
        },
        {
            label: request.label,
            components: request.components.map(({ name, key }) =>
                key === undefined ? name : component(name, { key })
            ),
            parameters: parametersOf(r, key.keyid),
            signer: {
                algorithm: signer.algorithm,
                sign: data => {
                    base = Buffer.from(data).toString('latin1')
                    return signer.sign(data)
                }
            }
        }
    )
    return { base, input: signature.signatureInput, value: signature.signature }
}

// As it goes over the wire, with white space and letters that do not matter.
function raw(r, request, signature) {
    const spell = name => (r.chance(1, 3) ? name.toUpperCase() : name)
    const pad = () => r.pick(['', ' ', '  ', '\t', ' \t '])
    const lines = [...request.fields, ['signature-input', signature.input], ['signature', signature.value]]
    const eol = r.chance(1, 10) ? '\n' : '\r\n'
    const text = lines.map(([name, value]) => `${spell(name)}:${pad()}${value}${pad()}${eol}`)
    return `${request.method} ${request.target} HTTP/1.1${eol}${text.join('')}${eol}`
}

// --- One change to what is covered.

const swap = (r, text, at, alphabet) => {
    const others = [...alphabet].filter(c => c !== text[at])
    return text.slice(0, at) + r.pick(others) + text.slice(at + 1)
}

function changeValue(r, request) {
    const covered = new Set(request.components.filter(({ plain }) => plain).map(({ name }) => name))
    const places = request.fields.filter(([name, value]) => covered.has(name) && value.trim() !== '')
    if (places.length === 0) return null
    const place = r.pick(places)
    const at = [...place[1]].map((c, i) => (c > ' ' ? i : -1)).filter(i => i >= 0)
    const changed = swap(r, place[1], r.pick(at), digits + letters)
    const fields = request.fields.map(field => (field === place ? [place[0], changed] : field))
    return { ...request, fields }
}

function changeTarget(r, request) {
    const names = new Set(request.components.map(({ name }) => name))
    if (!['@target-uri', '@request-target'].some(name => names.has(name))) return null
    return { ...request, target: request.target + (request.target.includes('?') ? '&z' : '?z') }
}

function changeMethod(r, request) {
    if (!request.components.some(({ name }) => name === '@method')) return null
    return { ...request, method: `${request.method}X` }
}

function changeHost(r, request) {
    const host = `x${request.host}`
    const fields = request.fields.map(([name, value]) => [name, name === 'host' ? host : value])
    return { ...request, host, fields }
}

function mutate(r, request, signature) {
    const changes = [changeValue, changeTarget, changeMethod, changeHost, null, null, null]
    for (;;) {
        const change = r.pick(changes)
        if (change) {
            const changed = change(r, request)
            if (changed) return [change.name, changed, signature]
            continue
        }
        const [start, end] = [signature.value.indexOf(':') + 1, signature.value.lastIndexOf(':')]
        if (r.chance(1, 2)) {
            const bytes = Buffer.from(signature.value.slice(start, end), 'base64')
            bytes[r.below(bytes.length)] ^= 1 << r.below(8)
            const value = `${request.label}=:${bytes.toString('base64')}:`
            return ['signature', request, { ...signature, value }]
        }
        const at = start > 0 ? r.below(signature.input.length) : 0
        const input = swap(r, signature.input, at, `${letters}${digits} ;="()`)
        // What parses to the same is no change: of the white space between components there may be more.
        if (input[at] === ' ' || signature.input[at] === ' ') continue
        return ['parameters', request, { ...signature, input }]
    }
}

test(
    `${count} requests signed by http-message-sig, and as many changed (seed ${seed})`,
    { timeout: 3600_000 },
    async t => {
        const keys = [await makeKey(), await makeKey()]
        const file = path.join(temporaryFolder(t), 'keys.json')
        fs.writeFileSync(file, JSON.stringify({ keys: keys.map(key => key.public) }))
        const random = generator(seed)
        const codes = new Map()
        let refusedByThem = 0
        const one = async r => {
            const request = anyRequest(r)
            const key = r.pick(keys)
            let signature
            try {
                signature = await sign(r, request, key)
            } catch (error) {
                if (!error.code) throw error
                refusedByThem++
                return
            }
            const text = raw(r, request, signature)
            const good = await check(file, text)
            assert.equal(
                good.verdict,
                'valid',
                `${JSON.stringify(good, null, 1)}\n${JSON.stringify(text)}\n${signature.base}`
            )
            assert.equal(good.base, signature.base, text)
            assert.equal(good.thumbprint, key.keyid)
            const [how, changed, resigned] = mutate(r, request, signature)
            const changedText = raw(r, changed, resigned)
            const bad = await check(file, changedText)
            assert.notEqual(
                bad.verdict,
                'valid',
                `${how}: ${JSON.stringify(changedText)}\n${JSON.stringify(text)}`
            )
            assert.ok(bad.exit === 1 || bad.exit === 2)
            const seen = `${how} ${bad.code}`
            codes.set(seen, (codes.get(seen) ?? 0) + 1)
        }
        // Each request has a generator of its own, so that working at several does not change what they are.
        const seeds = Array.from({ length: count }, () => random.below(0xffffffff))
        const worker = async () => {
            while (seeds.length > 0) {
                const own = seeds.pop()
                try {
                    await one(generator(own))
                } catch (error) {
                    error.message = `request of seed ${own}: ${error.message}`
                    throw error
                }
            }
        }
        await Promise.all(Array.from({ length: os.cpus().length }, worker))
        t.diagnostic(
            [...codes]
                .sort()
                .map(([code, n]) => `${code}: ${n}`)
                .join(', ')
        )
        t.diagnostic(`${refusedByThem} that http-message-sig would not sign`)
        assert.ok(refusedByThem < count / 10)
    }
)
