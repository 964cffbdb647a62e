// Requests whose ends or fields can be read in two ways, as bytes on a socket: each is answered once, by 400,
// its connection is closed, and nothing is charged. Tests server/http/framing.c
import assert from 'node:assert/strict'
import test from 'node:test'
import { makeKey, scene, withWebBotAuth } from '../signers.js'
import { answers, head, talk } from '../raw.js'

const page = '/articles/tide-tables.html'
const plain = fields => ['GET /about.html HTTP/1.1', 'Host: shop.example', ...fields, '', ''].join('\r\n')

const malformed = {
    'two lengths': plain(['Content-Length: 0', 'Content-Length: 40']),
    'two lengths, the body first': plain(['Content-Length: 40', 'Content-Length: 0']),
    'the same length twice': plain(['Content-Length: 0', 'Content-Length: 0']),
    'a list of lengths': plain(['Content-Length: 0, 0']),
    'a folded length': plain(['Content-Length:', ' 0']),
    'a length that goes on': plain(['Content-Length: 4', ' 0']),
    'white space before the colon': plain(['Content-Length : 40']),
    'a tab before the colon': plain(['Content-Length\t: 40']),
    'a length that is no number': plain(['Content-Length: x']),
    'a length with a sign': plain(['Content-Length: +0']),
    'a negative length': plain(['Content-Length: -1']),
    'an empty length': plain(['Content-Length:']),
    'a number and more': plain(['Content-Length: 0x0']),
    'a huge length that is no number': plain(['Content-Length: 99999999999999999999999999x']),
    'a length beside a coding': plain(['Content-Length: 5', 'Transfer-Encoding: chunked']),
    'a coding beside a length': plain(['Transfer-Encoding: chunked', 'Content-Length: 0']),
    'a folded field': plain(['X: a', ' b']),
    'a fold by a tab': plain(['X: a', '\tb']),
    'a fold of nothing': plain(['X: a', ' ']),
    'a fold of much nothing': plain(['X: a', ' \t \t']),
    'a fold in three': plain(['X: a', ' b', ' c']),
    'a fold that could be a field': plain(['X: a', ' Y: b']),
    'a fold behind LF': plain(['X: a\n b']),
    'a fold before the last field': plain(['X: a', ' b', 'Y: c']),
    'a fold at the first field': ['GET / HTTP/1.1', ' Host: shop.example', '', ''].join('\r\n'),
    'a folded Host': ['GET / HTTP/1.1', 'Host: shop', ' .example', '', ''].join('\r\n'),
    'an empty Host that goes on': ['GET / HTTP/1.1', 'Host:', ' shop.example', '', ''].join('\r\n'),
    'white space behind Host': ['GET / HTTP/1.1', 'Host : shop.example', '', ''].join('\r\n'),
    'two Hosts': plain(['Host: shop.example']),
    'no Host': 'GET / HTTP/1.1\r\n\r\n',
    'a Host of two words': ['GET / HTTP/1.1', 'Host: shop.example www.shop.example', '', ''].join('\r\n'),
    'a NUL in Host': ['GET / HTTP/1.1', 'Host: shop.example\0.evil', '', ''].join('\r\n'),
    'a NUL behind Host': ['GET / HTTP/1.1', 'Host: shop.example\0', '', ''].join('\r\n'),
    'a bare CR in Host': ['GET / HTTP/1.1', 'Host: shop.example\rX', '', ''].join('\r\n'),
    'a NUL in a field': plain(['X: a\0b']),
    'a NUL before a field': plain(['X: \0']),
    'a NUL in a name': plain(['X\0Y: a']),
    'a NUL at a line’s start': plain(['\0X: a']),
    'a NUL instead of the empty line': `${plain(['X: a']).slice(0, -2)}\0\r\n\r\n`,
    'a NUL in the last field': plain(['X: a', 'Y: \0\0']),
    'a bare CR in a field': plain(['X: a\rb']),
    'a bare CR before the line end': plain(['X: a\r']),
    'a bare CR in a name': plain(['X\rY: a']),
    'a line without a colon': plain(['X']),
    'a line without a name': plain([': a']),
    'a name with a space': plain(['X Y: a']),
    'a name with a quote': plain(['X"Y: a']),
    'a name beyond ASCII': plain(['X\xe4: a']),
    'a NUL in the target': 'GET /about.html\0x HTTP/1.1\r\nHost: shop.example\r\n\r\n',
    'a version behind a NUL': 'GET /about.html\0HTTP/1.1 HTTP/1.1\r\nHost: shop.example\r\n\r\n',
    'a NUL in the method': 'GE\0T /about.html HTTP/1.1\r\nHost: shop.example\r\n\r\n',
    'a method that is no token': 'G(T /about.html HTTP/1.1\r\nHost: shop.example\r\n\r\n',
    'a control byte in the target': 'GET /about\x01.html HTTP/1.1\r\nHost: shop.example\r\n\r\n',
    'a tab on the request line': 'GET\t/about.html HTTP/1.1\r\nHost: shop.example\r\n\r\n',
    'two spaces on the request line': 'GET  /about.html HTTP/1.1\r\nHost: shop.example\r\n\r\n',
    'a space in the target': 'GET /about.html x HTTP/1.1\r\nHost: shop.example\r\n\r\n',
    'a target that is no path': 'GET about.html HTTP/1.1\r\nHost: shop.example\r\n\r\n',
    'a URL without a host': 'GET http:///about.html HTTP/1.1\r\nHost: shop.example\r\n\r\n'
}
for (const c of ['\x01', '\b', '\v', '\f', '\x1b', '\x1f', '\x7f']) {
    malformed[`byte ${c.charCodeAt(0)} in a field`] = plain([`X: a${c}b`])
    malformed[`byte ${c.charCodeAt(0)} in a name`] = plain([`X${c}: a`])
    malformed[`byte ${c.charCodeAt(0)} in Host`] = `GET / HTTP/1.1\r\nHost: shop.example${c}\r\n\r\n`
}

