// The `origin` delivery style against a real server of the site's own: what it is asked, what of its answer
// comes back, and when money is taken.
// Tests server/origin/origin.c, server/gate/forward.c, server/http/stream.c, ledger/delivery/reporter.c
import assert from 'node:assert/strict'
import { createHash, randomBytes } from 'node:crypto'
import fs from 'node:fs'
import http from 'node:http'
import net from 'node:net'
import path from 'node:path'
import { test } from 'node:test'
import { freePort, root, temporaryFolder, until } from '../support.js'
import { scene, withWebBotAuth } from '../signers.js'

// The site. `answer` may be changed while it runs; `seen` are the requests as they came.
async function server(t, where = { port: 0, host: '127.0.0.1' }) {
    const state = {
        seen: [],
        connections: 0,
        answer: (request, response) => response.end('a page of the site\n')
    }
    const server = http.createServer((request, response) => {
        const { method, url, headers, rawHeaders } = request
        state.seen.push({ method, url, headers, raw: rawHeaders })
        state.answer(request, response)
    })
    server.on('connection', () => state.connections++)
    server.keepAliveTimeout = 60_000
    await new Promise(resolve => server.listen(where, resolve))
    state.url = where.path ? `unix:${where.path}` : `http://127.0.0.1:${server.address().port}`
    state.close = () => {
        server.closeAllConnections()
        return new Promise(resolve => server.close(resolve))
    }
    t.after(state.close)
    return state
}

async function beside(t, options = {}) {
    const site = options.where ? await server(t, options.where) : await server(t)
    const parts = await scene(t, { ...options, site: { root: '', origin: site.url, ...options.site } })
    const pay = async (target, headers = {}) => {
        const id = await parts.gate.offer(target)
        const url = `https://shop.example${target}`
        const signed = await withWebBotAuth(parts.key, parts.agent.origin, url, id)
        const answer = await parts.gate.request(target, { headers: { ...signed, ...headers } })
        return { id, signed, answer }
    }
    return { ...parts, site, pay }
}

test('a page of the site is given against payment, byte for byte what was asked', async t => {
    const { gate, ledger, site, pay, agent } = await beside(t)
    const target = '/a%2Fb/../c//d?q=%20x&y=%c3%9c'
    site.answer = (request, response) => {
        response.setHeader('Cache-Control', 'public, max-age=60, s-maxage=600')
        response.setHeader('Vary', 'Accept-Language')
        response.setHeader('Set-Cookie', ['a=1', 'b=2'])
        response.setHeader('Keep-Alive', 'timeout=5')
        response.setHeader('X-Hop', 'of this connection')
        response.setHeader('Connection', 'x-hop, keep-alive')
        response.setHeader('crawler-charged', 'USD 0.00')
        response.setHeader('X-Crawltab-Amount', '0.01')
        response.end('text')
    }
    const unpaid = await gate.request('/page', { headers: { 'user-agent': 'GPTBot/1.2' } })
    assert.equal(unpaid.status, 402)
    assert.equal(site.seen.length, 0, 'the site hears nothing of an offer')
    const { id, answer } = await pay('/page?q=%20x&y=%c3%9c', {
        'X-Crawltab-Agent': 'https://somebody.else',
        X_Crawltab_Payment: 'forged',
        'X-Forwarded-For': '9.9.9.9',
        X_Forwarded_Host: 'elsewhere.example',
        Forwarded: 'for=9.9.9.9',
        'PAYMENT-SIGNATURE-X': 'x',
        Connection: 'close, x-mine',
        'X-Mine': 'of this connection',
        'X-Kept': 'kept',
        Cookie: 'c=1'
    })
    assert.equal(answer.status, 200, answer.text)
    assert.equal(answer.text, 'text')
    assert.match(answer.headers['payment-response'], new RegExp(`id="${id}"`))
    assert.equal(answer.headers['crawler-charged'], 'USD 0.0025')
    assert.equal(answer.headers['cache-control'], 'private, max-age=60')
    assert.equal(answer.headers.vary, 'Accept-Language')
    assert.deepEqual(answer.headers['set-cookie'], ['a=1', 'b=2'])
    assert.equal(answer.headers['x-hop'], undefined)
    assert.equal(answer.headers['x-crawltab-amount'], undefined)
    assert.equal(answer.headers['content-length'], '4')
    const [asked] = site.seen
    assert.equal(asked.url, '/page?q=%20x&y=%c3%9c')
    assert.equal(asked.headers.host, 'shop.example')
    assert.equal(asked.headers['x-crawltab-agent'], agent.origin)
    assert.equal(asked.headers['x-crawltab-payment'], id)
    assert.equal(asked.headers['x-crawltab-amount'], '0.0025')
    assert.equal(asked.headers['x-forwarded-for'], '127.0.0.1')
    assert.equal(asked.headers['x-forwarded-proto'], 'https')
    assert.equal(asked.headers['x-forwarded-host'], 'shop.example')
    assert.equal(asked.headers.forwarded, 'for=127.0.0.1;host="shop.example";proto=https')
    assert.equal(asked.headers['x-kept'], 'kept')
    assert.equal(asked.headers.cookie, 'c=1')
    const names = asked.raw.filter((_, i) => i % 2 === 0).map(name => name.toLowerCase())
    assert.equal(new Set(names).size, names.length, names.join())
    for (const name of names) assert.doesNotMatch(name, /^(payment|signature|x_|x-mine|accept$)/)
    assert.equal(ledger.count('charge'), 1)
    // A path with dots is judged as what it resolves to, and nobody knows how the site resolves it.
    assert.equal((await gate.request(target)).status, 404)
})

