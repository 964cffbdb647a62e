// crawltab check-request: the published vectors, the shapes of deployed signers, and each rule broken once.
// The signatures are made by npm packages; the requests are text, as a person would paste them.
import assert from 'node:assert/strict'
import { spawn, spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import fs from 'node:fs'
import path from 'node:path'
import { test } from 'node:test'
import { build, certificates, directory, root, temporaryFolder } from '../support.js'
import { makeKey, withBase, withHttpMessageSig, withWebBotAuth } from '../signers.js'

const now = 1_800_000_000
const time = now * 1000
const id = 'x'.repeat(64)
const url = 'https://shop.example/path?a=b'

function check(request, ...words) {
    const { status, stdout, stderr } = spawnSync(path.join(build, 'crawltab'), ['check-request', ...words], {
        input: request,
        encoding: 'utf8'
    })
    return { status, stdout, stderr }
}

function checkJson(request, ...words) {
    const { status, stdout, stderr } = check(request, '--json', ...words)
    assert.equal(stderr, '')
    const answer = JSON.parse(stdout)
    assert.equal(status, { valid: 0, invalid: 1, unverified: 2 }[answer.verdict])
    return answer
}

const text = (headers, target = '/path?a=b', host = 'shop.example') =>
    [
        `GET ${target} HTTP/1.1`,
        `Host: ${host}`,
        ...Object.entries(headers).map(([n, v]) => `${n}: ${v}`),
        '',
        ''
    ].join('\r\n')

function keyFile(t, ...keys) {
    const file = path.join(temporaryFolder(t), 'keys.json')
    fs.writeFileSync(file, JSON.stringify({ keys: keys.map(key => key.public ?? key) }))
    return file
}

test('both generations of draft vectors', t => {
    let checked = 0
    for (const name of ['v1', 'v2']) {
        const file = path.join(root, `tests/vectors/web_bot_auth_architecture_${name}.json`)
        for (const vector of JSON.parse(fs.readFileSync(file, 'utf8'))) {
            const { d, p, q, dp, dq, qi, ...key } = vector.key
            assert.ok(d)
            const headers = { 'Signature-Input': vector.signature_input, Signature: vector.signature }
            if (vector.signature_agent) headers['Signature-Agent'] = vector.signature_agent
            const request = text(headers, '/path/to/resource', 'example.com')
            const words = ['--keys', keyFile(t, key), '--now', '1735689700', '--max-lifetime', '9999999999']
            words.push('--algorithms', 'ed25519,rsa-pss-sha512')
            const judged = checkJson(request, ...words, '--allow-test-keys')
            const told = vector.signature_agent
                ? ['valid', 'https://signature-agent.test']
                : ['unverified', null] // nobody can be looked up, here as in the gate
            assert.deepEqual([judged.verdict, judged.agent], told, JSON.stringify(judged))
            const refused = checkJson(request, ...words)
            assert.deepEqual([refused.verdict, refused.checks.at(-1).name], ['invalid', 'test-key'])
            checked++
        }
    }
    assert.equal(checked, 8)
})

test('the shapes of deployed signers', async t => {
    const key = await makeKey()
    const words = ['--keys', keyFile(t, key), '--now', String(now)]
    const shapes = [
        [['@authority', '@method', '@path', 'signature-agent'], 3600],
        [['@authority', '@method', 'signature-agent'], 3600],
        [['@method', '@authority', '@path', 'signature-agent'], 60],
        [['@authority', 'signature-agent'], 86400],
        [['@target-uri', 'signature-agent'], 60]
    ]
    for (const [components, lifetime] of shapes) {
        const options = { time: time - 1000, lifetime, components }
        const answer = checkJson(
            text(await withWebBotAuth(key, 'https://crawler.example', url, null, options)),
            ...words
        )
        assert.equal(answer.verdict, 'valid', JSON.stringify(answer))
        assert.equal(answer.agent, 'https://crawler.example')
        assert.equal(answer.thumbprint, key.keyid)
        assert.equal(answer.code, 'ok')
        assert.ok(answer.checks.every(check => check.ok))
    }
    const dictionary = await withHttpMessageSig(key, 'https://crawler.example', url, id, { time })
    assert.equal(checkJson(text(dictionary), ...words, '--profile', 'payment').verdict, 'valid')
})

test('each rule broken once', async t => {
    const key = await makeKey()
    const stranger = await makeKey()
    const agent = 'https://crawler.example'
    const keys = ['--keys', keyFile(t, key)]
    const at = ['--now', String(now)]
    const good = await withWebBotAuth(key, agent, url, id, { time })
    const bare = await withWebBotAuth(key, agent, url, null, { time })
    const proposal = await withWebBotAuth(key, agent, url, id, {
        time,
        components: ['payment', 'signature-agent']
    })
    const foreign = await withWebBotAuth(stranger, agent, url, id, { time })
    const without = (fields, name) => Object.fromEntries(Object.entries(fields).filter(([n]) => n !== name))
    const input = (from, to) => ({ ...good, 'Signature-Input': good['Signature-Input'].replace(from, to) })
    const cases = [
        [text(good), at, 'valid', 'ok', undefined],
        [text(good), ['--now', String(now - 31)], 'invalid', 'signature_invalid', 'created'],
        [text(good), ['--now', String(now - 31), '--skew', '31'], 'valid', 'ok', undefined],
        [text(good), ['--now', String(now + 59)], 'valid', 'ok', undefined],
        [text(good), ['--now', String(now + 60)], 'invalid', 'signature_expired', 'not-expired'],
        [text(good), [...at, '--max-lifetime', '59'], 'invalid', 'signature_invalid', 'lifetime'],
        [text(good), [...at, '--algorithms', 'ecdsa-p256-sha256'], 'invalid', 'signature_invalid', 'alg'],
        [text(good), [...at, '--scheme', 'http'], 'valid', 'ok', undefined],
        [text(good, '/path?a=c'), at, 'valid', 'ok', undefined],
        [text(good, '/path?a=b', 'other.example'), at, 'invalid', 'signature_invalid', 'verifies'],
        [text(bare), at, 'invalid', 'signature_required', 'covers-payment'],
        [text(proposal), at, 'invalid', 'signature_required', 'covers-target'],
        [text(proposal), [...at, '--no-require-target'], 'valid', 'ok', undefined],
        [text(foreign), at, 'invalid', 'key_unknown', 'key'],
        [text(without(good, 'Signature')), at, 'invalid', 'malformed_signature', 'signature-fields'],
        [text(without(good, 'Signature-Input')), at, 'invalid', 'malformed_signature', 'signature-fields'],
        [
            text(without(good, 'Signature-Agent')),
            at,
            'unverified',
            'signature_required',
            'covers-signature-agent'
        ],
        [text(without(good, 'Payment')), at, 'invalid', 'malformed_signature', 'signature-base'],
        [text({}), at, 'unverified', 'signature_required', 'signature-fields'],
        [text(input('tag="web-bot-auth"', 'tag="other"')), at, 'unverified', 'signature_required', 'tag'],
        [text(input(';keyid=', ';x=1;keyid=')), at, 'invalid', 'malformed_signature', 'parameters'],
        [text(input('sig1=(', 'sig1=(  ')), at, 'valid', 'ok', undefined],
        [
            text(input('"@authority"', '"@authority";req')),
            at,
            'invalid',
            'signature_required',
            'covers-target'
        ],
        [
            text(input('"@authority"', '"@authority" "@method";req')),
            at,
            'invalid',
            'malformed_signature',
            'signature-base'
        ],
        [
            text({ ...good, 'Signature-Agent': '"http://crawler.example"' }),
            at,
            'invalid',
            'malformed_signature_agent',
            'signature-agent'
        ],
        [
            text({ ...good, 'Signature-Agent': '"https://127.0.0.1"' }),
            at,
            'invalid',
            'malformed_signature_agent',
            'signature-agent'
        ],
        ['hello\n', at, 'invalid', 'malformed_request', undefined]
    ]
    for (const [i, [request, words, verdict, code, failed]] of cases.entries()) {
        const answer = checkJson(request, ...keys, '--profile', 'payment', ...words)
        const last = answer.checks.filter(check => !check.ok).at(-1)?.name
        assert.deepEqual(
            [answer.verdict, answer.code, last],
            [verdict, code, failed],
            `case ${i}: ${JSON.stringify(answer)}`
        )
    }
    assert.equal(checkJson(text(good), ...at).verdict, 'unverified', 'without keys')
})

test('every bit of the signature counts, and every byte of what it covers', async t => {
    const key = await makeKey()
    const words = ['--keys', keyFile(t, key), '--now', String(now), '--profile', 'payment']
    const good = await withHttpMessageSig(key, 'https://crawler.example', url, id, { time })
    const request = text(good)
    assert.equal(checkJson(request, ...words).verdict, 'valid')
    const value = /sig=:([^:]+):/.exec(good.signature ?? good.Signature)[1]
    for (const bit of [0, 7, 100, 255, 256, 300, 505, 511]) {
        const bytes = Buffer.from(value, 'base64')
        bytes[bit >> 3] ^= 1 << (bit & 7)
        assert.equal(
            checkJson(request.replace(value, bytes.toString('base64')), ...words).verdict,
            'invalid',
            `bit ${bit}`
        )
    }
    for (const [from, to] of [
        ['/path?a=b', '/path?a=c'],
        ['shop.example', 'shop.example:8443'],
        ['xxx"', 'xxy"']
    ])
        assert.equal(checkJson(request.replace(from, to), ...words).verdict, 'invalid', to)
})

test('keys are fetched as the gate would', async t => {
    const tls = certificates(temporaryFolder(t))
    const key = await makeKey()
    const agent = await directory(t, tls, [key.public])
    const request = text(await withWebBotAuth(key, agent.origin, url, id, { time }))
    const words = ['--fetch', '--json', '--now', String(now), '--profile', 'payment']
    // Not spawnSync: the directory is served by this process.
    const fetching = (...more) =>
        new Promise(resolve => {
            const child = spawn(path.join(build, 'crawltab'), ['check-request', ...words, ...more])
            let out = ''
            child.stdout.on('data', data => {
                out += data
            })
            child.on('close', status => resolve({ status, ...JSON.parse(out) }))
            child.stdin.end(request)
        })
    assert.equal((await fetching()).code, 'malformed_signature_agent', 'another port than 443')
    const untrusted = await fetching('--insecure-hosts', agent.host)
    assert.deepEqual([untrusted.verdict, untrusted.code], ['unverified', 'directory_unavailable'])
    assert.match(untrusted.detail, /^key: the directory could not be read: .*certificate/)
    const trusted = await fetching('--insecure-hosts', agent.host, '--ca', tls.caFile)
    assert.deepEqual([trusted.status, trusted.verdict], [0, 'valid'], JSON.stringify(trusted))
    agent.answer = (request, response) => response.end('{"keys":[]}')
    const reading = ['--insecure-hosts', agent.host, '--ca', tls.caFile]
    const removed = await fetching(...reading)
    assert.deepEqual([removed.status, removed.code], [1, 'key_unknown'])
    const failures = [
        [response => response.writeHead(404).end(), 'the status is not 200 (status 404)'],
        [
            response => response.writeHead(301, { location: '/' }).end(),
            'redirects are not followed (status 301)'
        ],
        [
            response => response.setHeader('content-type', 'text/html').end('{"keys":[]}'),
            'the media type is not that of a key directory (status 200)'
        ],
        [response => response.end('<html>'), 'it is no JSON object (status 200)']
    ]
    for (const [answer, why] of failures) {
        agent.answer = (_, response) => answer(response)
        const failed = await fetching(...reading)
        assert.deepEqual([failed.status, failed.code], [2, 'directory_unavailable'])
        assert.equal(failed.detail, `key: the directory could not be read: ${why}`)
    }
    agent.answer = (_, response) => response.end(JSON.stringify({ keys: [key.private] }))
    assert.match((await fetching(...reading)).detail, /its private half is published \(d\)/)
})

// Inputs of the kinds that came up in the field: NAME.http and NAME.keys.json in tests/cases/verify.
test('requests from the field', t => {
    const cases = {
        'dup-expired-first': ['valid', /^ok$/],
        'huge-exp-other-key': ['valid', /^ok$/],
        'nbf-ms': ['invalid', /^key: .*nbf, 1743465600000, lies .* ahead; it looks like milliseconds/],
        'payment-sf': ['valid', /^ok$/, '--profile', 'payment'],
        'request-target-absolute': ['valid', /^ok$/],
        'two-signers-inner-first': ['valid', /^ok$/],
        'no-agent': ['unverified', /^covers-signature-agent: there is no Signature-Agent$/],
        'agent-type-cimd': ['unverified', /^covers-signature-agent: its type is not known here.*: cimd$/],
        'agent-unquoted-url': [
            'invalid',
            /^signature-agent: a URL is written in double quotes, .*: https:\/\/crawler.example$/
        ],
        'agent-single-quote': [
            'invalid',
            /^signature-agent: a URL is written in double quotes, .*: 'https:\/\/crawler.example'$/
        ]
    }
    const folder = path.join(root, 'tests/cases/verify')
    for (const [name, [verdict, detail, ...words]] of Object.entries(cases)) {
        const keys = path.join(folder, `${name}.keys.json`)
        const request = fs.readFileSync(path.join(folder, `${name}.http`))
        const answer = checkJson(request, '--keys', keys, '--now', String(now), ...words)
        assert.equal(answer.verdict, verdict, `${name}: ${JSON.stringify(answer)}`)
        assert.match(answer.detail, detail, name)
        if (name.startsWith('two-')) assert.equal(answer.agent, 'https://browser.example')
    }
})

test("what is wrong with a key is told to the crawler's operator", async t => {
    const key = await makeKey()
    const other = await makeKey()
    const request = text(await withWebBotAuth(key, 'https://crawler.example', url, null, { time }))
    const cases = [
        [[other, key], 'valid', 'ok'],
        [[{ ...key.public, exp: 2 ** 64 }, key], 'valid', 'ok'],
        [[{ ...key.public, note: '\0' }], 'valid', 'ok'],
        [[{ ...key.public, exp: now }, { ...key.public, exp: now + 1 }], 'valid', 'ok'],
        [[other], 'invalid', 'key: no entry has this thumbprint; there is 1'],
        [[], 'invalid', 'key: no entry has this thumbprint; there are 0'],
        [
            [{ ...other.public, kid: key.keyid }],
            'invalid',
            'key: no entry has this thumbprint; entry 1 has it as its kid, ' +
                `but the thumbprint of its key is ${other.keyid}`
        ],
        [
            [{ ...key.public, exp: now - 86400 }],
            'invalid',
            `key: entry 1 has expired: it held until ${now - 86400}, 86400 s ago`
        ],
        [
            [key, key.private],
            'invalid',
            'key: entry 1 does not count: its private half is published (d): whoever reads it can sign'
        ],
        [
            [{ ...key.public, use: 'enc' }],
            'invalid',
            'key: entry 1 does not count: use is "enc", not "sig"'
        ],
        [
            [{ ...key.public, alg: 'RS256' }],
            'invalid',
            'key: entry 1 does not count: alg is "RS256", not the algorithm of such a key'
        ],
        [
            [{ ...key.public, key_ops: ['sign'] }],
            'invalid',
            'key: entry 1 does not count: key_ops is ["sign"], without "verify"'
        ],
        [
            [{ ...key.public, x: `${key.public.x}=` }],
            'invalid',
            'key: no entry has this thumbprint; entry 1 does not count: ' +
                `x is "${key.public.x}=", not 32 bytes in base64url`
        ]
    ]
    for (const [keys, verdict, detail] of cases) {
        const answer = checkJson(request, '--keys', keyFile(t, ...keys), '--now', String(now))
        assert.deepEqual([answer.verdict, answer.detail], [verdict, detail])
    }
})

test('a covered digest is compared with the body', async t => {
    const key = await makeKey()
    const digest = body => `sha-256=:${createHash('sha256').update(body).digest('base64')}:`
    const request = (body, claimed = body, length = body.length) => {
        const agent = '"https://crawler.example"'
        const headers = withBase(
            key,
            { 'Signature-Agent': agent, 'Content-Digest': digest(claimed), 'Content-Length': length },
            [
                ['"@authority"', 'shop.example'],
                ['"content-digest"', digest(claimed)],
                ['"signature-agent"', agent]
            ],
            { time }
        )
        return text(headers).replace('GET', 'POST') + body
    }
    const words = ['--keys', keyFile(t, key), '--now', String(now)]
    const judge = (...of) => checkJson(request(...of), ...words)
    assert.equal(judge('{"a":1}\r\n').verdict, 'valid')
    assert.equal(judge('').verdict, 'valid')
    const other = judge('{"a":1}', '{"a":2}')
    assert.deepEqual(
        [other.verdict, other.code, other.detail],
        ['invalid', 'signature_invalid', 'content-digest: the body is not what its Content-Digest says']
    )
    assert.equal(judge('', 'x').code, 'signature_invalid')
    const short = judge('abc', 'abc', 4)
    assert.deepEqual(
        [short.code, short.detail],
        ['malformed_request', 'the body is shorter than Content-Length says']
    )
})

test("a site's own settings judge where it is named", async t => {
    const key = await makeKey()
    const folder = temporaryFolder(t)
    const config = path.join(folder, 'config.yaml')
    const site = {
        name: 'strict',
        hosts: ['shop.example'],
        root: folder,
        network: 'example:402',
        terms_url: 'https://shop.example/terms',
        signature: { require_target: true }
    }
    const signature = { max_lifetime_seconds: 60 }
    const other = { ...site, name: 'other', hosts: ['other.example'] }
    fs.writeFileSync(config, JSON.stringify({ signature, sites: [other, site] }))
    const words = ['--keys', keyFile(t, key), '--now', String(now), '--profile', 'payment']
    words.push('--config', config, '--site')
    const agent = 'https://crawler.example'
    const components = ['payment', 'signature-agent']
    const bare = await withWebBotAuth(key, agent, url, id, { time, components })
    assert.equal(checkJson(text(bare), ...words, 'strict').checks.at(-1).name, 'covers-target')
    const long = await withWebBotAuth(key, agent, url, id, { time, lifetime: 61 })
    assert.equal(checkJson(text(long), ...words, 'strict').checks.at(-1).name, 'lifetime')
    const good = await withWebBotAuth(key, agent, url, id, { time })
    assert.equal(checkJson(text(good), ...words, 'strict').verdict, 'valid')
    assert.equal(check(text(good), ...words, 'none').status, 64)
})

test('a person sees every check, the base and the verdict', async t => {
    const key = await makeKey()
    const file = path.join(temporaryFolder(t), 'request.txt')
    fs.writeFileSync(file, text(await withWebBotAuth(key, 'https://crawler.example', url, id, { time })))
    const { status, stdout } = check('', '--keys', keyFile(t, key), '--now', String(now + 100), file)
    assert.equal(status, 1)
    assert.match(stdout, /^ok +signature-fields /)
    assert.match(stdout, /^FAIL +not-expired of sig1 +40 s too late$/m)
    assert.match(stdout, /^"@authority": shop\.example$/m)
    assert.match(stdout, /^verdict: invalid, signature_expired: not-expired: 40 s too late$/m)
})

test('wrong words are wrong usage', t => {
    const keys = keyFile(t)
    for (const words of [
        ['--nonsense'],
        ['--now', 'soon'],
        ['--scheme', 'ftp'],
        ['--profile', 'x'],
        ['/nonexistent'],
        ['--keys', '/nonexistent'],
        ['--keys', keys, '--fetch'],
        ['a', 'b'],
        ['--skew', '-1'],
        ['--keys']
    ]) {
        const { status, stderr } = check('', ...words)
        assert.equal(status, 64, words.join(' '))
        assert.notEqual(stderr, '')
    }
})
