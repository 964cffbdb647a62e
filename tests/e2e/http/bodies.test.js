// Requests with bodies, for sites that take them: handed on as they came, and paid for only by who signed
// them.
// Tests server/http/body.c
import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import http from 'node:http'
import net from 'node:net'
import { test } from 'node:test'
import { scene, withBase } from '../signers.js'
import { answers, talk } from '../raw.js'
import { until } from '../support.js'

async function beside(t, options = {}) {
    const seen = []
    const server = http.createServer(async (request, response) => {
        const parts = []
        for await (const part of request) parts.push(part)
        const { method, url, headers } = request
        seen.push({ method, url, headers, body: Buffer.concat(parts).toString() })
        response.end(`answer to ${method}\n`)
    })
    await new Promise(resolve => server.listen(0, '127.0.0.1', resolve))
    t.after(() => {
        server.closeAllConnections()
        return new Promise(resolve => server.close(resolve))
    })
    const set = await scene(t, {
        ...options,
        origin: { body_bytes: 100_000 },
        site: {
            root: '',
            origin: `http://127.0.0.1:${server.address().port}`,
            methods: ['POST', 'PUT', 'DELETE']
        }
    })
    const send = (method, target, body, headers = {}) =>
        set.gate.request(target, { method, headers, body })
    const digest = body => `sha-256=:${createHash('sha256').update(body).digest('base64')}:`
    // Signed over what `covered` names, besides what every commitment covers.
    const signed = (method, id, covered, fields = {}) => {
        const values = {
            '@method': method,
            '@authority': 'shop.example',
            payment: `scheme="deferred", network="example:402", id="${id}"`,
            'signature-agent': `"${set.agent.origin}"`,
            'content-digest': fields['Content-Digest']
        }
        const names = ['@authority', 'payment', 'signature-agent', ...covered]
        const own = { Payment: values.payment, 'Signature-Agent': values['signature-agent'], ...fields }
        return withBase(set.key, own, names.map(name => [`"${name}"`, values[name]]))
    }
    const offer = async (method, target, body) => {
        const answer = await send(method, target, body, { 'user-agent': 'GPTBot/1.2' })
        assert.equal(answer.status, 402)
        return { id: JSON.parse(answer.text).accepts[0].extra.id, wants: answer.headers['accept-signature'] }
    }
    return { ...set, seen, send, signed, offer, digest }
}

test('a person\'s forms go through as they are', async t => {
    const { send, seen } = await beside(t)
    const form = 'a=1&b=' + 'x'.repeat(90_000)
    const person = { 'user-agent': 'Mozilla/5.0' }
    const type = 'application/x-www-form-urlencoded; charset=utf-8'
    const answer = await send('POST', '/form?x', form, { ...person, 'content-type': type })
    assert.equal(answer.text, 'answer to POST\n')
    assert.equal(seen[0].body, form)
    assert.equal(seen[0].headers['content-type'], type)
    assert.equal(seen[0].headers['content-length'], String(form.length))
    assert.equal(seen[0].headers.expect, undefined)
    assert.equal((await send('PUT', '/form', 'x', person)).text, 'answer to PUT\n')
    assert.equal(seen[1].headers['content-type'], undefined)
    assert.equal((await send('DELETE', '/form', undefined, person)).text, 'answer to DELETE\n')
    assert.equal((await send('POST', '/form', undefined, person)).status, 200)
    assert.equal(seen[3].body, '')
    const patch = await send('PATCH', '/form', 'x', person)
    assert.deepEqual([patch.status, patch.headers.allow], [405, 'GET, HEAD, POST, PUT, DELETE'])
})