test('a person gets what the site says, and is named to nobody', async t => {
    const { gate, site } = await beside(t)
    site.answer = (request, response) => {
        response.setHeader('Cache-Control', 'public, max-age=60')
        if (request.url === '/sized') response.setHeader('Content-Length', 10)
        response.end(request.method === 'HEAD' ? undefined : 'for people')
    }
    const cookie = 'c='.padEnd(12 * 1024, 'x')
    const answer = await gate.request('/page', {
        headers: { 'user-agent': 'Mozilla/5.0', 'X-Crawltab-Agent': 'me', cookie }
    })
    assert.equal(answer.text, 'for people')
    assert.equal(answer.headers['cache-control'], 'public, max-age=60')
    for (const name of ['agent', 'payment', 'amount'])
        assert.equal(site.seen[0].headers[`x-crawltab-${name}`], '')
    assert.equal(site.seen[0].headers.cookie, cookie)
    for (const target of ['/sized', '/page']) {
        const head = await gate.request(target, { method: 'HEAD', headers: { 'user-agent': 'Mozilla/5.0' } })
        assert.equal(head.status, 200)
        assert.equal(head.headers['content-length'], target === '/sized' ? '10' : undefined)
        assert.equal(site.seen.at(-1).method, 'HEAD')
    }
})

test('what gives nothing away costs nothing', async t => {
    const { gate, ledger, site, pay } = await beside(t)
    const answers = {
        304: { etag: '"x"' },
        301: { location: '/elsewhere' },
        404: {},
        500: {},
        204: {},
        416: { 'content-range': 'bytes */10' }
    }
    for (const [status, headers] of Object.entries(answers)) {
        site.answer = (request, response) => {
            response.writeHead(Number(status), headers)
            response.end(['304', '204'].includes(status) ? undefined : `the site's own ${status}`)
        }
        const { answer } = await pay(`/page-${status}`, { 'if-none-match': '"x"' })
        assert.equal(answer.status, Number(status))
        assert.equal(answer.headers['payment-response'], undefined)
        for (const [name, value] of Object.entries(headers)) assert.equal(answer.headers[name], value)
        if (!['304', '204'].includes(status)) assert.equal(answer.text, `the site's own ${status}`)
        else assert.equal(answer.headers['content-length'], undefined)
    }
    assert.equal(site.seen[0].headers['if-none-match'], '"x"')
    site.answer = (request, response) => response.end()
    assert.equal((await pay('/empty')).answer.status, 200)
    assert.equal(ledger.count('charge'), 0)
    // The credit that was reserved meanwhile is free again.
    assert.equal(gate.process.exitCode, null)
})

