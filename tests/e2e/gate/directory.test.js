// Key directories over real HTTPS: every way in which they fail, how long their answers are used, how often
// they are asked, and what of them is kept as evidence.
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import fs from 'node:fs'
import net from 'node:net'
import path from 'node:path'
import { test } from 'node:test'
import zlib from 'node:zlib'
import { anotherAuthority, payment, temporaryFolder, until } from '../support.js'
import { makeKey } from '../signers.js'
import { assertCode, list, page, scene, told } from '../directories.js'

// Certificates of the test's authority that a verifier must not take, and one of another authority.
function badCertificates(folder, tls) {
    const issue = (name, names, days) => {
        const file = suffix => path.join(folder, name + suffix)
        const openssl = (...words) => execFileSync('openssl', words, { stdio: 'pipe' })
        fs.writeFileSync(file('.ext'), `subjectAltName=${names}\n`)
        openssl(
            'req',
            '-newkey',
            'ec',
            '-pkeyopt',
            'ec_paramgen_curve:P-256',
            '-nodes',
            '-keyout',
            file('.key'),
            '-out',
            file('.csr'),
            '-subj',
            '/CN=localhost'
        )
        openssl(
            'x509',
            '-req',
            '-in',
            file('.csr'),
            '-CA',
            tls.caFile,
            '-CAkey',
            path.join(folder, 'ca.key'),
            '-CAcreateserial',
            '-out',
            file('.pem'),
            '-days',
            days,
            '-extfile',
            file('.ext')
        )
        return { key: fs.readFileSync(file('.key')), cert: fs.readFileSync(file('.pem')) }
    }
    const elsewhere = path.join(folder, 'elsewhere')
    fs.mkdirSync(elsewhere)
    return [
        issue('expired', 'DNS:localhost', '-1'),
        issue('wrong-name', 'DNS:crawler.example', '1'),
        anotherAuthority(elsewhere)
    ]
}

