// Traefik and Envoy, which are not Debian's: the questions that they are known to send, made by what
// `crawltab front` prints for them, and what they make of the answers.
// Tests tools/crawltab/front/traefik.c, tools/crawltab/front/envoy.c
import assert from 'node:assert/strict'
import http from 'node:http'
import { test } from 'node:test'
import { scene, withWebBotAuth } from '../signers.js'
import { freePort } from '../support.js'

const person = 'Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0'
const page = '/articles/a%20b.html?x=%c3%bc&y=1'

const ask = (port, { method, path, headers }) =>
    new Promise((resolve, reject) => {
        const options = { host: '127.0.0.1', port, method, path, headers, setHost: false, agent: false }
        const request = http.request(options, response => {
            let text = ''
            response.on('data', data => (text += data))
            response.on('end', () =>
                resolve({ status: response.statusCode, headers: response.headers, text })
            )
        })
        request.on('error', reject)
        request.end()
    })

const without = (headers, gone) =>
    Object.fromEntries(Object.entries(headers).filter(([name]) => !gone(name.toLowerCase())))

// Values of the lines `- {exact: 'NAME', …}` behind a line with this word.
function patterns(printed, word) {
    const lines = printed.slice(printed.indexOf(`${word}:\n`)).split('\n').slice(2)
    const end = lines.findIndex(line => !line.includes('- {exact: '))
    return lines.slice(0, end).map(line => /'(.*?)'/.exec(line)[1])
}

// forward.go: GET without a body at the address, with the client's fields but for those of one hop and the
// forwarded ones, which are made anew. `clean` stands before it.
const traefik = {
    name: 'traefik',
    question: (printed, { method, target, headers }) => {
        const [, host] = /address: 'http:\/\/([^/']+)\/'/.exec(printed)
        const emptied = [...printed.matchAll(/^ {10}(\S+): ""$/gm)].map(([, name]) => name.toLowerCase())
        const gone = name => emptied.includes(name) || name.startsWith('x-forwarded-') || name === 'host'
        const forwarded = {
            host,
            'X-Forwarded-Method': method,
            'X-Forwarded-Proto': 'http',
            'X-Forwarded-Host': 'shop.example',
            'X-Forwarded-Uri': target,
            'X-Forwarded-For': '192.0.2.7'
        }
        return { method: 'GET', path: '/', headers: { ...without(headers, gone), ...forwarded } }
    },
    upstream: printed => /authResponseHeaders: \[(.*)\]/.exec(printed)[1].toLowerCase().split(', '),
    receipt: () => [],
    routes: (printed, headers) => {
        const rules = [...printed.matchAll(/HeaderRegexp\(`(.*?)`, `(.*?)`\)/g)].map(([, name, pattern]) => {
            const [, any, rest] = /^(\(\?i\))?(.*)$/.exec(pattern)
            return { name: name.toLowerCase(), pattern: new RegExp(rest, any ? 'i' : '') }
        })
        return rules.some(({ name, pattern }) => name in headers && pattern.test(headers[name]))
    }
}

// ext_authz's HTTP service: the client's method, Host and path behind the prefix, a length of nothing, and of
// the other fields those that are allowed.
const envoy = {
    name: 'envoy',
    question: (printed, { method, target, headers }) => {
        const allowed = [...patterns(printed, 'allowed_headers'), 'authorization']
        const kept = without(headers, name => !allowed.includes(name))
        const [, prefix] = /path_prefix: '(.*)'/.exec(printed)
        return {
            method,
            path: prefix + target,
            headers: {
                ...kept,
                host: 'shop.example',
                'content-length': '0',
                'x-forwarded-for': '192.0.2.7'
            }
        }
    },
    upstream: printed => patterns(printed, 'allowed_upstream_headers'),
    receipt: printed => patterns(printed, 'allowed_client_headers_on_success'),
    routes: (printed, headers) => {
        const matches = [...printed.matchAll(/match: .*headers: \[\{name: (\S+?), (.*)\}\]\}$/gm)]
        return matches.some(([, name, match]) => {
            if (!(name in headers)) return false
            if (match === 'present_match: true') return true
            const [, kind, value] = /\{(contains|prefix): '(.*)', ignore_case: true\}/.exec(match)
            const [has, wanted] = [headers[name].toLowerCase(), value.toLowerCase()]
            return kind === 'prefix' ? has.startsWith(wanted) : has.includes(wanted)
        })
    }
}

