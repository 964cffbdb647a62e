// The decision listener, asked over HTTP as fronts ask, and told what did not arrive.
// Tests server/decisions/decisions.c, server/gate/allow.c
import assert from 'node:assert/strict'
import path from 'node:path'
import { test } from 'node:test'
import { scene, withBase, withWebBotAuth } from '../signers.js'
import { payment, temporaryFolder, until } from '../support.js'

// A gate with a listener on a unix socket; `ask` is one question.
async function asked(t, options = {}) {
    const socket = path.join(temporaryFolder(t), 'decisions')
    const set = await scene(t, {
        ...options,
        decisions: { listen: `unix:${socket}`, ...options.decisions },
        site: { root: '', ...options.site }
    })
    const ask = ({ target = '/', ...question } = {}) =>
        set.gate.request(target, { ...question, socketPath: socket })
    // As Caddy and Traefik do.
    const about = (target, headers = {}, method = 'GET') =>
        ask({ headers: { 'x-forwarded-method': method, 'x-forwarded-uri': target, ...headers } })
    const crawler = { 'user-agent': 'GPTBot/1.2' }
    const offer = async target => JSON.parse((await about(target, crawler)).text).accepts[0].extra.id
    const sign = (target, id) =>
        withWebBotAuth(set.key, set.agent.origin, `https://shop.example${target}`, id)
    return { ...set, ask, about, crawler, offer, sign }
}

const identity = answer => ['agent', 'payment', 'amount'].map(name => answer.headers[`x-crawltab-${name}`])

test('a person may pass, a crawler hears the offer, and who pays is named', async t => {
    const { about, crawler, offer, sign, ledger, agent } = await asked(t)
    const person = await about('/articles/a', {
        'user-agent': 'Mozilla/5.0',
        'x-crawltab-agent': 'https://me.example'
    })
    assert.equal(person.status, 200)
    assert.deepEqual(identity(person), ['', '', ''])
    assert.equal((await about('/form', { 'user-agent': 'Mozilla/5.0' }, 'POST')).status, 200)
    const unpaid = await about('/articles/a', crawler)
    assert.equal(unpaid.status, 402)
    assert.equal(unpaid.headers['crawler-price'], 'USD 0.05')
    // Also where the client asked with HEAD: the front sends on what it gets.
    const head = await about('/articles/a', crawler, 'HEAD')
    assert.equal(head.status, 402)
    assert.equal(JSON.parse(head.text).x402Version, 2)
    assert.equal((await about('/drafts/x', crawler)).status, 403)
    const id = await offer('/articles/a?b=%20')
    const signed = await sign('/articles/a?b=%20', id)
    const paid = await about('/articles/a?b=%20', signed)
    assert.equal(paid.status, 200)
    assert.deepEqual(identity(paid), [agent.origin, id, '0.05'])
    assert.match(paid.headers['payment-response'], new RegExp(`id="${id}"`))
    assert.equal(paid.headers['crawler-charged'], 'USD 0.05')
    assert.equal(ledger.query('SELECT resource FROM charge'), 'https://shop.example/articles/a?b=%20')
    assert.equal((await about('/articles/a?b=%20', signed)).status, 200)
    assert.equal((await about('/articles/other', signed)).headers['crawler-error'], 'offer_mismatch')
    assert.equal(ledger.count('charge'), 1)
})

test('what changes something gets one yes', async t => {
    const { about, offer, key, agent, ledger } = await asked(t)
    const sign = async target => {
        const fields = { Payment: payment(await offer(target)), 'Signature-Agent': `"${agent.origin}"` }
        return withBase(key, fields, [
            ['"@method"', 'POST'],
            ['"@authority"', 'shop.example'],
            ['"payment"', fields.Payment],
            ['"signature-agent"', fields['Signature-Agent']]
        ])
    }
    const signed = await sign('/articles/a')
    const first = await about('/articles/a', signed, 'POST')
    assert.equal(first.status, 200, first.text)
    assert.equal(first.headers['crawler-charged'], 'USD 0.05')
    const second = await about('/articles/a', signed, 'POST')
    assert.deepEqual([second.status, second.headers['crawler-error']], [409, 'request_repeated'])
    assert.equal(second.headers['crawler-charged'], 'USD 0.05')
    const same = await sign('/articles/b')
    const all = await Promise.all(Array.from({ length: 8 }, () => about('/articles/b', same, 'POST')))
    assert.deepEqual(all.map(answer => answer.status).sort(), [200, ...Array(7).fill(409)])
    assert.deepEqual([ledger.count('charge'), ledger.count('handover')], [2, 2])
})

