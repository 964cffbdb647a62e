// What can go wrong, each with its status and code of WIRE.md section 5, and nothing charged.
import assert from 'node:assert/strict'
import net from 'node:net'
import { test } from 'node:test'
import { anotherAuthority, directory, payment, stage, temporaryFolder, until } from '../support.js'
import { makeKey, scene, withHttpMessageSig, withWebBotAuth } from '../signers.js'

const page = '/articles/harbour-bell.html'
const url = `https://shop.example${page}`

function assertRefused(response, status, code) {
    assert.equal(response.headers['crawler-error'], code, `${response.status} ${response.text}`)
    assert.equal(response.status, status)
    assert.equal(response.headers['payment-response'], undefined)
    if (status === 402) {
        assert.match(JSON.parse(response.text).accepts[0].extra.id, /^[\w-]{64}$/)
    } else {
        assert.equal(response.headers['content-type'], 'application/problem+json')
        assert.equal(JSON.parse(response.text).code, code)
        assert.equal(JSON.parse(response.text).status, status)
        assert.ok(JSON.parse(response.text).title && JSON.parse(response.text).detail)
    }
    assert.equal(response.headers['retry-after'] !== undefined, status === 503)
}

test('commitments that do not hold', async t => {
    const { gate, ledger, key, agent } = await scene(t)
    const id = await gate.offer(page)
    const good = await withWebBotAuth(key, agent.origin, url, id)
    const bytes = Buffer.from(id, 'base64url')
    bytes[20] ^= 1
    const cheaper = bytes.toString('base64url')
    const stranger = await makeKey()
    const later = { time: Date.now() + 120_000 }
    const past = { time: Date.now() - 120_000 }
    const send = headers => gate.request(page, { headers })

    await t.test('no signature', async () =>
        assertRefused(await send({ payment: payment(id) }), 403, 'signature_required')
    )
    await t.test('an id with another price', async () =>
        assertRefused(
            await send(await withWebBotAuth(key, agent.origin, url, cheaper)),
            402,
            'offer_mismatch'
        )
    )
    await t.test('an id that we did not make', async () =>
        assertRefused(
            await send(await withWebBotAuth(key, agent.origin, url, 'abc123')),
            402,
            'offer_mismatch'
        )
    )
    await t.test('another URL', async () =>
        assertRefused(
            await gate.request('/articles/tide-tables.html', { headers: good }),
            402,
            'offer_mismatch'
        )
    )
    await t.test('the same page with another query', async () =>
        assertRefused(await gate.request(`${page}?x`, { headers: good }), 402, 'offer_mismatch')
    )
    await t.test('another host of the same site', async () =>
        assertRefused(
            await gate.request(page, { headers: good, host: 'www.shop.example' }),
            402,
            'offer_mismatch'
        )
    )
    await t.test('another network', async () =>
        assertRefused(
            await send({ ...good, Payment: good.Payment.replace('example:402', 'other:402') }),
            402,
            'offer_mismatch'
        )
    )
    await t.test('a key that the directory does not list', async () =>
        assertRefused(await send(await withWebBotAuth(stranger, agent.origin, url, id)), 403, 'key_unknown')
    )
    await t.test('a signature for another id', async () => {
        const other = await gate.offer(page)
        assertRefused(await send({ ...good, Payment: payment(other) }), 403, 'signature_invalid')
    })
    await t.test('a signature of another key under this keyid', async () => {
        const forged = { ...stranger, keyid: key.keyid }
        assertRefused(
            await send(await withHttpMessageSig(forged, agent.origin, url, id)),
            403,
            'signature_invalid'
        )
    })
    await t.test('a signature that has expired', async () =>
        assertRefused(
            await send(await withWebBotAuth(key, agent.origin, url, id, past)),
            403,
            'signature_expired'
        )
    )
    await t.test('a signature from the future', async () =>
        assertRefused(
            await send(await withWebBotAuth(key, agent.origin, url, id, later)),
            403,
            'signature_invalid'
        )
    )
    await t.test('a lifetime of more than a day', async () =>
        assertRefused(
            await send(await withWebBotAuth(key, agent.origin, url, id, { lifetime: 86401 })),
            403,
            'signature_invalid'
        )
    )
    await t.test('a Payment field that does not parse', async () =>
        assertRefused(await send({ ...good, Payment: 'scheme=' }), 400, 'malformed_payment')
    )
    await t.test('a Signature-Input that does not parse', async () =>
        assertRefused(await send({ ...good, 'Signature-Input': 'sig=(' }), 400, 'malformed_signature')
    )
    await t.test('a Signature-Agent over http', async () =>
        assertRefused(
            await send({ ...good, 'Signature-Agent': '"http://crawler.example"' }),
            400,
            'malformed_signature_agent'
        )
    )
    await t.test('two commitments at once', async () =>
        assertRefused(await send({ ...good, 'crawler-exact-price': 'USD 0.05' }), 400, 'conflicting_payment')
    )
    assert.equal(ledger.count('charge'), 0)
    await t.test('and the untouched one still pays', async () => assert.equal((await send(good)).status, 200))
    assert.equal(ledger.count('charge'), 1)
})