test('203 and 206 are paid for', async t => {
    const { ledger, site, pay } = await beside(t)
    for (const status of [203, 206]) {
        site.answer = (request, response) => {
            response.writeHead(status, { 'content-range': 'bytes 0-3/10' })
            response.end('part')
        }
        const { answer } = await pay(`/page-${status}`, { range: 'bytes=0-3' })
        assert.equal(answer.status, status)
        assert.equal(site.seen.at(-1).headers.range, 'bytes=0-3')
    }
    assert.equal(ledger.count('charge'), 2)
})

test('a credit that was reserved for nothing is free again', async t => {
    const { site, pay } = await beside(t, { agents: { day_limit: '0.005' } })
    site.answer = (request, response) => {
        response.writeHead(404)
        response.end('none')
    }
    for (let i = 0; i < 5; i++) assert.equal((await pay(`/none-${i}`)).answer.status, 404)
    site.answer = (request, response) => response.end('page')
    for (const status of [200, 200, 402]) assert.equal((await pay(`/page-${status}`)).answer.status, status)
})

test('nothing is told, asked or charged before the signature holds', async t => {
    const { gate, ledger, site, key, agent } = await beside(t)
    const id = await gate.offer('/page')
    const signed = await withWebBotAuth(key, agent.origin, 'https://shop.example/page', id)
    const bytes = randomBytes(64).toString('base64')
    const forged = { ...signed, Signature: signed.Signature.replace(/:.*:/, `:${bytes}:`) }
    const answer = await gate.request('/page', { headers: forged })
    assert.equal(answer.status, 403)
    assert.equal(site.seen.length, 0)
    assert.equal(ledger.count('charge'), 0)
})

test('a site that is down or slow is not paid for, and the payment holds when it is back', async t => {
    const port = await freePort()
    const { gate, ledger, site, pay } = await beside(t, {
        site: { origin: `http://127.0.0.1:${port}` },
        origin: { connect_seconds: 1, head_seconds: 1, gap_seconds: 1 }
    })
    const down = await pay('/page')
    assert.equal(down.answer.status, 502)
    assert.equal(down.answer.headers['crawler-error'], 'origin_unavailable')
    const slow = http.createServer(() => {})
    await new Promise(resolve => slow.listen(port, '127.0.0.1', resolve))
    t.after(() => slow.closeAllConnections() ?? slow.close())
    const late = await gate.request('/page', { headers: down.signed })
    assert.equal(late.status, 504)
    assert.equal(late.headers['crawler-error'], 'origin_timeout')
    assert.equal(ledger.count('charge'), 0)
    slow.closeAllConnections()
    await new Promise(resolve => slow.close(resolve))
    const back = http.createServer((request, response) => response.end('back'))
    await new Promise(resolve => back.listen(port, '127.0.0.1', resolve))
    t.after(() => back.closeAllConnections() ?? back.close())
    const again = await gate.request('/page', { headers: down.signed })
    assert.equal(again.status, 200, again.text)
    assert.equal(again.text, 'back')
    assert.equal(ledger.count('charge'), 1)
    assert.equal(site.seen.length, 0)
    await gate.logged(/event=origin_failed/)
})

test('what is no answer of HTTP is none', async t => {
    const port = await freePort()
    const { ledger, pay } = await beside(t, { site: { origin: `http://127.0.0.1:${port}` } })
    let text = ''
    const raw = net.createServer(socket => {
        socket.on('error', () => {})
        socket.once('data', () => socket.end(text))
    })
    await new Promise(resolve => raw.listen(port, '127.0.0.1', resolve))
    t.after(() => raw.close())
    const long = `X-Long: ${'x'.repeat(20_000)}\r\n`
    const wrong = [
        '',
        'nonsense\r\n\r\n',
        'HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\nabc',
        `HTTP/1.1 200 OK\r\n${long}\r\nabc`
    ]
    for (text of wrong) {
        const { answer } = await pay('/page')
        assert.equal(answer.status, 502, text)
        assert.equal(answer.headers['crawler-error'], 'origin_unavailable')
    }
    assert.equal(ledger.count('charge'), 0)
    text = 'HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabc'
    const { answer } = await pay('/page')
    assert.equal(answer.text, 'abc')
    assert.equal(answer.headers.link, undefined)
})

