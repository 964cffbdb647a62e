// What is asked of every front: with the configuration that `crawltab front` prints for it, people go
// straight to the site and crawlers to the gate, whatever happens to any of the three. A front that can ask
// the gate and deliver by itself is there twice, side by side, before the same gate and the same site.
import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import fs from 'node:fs'
import http from 'node:http'
import path from 'node:path'
import { asking, base } from './account.js'
import { frontFolder } from './fronts.js'
import { paymentSignature, signed } from './dialects.js'
import { talk } from './raw.js'
import { freePort, payment, temporaryFolder, until } from './support.js'
import { scene, withBase, withWebBotAuth } from './signers.js'

const person = { 'user-agent': 'Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0' }
const crawler = { 'user-agent': 'Mozilla/5.0 (compatible; GPTBot/1.2; +https://openai.com/gptbot)' }
const page = '/articles/a%20b.html?x=%c3%bc&y=1'
const text = 'words of the page\n'.repeat(100)
const etag = '"as-it-is"'
const names = headers => Object.keys(headers).map(name => name.toLowerCase().replaceAll('_', '-'))
const own = headers => names(headers).filter(name => name.startsWith('x-crawltab'))

// What a client makes up to be somebody else, and to be judged as another page.
const spoofed = {
    'X-Crawltab-Agent': 'https://forged.example',
    X_Crawltab_Payment: 'forged',
    'x_crawltab-amount': '0'
}
const misled = {
    'X-Forwarded-For': '192.0.2.9',
    'X-Forwarded-Host': 'elsewhere.example',
    'X-Forwarded-Uri': '/robots.txt',
    'X-Forwarded-Method': 'HEAD',
    'X-Original-Uri': '/robots.txt',
    'X-Original-Url': 'http://shop.example/robots.txt',
    'X-Original-Host': 'elsewhere.example',
    X_Forwarded_For: '192.0.2.9',
    Forwarded: 'for=192.0.2.9'
}

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