test('its own path is nobody\'s page, and what differs is refused', async t => {
    const { ask, gate } = await asked(t)
    assert.equal((await ask({ target: '/about.html' })).status, 400)
    const differ = { 'x-original-uri': '/a', 'x-forwarded-uri': '/about.html' }
    assert.equal((await ask({ headers: differ })).status, 400)
    assert.equal((await ask({ method: 'POST', headers: { 'x-original-uri': '/a' }, body: 'x' })).status, 400)
    await gate.logged(/event=question_refused detail="the question has a body/)
    // The gate's own door knows nothing of it.
    const own = await gate.request('/about.html', {
        headers: { 'x-original-uri': '/articles/a', 'user-agent': 'GPTBot' }
    })
    assert.equal(own.status, 404)
})

test('nginx is told where to go on, and Envoy asks below a path', async t => {
    const { ask, ledger } = await asked(t, {
        decisions: { accel_redirect: '@origin', path_prefix: '/decide' }
    })
    const nginx = await ask({ headers: { 'x-original-uri': '/a', 'user-agent': 'Mozilla/5.0' } })
    assert.equal(nginx.headers['x-accel-redirect'], '@origin')
    const envoy = await ask({ target: '/decide/articles/a', headers: { 'user-agent': 'GPTBot/1.2' } })
    assert.equal(envoy.status, 402)
    assert.equal(envoy.headers['x-accel-redirect'], undefined)
    assert.equal(JSON.parse(envoy.text).resource.url, 'https://shop.example/articles/a')
    assert.equal(ledger.count('charge'), 0)
})

test('what did not arrive is told, once, and its id opens nothing any more', async t => {
    const { ask, about, offer, sign, ledger, crawltab } = await asked(t)
    const tell = body => ask({ method: 'POST', target: '/undelivered', body: JSON.stringify(body) })
    const id = await offer('/articles/a')
    const signed = await sign('/articles/a', id)
    assert.equal((await tell({ id, status: 504, bytes: 0 })).status, 404)
    assert.equal((await about('/articles/a', signed)).status, 200)
    const first = await tell({ id, status: 504, bytes: 12, length: 500 })
    assert.deepEqual([first.status, JSON.parse(first.text).outcome], [200, 'recorded'])
    const second = await tell({ id: ledger.query('SELECT payment_id FROM charge'), status: 500, bytes: 0 })
    assert.deepEqual([second.status, JSON.parse(second.text).outcome], [200, 'known'])
    const row = 'SELECT status, sent_bytes, length_bytes, told_by FROM undelivered'
    assert.equal(ledger.query(row), '504|12|500|front')
    assert.equal((await about('/articles/a', signed)).headers['crawler-error'], 'payment_undelivered')
    for (const body of [{}, { id: 'x' }, { id, status: 'bad' }, { id, bytes: -1 }, [id], 7])
        assert.equal((await tell(body)).status, 400, JSON.stringify(body))
    assert.equal((await ask({ method: 'POST', target: '/undelivered', body: '{' })).status, 400)
    assert.equal((await ask({ method: 'POST', target: '/undelivered', body: 'x'.repeat(5000) })).status, 413)
    await crawltab('audit')
    // Without the ledger it is told again later.
    ledger.stop()
    const away = await tell({ id, status: 500, bytes: 0 })
    assert.equal(away.status, 503)
    ledger.start()
    await until(async () => (await tell({ id, status: 500, bytes: 0 })).status === 200, 'the ledger')
})

test('a reload reaches the listener', async t => {
    const set = await asked(t)
    const { about, crawler, gate } = set
    const changed = { rules: [{ name: 'all', action: 'charge', price: '1.25' }] }
    set.configure(changed)
    gate.process.kill('SIGHUP')
    await gate.logged(/event=reloaded/)
    const price = async () => (await about('/articles/a', crawler)).headers['crawler-price']
    await until(async () => (await price()) === 'USD 1.25', 'the price')
})

test('what is asked is counted, and where a rule observes everybody hears what a person hears', async t => {
    const set = await asked(t)
    const { gate, about, crawler, offer, sign, ledger, agent } = set
    const id = await offer('/articles/a')
    const signed = await sign('/articles/a', id)
    assert.equal((await about('/articles/a', signed)).status, 200)
    set.configure({ site: { root: '', mode: 'observe' } })
    gate.process.kill('SIGHUP')
    await gate.logged(/event=reloaded/)
    const second = await sign('/articles/a', id)
    const strip = ({ status, headers, text }) => ({ status, text, ...headers, date: '' })
    const person = strip(await about('/articles/a', { 'user-agent': 'Firefox' }))
    assert.equal(person.status, 200)
    for (const headers of [crawler, second])
        assert.deepEqual(strip(await about('/articles/a', headers)), person)
    assert.deepEqual(strip(await about('/drafts/x', crawler)), person)
    assert.equal(ledger.count('charge'), 1)
    const sum = 'SELECT coalesce(sum(requests), 0) FROM traffic_counts'
    await until(() => ledger.query(sum) === '6', 'all are counted')
    const found = ledger.query(
        'SELECT crawler, outcome, reason, sum(amount_micros) FROM traffic_counts GROUP BY 1, 2, 3'
    )
    const expected = [
        'GPTBot|observed|blocked|0',
        'GPTBot|observed|offered|50000',
        'GPTBot|offered||50000',
        `${agent.origin}|observed|paid|50000`,
        `${agent.origin}|paid||50000`,
        'others|free||0'
    ]
    assert.deepEqual(found.split('\n').sort(), expected.sort())
})