test('an offer expires', async t => {
    const { gate, ledger, key, agent } = await scene(t, { ttl: 10 })
    // The id is eleven seconds old for a second gate whose clock is that far ahead.
    const id = await gate.offer(page)
    await gate.stop()
    const ahead = await arguments_of_stage(t, gate, ['--clock-offset', '11'])
    const headers = await withWebBotAuth(key, agent.origin, url, id)
    assertRefused(await ahead.request(page, { headers }), 402, 'offer_expired')
    assert.equal(ledger.count('charge'), 0)
})

async function arguments_of_stage(t, gate, words) {
    const { Gate } = await import('../support.js')
    const next = new Gate(gate.config)
    t.after(() => next.stop())
    await next.start(...words)
    return next
}

// A hostile site hands the shop's offer to a crawler that comes to read its own page: the commitment that the
// proposal prints names the offer, but not whom it is for.
test('an offer that another site passed on is not paid', async t => {
    const { gate, ledger, key, agent } = await scene(t)
    const relay = async components => {
        const id = await gate.offer(page)
        const signed = await withWebBotAuth(key, agent.origin, `https://hostile.example${page}`, id, {
            components
        })
        return gate.request(page, { headers: signed })
    }
    assertRefused(await relay(['payment', 'signature-agent']), 403, 'signature_required')
    await gate.logged(/ check=covers-target /)
    assertRefused(await relay(['@path', 'payment', 'signature-agent']), 403, 'signature_required')
    assertRefused(await relay(['@authority', 'payment', 'signature-agent']), 403, 'signature_invalid')
    assertRefused(await relay(['@target-uri', 'payment', 'signature-agent']), 403, 'signature_invalid')
    assert.equal(ledger.count('charge'), 0)
})

test('the literal profile of the proposal takes what is passed on', async t => {
    const { gate, ledger, key, agent } = await scene(t, { signature: { require_target: false } })
    const signed = await withWebBotAuth(
        key,
        agent.origin,
        `https://hostile.example${page}`,
        await gate.offer(page),
        { components: ['payment', 'signature-agent'] }
    )
    assert.equal((await gate.request(page, { headers: signed })).status, 200)
    assert.equal(ledger.count('charge'), 1)
})

test('a site may demand that the signature names the page', async t => {
    const { gate, ledger, key, agent } = await scene(t, { signature: { require_path: true } })
    const pay = async (components, query = '') => {
        const id = await gate.offer(page + query)
        const headers = await withWebBotAuth(key, agent.origin, url + query, id, { components })
        return gate.request(page + query, { headers })
    }
    const rest = ['payment', 'signature-agent']
    assertRefused(await pay(['@authority', ...rest]), 403, 'signature_required')
    assertRefused(await pay(['@path', ...rest]), 403, 'signature_required')
    assertRefused(await pay(['@authority', '@path', ...rest], '?a=1'), 403, 'signature_required')
    assert.equal(ledger.count('charge'), 0)
    assert.equal((await pay(['@target-uri', ...rest], '?a=1')).status, 200)
    assert.equal((await pay(['@authority', '@path', ...rest])).status, 200)
    assert.equal((await pay(['@authority', '@path', '@query', ...rest], '?a=1')).status, 200)
    assert.equal((await pay(['@authority', '@request-target', ...rest], '?a=1')).status, 200)
    assert.equal(ledger.count('charge'), 4)
})