test('directories that fail charge nobody', async t => {
    const { gate, ledger, key, agent, all, attempt } = await scene(
        t,
        { max_bytes: 4_000_000, timeout_seconds: 3 },
        { moreHosts: badCertificates }
    )
    const keys = count => Array.from({ length: count }, () => key)
    let dripping = 0
    const cases = {
        'a drip': [
            'timed out',
            (request, response) => {
                dripping++
                const drip = setInterval(() => response.write(' '), 10)
                response.on('close', () => clearInterval(drip))
            }
        ],
        'a gigabyte announced': [
            '[Mm]aximum file size',
            (request, response) => {
                response.setHeader('content-length', String(2 ** 30))
                response.write('{')
            }
        ],
        'more than is read, not announced': [
            'larger than directory.max_bytes',
            (request, response) => {
                for (let i = 0; i < 80; i++) response.write(' '.repeat(65536))
                response.end()
            }
        ],
        'a gzip bomb': [
            'unpacked it is larger than directory.max_bytes',
            (request, response) => {
                response.setHeader('content-encoding', 'gzip')
                response.end(zlib.gzipSync(Buffer.alloc(50_000_000, 0x20)))
            }
        ],
        'no gzip': [
            'does not unpack',
            (request, response) => {
                response.setHeader('content-encoding', 'gzip')
                list(response, [key])
            }
        ],
        'an unknown coding': [
            'encoded in a way that is not known',
            (request, response) => {
                response.setHeader('content-encoding', 'br')
                response.end(zlib.brotliCompressSync(JSON.stringify({ keys: [key.public] })))
            }
        ],
        'ten thousand keys': ['more than 64 keys', (request, response) => list(response, keys(10_000))],
        'one key too many': ['more than 64 keys', (request, response) => list(response, keys(65))],
        'a redirect': [
            'redirects',
            (request, response) => {
                response.writeHead(302, { location: agent.origin })
                response.end()
            }
        ],
        'a loop': [
            'redirects',
            (request, response) => {
                response.writeHead(307, { location: request.url })
                response.end()
            }
        ],
        'status 500': [
            'status is not 200',
            (request, response) => {
                response.statusCode = 500
                list(response, [key])
            }
        ],
        'status 203': [
            'status is not 200',
            (request, response) => {
                response.statusCode = 203
                list(response, [key])
            }
        ],
        'status 304 to a request without condition': [
            'redirects',
            (request, response) => {
                response.statusCode = 304
                response.end()
            }
        ],
        'a wrong media type': [
            'media type',
            (request, response) => {
                response.setHeader('content-type', 'text/html')
                list(response, [key])
            }
        ],
        'no media type': [
            'media type',
            (request, response) => {
                response.removeHeader('content-type')
                list(response, [key])
            }
        ],
        'no JSON': ['it is no JSON object', (request, response) => response.end('<html>')],
        'a header without end': [
            'header',
            (request, response) => {
                for (let i = 0; i < 15; i++) response.setHeader(`x-${i}`, 'y'.repeat(4000))
                list(response, [key])
            }
        ],
        'a connection that is cut': [
            'fetch_failed',
            (request, response) => {
                response.writeHead(200, { 'content-length': '1000' })
                response.write('{')
                setTimeout(() => response.destroy(), 10)
            }
        ]
    }
    let n = 0
    const wellKnown = '/.well-known/http-message-signatures-directory'
    for (const [name, [reason, answer]] of Object.entries(cases)) {
        await t.test(name, async () => {
            const path = reason === 'media type' ? wellKnown : '/case'
            const origin = `${agent.origin}${path}?${n++}`
            agent.answer = answer
            assertCode(await attempt(origin), 503, 'directory_unavailable')
            await told(gate, origin, reason)
        })
    }
    assert.equal(dripping, 1)
    const reasons = {
        'an expired certificate': 'certificate has expired',
        "another host's certificate": 'no alternative certificate subject name matches',
        'an unknown authority': 'unable to get local issuer certificate|self-signed'
    }
    for (const [i, [name, reason]] of Object.entries(reasons).entries())
        await t.test(name, async () => {
            assertCode(await attempt(all[i + 1].origin), 503, 'directory_unavailable')
            assert.equal(all[i + 1].requests, 0)
            await gate.logged(new RegExp(`url=${all[i + 1].origin}/\\S+ detail=.*(${reason})`))
        })
    await t.test('a name that does not exist', async () =>
        assertCode(await attempt('https://crawler.invalid'), 503, 'directory_unavailable')
    )
    await t.test('a name of this machine', async () => {
        assertCode(await attempt('https://localhost'), 503, 'directory_unavailable')
        await gate.logged(/url=https:\/\/localhost\/\S+ detail="the host has an address that is not/)
    })
    assert.equal(ledger.count('charge'), 0)
    assert.equal(ledger.count('directory_snapshot'), 0)
    await t.test('and a good one pays', async () => {
        agent.answer = (request, response) => {
            response.setHeader('content-type', 'application/json; charset=utf-8')
            list(response, [key])
        }
        assert.equal((await attempt(`${agent.origin}/good`)).status, 200)
    })
})

test('a directory in use is renewed in the background, with nothing of the environment', async t => {
    // A proxy, a password file and a cookie, none of which may play a part.
    let proxied = 0
    const proxy = net.createServer(socket => {
        proxied++
        socket.destroy()
    })
    await new Promise(resolve => proxy.listen(0, '127.0.0.1', resolve))
    const home = temporaryFolder(t)
    fs.writeFileSync(path.join(home, '.netrc'), 'default login user password secret\n', { mode: 0o600 })
    const changed = { HOME: home }
    for (const name of ['http_proxy', 'https_proxy', 'HTTPS_PROXY', 'all_proxy', 'ALL_PROXY'])
        changed[name] = `http://127.0.0.1:${proxy.address().port}`
    const before = { ...process.env }
    Object.assign(process.env, changed)
    t.after(() => {
        for (const name of Object.keys(changed)) delete process.env[name]
        Object.assign(process.env, before)
        proxy.close()
    })
    const { ledger, key, agent, attempt } = await scene(t, { min_fresh_seconds: 1, timeout_seconds: 10 })
    const seen = []
    let held = null
    agent.answer = (request, response) => {
        seen.push(request.headers)
        response.setHeader('cache-control', 'max-age=2')
        response.setHeader('etag', '"one"')
        response.setHeader('last-modified', 'Fri, 20 Nov 2026 10:00:00 GMT')
        response.setHeader('set-cookie', 'a=b')
        if (request.headers['if-none-match'] !== '"one"') return list(response, [key])
        response.statusCode = 304
        if (seen.length > 2) return response.end()
        held = response
    }
    let paid = 0
    const pay = async () => {
        assert.equal((await attempt(agent.origin)).status, 200)
        paid++
    }
    await pay()
    await until(async () => {
        await pay()
        return held !== null
    }, 'the directory is asked again')
    await pay()
    assert.equal(seen.length, 2, 'one request for all that time, and one that is under way')
    held.end()
    await until(async () => {
        await pay()
        return seen.length > 2
    }, 'the renewed life ends too')
    assert.equal(seen[1]['if-modified-since'], 'Fri, 20 Nov 2026 10:00:00 GMT')
    for (const headers of seen) {
        assert.equal(headers.cookie, undefined)
        assert.equal(headers.authorization, undefined)
        assert.equal(headers['accept-encoding'], 'identity')
    }
    assert.equal(seen[0]['if-none-match'], undefined)
    assert.equal(proxied, 0)
    assert.equal(ledger.count('charge'), paid)
    assert.equal(ledger.count('directory_snapshot'), 1)
})

test('keys that go and come, and what is kept of them', async t => {
    const { gate, ledger, key, agent, attempt } = await scene(t)
    const next = await makeKey()
    const body = keys => JSON.stringify({ keys: keys.map(each => each.public) })
    let keys = [key]
    agent.answer = (request, response) => {
        response.setHeader('cache-control', 'max-age=3600')
        response.setHeader('signature-input', 'sig=();tag="x"')
        list(response, keys)
    }
    assert.equal((await attempt(agent.origin)).status, 200)
    assert.equal((await attempt(agent.origin)).status, 200)
    keys = [next]
    assert.equal((await attempt(agent.origin)).status, 200, 'until it expires, the old answer holds')
    assert.equal((await attempt(agent.origin, next)).status, 200, 'an unknown key is looked for at once')
    assert.equal(agent.requests, 2)
    assertCode(await attempt(agent.origin), 403, 'key_unknown')
    assertCode(await attempt(agent.origin, await makeKey()), 403, 'key_unknown')
    assert.equal(agent.requests, 2, 'but only once a minute')

    const well = `${agent.origin}/.well-known/http-message-signatures-directory`
    const kept = ledger.query(
        "SELECT url, convert_from(body, 'UTF8'), encode(body_digest, 'hex'), content_type, signature_input" +
            ' FROM directory_snapshot ORDER BY fetched_at'
    )
    const row = listed => [
        well,
        body(listed),
        createHash('sha256').update(body(listed)).digest('hex'),
        'application/http-message-signatures-directory+json',
        'sig=();tag="x"'
    ]
    assert.equal(kept, [row([key]), row([next])].map(each => each.join('|')).join('\n'))
    assert.equal(ledger.count('charge'), 4)
    assert.equal(
        ledger.query(
            'SELECT count(*) FROM charge c WHERE NOT EXISTS (SELECT FROM crawler_key_source s' +
                ' JOIN directory_snapshot USING (url, body_digest) WHERE s.crawler_id = c.crawler_id' +
                ' AND s.thumbprint = c.thumbprint AND s.first_relied_at <= c.recorded_at)'
        ),
        '0',
        'every charge has the body that its key is from'
    )
    assert.ok(!gate.log.includes('event=directory_failed'))
})

test('all directories down at once', async t => {
    const { gate, ledger, agent, all, attempt } = await scene(
        t,
        { min_fresh_seconds: 1, max_fresh_seconds: 1, stale_seconds: 4, retry_seconds: 60 },
        { agents: 3 }
    )
    for (const { origin } of all) assert.equal((await attempt(origin)).status, 200)
    for (const each of all) {
        each.before = each.requests
        each.answer = (request, response) => {
            response.statusCode = 503
            response.setHeader('retry-after', '100')
            response.end()
        }
    }
    let paid = all.length
    const tired = new Set()
    await until(async () => {
        for (const each of all) {
            const answer = await attempt(each.origin)
            if (answer.status === 200) {
                paid++
                each.stale ||= each.requests > each.before
            } else {
                assertCode(answer, 503, 'directory_unavailable')
                tired.add(each)
            }
        }
        return tired.size === all.length
    }, 'the known keys are too old')
    for (const each of all) {
        assert.ok(each.stale, 'known keys were used while the directory failed')
        assert.equal(each.requests, each.before + 1, 'a failed directory is left alone')
    }
    await gate.logged(/event=directory_failed .*retry_ms=100000/)
    assertCode(await attempt(`${agent.origin}/new`), 503, 'directory_unavailable')
    assertCode(await attempt(`${agent.origin}/new`), 503, 'directory_unavailable')
    assert.equal(agent.requests, agent.before + 2, 'nor is a new one asked twice')
    assert.equal(ledger.count('charge'), paid)
})

test('one fetch serves all who wait, and two run to one host', async t => {
    const { gate, ledger, key, agent, attempt } = await scene(t, { timeout_seconds: 10 })
    const held = []
    let most = 0
    agent.answer = (request, response) => {
        held.push(response)
        most = Math.max(most, held.length)
    }
    const paths = ['/a', '/b', '/c', '/d', '/e']
    const attempts = paths.flatMap(each => [0, 1, 2].map(() => attempt(agent.origin + each)))
    let served = 0
    const all = Promise.all(attempts)
    await until(async () => {
        const wanted = Math.min(2, paths.length - served)
        if (held.length < wanted) return false
        // Long enough for a third, if there were one.
        await new Promise(resolve => setTimeout(resolve, 150))
        served += held.length
        for (const response of held.splice(0)) list(response, [key])
        return served === paths.length
    }, 'all are served')
    for (const answer of await all) assert.equal(answer.status, 200)
    assert.equal(most, 2)
    assert.equal(agent.requests, paths.length)
    assert.equal(ledger.count('charge'), attempts.length)
    assert.ok(!gate.log.includes('event=directory_failed'))
})

test('what could not be judged may be tried again, whatever else was signed', async t => {
    const { gate, key, all, attempt } = await scene(t, { client_fetches: 1 }, { agents: 2 })
    const [unread, known] = all
    assert.equal((await attempt(known.origin)).status, 200)
    const created = Math.floor(Date.now() / 1000)
    const signed = label =>
        `${label}=("@authority" "payment" "signature-agent";key="${label}");created=${created}` +
        `;expires=${created + 60};keyid="${key.keyid}";tag="web-bot-auth"`
    const value = `:${Buffer.alloc(64).toString('base64')}:`
    const headers = {
        Payment: payment(await gate.offer(page)),
        'Signature-Agent': `a="${unread.origin}", b="${known.origin}"`,
        'Signature-Input': `${signed('a')}, ${signed('b')}`,
        Signature: `a=${value}, b=${value}`
    }
    assertCode(await gate.request(page, { headers }), 429, 'rate_limited')
})

test("a client network's fetches are counted", async t => {
    const { ledger, agent, attempt } = await scene(t, { client_fetches: 3 })
    for (const each of ['/a', '/b', '/c']) assert.equal((await attempt(agent.origin + each)).status, 200)
    const refused = await attempt(`${agent.origin}/d`)
    assertCode(refused, 429, 'rate_limited')
    assert.equal(refused.headers['retry-after'], '20')
    assert.equal(agent.requests, 3)
    assert.equal((await attempt(`${agent.origin}/a`)).status, 200, 'what is cached costs nothing')
    assert.equal(ledger.count('charge'), 4)
})

test('a site takes payments from the crawlers that it lists', async t => {
    const { ledger, all, attempt } = await scene(
        t,
        {},
        {
            agents: 3,
            lists: ([one, two]) => ({
                allow: [`${one.origin}/`, two.origin],
                deny: [two.origin],
                unknown: 'refuse'
            })
        }
    )
    assert.equal((await attempt(all[0].origin)).status, 200)
    assertCode(await attempt(all[1].origin), 403, 'agent_suspended')
    assertCode(await attempt(all[2].origin), 403, 'agent_unknown')
    assert.deepEqual(
        all.map(agent => agent.requests),
        [1, 0, 0],
        'those who are refused cause no fetch'
    )
    assert.equal(ledger.count('charge'), 1)
})
