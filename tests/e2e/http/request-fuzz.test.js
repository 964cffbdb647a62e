// Valid paid requests with bytes changed, as they stand on the wire, against a running gate: every answer is
// a well-formed one with a status of the table, and the ledger holds what was receipted and nothing else.
//
//   FUZZ_REQUESTS=100000 FUZZ_SEED=7 node --test tests/e2e/http/request-fuzz.test.js
import assert from 'node:assert/strict'
import net from 'node:net'
import path from 'node:path'
import test from 'node:test'
import { certificates, directory, stage, temporaryFolder } from '../support.js'
import { makeKey, withHttpMessageSig, withWebBotAuth } from '../signers.js'
import { generator } from '../random.js'

const count = Number(process.env.FUZZ_REQUESTS ?? 300)
const seed = Number(process.env.FUZZ_SEED ?? 20261120)

const statuses = new Set([
    200, 206, 301, 304, 400, 402, 403, 404, 405, 408, 409, 411, 413, 414, 416, 417, 421, 429, 431, 500, 501,
    503, 505
])

// All that comes back, and whether the gate was done: it closes, or says nothing more after an answer. A
// request that has no end is given up soon, any other only after a long time.
function send(port, bytes) {
    return new Promise(resolve => {
        const chunks = []
        const socket = net.connect(port, '127.0.0.1')
        let patience
        const wait = (ms, done) => {
            clearTimeout(patience)
            patience = setTimeout(() => finish(done), ms)
        }
        const finish = done => {
            clearTimeout(patience)
            socket.destroy()
            resolve({ bytes: Buffer.concat(chunks), done })
        }
        wait(bytes.includes('\r\n\r\n') || bytes.includes('\n\n') ? 3000 : 200, false)
        socket.on('connect', () => socket.write(bytes))
        socket.on('data', chunk => {
            chunks.push(chunk)
            wait(300, true)
        })
        socket.on('error', () => finish(true))
        socket.on('close', () => finish(true))
    })
}