test('directories that fail', async t => {
    const { gate, ledger, key, agent, tls } = await scene(t)
    const working = agent.answer
    const attempt = async origin => {
        const id = await gate.offer(page)
        return gate.request(page, { headers: await withWebBotAuth(key, origin ?? agent.origin, url, id) })
    }
    // Each at a path of its own, so that no answer is cached from the one before.
    const failing = {
        'status 500': (request, response) => {
            response.statusCode = 500
            response.end('{}')
        },
        'a redirect': (request, response) => {
            response.writeHead(302, { location: agent.origin })
            response.end()
        },
        'no JSON': (request, response) => response.end('<html>'),
        'too large': (request, response) =>
            response.end(JSON.stringify({ keys: [key.public], padding: 'x'.repeat(300_000) })),
        'cut off': (request, response) => {
            response.writeHead(200, { 'content-length': '1000' })
            response.write('{')
            response.destroy()
        },
        'a drip': (request, response) => {
            const drip = setInterval(() => response.write(' '), 100)
            response.on('close', () => clearInterval(drip))
        }
    }
    let n = 0
    for (const [name, answer] of Object.entries(failing)) {
        agent.answer = answer
        await t.test(name, async () =>
            assertRefused(await attempt(`${agent.origin}/failing/${n++}`), 503, 'directory_unavailable')
        )
    }
    await t.test('a certificate that nobody vouches for', async () => {
        const other = await directory(t, { ...anotherAuthority(temporaryFolder(t)) }, [key.public])
        assert.ok(tls.caFile)
        // Not in the list of insecure hosts, so refused for its port already.
        assertRefused(await attempt(other.origin), 400, 'malformed_signature_agent')
    })
    agent.answer = working
    await t.test('a closed port', async () => {
        agent.close()
        assertRefused(await attempt(), 503, 'directory_unavailable')
    })
    assert.equal(ledger.count('charge'), 0)
})

test('keys that are known outlive a failing directory', async t => {
    const { gate, ledger, key, agent } = await scene(t)
    const pay = async signer => {
        const id = await gate.offer(page)
        return gate.request(page, { headers: await withWebBotAuth(signer, agent.origin, url, id) })
    }
    assert.equal((await pay(key)).status, 200)
    agent.answer = (request, response) => {
        response.statusCode = 500
        response.end()
    }
    await new Promise(resolve => setTimeout(resolve, 1100))
    assertRefused(await pay(await makeKey()), 503, 'directory_unavailable')
    assert.equal(agent.requests, 2, 'the unknown key was asked for')
    assert.equal((await pay(key)).status, 200)
    assert.equal(ledger.count('charge'), 2)
})

test('a private address is not fetched from, whatever it is called', async t => {
    const { gate, ledger, key } = await scene(t)
    for (const origin of [
        'https://127.0.0.1',
        'https://2130706433',
        'https://[::1]',
        'https://user@crawler.example'
    ]) {
        const id = await gate.offer(page)
        assertRefused(
            await gate.request(page, { headers: await withWebBotAuth(key, origin, url, id) }),
            400,
            'malformed_signature_agent'
        )
    }
    const id = await gate.offer(page)
    const named = await gate.request(page, {
        headers: await withWebBotAuth(key, 'https://localhost', url, id)
    })
    assertRefused(named, 503, 'directory_unavailable')
    await gate.logged(
        /event=fetch_failed url=https:\/\/localhost\/.* detail="the host has an address that is not public"/
    )
    assert.equal(ledger.count('charge'), 0)
})

