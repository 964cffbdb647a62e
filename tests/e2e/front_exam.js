// What is asked of every front: with the configuration that `crawltab front` prints for it, people go
// straight to the site and crawlers to the gate, whatever happens to any of the three.
import assert from 'node:assert/strict'
import http from 'node:http'
import { talk } from './raw.js'
import { freePort, until } from './support.js'
import { scene, withWebBotAuth } from './signers.js'

const person = { 'user-agent': 'Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0' }
const crawler = { 'user-agent': 'Mozilla/5.0 (compatible; GPTBot/1.2; +https://openai.com/gptbot)' }
const page = '/articles/a%20b.html?x=%c3%bc&y=1'
const text = 'words of the page\n'.repeat(100)
const etag = '"as-it-is"'
const names = headers => Object.keys(headers).map(name => name.toLowerCase().replaceAll('_', '-'))

// The site's own server. What it was asked is in `seen`.
async function makeSite(t) {
    const site = { seen: [], waiting: [] }
    const server = http.createServer({ maxHeaderSize: 65536 }, (request, response) => {
        const { method, url, headers } = request
        const chunks = []
        request.on('data', chunk => chunks.push(chunk))
        request.on('end', () => {
            site.seen.push({ method, url, headers, body: Buffer.concat(chunks).toString() })
            if (url === '/slow') return site.waiting.push(response)
            if (url.startsWith('/.well-known/')) return response.writeHead(404).end('no such page\n')
            if (method === 'POST') return response.end(`posted ${Buffer.concat(chunks).length} bytes`)
            response.setHeader('ETag', etag)
            response.setHeader('Cache-Control', 'public, max-age=60')
            if (headers['if-none-match'] === etag) return response.writeHead(304).end()
            const range = /^bytes=(\d+)-(\d+)$/.exec(headers.range ?? '')
            if (!range) return response.end(method === 'HEAD' ? undefined : text)
            const [from, to] = [Number(range[1]), Number(range[2])]
            response.writeHead(206, { 'Content-Range': `bytes ${from}-${to}/${text.length}` })
            response.end(text.slice(from, to + 1))
        })
    })
    server.keepAliveTimeout = 60_000
    const listen = port => new Promise(resolve => server.listen(port, '127.0.0.1', resolve))
    await listen(0)
    const { port } = server.address()
    site.origin = `http://127.0.0.1:${port}`
    site.stop = () => {
        site.waiting.splice(0).forEach(response => response.destroy())
        server.closeAllConnections()
        return new Promise(resolve => server.close(resolve))
    }
    site.start = () => listen(port)
    t.after(site.stop)
    return site
}