test('connections to the site are kept, and one that died idle is tried again once', async t => {
    const { gate, site } = await beside(t, { threads: 1 })
    const person = { headers: { 'user-agent': 'Mozilla/5.0' } }
    for (let i = 0; i < 20; i++) assert.equal((await gate.request(`/page-${i}`, person)).status, 200)
    assert.ok(site.connections <= 2, `${site.connections} connections`)
    const before = site.connections
    // The site closes each connection with its answer, without saying so.
    site.answer = (request, response) =>
        response.end('last', () => setTimeout(() => request.socket.destroy(), 5))
    for (let i = 0; i < 5; i++) {
        assert.equal((await gate.request('/again', person)).status, 200)
        await new Promise(resolve => setTimeout(resolve, 20))
    }
    assert.ok(site.connections > before)
})

test('a unix socket and files beside: the files come first', async t => {
    const where = { path: path.join(temporaryFolder(t), 'site.sock') }
    const { gate, site } = await beside(t, { where, site: { root: path.join(root, 'tools/demo/site') } })
    const person = { headers: { 'user-agent': 'Mozilla/5.0' } }
    assert.match((await gate.request('/about.html', person)).text, /<html/)
    assert.equal(site.seen.length, 0)
    assert.equal((await gate.request('/dynamic', person)).text, 'a page of the site\n')
    assert.equal(site.seen[0].headers.host, 'shop.example')
})

test('a body of 200 MB is streamed to a slow reader in bounded memory', async t => {
    const { gate, site, key, agent, ledger } = await beside(t)
    const piece = randomBytes(1 << 16)
    const pieces = 3200
    const digest = createHash('sha256')
    site.answer = (request, response) => {
        let left = pieces
        const more = () => {
            while (left > 0) {
                left--
                if (!response.write(piece)) return response.once('drain', more)
            }
            response.end()
        }
        more()
    }
    const expected = createHash('sha256')
    for (let i = 0; i < pieces; i++) expected.update(piece)
    const id = await gate.offer('/big')
    const signed = await withWebBotAuth(key, agent.origin, 'https://shop.example/big', id)
    let bytes = 0
    await new Promise((resolve, reject) => {
        http.get(
            {
                host: '127.0.0.1',
                port: gate.port,
                path: '/big',
                headers: { host: 'shop.example', ...signed }
            },
            response => {
                assert.equal(response.statusCode, 200)
                response.on('data', data => {
                    const first = bytes === 0
                    bytes += data.length
                    digest.update(data)
                    if (!first) return
                    response.pause()
                    setTimeout(() => response.resume(), 500)
                })
                response.on('end', resolve)
                response.on('error', reject)
            }
        ).on('error', reject)
    })
    assert.equal(bytes, pieces * piece.length)
    assert.equal(digest.digest('hex'), expected.digest('hex'))
    assert.equal(ledger.count('charge'), 1)
    const status = fs.readFileSync(`/proc/${gate.process.pid}/status`, 'utf8')
    const peak = Number(/VmHWM:\s+(\d+) kB/.exec(status)[1])
    assert.ok(peak < 150_000, `${peak} kB`)
})

test('a body that breaks off is recorded, and its payment id opens nothing any more', async t => {
    const { gate, ledger, site, pay, agent, key, crawltab } = await beside(t, {
        agents: { day_limit: '0.0060' },
        ledger: { refresh_seconds: 1 }
    })
    const body = 'x'.repeat(300_000)
    const breaking = (request, response) => {
        response.writeHead(200, { 'content-length': body.length })
        response.write(body.slice(0, 200_000))
        setTimeout(() => response.destroy(), 300)
    }
    site.answer = breaking
    const id = await gate.offer('/page')
    const headers = await withWebBotAuth(key, agent.origin, 'https://shop.example/page', id)
    await assert.rejects(gate.request('/page', { headers }), /aborted/)
    await gate.logged(/event=undelivered payment=\S+ bytes=200000 of=300000/)
    const row = 'SELECT status, sent_bytes, length_bytes, told_by FROM undelivered'
    assert.equal(ledger.query(row), '200|200000|300000|gate')
    site.answer = (request, response) => response.end(body)
    const again = await gate.request('/page', { headers })
    assert.equal(again.status, 402)
    assert.equal(again.headers['crawler-error'], 'payment_undelivered')
    assert.equal(ledger.count('charge'), 1)
    // Its credit is back: the limit is two pages and a bit.
    for (const target of ['/page', '/other']) {
        await until(async () => (await pay(target)).answer.status === 200, 'credit')
    }
    assert.equal((await pay('/third')).answer.headers['crawler-error'], 'credit_limit_reached')
    const told = JSON.parse((await crawltab('lookup', id, '--json')).stdout)
    assert.equal(told.undelivered.sent_bytes, 200_000)
    const { stdout } = await crawltab('lookup', id)
    assert.match(stdout, /Undelivered 200000 of 300000 bytes, status 200, told by the gate/)
    await crawltab('audit')
})