const wellFormed = {
    'as it should be': plain([]),
    'a length of nothing': plain(['Content-Length: 0']),
    'white space around a length': plain(['Content-Length: \t0 \t']),
    'lines that end with LF': 'GET /about.html HTTP/1.1\nHost: shop.example\nX: a\n\n',
    'lines that end in both ways': 'GET /about.html HTTP/1.1\r\nHost: shop.example\nX: a\r\nY:\n\r\n',
    'empty values': plain(['X:', 'Y: ', 'Z:\t \t']),
    'a tab in a value': plain(['X: a\tb']),
    'bytes beyond ASCII in a value': plain(['X: \xe4\xff']),
    'every byte of a token': plain(["!#$%&'*+-.^_`|~09azAZ: a"]),
    'the same name twice': plain(['X: a', 'X: b']),
    'an empty line ahead': `\r\n${plain([])}`,
    'a query with a NUL, escaped': plain([]).replace('about.html', 'about.html?a=%00&b&c=%20'),
    'a URL': plain([]).replace('/about', 'http://shop.example/about'),
    'cookies, a lot of them': plain([`Cookie: ${'a=b; '.repeat(1800)}`])
}

const send = (port, request) => talk(port, request)
const close = request => request.replace(/\r?\n$/, end => `Connection: close${end}${end}`)

// In one piece, byte by byte where that is little, and in two: libmicrohttpd reads as it comes.
async function assertRefused(port, name, request) {
    for (const pieces of [request, [request.slice(0, 30), request.slice(30)]]) {
        const found = answers(await send(port, pieces))
        assert.deepEqual(
            found.map(answer => answer.status),
            [400],
            name
        )
    }
}

test('what can be read in two ways is refused and the connection closed', { timeout: 300_000 }, async t => {
    const { gate, ledger } = await scene(t, { logLevel: 'info' })
    for (const [name, request] of Object.entries(malformed)) await assertRefused(gate.port, name, request)
    // What follows on the connection is not taken for a request.
    const inside = plain([])
    for (const length of ['0', '40', '4\r\n 0'])
        await assertRefused(
            gate.port,
            `a body of ${length}`,
            plain(['Content-Length: 0', `Content-Length: ${length}`]) + inside
        )
    for (const [name, request] of Object.entries(wellFormed)) {
        const found = answers(await send(gate.port, close(request)))
        assert.deepEqual(
            found.map(answer => answer.status),
            [200],
            name
        )
    }
    assert.equal(ledger.count('charge'), 0)
    assert.equal((await gate.request('/about.html')).status, 200)
})

test('a request with a body is answered once, and what is behind it is not read', async t => {
    const { gate } = await scene(t, { logLevel: 'info' })
    const body = plain([])
    for (const [method, status] of [
        ['GET', 413],
        ['HEAD', 413],
        ['POST', 405],
        ['PUT', 405]
    ])
        for (const fields of [
            { 'Content-Length': String(body.length) },
            { 'Content-Length': '99999999999999999999999999' },
            { 'Transfer-Encoding': 'chunked' },
            { 'Transfer-Encoding': 'gzip, chunked' },
            { 'Content-Length': String(body.length), Expect: '100-continue' }
        ]) {
            const bytes = await send(gate.port, head('/about.html', fields, method) + body)
            const found = answers(bytes, method === 'HEAD')
            // A length that is no number to anybody is refused before anything else is looked at.
            const expected = fields['Content-Length']?.length > 20 ? 413 : status
            assert.deepEqual(
                found.map(answer => answer.status),
                [expected],
                `${method} ${JSON.stringify(fields)}`
            )
        }
    // Without a body the connection goes on.
    const both = answers(await send(gate.port, plain(['Content-Length: 0']) + close(plain([]))))
    assert.deepEqual(
        both.map(answer => answer.status),
        [200, 200]
    )
})

test('a commitment over several lines is refused, and charged when it is sent as it should be', async t => {
    const { gate, ledger, key, agent } = await scene(t, { logLevel: 'info' })
    const id = await gate.offer(page)
    const signed = await withWebBotAuth(key, agent.origin, `https://shop.example${page}`, id)
    for (const name of ['Payment', 'Signature', 'Signature-Input', 'Signature-Agent'])
        for (const fold of ['\r\n ', '\r\n\t', '\n ', ' \r\n  ', '\0', '\r', '\x01'])
            for (const at of [0, 9, signed[name].length]) {
                const value = signed[name].slice(0, at) + fold + signed[name].slice(at)
                await assertRefused(gate.port, `${name} ${at}`, head(page, { ...signed, [name]: value }))
            }
    assert.equal(ledger.count('charge'), 0)
    assert.equal((await gate.request(page, { headers: signed })).status, 200)
    assert.equal(ledger.count('charge'), 1)
})
