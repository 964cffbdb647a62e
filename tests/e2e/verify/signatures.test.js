// What signatures may cover, at the gate and in `crawltab check-request`, which must agree.
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import path from 'node:path'
import { test } from 'node:test'
import { build, payment } from '../support.js'
import { makeKey, scene, withBase } from '../signers.js'

const page = '/articles/harbour-bell.html'
const url = `https://shop.example${page}`
const emptyDigest = 'sha-256=:47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=:'
const bytes = value => `:${Buffer.from(value).toString('base64')}:`

const otherDigest = `sha-256=${bytes('x'.repeat(32))}`

// What check-request says of the same request, with the same directory.
function judge(set, headers, target, ...words) {
    const request = [
        `GET ${target} HTTP/1.1`,
        'Host: shop.example',
        ...Object.entries(headers).map(pair => pair.join(': ')),
        '',
        ''
    ].join('\r\n')
    const child = spawn(path.join(build, 'crawltab'), [
        ...['check-request', '--config', set.config, '--site', 'example', '--fetch', '--json', ...words]
    ])
    return new Promise(resolve => {
        let out = ''
        child.stdout.on('data', data => {
            out += data
        })
        child.on('close', () => resolve(JSON.parse(out)))
        child.stdin.end(request)
    })
}

test('the gate and check-request take the same signatures', async t => {
    const set = await scene(t)
    const { gate, ledger, key, agent } = set
    const agentField = `"${agent.origin}"`
    const signed = ['"signature-agent"', agentField]
    const authority = ['"@authority"', 'shop.example']
    // By name: the covered components of a payment id, fields besides, the target, and whether it is taken.
    const cases = {
        'payment;sf': [id => [['"payment";sf', payment(id)], authority, signed]],
        'payment;bs': [id => [['"payment";bs', bytes(payment(id))], authority, signed]],
        'payment;key=id;sf': [id => [['"payment";key="id";sf', `"${id}"`], authority, signed]],
        'payment;key=network': [
            () => [['"payment";key="network"', '"example:402"'], authority, signed],
            {},
            page,
            'signature_required'
        ],
        'signature-agent;sf': [
            id => [['"payment"', payment(id)], authority, ['"signature-agent";sf', agentField]]
        ],
        'signature-agent;bs': [
            id => [['"payment"', payment(id)], authority, ['"signature-agent";bs', bytes(agentField)]]
        ],
        'the target as it was sent': [
            id => [['"payment"', payment(id)], ['"@request-target"', url], ['"@target-uri"', url], signed],
            {},
            url
        ],
        'the path, though a URL was sent': [
            id => [['"payment"', payment(id)], ['"@request-target"', page], ['"@target-uri"', url], signed],
            {},
            url,
            'signature_invalid'
        ],
        'the digest of no body': [
            id => [['"payment"', payment(id)], authority, signed, ['"content-digest"', emptyDigest]],
            { 'Content-Digest': emptyDigest }
        ],
        'the digest of another body': [
            id => [['"payment"', payment(id)], authority, signed, ['"content-digest"', otherDigest]],
            { 'Content-Digest': otherDigest },
            page,
            'signature_invalid'
        ],
        'a component that is not there': [
            id => [['"payment"', payment(id)], authority, signed, ['"x-none"', '']],
            {},
            page,
            'malformed_signature'
        ]
    }
    let paid = 0
    for (const [name, [components, more = {}, target = page, code = null]] of Object.entries(cases)) {
        const id = await gate.offer(page)
        const fields = { ...more, Payment: payment(id), 'Signature-Agent': agentField }
        const headers = withBase(key, fields, components(id))
        const judged = await judge(set, headers, target, '--profile', 'payment')
        const response = await gate.request(target, { headers })
        const status = code === null ? 200 : code === 'malformed_signature' ? 400 : 403
        assert.equal(response.status, status, `${name} ${response.text}`)
        assert.equal(response.headers['crawler-error'] ?? null, code, name)
        assert.deepEqual([judged.code, judged.verdict], code ? [code, 'invalid'] : ['ok', 'valid'], name)
        paid += code ? 0 : 1
    }
    assert.equal(ledger.count('charge'), paid)
})

test("each signature counts for its own label's agent, wherever that stands", async t => {
    const set = await scene(t)
    const { gate, key, agent } = set
    const inner = await makeKey()
    const id = await gate.offer(page)
    const member = (label, origin) => [`"signature-agent";key="${label}"`, `"${origin}"`]
    const agents = `inner="https://inner.example", outer="${agent.origin}"`
    const fields = { Payment: payment(id), 'Signature-Agent': agents }
    const authority = ['"@authority"', 'shop.example']
    const first = withBase(inner, fields, [authority, member('inner', 'https://inner.example')], {
        label: 'inner'
    })
    const covered = [
        authority,
        member('inner', 'https://inner.example'),
        ['"signature-input";key="inner"', first['Signature-Input'].slice('inner='.length)],
        ['"signature";key="inner"', first.Signature.slice('inner='.length)],
        ['"payment"', payment(id)],
        member('outer', agent.origin)
    ]
    const second = withBase(key, fields, covered, { label: 'outer' })
    const headers = {
        ...fields,
        'Signature-Input': `${second['Signature-Input']}, ${first['Signature-Input']}`,
        Signature: `${second.Signature}, ${first.Signature}`
    }
    const judged = await judge(set, headers, page, '--profile', 'payment')
    assert.deepEqual([judged.verdict, judged.agent], ['valid', agent.origin], JSON.stringify(judged))
    const response = await gate.request(page, { headers })
    assert.equal(response.status, 200, response.text)
    assert.equal(set.ledger.query('SELECT agent FROM crawler'), agent.origin)
    // A member that names nobody takes nothing from the other.
    const odd = { ...fields, 'Signature-Agent': `x="http://inner.example", sig="${agent.origin}"` }
    const other = await gate.offer(page)
    const alone = withBase(key, { ...odd, Payment: payment(other) }, [
        authority,
        ['"payment"', payment(other)],
        member('sig', agent.origin)
    ])
    assert.equal((await gate.request(page, { headers: alone })).status, 200)
})

test('a signature is asked for with what the page needs', async t => {
    const { gate } = await scene(t, {
        rules: [
            { name: 'friend', paths: ['/about.html'], agents: ['https://friend.example'], action: 'allow' },
            { name: 'rest', action: 'charge', price: '0.05' }
        ]
    })
    const asked = async (target, headers) =>
        (await gate.request(target, { headers })).headers['accept-signature']
    const claims = { 'signature-agent': '"https://friend.example"' }
    const free =
        'sig=("@authority" "@path" "@query" "signature-agent");created;expires;tag="web-bot-auth"'
    const charged = free.replace('"@path" "@query"', '"payment"')
    const id = await gate.offer(page)
    assert.equal(await asked('/about.html', claims), free)
    assert.equal(await asked(page, { ...claims, payment: payment(id) }), charged)
    const offered = await asked(page, { 'user-agent': 'GPTBot/1.2' })
    assert.equal(offered.replace(/;nonce="[\w-]{64}"/, ''), charged)
})