// The answers that stand in the bytes; fails where they are not HTTP.
function answers(bytes, heads) {
    const found = []
    let at = 0
    while (at < bytes.length) {
        const end = bytes.indexOf('\r\n\r\n', at)
        assert.ok(end >= 0, `no end of fields: ${JSON.stringify(bytes.toString('latin1', at, at + 200))}`)
        const [line, ...fields] = bytes.subarray(at, end).toString('latin1').split('\r\n')
        const status = /^HTTP\/1\.[01] (\d{3}) [ -~]*$/.exec(line)
        assert.ok(status, `status line ${JSON.stringify(line)}`)
        const headers = {}
        for (const field of fields) {
            const parts = /^([!#$%&'*+.^_`|~0-9A-Za-z-]+): ?([\t -~\x80-\xff]*)$/.exec(field)
            assert.ok(parts, `field ${JSON.stringify(field)}`)
            headers[parts[1].toLowerCase()] = parts[2]
        }
        at = end + 4
        const code = Number(status[1])
        assert.ok(statuses.has(code), `status ${code}`)
        // A HEAD is answered without a body.
        if (code !== 304 && code !== 100 && !heads) {
            const length = Number(headers['content-length'] ?? 0)
            assert.ok(at + length <= bytes.length, 'the body is whole')
            at += length
        }
        if (heads) at = bytes.length
        found.push({ status: code, headers })
    }
    return found
}

const pieces = [
    ...'\r\n \t:;,"=()\\\0\x7f\xff?#0',
    ...['\r\n', '%00', '../', '//', '-1', '99999999999999999999', 'HTTP/1.0', 'HEAD ', ';req', ';bs', ';sf'],
    ...['Host: shop.example', 'Content-Length: 5', 'Transfer-Encoding: chunked', 'Expect: 100-continue'].map(
        field => `${field}\r\n`
    ),
    ...['Connection: close\r\n', 'Payment: x\r\n', 'Range: bytes=0-1\r\n']
]

// Changes a request in one to four places.
function mutate(random, text) {
    for (let times = 1 + random.below(4); times > 0; times--) {
        const at = random.below(text.length + 1)
        const lines = text.split('\r\n')
        switch (random.below(8)) {
            case 0:
                text = text.slice(0, at) + String.fromCharCode(random.below(256)) + text.slice(at + 1)
                break
            case 1:
                text = text.slice(0, at) + random.pick(pieces) + text.slice(at)
                break
            case 2:
                text = text.slice(0, at) + text.slice(at + 1 + random.below(8))
                break
            case 3:
                text =
                    text.slice(0, at) + text.slice(at, at + 20).repeat(1 + random.below(50)) + text.slice(at)
                break
            case 4: // a line twice
                lines.splice(random.below(lines.length), 0, random.pick(lines))
                text = lines.join('\r\n')
                break
            case 5: // a line less
                lines.splice(random.below(lines.length), 1)
                text = lines.join('\r\n')
                break
            case 6: // lines in another order
                lines.push(...lines.splice(1 + random.below(lines.length - 1), 1), '', '')
                text = lines.join('\r\n')
                break
            default: // letters in the other case
                text = text.slice(0, at) + text.slice(at, at + 12).toUpperCase() + text.slice(at + 12)
        }
    }
    return text
}

test(`${count} mutated paid requests (seed ${seed})`, { timeout: 3600_000 }, async t => {
    const certificate = certificates(temporaryFolder(t))
    const key = await makeKey()
    const agent = await directory(t, certificate, [key.public])
    const { gate, ledger } = await stage(t, {
        insecureHosts: [agent.host],
        caFile: certificate.caFile,
        logLevel: 'info'
    })
    const random = generator(seed)
    const seen = new Map()
    const receipts = new Set()
    const paths = [
        '/',
        '/articles/tide-tables.html',
        '/style.css',
        '/images/logo.svg',
        '/about.html',
        '/nowhere'
    ]
    let unfinished = 0
    let template
    for (let i = 0; i < count; i++) {
        // A fresh commitment now and then, so that most mutations meet one that would hold.
        if (i % 4 === 0) {
            const target = random.pick(paths)
            const url = `https://shop.example${target}`
            const offer = await gate.request(target, { headers: { 'user-agent': 'GPTBot/1.2' } })
            const id = offer.status === 402 ? JSON.parse(offer.text).accepts[0].extra.id : 'x'.repeat(64)
            const signed = await random.pick([withWebBotAuth, withHttpMessageSig])(key, agent.origin, url, id)
            signed.Connection = 'close'
            const fields = Object.entries(signed).map(([name, value]) => `${name}: ${value}\r\n`)
            template = `GET ${target} HTTP/1.1\r\nHost: shop.example\r\n${fields.join('')}\r\n`
        }
        const text = random.below(20) === 0 ? template : mutate(random, template)
        const reply = await send(gate.port, Buffer.from(text, 'latin1'))
        if (!reply.done) unfinished++
        for (const answer of answers(reply.bytes, /HEAD /.test(text))) {
            const code = `${answer.status} ${answer.headers['crawler-error'] ?? ''}`.trim()
            seen.set(code, (seen.get(code) ?? 0) + 1)
            const receipt = /id="([^"]+)"/.exec(answer.headers['payment-response'] ?? '')
            if (receipt) {
                assert.ok(answer.status === 200 || answer.status === 206)
                receipts.add(Buffer.from(receipt[1], 'base64url').toString('hex', 0, 16))
            }
        }
        assert.equal(gate.process.exitCode, null, gate.log)
    }
    const codes = [...seen].sort().map(([code, n]) => `${code}: ${n}`)
    t.diagnostic(`${codes.join(', ')}; ${unfinished} without an answer, ${receipts.size} receipts`)
    assert.equal((await gate.request('/about.html')).status, 200)
    const rows = ledger.query(`SELECT replace(payment_id::text, '-', '') FROM charge`)
    const charged = new Set(rows.split('\n').filter(Boolean))
    for (const id of receipts) assert.ok(charged.has(id), 'a receipt without an entry')
    // What was cut short may have been charged, and gets its receipt when it is sent again.
    assert.ok(
        charged.size - receipts.size <= unfinished,
        `${charged.size} entries, ${receipts.size} receipts`
    )
    assert.ok(receipts.size > 0 && seen.size > 3)
    const { code } = await gate.stop()
    assert.equal(code, 0, gate.log)
    assert.doesNotMatch(gate.log, /Sanitizer|runtime error/)
})

// Found by the test above: libmicrohttpd closed what was charged while the client had ended its side,
// before the answer was sent. It happened under load, so many are sent at once.
test('who end their side after a paid request get the page', async t => {
    const certificate = certificates(temporaryFolder(t))
    const key = await makeKey()
    const agent = await directory(t, certificate, [key.public])
    const { gate } = await stage(t, { insecureHosts: [agent.host], caFile: certificate.caFile })
    const ask = async () => {
        const id = await gate.offer('/')
        const signed = await withWebBotAuth(key, agent.origin, 'https://shop.example/', id)
        const fields = Object.entries(signed).map(([name, value]) => `${name}: ${value}\r\n`)
        return ['GET / HTTP/1.1\r\nHost: shop.example\r\n', ...fields, '\r\n'].join('')
    }
    const pay = request =>
        new Promise(resolve => {
            let text = ''
            const socket = net.connect(gate.port, '127.0.0.1')
            socket.on('connect', () => socket.end(request))
            socket.on('data', data => (text += data))
            socket.on('error', () => {})
            socket.on('close', () => resolve(text))
        })
    const requests = await Promise.all(Array.from({ length: 60 }, ask))
    const replies = await Promise.all(requests.map(pay))
    assert.equal(replies.filter(reply => /^HTTP\/1\.1 200 /.test(reply)).length, replies.length)
})
