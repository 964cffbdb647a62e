// Nothing about the content is told before the signature holds: what a front would take for "the gate has no
// such page, ask the site" (404), for "the crawler has it" (304), or for anything else about it.
import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import fs from 'node:fs'
import path from 'node:path'
import { test } from 'node:test'
import { ask } from '../raw.js'
import { certificates, directory, stage, temporaryFolder } from '../support.js'
import { makeKey, scene, withHttpMessageSig, withWebBotAuth } from '../signers.js'

const origin = 'https://shop.example'

const random = signature => signature.replace(/:.*:/, `:${randomBytes(64).toString('base64')}:`)

// A site where every sort of answer is to be had below /articles/.
function site(t) {
    const folder = temporaryFolder(t)
    fs.mkdirSync(path.join(folder, 'articles', 'folder'), { recursive: true })
    fs.writeFileSync(path.join(folder, 'articles', 'page.html'), 'a page that is paid for')
    fs.writeFileSync(path.join(folder, 'articles', 'empty.html'), '')
    fs.writeFileSync(path.join(folder, 'free.html'), 'free')
    return folder
}

const targets = [
    '/articles/page.html',
    '/articles/nothing.html',
    '/articles/empty.html',
    '/articles/folder',
    '/articles/folder/',
    '/articles/./page.html',
    '/articles/x/../page.html',
    '/x/%2e%2e/articles/page.html',
    '/articles/page.html%00'
]

const conditions = [
    {},
    { 'If-None-Match': '*' },
    { 'If-Match': '"stale"' },
    { 'If-Modified-Since': new Date(Date.now() + 86400_000).toUTCString() },
    { Range: 'bytes=999999-' }
]

test('a genuine id does not stand for its signature', { timeout: 120_000 }, async t => {
    const { gate, ledger, key, agent } = await scene(t, {
        root: site(t),
        rules: [
            { name: 'articles', paths: ['/articles/**'], action: 'charge', price: '0.05' },
            { name: 'rest', paths: ['/**'], action: 'allow' }
        ]
    })
    const stranger = await makeKey()
    const forgeries = {
        'no signature': fields => ({ ...fields, Signature: undefined, 'Signature-Input': undefined }),
        '64 random bytes': fields => ({
            ...fields,
            Signature: random(fields.Signature)
        }),
        'of a key that is not listed': (fields, target, id) =>
            withWebBotAuth(stranger, agent.origin, origin + target, id),
        'of another key under this keyid': (fields, target, id) =>
            withHttpMessageSig({ ...stranger, keyid: key.keyid }, agent.origin, origin + target, id)
    }
    const codes = new Set()
    for (const target of targets)
        for (const condition of conditions) {
            const bare = await ask(gate.port, target, { ...condition, 'User-Agent': 'GPTBot/1.2' })
            assert.equal(bare.status, 402, `${target} ${JSON.stringify(condition)} ${bare.text}`)
            const id = JSON.parse(bare.text).accepts[0].extra.id
            const good = await withWebBotAuth(key, agent.origin, origin + target, id)
            for (const [name, forge] of Object.entries(forgeries)) {
                const forged = await forge(good, target, id)
                const fields = Object.fromEntries(Object.entries(forged).filter(([, value]) => value))
                const answer = await ask(gate.port, target, { ...fields, ...condition })
                assert.equal(answer.status, 403, `${name}: ${target} ${JSON.stringify(condition)}`)
                assert.equal(answer.headers.etag ?? answer.headers['last-modified'], undefined)
                assert.doesNotMatch(answer.text, /paid for/)
                codes.add(answer.headers['crawler-error'])
            }
        }
    assert.deepEqual([...codes].sort(), ['key_unknown', 'signature_invalid', 'signature_required'])
    assert.equal(ledger.count('charge'), 0)
    // With the signature it is told, and free where nothing is given.
    const told = {}
    for (const target of targets) {
        const id = await gate.offer(target)
        const fields = await withWebBotAuth(key, agent.origin, origin + target, id)
        told[target] = (await ask(gate.port, target, fields)).status
    }
    assert.deepEqual(Object.values(told), [200, 404, 200, 301, 404, 404, 404, 404, 404])
    assert.equal((await ask(gate.port, '/nothing.html', { 'User-Agent': 'GPTBot/1.2' })).status, 404)
})

test('a page that is free for one agent is told of to nobody else', async t => {
    const tls = certificates(temporaryFolder(t))
    const key = await makeKey()
    const agent = await directory(t, tls, [key.public])
    const { gate } = await stage(t, {
        insecureHosts: [agent.host],
        caFile: tls.caFile,
        root: site(t),
        rules: [{ name: 'friend', agents: [agent.origin], action: 'allow' }]
    })
    for (const target of targets.slice(0, 5)) {
        const good = await withWebBotAuth(key, agent.origin, origin + target)
        const forged = { ...good, Signature: random(good.Signature) }
        for (const condition of conditions)
            assert.equal((await ask(gate.port, target, { ...forged, ...condition })).status, 403)
    }
    const missing = await withWebBotAuth(key, agent.origin, `${origin}/articles/nothing.html`)
    assert.equal((await ask(gate.port, '/articles/nothing.html', missing)).status, 404)
})
