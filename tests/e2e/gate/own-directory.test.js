// The gate's own key directory: its signatures are checked by npm http-message-sig, before and after a
// rotation.
import assert from 'node:assert/strict'
import { createHash, webcrypto } from 'node:crypto'
import fs from 'node:fs'
import path from 'node:path'
import test from 'node:test'
import { jwkToKeyID, helpers } from 'web-bot-auth'
import { component, verifySignature, webcrypto as providers } from 'http-message-sig'
import { stage } from '../support.js'

const wellKnown = '/.well-known/http-message-signatures-directory'
const mediaType = 'application/http-message-signatures-directory+json'

const importKey = ({ kty, crv, x }) =>
    webcrypto.subtle.importKey('jwk', { kty, crv, x }, 'Ed25519', true, ['verify'])

// Checks one signature of a directory's answer as App. B of the drafts asks; fails or returns what it says.
function verifyProof(response, host, label, jwk) {
    return verifySignature(
        {
            kind: 'response',
            status: response.status,
            fields: Object.entries(response.headers).map(([name, value]) => ({ name, value })),
            request: {
                kind: 'request',
                method: 'GET',
                targetUri: `https://${host}${wellKnown}`,
                fields: []
            }
        },
        {
            label,
            policy: {
                algorithms: ['ed25519'],
                requiredComponents: [component('@authority', { req: true }), 'content-digest'],
                requiredParameters: ['created', 'expires', 'keyid', 'alg', 'tag'],
                maxAge: 7200,
                clockSkew: 1,
                validate: ({ parameters }) =>
                    parameters.tag === 'http-message-signatures-directory' && parameters.keyid === jwk.kid
            },
            resolveVerifier: async () => providers.verifier(await importKey(jwk))
        }
    )
}

function checkBody(response) {
    const digest = createHash('sha256').update(response.body).digest('base64')
    assert.equal(response.status, 200)
    assert.equal(response.headers['content-type'], mediaType)
    assert.equal(response.headers['content-digest'], `sha-256=:${digest}:`)
    assert.equal(response.headers['cache-control'], 'max-age=3600')
    return JSON.parse(response.text).keys
}

test('the directory is signed by each key in force, at every host, for everyone', async t => {
    const { folder, gate, ledger } = await stage(t)
    const file = path.join(folder, 'var', 'identity.key')
    assert.equal(fs.statSync(file).mode & 0o777, 0o600)
    for (const host of ['shop.example', 'www.shop.example']) {
        const response = await gate.request(wellKnown, { host, headers: { 'user-agent': 'GPTBot/1.2' } })
        const [key, ...others] = checkBody(response)
        assert.equal(others.length, 0)
        assert.equal(key.use, 'sig')
        assert.equal(key.kid, await jwkToKeyID(key, helpers.WEBCRYPTO_SHA256, helpers.BASE64URL_DECODE))
        assert.ok(key.nbf * 1000 <= Date.now() && key.exp * 1000 > Date.now() + 300 * 86400 * 1000)
        assert.ok(!('d' in key))
        await verifyProof(response, host, 'sig1', key)
        await assert.rejects(verifyProof(response, 'other.example', 'sig1', key))
        const again = await gate.request(wellKnown, { host })
        assert.equal(again.headers.signature, response.headers.signature, 'signed once')
    }
    const head = await gate.request(wellKnown, { method: 'HEAD' })
    assert.equal(head.status, 200)
    assert.equal(head.body.length, 0)
    assert.ok(Number(head.headers['content-length']) > 100 && head.headers.signature)
    assert.equal((await gate.request(wellKnown, { method: 'POST' })).status, 405)
    assert.equal((await gate.request(wellKnown, { host: 'nobody.example' })).status, 421)
    assert.equal((await gate.request(`${wellKnown}/`)).status, 404)
    assert.equal(ledger.count('charge'), 0)
})

test('after a rotation both keys sign, once the new one has been listed long enough', async t => {
    const { gate, config, crawltab } = await stage(t)
    const [first] = checkBody(await gate.request(wellKnown))
    // A day ahead.
    const announced = JSON.parse((await crawltab('key', 'rotate', '--json')).stdout)
    assert.equal(announced.keys.length, 2)
    assert.equal(announced.keys[0].keyid, announced.added)
    assert.deepEqual(
        announced.keys.map(key => key.state),
        ['announced', 'in force']
    )
    await new Promise(resolve => setTimeout(resolve, 1100))
    const listed = await gate.request(wellKnown)
    assert.deepEqual(
        checkBody(listed).map(key => key.kid),
        [announced.added, first.kid]
    )
    assert.doesNotMatch(listed.headers.signature, /sig2/)
    await verifyProof(listed, 'shop.example', 'sig1', first)
    // At once.
    fs.writeFileSync(
        config,
        JSON.stringify({ ...JSON.parse(fs.readFileSync(config, 'utf8')), identity: { publish_seconds: 0 } })
    )
    const { stdout } = await crawltab('key', 'rotate')
    assert.match(stdout, /^Added a key\. It signs at once\.$/m)
    await new Promise(resolve => setTimeout(resolve, 1100))
    const rotated = await gate.request(wellKnown)
    const keys = checkBody(rotated)
    assert.equal(keys.length, 3)
    await verifyProof(rotated, 'shop.example', 'sig1', keys[0])
    await verifyProof(rotated, 'shop.example', 'sig2', keys[2])
    await assert.rejects(verifyProof(rotated, 'shop.example', 'sig1', keys[2]))
    await gate.logged(/event=identity_keys_read .*keys=3/)
    const list = (await crawltab('key', 'list')).stdout.split('\n')
    assert.equal(list.length, 5)
    assert.ok(list.every(line => line.length <= 80))
    assert.ok(list[1].startsWith(keys[0].kid))
    assert.match(list[1], / in force +\d{4}-\d\d-\d\d +\d{4}-\d\d-\d\d$/)
})

test('a key file that cannot be read is told about, and a running gate keeps its keys', async t => {
    const { folder, gate, crawltab, startGate } = await stage(t)
    const file = path.join(folder, 'var', 'identity.key')
    const before = await gate.request(wellKnown)
    fs.writeFileSync(file, 'nonsense\n')
    await new Promise(resolve => setTimeout(resolve, 1100))
    const after = await gate.request(wellKnown)
    assert.equal(after.text, before.text)
    await gate.logged(/event=identity_key_refused .*it is not a JSON Web Key Set/)
    for (const verb of ['list', 'rotate'])
        await assert.rejects(crawltab('key', verb), { code: 1, stderr: /it is not a JSON Web Key Set/ })
    assert.equal(fs.readFileSync(file, 'utf8'), 'nonsense\n')
    await assert.rejects(startGate(), /event=identity_key_refused/)
})

test('crawltab key works before the gate has ever started, and is used as it says', async t => {
    const { crawltab } = await stage(t, { gate: false })
    await assert.rejects(crawltab('key', 'list'), { code: 1, stderr: /there are no keys yet/ })
    assert.match((await crawltab('key', 'rotate')).stdout, /^Made .*identity\.key with a first key\.$/m)
    assert.equal(JSON.parse((await crawltab('key', 'list', '--json')).stdout).keys.length, 1)
    for (const words of [['key'], ['key', 'drop'], ['key', 'list', 'x'], ['key', 'list', '--all']])
        await assert.rejects(crawltab(...words), { code: 64 })
    for (let i = 1; i < 8; i++) await crawltab('key', 'rotate')
    await assert.rejects(crawltab('key', 'rotate'), { code: 1, stderr: /it lists 8 keys already/ })
})