// `start` gets the printed configuration and the port, and returns the running front; `open` changes the
// configuration by the one line that lets crawlers read free while the gate is down. The site then sees
// what they pay with if it `tells`.
export async function examine(t, name, { start, open, tells = false }) {
    const site = await makeSite(t)
    const [port, gatePort] = [await freePort(), await freePort()]
    const set = await scene(t, {
        listen: `127.0.0.1:${gatePort}`,
        trustedProxies: ['127.0.0.1'],
        origin: { head_seconds: 1 },
        site: {
            root: '',
            scheme: 'http',
            origin: site.origin,
            rules: [{ action: 'charge', price: '0.05' }]
        }
    })
    const { gate, ledger, key, agent } = set
    const printed = (await set.crawltab('front', name, '--listen', `127.0.0.1:${port}`)).stdout
    let front = await start(printed, port)
    const get = (target, headers, options = {}) => gate.request(target, { headers, port, ...options })
    const gateSaw = () => (gate.log.match(/event=request site=/g) ?? []).length // no health checks
    const last = () => site.seen.at(-1)
    const sign = async (target, id) => withWebBotAuth(key, agent.origin, `http://shop.example${target}`, id)
    const commit = async target => sign(target, await gate.offer(target, { port }))
    const post = (headers, body) =>
        new Promise((resolve, reject) => {
            const request = http.request(
                {
                    host: '127.0.0.1',
                    port,
                    path: '/form',
                    method: 'POST',
                    headers: { host: 'shop.example', ...headers }
                },
                response => {
                    let answer = ''
                    response.on('data', data => (answer += data))
                    response.on('end', () =>
                        resolve({ status: response.statusCode, text: answer, headers: response.headers })
                    )
                }
            )
            request.on('error', reject)
            request.end(body)
        })

    await t.test('people go straight to the site', async () => {
        const before = gateSaw()
        const answer = await get(page, person)
        assert.deepEqual([answer.status, answer.text], [200, text])
        assert.equal(answer.headers['cache-control'], 'public, max-age=60')
        assert.deepEqual([last().url, last().headers.host], [page, 'shop.example'])
        assert.match(last().headers['x-forwarded-for'], /127\.0\.0\.1$/)
        const posted = await post({ ...person, 'content-type': 'text/plain' }, 'x'.repeat(100_000))
        assert.deepEqual([posted.status, posted.text], [200, 'posted 100000 bytes'])
        assert.equal((await get(page, { ...person, cookie: `a=${'c'.repeat(6 * 1024)}` })).status, 200)
        assert.equal(last().headers.cookie.length, 6 * 1024 + 2)
        await get('/forged', {
            ...person,
            'X-Crawltab-Agent': 'https://forged.example',
            X_Crawltab_Payment: 'forged',
            'x_crawltab-amount': '0'
        })
        assert.equal(last().url, '/forged')
        for (const field of names(last().headers)) assert.ok(!field.startsWith('x-crawltab'), field)
        const head = await get(page, person, { method: 'HEAD' })
        assert.deepEqual([head.status, head.text], [200, ''])
        for (const authorization of ['Basic TGljZW5zZTo=', 'Licensed x', 'Basic License'])
            assert.equal((await get(page, { ...person, authorization })).status, 200, authorization)
        assert.equal(gateSaw(), before, 'the gate saw none of it')
    })

    await t.test('crawlers get an offer, by any sign of theirs', async () => {
        const seen = site.seen.length
        const unpaid = await get(page, crawler)
        assert.equal(unpaid.status, 402, unpaid.text)
        assert.equal(unpaid.headers['crawler-price'], 'USD 0.05')
        assert.equal(unpaid.headers['cache-control'], 'no-store')
        assert.ok(unpaid.headers['payment-required'] && unpaid.headers['accept-signature'])
        assert.equal(JSON.parse(unpaid.text).resource.url, `http://shop.example${page}`)
        for (const field of ['Signature-Agent', 'Signature-Input'])
            assert.equal((await get(page, { ...person, [field]: '"x"' })).status, 402, field)
        for (const authorization of ['License abc', 'license'])
            assert.equal((await get(page, { ...person, authorization })).status, 402, authorization)
        // What commits to pay and cannot be read is told in its dialect.
        for (const [field, code] of Object.entries({
            'PAYMENT-SIGNATURE': 'malformed_payment_signature',
            'X-PAYMENT': 'malformed_x_payment',
            'crawler-exact-price': 'malformed_crawler_price',
            'crawler-max-price': 'malformed_crawler_price'
        })) {
            const answer = await get(page, { ...person, [field]: '"x"' })
            assert.deepEqual([answer.status, answer.headers['crawler-error']], [400, code], field)
        }
        assert.equal((await get(page, { ...person, Payment: 'x' })).status, 400)
        assert.equal((await get(page, crawler, { method: 'HEAD' })).status, 402)
        assert.equal(site.seen.length, seen, 'the site heard of none of it')
    })

    await t.test('crawlers that pay get the page', async () => {
        const target = page
        const headers = {
            ...(await commit(target)),
            'X-Crawltab-Agent': 'https://forged.example',
            X_Crawltab_Payment: 'forged',
            'X-Forwarded-For': '192.0.2.9',
            'X-Forwarded-Host': 'elsewhere.example',
            X_Forwarded_For: '192.0.2.9',
            Forwarded: 'for=192.0.2.9'
        }
        const paid = await get(target, headers, { from: '127.0.7.7' })
        assert.deepEqual([paid.status, paid.text], [200, text])
        assert.equal(paid.headers['crawler-charged'], 'USD 0.05')
        assert.match(paid.headers['payment-response'], /^scheme="deferred"/)
        assert.match(paid.headers['cache-control'], /private/)
        const { url, headers: asked } = last()
        assert.equal(url, target)
        assert.equal(asked.host, 'shop.example')
        assert.equal(asked['x-crawltab-agent'], agent.origin)
        assert.equal(asked['x-forwarded-for'], '127.0.7.7')
        assert.equal(asked['x-forwarded-host'], 'shop.example')
        assert.ok(!JSON.stringify(asked).includes('192.0.2.9') && !JSON.stringify(asked).includes('forged'))
        assert.ok(!names(asked).some(field => field === 'payment' || field.startsWith('signature')))
        await gate.logged(/client=127\.0\.7\.7 status=200 .*code=paid/)

        const again = await get(target, headers)
        assert.deepEqual([again.status, again.text], [200, text])
        assert.equal(ledger.count('charge'), 1, 'the same commitment is charged once')

        const part = await get(target, { ...(await commit(target)), Range: 'bytes=10-19' })
        assert.deepEqual([part.status, part.text], [206, text.slice(10, 20)])
        assert.equal(part.headers['content-range'], `bytes 10-19/${text.length}`)
        assert.equal(ledger.count('charge'), 2)

        const known = await get(target, { ...(await commit(target)), 'If-None-Match': etag })
        assert.deepEqual([known.status, known.text], [304, ''])
        const head = await get(target, await commit(target), { method: 'HEAD' })
        assert.deepEqual([head.status, head.text], [402, ''])
        const posted = await post({ ...crawler, 'content-type': 'text/plain' }, 'x')
        assert.ok(posted.status >= 400, 'the site takes no POST of crawlers')
        assert.equal(ledger.count('charge'), 2, 'none of these gives content away')
    })

    await t.test('what is smuggled is seen by nobody', async () => {
        const before = site.seen.length
        const charges = ledger.count('charge')
        const inner = 'GET /smuggled HTTP/1.1\r\nHost: shop.example\r\n\r\n'
        for (const fields of [
            [`Content-Length: ${inner.length}`, 'Transfer-Encoding: chunked'],
            ['Content-Length: 0', `Content-Length: ${inner.length}`],
            ['Transfer-Encoding: chunked', 'Transfer-Encoding: identity'],
            ['Transfer-Encoding : chunked'],
            ['Transfer-Encoding: xchunked']
        ])
            for (const who of [person, crawler]) {
                const head = [
                    `POST /form HTTP/1.1`,
                    'Host: shop.example',
                    `User-Agent: ${who['user-agent']}`,
                    'Connection: close',
                    ...fields
                ]
                const bytes = await talk(port, `${head.join('\r\n')}\r\n\r\n0\r\n\r\n${inner}`, {
                    silence: 20_000
                })
                assert.ok(bytes.toString('latin1').split('HTTP/1.1 ').length <= 2, `one answer: ${fields}`)
            }
        assert.ok(!site.seen.slice(before).some(({ url }) => url === '/smuggled'))
        assert.ok(!gate.log.includes('smuggled'))
        assert.equal(ledger.count('charge'), charges)
    })

    await t.test('crawltab front --check finds it as it should be', async () => {
        const words = [
            'front',
            '--check',
            'http://shop.example/articles/a.html',
            '--at',
            `127.0.0.1:${port}`
        ]
        const { stdout } = await set.crawltab(...words)
        assert.match(stdout, /^good {3}people do not reach the gate$/m)
        assert.match(stdout, /^good {3}a person gets the page: status 200$/m)
        assert.match(stdout, /^good {3}\S+ gets an offer: USD 0\.05$/m)
        assert.match(stdout, /^good {3}the offer is for this URL$/m)
        assert.match(stdout, /^good {3}all 1\d\d crawlers of the list reach the gate$/m)
        assert.equal(stdout.match(/ leads to the gate$/gm).length, 8)
    })

    await t.test('a site that is slow or down costs nothing', async () => {
        const charges = ledger.count('charge')
        const slow = await get('/slow', await commit('/slow'))
        assert.deepEqual([slow.status, slow.headers['crawler-error']], [504, 'origin_timeout'])
        const signed = await commit(page)
        await site.stop()
        const down = await get(page, signed)
        assert.deepEqual([down.status, down.headers['crawler-error']], [502, 'origin_unavailable'])
        assert.ok((await get('/new', person)).status >= 500) // nothing that a front may have kept
        assert.equal((await get(page, crawler)).status, 402, 'offers are made all the same')
        await site.start()
        assert.equal(ledger.count('charge'), charges)
        await until(async () => (await get('/new', person)).status === 200, 'the site is found again', 200)
        await until(async () => (await get(page, signed)).status === 200, 'the same id pays now', 200)
        assert.equal(ledger.count('charge'), charges + 1)
    })

    await t.test('while the gate is down crawlers are told to come back', async () => {
        await gate.stop()
        const seen = site.seen.length
        for (const headers of [crawler, { ...person, Payment: 'x' }]) {
            const answer = await get(page, headers, { port })
            assert.equal(answer.status, 503, answer.text)
            assert.equal(answer.headers['crawler-error'], 'gate_unavailable')
            assert.equal(answer.headers['retry-after'], '5')
            assert.match(answer.headers['content-type'], /^application\/problem\+json/)
            assert.equal(JSON.parse(answer.text).code, 'gate_unavailable')
        }
        assert.equal(site.seen.length, seen)
        assert.equal((await get(page, person, { port })).status, 200, 'people notice nothing')
        await gate.start()
        await until(
            async () => (await get(page, crawler)).status === 402,
            'crawlers are back at the gate',
            200
        )
    })

    await t.test('or read free, by one line', async () => {
        await front.stop()
        front = await start(open(printed), port)
        assert.equal((await get(page, crawler)).status, 402)
        await gate.stop()
        await until(
            async () => (await get(page, crawler, { port })).status === 200,
            'crawlers get the page',
            200
        )
        const headers = { ...person, Payment: 'x', 'X-Crawltab-Agent': 'forged' }
        const answer = await get('/free', headers, { port })
        assert.deepEqual([answer.status, answer.text], [200, text])
        assert.equal(last().url, '/free')
        assert.ok(!names(last().headers).some(field => field.startsWith('x-crawltab')))
        assert.equal(names(last().headers).includes('payment'), tells)
    })
}

// Replaces what stands once in the text.
export function change(text, before, after) {
    assert.equal(text.split(before).length, 2, before)
    return text.replace(before, after)
}