test('the database goes away and comes back', async t => {
    const { gate, ledger, key, agent } = await scene(t)
    const id = await gate.offer(page)
    const headers = await withWebBotAuth(key, agent.origin, url, id)
    const warm = await gate.offer(page)
    assert.equal(
        (await gate.request(page, { headers: await withWebBotAuth(key, agent.origin, url, warm) })).status,
        200
    )
    ledger.stop()
    assertRefused(await gate.request(page, { headers }), 503, 'ledger_unavailable')
    await gate.offer(page)
    assert.equal((await gate.request(page)).status, 200, 'people notice nothing')
    ledger.start()
    await until(async () => (await gate.request(page, { headers })).status === 200, 'the same id is taken')
    assert.equal((await gate.request(page, { headers })).status, 200)
    assert.equal(ledger.count('charge'), 2)
})

test('a gate without a database starts, offers and charges nobody', async t => {
    const { ledger, key, agent, startGate } = await scene(t, { gate: false })
    ledger.stop()
    const gate = await startGate()
    const id = await gate.offer(page)
    assertRefused(
        await gate.request(page, { headers: await withWebBotAuth(key, agent.origin, url, id) }),
        503,
        'ledger_unavailable'
    )
    ledger.start()
    const headers = await withWebBotAuth(key, agent.origin, url, id)
    await until(async () => (await gate.request(page, { headers })).status === 200, 'the same id is taken')
    assert.equal(ledger.count('charge'), 1)
})

test('requests that are no requests', async t => {
    const { gate, ledger } = await scene(t)
    const raw = text =>
        new Promise(resolve => {
            let answer = ''
            const socket = net.connect(gate.port, '127.0.0.1', () => socket.end(text))
            socket.setTimeout(5000, () => socket.destroy())
            socket.on('data', data => {
                answer += data
            })
            socket.on('error', () => {}) // cut off while still writing: what came so far counts
            socket.on('close', () => resolve(answer))
        })
    await t.test('an unknown host', async () =>
        assertRefused(await gate.request('/', { host: 'other.example' }), 421, 'misdirected_request')
    )
    await t.test('a method for writing', async () => {
        const response = await gate.request('/', { method: 'DELETE' })
        assertRefused(response, 405, 'method_not_allowed')
        assert.equal(response.headers.allow, 'GET, HEAD')
    })
    await t.test('a broken escape', async () =>
        assertRefused(await gate.request('/%zz'), 400, 'malformed_request')
    )
    await t.test('two hosts', async () =>
        assert.match(
            await raw('GET / HTTP/1.1\r\nHost: shop.example\r\nHost: shop.example\r\n\r\n'),
            /^HTTP\/1\.1 400 /
        )
    )
    await t.test('no host', async () => assert.match(await raw('GET / HTTP/1.1\r\n\r\n'), /^HTTP\/1\.1 400 /))
    await t.test('a target in absolute form', async () =>
        assert.match(
            await raw(
                'GET https://shop.example/about.html HTTP/1.1\r\n' +
                    'Host: shop.example\r\nConnection: close\r\n\r\n'
            ),
            /^HTTP\/1\.1 200 /
        )
    )
    await t.test('more fields than are read', async () =>
        assert.match(
            await raw(`GET / HTTP/1.1\r\nHost: shop.example\r\n${'x: y\r\n'.repeat(200)}\r\n`),
            /^HTTP\/1\.1 431 /
        )
    )
    await t.test('fields of 64 KiB', async () =>
        assert.match(
            await raw(`GET / HTTP/1.1\r\nHost: shop.example\r\nx: ${'y'.repeat(65536)}\r\n\r\n`),
            /^(HTTP\/1\.1 4(31|13|14) |$)/
        )
    )
    await t.test('no HTTP at all', async () =>
        assert.match(await raw('hello\r\n\r\n'), /^(HTTP\/1\.\d 400 |$)/)
    )
    assert.equal((await gate.request('/about.html')).status, 200)
    assert.equal(ledger.count('charge'), 0)
})