test('a bad Content-Length is answered once, and nothing behind it is read', async t => {
    const { gate, seen } = await beside(t)
    const line = 'POST /form HTTP/1.1\r\nHost: shop.example\r\n'
    const inner = 'GET /inner HTTP/1.1\r\nHost: shop.example\r\n\r\n'
    for (const [length, status, code] of [
        ['x', 400, 'malformed_request'],
        ['-1', 400, 'malformed_request'],
        ['+0', 400, 'malformed_request'],
        ['', 400, 'malformed_request'],
        ['5, 5', 400, 'malformed_request'],
        ['0x0', 400, 'malformed_request'],
        ['99999999999999999999999', 413, 'body_refused']
    ])
        for (const split of [0, 40]) {
            const head = `${line}Content-Length: ${length}\r\n\r\n${inner}`
            const pieces = [head.slice(0, split), head.slice(split)].filter(Boolean)
            const found = answers(await talk(gate.port, pieces))
            assert.deepEqual(
                found.map(answer => [answer.status, answer.headers['crawler-error']]),
                [[status, code]],
                length
            )
        }
    // Others of that thread, who have begun a request, are answered as they should be.
    const slow = talk(gate.port, [line, 'Connection: close\r\n\r\n'])
    await talk(gate.port, `${line}Content-Length: x\r\n\r\n`)
    assert.match((await slow).toString(), /^HTTP\/1\.1 200 /)
    const cookies = `Cookie: ${'a=b; '.repeat(1800)}`
    const many = `${line}${cookies}\r\nConnection: close\r\n\r\n`
    assert.equal((await talk(gate.port, many)).toString().split('HTTP/1.1 ').length, 2)
    assert.ok(!seen.some(({ url }) => url === '/inner'))
})

test('what is too long, or does not say how long it is, is refused', async t => {
    const { send, seen, gate } = await beside(t)
    const person = { 'user-agent': 'Mozilla/5.0' }
    const long = await send('POST', '/form', 'x'.repeat(100_001), person).catch(error => error.code)
    assert.ok(long === 'ECONNRESET' || long === 'EPIPE' || long.status === 413, String(long))
    const chunked = await send('POST', '/form', 'x', { ...person, 'transfer-encoding': 'chunked' })
    assert.deepEqual([chunked.status, chunked.headers['crawler-error']], [411, 'length_required'])
    assert.equal(seen.length, 0)
    // A body in pieces, with others in between.
    const socket = net.connect(gate.port, '127.0.0.1')
    socket.write('POST /slow HTTP/1.1\r\nHost: shop.example\r\nContent-Length: 10\r\n\r\n12345')
    assert.equal((await send('POST', '/form', 'x', person)).status, 200)
    await new Promise(resolve => setTimeout(resolve, 100))
    let all = ''
    socket.on('data', data => (all += data))
    const answers = count => until(() => all.split('answer to POST\n').length > count, `${count} answers`)
    socket.write('67890')
    await answers(1)
    assert.equal(seen[1].body, '1234567890')
    // The next request on the same connection.
    socket.write('POST /next HTTP/1.1\r\nHost: shop.example\r\nContent-Length: 3\r\n\r\nabc')
    await answers(2)
    assert.equal(all.match(/HTTP\/1.1 200/g).length, 2)
    assert.equal(seen[2].body, 'abc')
    socket.destroy()
})

test('a paid body is the one that was signed', async t => {
    const { send, seen, signed, offer, digest, ledger } = await beside(t)
    const body = '{"query":"tides"}'
    const { id, wants } = await offer('POST', '/articles/search', body)
    assert.match(wants, /^sig=\("@authority" "content-digest" "payment" "signature-agent"\)/)
    const fields = { 'Content-Digest': digest(body) }
    const whole = signed('POST', id, ['content-digest'], fields)
    const refused = async (headers, sent, code) => {
        const answer = await send('POST', '/articles/search', sent, headers)
        assert.equal(answer.headers['crawler-error'], code)
    }
    await refused(signed('POST', id, ['@method'], fields), body, 'signature_required')
    await refused(signed('POST', id, [], fields), body, 'signature_required')
    await refused(whole, '{"query":"moons"}', 'signature_invalid')
    await refused(whole, undefined, 'signature_invalid')
    assert.deepEqual([seen.length, ledger.count('charge')], [0, 0])
    const answer = await send('POST', '/articles/search', body, whole)
    assert.equal(answer.text, 'answer to POST\n')
    assert.match(answer.headers['payment-response'], new RegExp(id))
    assert.equal(seen[0].body, body)
    assert.equal(seen[0].headers['x-crawltab-payment'], id)
    assert.equal(ledger.query('SELECT amount_micros FROM charge'), '50000')
    // What was signed for a page is good for no other method.
    const page = await offer('GET', '/articles/a')
    const got = signed('GET', page.id, [])
    const deleted = await send('DELETE', '/articles/a', undefined, got)
    assert.equal(deleted.headers['crawler-error'], 'signature_required')
    assert.equal((await send('GET', '/articles/a', undefined, got)).status, 200)
    const away = await offer('DELETE', '/articles/b')
    const gone = signed('DELETE', away.id, ['@method'])
    assert.equal((await send('DELETE', '/articles/b', undefined, gone)).text, 'answer to DELETE\n')
})