// The gate and the writer under which it began are gone by then; whose writer serves today is told.
test('a body that breaks off after a reload is recorded, too', async t => {
    const { gate, ledger, site, pay } = await beside(t, { logLevel: 'debug' })
    const begun = new Promise(resolve => {
        site.answer = (request, response) => {
            response.writeHead(200, { 'content-length': 300_000 })
            response.write('x'.repeat(200_000), () => resolve(response))
        }
    })
    const broken = assert.rejects(pay('/page'), /aborted/)
    const response = await begun
    await until(() => ledger.count('charge') === 1, 'the entry')
    gate.process.kill('SIGHUP')
    await gate.logged(/event=retired/)
    response.destroy()
    await broken
    await gate.logged(/event=undelivered payment=\S+ bytes=200000 of=300000/)
    assert.equal(ledger.count('undelivered'), 1)
    await until(() => ledger.count('delivery') === 1, 'what was delivered')
})

// The crawler had it; that the site breaks off when it asks once more is not undelivered.
test('a repeat that breaks off takes nothing back', async t => {
    const { gate, ledger, site, pay } = await beside(t)
    const { signed } = await pay('/page')
    site.answer = (request, response) => {
        response.writeHead(200, { 'content-length': 300_000 })
        response.write('x'.repeat(200_000))
        setTimeout(() => response.destroy(), 300)
    }
    await assert.rejects(gate.request('/page', { headers: signed }), /aborted/)
    site.answer = (request, response) => response.end('whole')
    const answer = await gate.request('/page', { headers: signed })
    assert.equal(answer.text, 'whole')
    assert.equal(ledger.count('undelivered'), 0)
    assert.equal(ledger.count('charge'), 1)
})

test('many at once, each with its own page', async t => {
    const { gate, site } = await beside(t)
    site.answer = (request, response) => setTimeout(() => response.end(request.url.repeat(2000)), 20)
    const person = { headers: { 'user-agent': 'Mozilla/5.0' } }
    const targets = Array.from({ length: 300 }, (_, i) => `/page/${i}`)
    const answers = await Promise.all(targets.map(target => gate.request(target, person)))
    answers.forEach((answer, i) => assert.equal(answer.text, targets[i].repeat(2000)))
})

test('who leaves early, and a gate that stops, harm nothing', async t => {
    const { gate, site } = await beside(t)
    site.answer = (request, response) => {
        response.writeHead(200)
        const timer = setInterval(() => response.write('x'.repeat(10_000)), 10)
        response.on('close', () => clearInterval(timer))
        if (request.url === '/ends') setTimeout(() => (clearInterval(timer), response.end()), 1500)
    }
    for (let i = 0; i < 20; i++)
        await new Promise(resolve => {
            const request = http.get(
                { host: '127.0.0.1', port: gate.port, path: '/endless', headers: { host: 'shop.example' } },
                response => response.once('data', () => (request.destroy(), resolve()))
            )
            request.on('error', () => {})
        })
    const last = gate.request('/ends', { headers: { 'user-agent': 'Mozilla/5.0' } })
    await until(() => site.seen.some(({ url }) => url === '/ends'), 'it is asked')
    const stopped = gate.stop()
    assert.equal((await last).status, 200)
    assert.equal((await stopped).code, 0, gate.log)
})