// A front on a port, and how it is asked.
function ask(set, port) {
    const get = (target, headers, options = {}) => set.gate.request(target, { headers, port, ...options })
    const post = (headers, body) =>
        new Promise((resolve, reject) => {
            const request = http.request(
                {
                    host: '127.0.0.1',
                    port,
                    path: '/form',
                    method: 'POST',
                    headers: { host: 'shop.example', 'content-type': 'text/plain', ...headers }
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
    const offered = async target => set.gate.offer(target, { port })
    const sign = (target, id) => withWebBotAuth(set.key, set.agent.origin, `http://shop.example${target}`, id)
    return { get, post, offered, sign, commit: async target => sign(target, await offered(target)) }
}

// A commitment for a POST, over the digest of its body.
function signPost({ key, agent }, id, body) {
    const fields = {
        Payment: payment(id),
        'Signature-Agent': `"${agent.origin}"`,
        'Content-Digest': `sha-256=:${createHash('sha256').update(body).digest('base64')}:`
    }
    return withBase(key, fields, [
        ['"@method"', 'POST'],
        ['"@authority"', 'shop.example'],
        ['"payment"', fields.Payment],
        ['"signature-agent"', fields['Signature-Agent']],
        ['"content-digest"', fields['Content-Digest']]
    ])
}

async function peopleGoToTheSite({ site, gateSaw }, { get, post }) {
    const before = gateSaw()
    const last = () => site.seen.at(-1)
    const answer = await get(page, person)
    assert.deepEqual([answer.status, answer.text], [200, text])
    assert.equal(answer.headers['cache-control'], 'public, max-age=60')
    assert.deepEqual([last().url, last().headers.host], [page, 'shop.example'])
    assert.match(last().headers['x-forwarded-for'], /127\.0\.0\.1$/)
    const posted = await post(person, 'x'.repeat(100_000))
    assert.deepEqual([posted.status, posted.text], [200, 'posted 100000 bytes'])
    assert.equal((await get(page, { ...person, cookie: `a=${'c'.repeat(6 * 1024)}` })).status, 200)
    assert.equal(last().headers.cookie.length, 6 * 1024 + 2)
    await get('/forged', { ...person, ...spoofed, ...misled })
    assert.equal(last().url, '/forged')
    assert.deepEqual(own(last().headers), [])
    const head = await get(page, person, { method: 'HEAD' })
    assert.deepEqual([head.status, head.text], [200, ''])
    for (const authorization of ['Basic TGljZW5zZTo=', 'Licensed x', 'Basic License'])
        assert.equal((await get(page, { ...person, authorization })).status, 200, authorization)
    assert.equal(gateSaw(), before, 'the gate saw none of it')
}

async function crawlersGetAnOffer({ site }, { get, post }) {
    const seen = site.seen.length
    const unpaid = await get(page, { ...crawler, ...misled, ...spoofed })
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
    assert.equal((await get(page, { ...crawler, cookie: `a=${'c'.repeat(6 * 1024)}` })).status, 402)
    const posted = await post(crawler, 'x'.repeat(10_000))
    assert.deepEqual([posted.status, JSON.parse(posted.text).x402Version], [402, 2])
    assert.equal(site.seen.length, seen, 'the site heard of none of it')
}

function assertPaid(answer, status, body) {
    assert.deepEqual([answer.status, answer.text], [status, body])
    assert.equal(answer.headers['crawler-charged'], 'USD 0.05')
    assert.match(answer.headers['payment-response'], /^scheme="deferred"/)
    assert.match(answer.headers['cache-control'], /private/)
}

// The site hears who has paid, and nothing that anybody else has said about that.
function assertTold({ site, agent }, id) {
    const { url, headers } = site.seen.at(-1)
    assert.equal(headers.host, 'shop.example')
    assert.equal(headers['x-crawltab-agent'], agent.origin)
    assert.equal(headers['x-crawltab-payment'], id)
    assert.equal(headers['x-crawltab-amount'], '0.05')
    assert.deepEqual(own(headers).sort(), ['x-crawltab-agent', 'x-crawltab-amount', 'x-crawltab-payment'])
    assert.ok(!JSON.stringify(headers).includes('forged'))
    assert.ok(!names(headers).some(field => field === 'payment' || field.startsWith('signature')))
    return { url, forwarded: headers['x-forwarded-for'] }
}

async function crawlersPay(set, { get, post, offered, sign, commit, asks }) {
    const { ledger, site, gate, lost } = set
    const before = ledger.count('charge')
    const charged = () => ledger.count('charge') - before
    const id = await offered(page)
    const headers = { ...(await sign(page, id)), ...spoofed, ...misled }
    assertPaid(await get(page, headers, { from: '127.0.7.7' }), 200, text)
    const { url, forwarded } = assertTold(set, id)
    assert.equal(url, page)
    assert.equal(forwarded.split(',').at(-1).trim(), '127.0.7.7')
    if (!asks) {
        assert.equal(forwarded, '127.0.7.7')
        assert.equal(site.seen.at(-1).headers['x-forwarded-host'], 'shop.example')
        await gate.logged(/client=127\.0\.7\.7 status=200 .*code=paid/)
    }
    assertPaid(await get(page, headers), 200, text)
    assert.equal(charged(), 1, 'the same commitment is charged once')

    const part = await get(page, { ...(await commit(page)), Range: 'bytes=10-19' })
    assertPaid(part, 206, text.slice(10, 20))
    assert.equal(part.headers['content-range'], `bytes 10-19/${text.length}`)
    assert.equal(charged(), 2)

    const known = await offered(page)
    const unchanged = await get(page, { ...(await sign(page, known)), 'If-None-Match': etag })
    assert.deepEqual([unchanged.status, unchanged.text], [304, ''])
    if (asks) lost.push(known) // charged by the yes, and taken back
    assert.equal(charged(), asks ? 3 : 2)
    const head = await get(page, await commit(page), { method: 'HEAD' })
    assert.deepEqual([head.status, head.text], [402, ''])

    const body = 'question '.repeat(1000)
    const asked = JSON.parse((await post(crawler, body)).text).accepts[0].extra.id
    const paying = signPost(set, asked, body)
    if (!asks) {
        // Where the front delivers, the body is between it and the site.
        const other = await post(paying, `${body}!`)
        assert.deepEqual([other.status, other.headers['crawler-error']], [403, 'signature_invalid'])
    }
    assertPaid(await post(paying, body), 200, `posted ${body.length} bytes`)
    assertTold(set, asked)
    assert.equal(site.seen.at(-1).body, body)
    assert.equal(charged(), asks ? 4 : 3, 'neither HEAD nor another body was charged')
}

async function nobodySeesWhatIsSmuggled({ site, gate, ledger }, { port }) {
    const before = site.seen.length
    const charges = ledger.count('charge')
    const inner = 'GET /smuggled HTTP/1.1\r\nHost: shop.example\r\n\r\n'
    const attempts = [
        [`Content-Length: ${inner.length}`, 'Transfer-Encoding: chunked'],
        ['Content-Length: 0', `Content-Length: ${inner.length}`],
        ['Transfer-Encoding: chunked', 'Transfer-Encoding: identity'],
        ['Transfer-Encoding : chunked'],
        ['Transfer-Encoding: xchunked']
    ].flatMap(fields => [person, crawler].map(who => ({ fields, who })))
    const attempt = async ({ fields, who }) => {
        const head = [
            `POST /form HTTP/1.1`,
            'Host: shop.example',
            `User-Agent: ${who['user-agent']}`,
            'Connection: close',
            ...fields
        ]
        const bytes = await talk(port, `${head.join('\r\n')}\r\n\r\n0\r\n\r\n${inner}`, { silence: 20_000 })
        assert.ok(bytes.toString('latin1').split('HTTP/1.1 ').length <= 2, `one answer: ${fields}`)
    }
    await Promise.all(attempts.map(attempt))
    assert.ok(!site.seen.slice(before).some(({ url }) => url === '/smuggled'))
    assert.ok(!gate.log.includes('smuggled'))
    assert.equal(ledger.count('charge'), charges)
}

// The gate has it, and not the site: who delivers by himself sends it there, or has none.
async function accountsAreRead({ key, agent }, { get, asks }) {
    const target = `${base}/entries?limit=1`
    const read = await get(target, { ...crawler, ...asking(key, agent.origin, target) })
    if (asks) return assert.deepEqual([read.status, read.text], [404, 'no such page\n'])
    assert.equal(read.status, 200, read.text)
    const { entries, next } = JSON.parse(read.text)
    assert.equal(entries.length, 1)
    assert.ok(next.startsWith(target.replace('limit=1', '')), next)
    const dispute = { method: 'POST', body: '{}' }
    const headers = asking(key, agent.origin, `${base}/disputes`, dispute)
    const opened = await get(`${base}/disputes`, { ...crawler, ...headers }, dispute)
    assert.equal(opened.headers['crawler-error'], 'malformed_dispute', opened.text)
}

async function checkFindsItGood(set, { port, asks }) {
    const words = ['front', '--check', 'http://shop.example/articles/a.html', '--at', `127.0.0.1:${port}`]
    const { stdout } = await set.crawltab(...words, ...(asks ? ['--decisions'] : []))
    assert.match(stdout, /^good {3}people do not reach the gate$/m)
    assert.match(stdout, /^good {3}a person gets the page: status 200$/m)
    assert.match(stdout, /^good {3}\S+ gets an offer: USD 0\.05$/m)
    assert.match(stdout, /^good {3}the offer is for this URL$/m)
    assert.match(stdout, /^good {3}all 1\d\d crawlers of the list reach the gate$/m)
    assert.equal(stdout.match(/ leads to the gate$/gm).length, 8)
}

async function slowOrDownCostsNothing(set, fronts) {
    const { site, ledger, lost } = set
    await Promise.all(
        fronts.map(async front => {
            const id = await front.offered('/slow')
            const slow = await front.get('/slow', await front.sign('/slow', id))
            assert.equal(slow.status, 504)
            if (!front.asks) return assert.equal(slow.headers['crawler-error'], 'origin_timeout')
            lost.push(id)
            // A receipt of another form, which the front's log has to be read in, too.
            const [accepted] = JSON.parse((await front.get('/slow', crawler)).text).accepts
            const fields = paymentSignature(accepted)
            const headers = signed(set.key, set.agent.origin, 'shop.example', fields)
            assert.equal((await front.get('/slow', headers)).status, 504)
            lost.push(accepted.extra.id)
        })
    )
    const charges = ledger.count('charge')
    const commitments = new Map()
    for (const front of fronts) {
        const id = await front.offered(page)
        commitments.set(front, await front.sign(page, id))
        if (front.asks) lost.push(id)
    }
    await site.stop()
    for (const front of fronts) {
        const down = await front.get(page, commitments.get(front))
        if (front.asks) assert.ok([502, 503].includes(down.status), `status ${down.status}`)
        else
            assert.deepEqual([down.status, down.headers['crawler-error']], [502, 'origin_unavailable'])
        assert.notEqual(down.headers['crawler-error'], 'gate_unavailable')
        assert.ok((await front.get('/new', person)).status >= 500) // nothing that a front may have kept
        assert.equal((await front.get(page, crawler)).status, 402, 'offers are made all the same')
    }
    await site.start()
    const asking = fronts.filter(front => front.asks).length
    assert.equal(ledger.count('charge'), charges + asking)
    await Promise.all(
        fronts.map(async front => {
            const good = async (target, headers) => (await front.get(target, headers)).status === 200
            await until(() => good('/new', person), 'the site is found again')
            if (!front.asks) await until(() => good(page, commitments.get(front)), 'the same id pays now')
        })
    )
    assert.equal(ledger.count('charge'), charges + fronts.length)
}

// What was charged by a yes and has not arrived: told by the front at once, or by its log.
async function whatIsLostIsTakenBack(t, { ledger, crawltab, lost }, front) {
    const file = path.join(temporaryFolder(t), 'access.log')
    const known = () =>
        ledger.query('SELECT payment_id FROM undelivered ORDER BY payment_id').split('\n').filter(Boolean)
    const uuid = id => {
        const hex = Buffer.from(id, 'base64url').toString('hex', 0, 16)
        return hex.replace(/^(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-')
    }
    await until(async () => {
        fs.writeFileSync(file, front.accessLog())
        await crawltab('undelivered', '--log', file)
        return known().length >= lost.length
    }, 'all that did not arrive are told')
    assert.equal(known().length, lost.length)
    assert.deepEqual(known(), lost.map(uuid).sort())
}

async function crawlersComeBackLater({ site, gate }, { get }) {
    const seen = site.seen.length
    const { port } = gate
    for (const headers of [crawler, { ...person, Payment: 'x' }]) {
        const answer = await get(page, headers)
        assert.equal(answer.status, 503, answer.text)
        assert.equal(answer.headers['crawler-error'], 'gate_unavailable')
        assert.equal(answer.headers['retry-after'], '5')
        assert.match(answer.headers['content-type'], /^application\/problem\+json/)
        assert.equal(JSON.parse(answer.text).code, 'gate_unavailable', port)
    }
    assert.equal(site.seen.length, seen)
    assert.equal((await get(page, person)).status, 200, 'people notice nothing')
}

async function crawlersReadFree({ site }, { get, tells }) {
    await until(async () => (await get(page, crawler)).status === 200, 'crawlers get the page')
    const answer = await get('/free', { ...person, Payment: 'x', 'X-Crawltab-Agent': 'forged' })
    assert.deepEqual([answer.status, answer.text], [200, text])
    const { url, headers } = site.seen.at(-1)
    assert.equal(url, '/free')
    assert.deepEqual(own(headers), [])
    assert.equal(names(headers).includes('payment'), tells === true)
}

// Each of `kinds` is a front in one style. `start` gets the printed configuration and the port, and returns
// the running front; `open` changes the configuration by the one line that lets crawlers read free while the
// gate is down. The site then sees what they pay with if it `tells`. A front that `asks` delivers by itself,
// and `accessLog` gives its log, as it is documented for `crawltab undelivered --log`.
export async function examine(t, name, kinds, decisions = {}) {
    const site = await makeSite(t)
    const gatePort = await freePort()
    const folder = frontFolder(t)
    const set = await scene(t, {
        listen: `127.0.0.1:${gatePort}`,
        trustedProxies: ['127.0.0.1'],
        origin: { head_seconds: 1 },
        decisions: { listen: `unix:${path.join(folder, 'ask.sock')}`, ...decisions },
        site: {
            root: '',
            scheme: 'http',
            origin: site.origin,
            methods: ['POST'],
            rules: [{ action: 'charge', price: '0.05' }]
        }
    })
    const { gate } = set
    Object.assign(set, {
        site,
        lost: [],
        gateSaw: () => (gate.log.match(/event=request site=/g) ?? []).length // no health checks
    })
    const style = kind => (kind.asks ? ' and delivers' : '')
    const fronts = []
    for (const kind of kinds) {
        const port = await freePort()
        const words = ['front', name, '--listen', `127.0.0.1:${port}`, ...(kind.asks ? ['--decisions'] : [])]
        const printed = (await set.crawltab(...words)).stdout
        fronts.push({ ...kind, ...ask(set, port), port, printed, style: style(kind) })
    }
    const start = async (front, printed) => (front.server = await front.start(printed, front.port))
    await Promise.all(fronts.map(front => start(front, front.printed)))
    for (const front of fronts) {
        const each = (what, run) => t.test(`${what}${front.style}`, () => run(set, front))
        await each('people go straight to the site', peopleGoToTheSite)
        await each('crawlers get an offer, by any sign of theirs', crawlersGetAnOffer)
        await each('crawlers that pay get the page', crawlersPay)
        await each('crawlers read their accounts', accountsAreRead)
        await each('what is smuggled is seen by nobody', nobodySeesWhatIsSmuggled)
        await each('crawltab front --check finds it as it should be', checkFindsItGood)
    }
    const all = (what, run) => t.test(what, () => Promise.all(fronts.map(front => run(set, front))))
    await t.test('a site that is slow or down costs nothing', () => slowOrDownCostsNothing(set, fronts))
    for (const front of fronts.filter(front => front.asks))
        await t.test('what did not arrive is taken back', () => whatIsLostIsTakenBack(t, set, front))
    await gate.stop()
    await t.test('while the gate is down crawlers are told to come back', async () => {
        for (const front of fronts) await crawlersComeBackLater(set, front)
    })
    await gate.start()
    await all('and find it again', async (_, { get }) =>
        until(async () => (await get(page, crawler)).status === 402, 'crawlers are back at the gate')
    )
    await all('they read free by one line', async (_, front) => {
        await front.server.stop()
        await start(front, front.open(front.printed))
        assert.equal((await front.get(page, crawler)).status, 402)
    })
    await gate.stop()
    await t.test('which holds while the gate is down', async () => {
        for (const front of fronts) await crawlersReadFree(set, front)
    })
}

// Replaces what stands once in the text.
export function change(text, before, after) {
    assert.equal(text.split(before).length, 2, before)
    return text.replace(before, after)
}
