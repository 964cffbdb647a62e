// What a key directory lists: its entries one by one, how they are packed, and what proves them.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import zlib from 'node:zlib'
import { makeKey } from '../signers.js'
import { assertCode, list, proof, scene, told } from '../directories.js'

test('packed answers, and other media types at a URL with a path', async t => {
    const { key, agent, ledger, attempt } = await scene(t, { require_proof: true })
    const body = Buffer.from(JSON.stringify({ keys: [key.public] }))
    const gzip = zlib.gzipSync(body)
    const answers = [
        // Packed by a cache behind the origin that signed, and by the origin itself.
        ['/', { 'content-encoding': 'gzip' }, gzip, body],
        ['/1', { 'content-encoding': 'GZip' }, gzip, gzip],
        ['/2', { 'content-encoding': 'deflate' }, zlib.deflateSync(body), body],
        ['/3', { 'content-type': 'text/plain; charset=utf-8' }, body, body],
        ['/4', { 'content-type': null }, body, body]
    ]
    for (const [path, fields, sent, signed] of answers) {
        agent.answer = (request, response) => {
            for (const [name, value] of Object.entries({ ...fields, ...proof(key, agent.host, signed) }))
                if (value) response.setHeader(name, value)
                else response.removeHeader(name)
            response.end(sent)
        }
        const answer = await attempt(agent.origin + path)
        assert.equal(answer.status, 200, `${path} ${answer.text}`)
    }
    assert.equal(
        ledger.query("SELECT DISTINCT convert_from(body, 'UTF8') FROM directory_snapshot"),
        body.toString(),
        'the content is kept'
    )
})

test('one odd entry takes nothing from the others, and a published private half is refused', async t => {
    const { gate, ledger, key, agent, attempt } = await scene(t)
    const other = await makeKey()
    const odd = [
        `{"kty":"OKP","crv":"Ed25519","x":"${other.public.x}","exp":18446744073709551615}`,
        '{"kty":"OKP","x":"\\u0000","x":1}',
        '{"kty":"OKP" "crv"}',
        '5'
    ]
    const good = JSON.stringify({ ...key.public, exp: 1 })
    let n = 0
    for (const entry of odd) {
        agent.answer = (request, response) =>
            response.end(`\ufeff{"keys":[${entry},${good},${JSON.stringify(key.public)}]}`)
        assert.equal((await attempt(`${agent.origin}/odd/${n++}`)).status, 200, entry)
    }
    agent.answer = (request, response) =>
        response.end(JSON.stringify({ keys: [key.public, key.private, other.public] }))
    assertCode(await attempt(`${agent.origin}/leak`), 403, 'key_unknown')
    assert.equal((await attempt(`${agent.origin}/leak`, other)).status, 200, 'the other key is untouched')
    const told = `event=directory_key_refused url=${agent.origin}/leak entry=1 keyid=${key.keyid} `
    await gate.logged(new RegExp(`${told}detail="its private`))
    await gate.logged(/event=request .*code=key_unknown/)
    await gate.logged(/check=key detail="entry 1 does not count: its private half is published/)
    assert.equal(ledger.count('charge'), odd.length + 1)
})

test('keys count only with a proof, where that is demanded', async t => {
    const { gate, ledger, key, agent, attempt } = await scene(t, { require_proof: true })
    const other = await makeKey()
    const body = JSON.stringify({ keys: [key.public, other.public] })
    const now = Math.floor(Date.now() / 1000)
    const good = proof(key, agent.host, body)
    const cases = {
        'none at all': [{}, 'there is none'],
        'the older form over @authority': [
            proof(key, agent.host, body, { components: ['"@authority"'] }),
            'does not cover'
        ],
        'the request is not covered': [
            proof(key, agent.host, body, { components: ['"content-digest"'] }),
            'does not cover'
        ],
        'for another host': [proof(key, 'crawler.example', body), 'does not verify'],
        'of another body': [proof(key, agent.host, `${body} `), 'not what its Content-Digest says'],
        expired: [proof(key, agent.host, body, { created: now - 60, expires: now - 1 }), 'has expired'],
        'from the future': [
            proof(key, agent.host, body, { created: now + 300, expires: now + 600 }),
            'in the future'
        ],
        'with a broken signature': [
            { ...good, signature: good.signature.replace(/:(.)/, (all, c) => `:${c === 'A' ? 'B' : 'A'}`) },
            'does not verify'
        ],
        "under the other key's name": [
            proof({ ...other, keyid: key.keyid }, agent.host, body),
            'does not verify'
        ]
    }
    let n = 0
    for (const [name, [fields, reason]] of Object.entries(cases))
        await t.test(name, async () => {
            const origin = `${agent.origin}/proof/${n++}`
            agent.answer = (request, response) => {
                for (const [field, value] of Object.entries(fields)) response.setHeader(field, value)
                response.end(body)
            }
            assertCode(await attempt(origin), 403, 'key_unknown')
            await told(gate, origin, reason)
        })
    assert.equal(ledger.count('charge'), 0)
    agent.answer = (request, response) => {
        for (const [field, value] of Object.entries(good)) response.setHeader(field, value)
        response.end(body)
    }
    await t.test('a good one', async () => {
        assert.equal((await attempt(`${agent.origin}/good`)).status, 200)
        assertCode(await attempt(`${agent.origin}/good`, other), 403, 'key_unknown')
        assert.equal(
            ledger.query('SELECT signature_input, signature, content_digest FROM directory_snapshot'),
            [good['signature-input'], good.signature, good['content-digest']].join('|')
        )
    })
})

test('a wrong proof is told and changes nothing, where none is demanded', async t => {
    const { gate, key, agent, attempt } = await scene(t)
    agent.answer = (request, response) => {
        const fields = proof(key, 'crawler.example', '')
        for (const [field, value] of Object.entries(fields)) response.setHeader(field, value)
        list(response, [key])
    }
    assert.equal((await attempt(agent.origin)).status, 200)
    await gate.logged(/event=directory_proof_fails .*Content-Digest/)
})