const misled = {
    'x-original-uri': '/robots.txt',
    'x-forwarded-uri': '/robots.txt',
    'x-forwarded-host': 'elsewhere.example',
    'x-forwarded-method': 'HEAD',
    'x-crawltab-agent': 'https://forged.example'
}

// Crawlers by each sign, and nobody else.
function crawlersAreAskedAbout(front, printed) {
    const asked = headers => front.routes(printed, { host: 'shop.example', ...headers })
    assert.ok(!asked({ 'user-agent': person, authorization: 'Basic TGljZW5zZTo=', ...misled }))
    for (const word of ['GPTBot/1.2', 'Mozilla/5.0 (compatible; ClaudeBot/1.0)', 'ccbot'])
        assert.ok(asked({ 'user-agent': word }), word)
    for (const field of ['payment', 'payment-signature', 'x-payment', 'signature-input', 'signature-agent'])
        assert.ok(asked({ 'user-agent': person, [field]: '"x"' }), field)
    assert.ok(asked({ 'user-agent': person, authorization: 'License abc' }))
}

async function answersAreAsTheyShouldBe({ key, agent, ledger, gate }, front, printed, port) {
    const send = (headers, method = 'GET', target = page) =>
        ask(port, front.question(printed, { method, target, headers }))
    const before = ledger.count('charge')
    const crawler = { 'user-agent': 'GPTBot/1.2', cookie: `a=${'c'.repeat(6 * 1024)}`, ...misled }
    const unpaid = await send(crawler)
    assert.equal(unpaid.status, 402, unpaid.text)
    const offer = JSON.parse(unpaid.text)
    assert.equal(offer.resource.url, `http://shop.example${page}`)
    assert.equal((await send(crawler, 'HEAD')).status, 402)
    assert.equal((await send(crawler, 'POST')).status, 402)
    const { id } = offer.accepts[0].extra
    const signed = await withWebBotAuth(key, agent.origin, offer.resource.url, id)
    const paid = await send({ ...signed, ...misled, range: 'bytes=0-9' })
    assert.equal(paid.status, 200, paid.text)
    const said = name => front.upstream(printed).includes(name) && paid.headers[name]
    assert.equal(said('x-crawltab-agent'), agent.origin)
    assert.equal(said('x-crawltab-payment'), id)
    assert.equal(said('x-crawltab-amount'), '0.05')
    for (const name of front.receipt(printed)) assert.ok(paid.headers[name], name)
    const charges = ledger.query('SELECT DISTINCT resource, amount_micros FROM charge')
    assert.equal(charges, `${offer.resource.url}|50000`)
    await gate.logged(/client=192\.0\.2\.7 status=200/)
    // The person whom a rough match sends here is let pass, and is nobody.
    const free = await send({ 'user-agent': person })
    assert.deepEqual([free.status, free.headers['x-crawltab-agent']], [200, ''])
    assert.equal(ledger.count('charge'), before + 1)
}

async function faultsAreSaid({ crawltab, configure }) {
    const refused = async (why, ...words) =>
        assert.rejects(crawltab('front', ...words), error => {
            assert.deepEqual([error.code, error.stdout], [1, ''])
            assert.match(error.stderr, why)
            return true
        })
    configure({ decisions: {} })
    await refused(/decisions\.listen is empty/, 'caddy', '--decisions')
    configure({ decisions: { listen: 'unix:/run/ask.sock' } })
    await refused(/accel_redirect names no location/, 'nginx', '--decisions')
    await refused(/path_prefix is empty/, 'envoy')
    await refused(/is a unix socket/, 'traefik')
    await refused(/cannot ask/, 'varnish', '--decisions')
    await refused(/cannot ask/, 'apache', '--decisions')
    configure({ site: {} })
    await refused(/a site has no origin/, 'traefik')
}

test('Traefik and Envoy ask the gate first', { timeout: 200_000 }, async t => {
    const port = await freePort()
    const set = await scene(t, {
        decisions: { listen: `127.0.0.1:${port}`, path_prefix: '/decide' },
        site: {
            root: '',
            scheme: 'http',
            origin: 'http://127.0.0.1:8080',
            rules: [{ action: 'charge', price: '0.05' }]
        }
    })
    for (const front of [traefik, envoy]) {
        const { stdout: printed } = await set.crawltab('front', front.name)
        await t.test(`who is asked about by ${front.name}`, () => crawlersAreAskedAbout(front, printed))
        await t.test(`what ${front.name} asks`, () => answersAreAsTheyShouldBe(set, front, printed, port))
    }
    await t.test('what a front lacks in the configuration is said', () => faultsAreSaid(set))
})
