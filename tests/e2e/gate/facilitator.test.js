// The facilitator, called over HTTP as resource servers call it.
// Tests server/facilitator/facilitator.c, server/facilitator/discovery.c, server/facilitator/order.c,
// server/facilitator/answer.c, server/gate/settlement.c, ledger/token/token.c, ledger/token/tokens.c,
// tools/crawltab/gate/token.c
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { market } from '../facilitators.js'
import { paymentSignature } from '../dialects.js'
import { until } from '../support.js'

// The same call, for another amount.
const at = (body, amount) => ({
    ...body,
    paymentRequirements: { ...body.paymentRequirements, amount }
})

const refused = answer => [answer.status, answer.json.success, answer.json.errorReason]

test('a payment is verified and settled once, by whatever way it comes', async t => {
    const set = await market(t)
    const { call, ask, offer, order, paid, agent, ledger, crawltab } = set
    const supported = (await call('/supported')).json
    assert.deepEqual(supported.kinds.map(kind => [kind.x402Version, kind.scheme, kind.network]), [
        [2, 'deferred', 'shop:402'],
        [2, 'batch-settlement', 'shop:402']
    ])
    assert.deepEqual(supported.signers, {})
    assert.deepEqual(supported.extensions, ['http-message-signatures', 'payment-identifier'])
    const offered = await offer()
    const { id } = offered.accepts[0].extra
    const body = order(offered)
    const verified = await call('/verify', body)
    assert.deepEqual([verified.status, verified.json], [200, { isValid: true, payer: agent.origin }])
    assert.equal(paid(), '0 for 0')
    const settled = await call('/settle', body)
    assert.equal(settled.status, 200, settled.text)
    const { extra, ...rest } = settled.json
    assert.deepEqual(rest, {
        ...{ success: true, payer: agent.origin, transaction: id, network: 'shop:402' },
        ...{ amount: '12500000', asset: 'USD' }
    })
    assert.ok(Math.abs(extra.timestamp - Date.now() / 1000) < 60)
    assert.equal(paid(), '1 for 12500000')
    // Again, several at once, and in the header that the payer might have sent.
    const again = await Promise.all(Array.from({ length: 6 }, () => call('/settle', body)))
    for (const answer of again) assert.deepEqual(answer.json, settled.json)
    const { accepted, payload } = body.paymentPayload
    const header = await ask('/page', paymentSignature(accepted, payload))
    assert.equal(header.headers['crawler-charged'], 'USD 12.50')
    assert.equal((await call('/verify', body)).json.isValid, true)
    assert.equal(paid(), '1 for 12500000')
    // Two at once of a payment that nobody has seen.
    const fresh = order(await offer('https://shop.example/other?a=1'))
    const both = await Promise.all([call('/settle', fresh), call('/settle', fresh)])
    assert.deepEqual(both.map(answer => answer.json.success), [true, true])
    assert.equal(both[0].json.transaction, both[1].json.transaction)
    assert.equal(paid(), '2 for 25000000')
    assert.equal(
        ledger.query('SELECT resource FROM charge ORDER BY payment_id DESC LIMIT 1'),
        'https://shop.example/other?a=1'
    )
    // In cents, and with a lower amount than was offered.
    const minor = await call('/settle', order(await offer(), { accept: 1, scheme: 'batch-settlement' }))
    assert.deepEqual([minor.json.success, minor.json.amount], [true, '1250'])
    const lower = await call('/settle', order(await offer(), { amount: '7000000' }))
    assert.deepEqual([lower.json.success, lower.json.amount], [true, '7000000'])
    assert.equal(paid(), '4 for 44500000')
    // What is counted and audited is what any crawl is.
    await until(() => ledger.query("SELECT sum(requests) FROM traffic_counts WHERE outcome = 'paid'") === '4',
        'the counts')
    await crawltab('audit')
    const { stdout } = await crawltab('lookup', id)
    assert.match(stdout, /https:\/\/shop\.example\/page/)
    // By an identifier of the payer's own, which is one payment's.
    const named = async () => {
        const body = order(await offer())
        const info = { required: false, id: 'pay_by_this_name_once' }
        body.paymentPayload.extensions = { 'payment-identifier': { info } }
        return body
    }
    const [mine, another] = [await named(), await named()]
    const bound = (await call('/settle', mine)).json
    assert.equal(bound.success, true)
    const taken = await call('/settle', another)
    assert.deepEqual(refused(taken), [200, false, 'invalid_transaction_state'])
    assert.match(taken.json.errorMessage, /^payment_identifier_conflict: /)
    // What was lost is told again when all its times are over, by another gate; and nothing new is recorded.
    const never = order(await offer())
    await set.gate.stop()
    await (await set.startGate('--clock-offset', '3000')).ready()
    await until(set.known(set.keys.shop), 'the gate reads the key')
    for (const [sent, told] of [[body, settled.json], [mine, bound]]) {
        assert.deepEqual((await call('/settle', sent)).json, told)
        assert.equal((await call('/verify', sent)).json.isValid, true)
    }
    for (const kind of ['/settle', '/verify']) {
        const { json } = await call(kind, never)
        assert.match(json.errorMessage ?? json.invalidMessage, /^offer_expired: /)
    }
    assert.equal(paid(), '5 for 57000000')
})

test('what cannot be settled is refused in the words of x402, and costs nothing', async t => {
    const { call, offer, order, paid, keys } = await market(t)
    const elsewhere = order(await offer('https://news.example/a'))
    // Another server's payment, with its own key and with this one's.
    assert.deepEqual(refused(await call('/settle', elsewhere)), [200, false, 'invalid_network'])
    const disguised = structuredClone(elsewhere)
    for (const part of [disguised.paymentRequirements, disguised.paymentPayload.accepted])
        Object.assign(part, { network: 'shop:402', payTo: order(await offer()).paymentRequirements.payTo })
    assert.deepEqual(refused(await call('/settle', disguised)), [403, false, 'unauthorized_server'])
    const own = order(await offer())
    assert.deepEqual(refused(await call('/settle', own, { key: keys.news })), [200, false, 'invalid_network'])
    // The id of another page, of another site's offer, and at another price.
    const offered = await offer('https://shop.example/a')
    const page = order(offered, { resource: 'https://shop.example/b' })
    assert.deepEqual(refused(await call('/settle', page)), [200, false, 'invalid_payload'])
    const foreign = structuredClone(offered)
    foreign.accepts[0].extra.id = (await offer('https://news.example/a')).accepts[0].extra.id
    assert.deepEqual(refused(await call('/settle', order(foreign))), [200, false, 'invalid_payload'])
    const cheap = structuredClone(offered)
    cheap.accepts[0].amount = '1'
    const wrong = await call('/settle', order(cheap))
    assert.deepEqual(refused(wrong), [200, false, 'invalid_payload'])
    assert.match(wrong.json.errorMessage, /^offer_mismatch: /)
    const more = order(offered, { amount: '12500001' })
    assert.deepEqual(refused(await call('/settle', more)), [200, false, 'invalid_payment_requirements'])
    const price = structuredClone(offered)
    for (const accepted of price.accepts) delete accepted.extra
    price.accepts[0].amount = '13000000'
    assert.deepEqual(refused(await call('/settle', order(price))), [200, false, 'price_not_acceptable'])
    // Somebody else's signature, an expired one, and a scheme that is not ours.
    const forged = order(offered)
    const [, , signature] = forged.paymentPayload.payload.commitment.split('.')
    forged.paymentPayload.payload.commitment = order(await offer('https://shop.example/c'))
        .paymentPayload.payload.commitment.replace(/[^.]*$/, signature)
    assert.equal((await call('/settle', forged)).json.success, false)
    const late = order(offered, { time: Date.now() - 200_000 })
    assert.deepEqual(refused(await call('/settle', late)), [200, false, 'invalid_signature'])
    assert.equal((await call('/verify', late)).json.invalidReason, 'invalid_signature')
    const exact = order(offered)
    exact.paymentRequirements.scheme = exact.paymentPayload.accepted.scheme = 'exact'
    assert.deepEqual(refused(await call('/settle', exact)), [200, false, 'unsupported_scheme'])
    // By rules that ask nothing, or give nothing.
    const terms = offered.accepts[0]
    for (const [path, reason] of [
        ['about', 'invalid_payment_requirements'],
        ['watched', 'invalid_payment_requirements'],
        ['drafts/x', 'blocked']
    ]) {
        const resource = `https://shop.example/${path}`
        const free = { resource: { url: resource }, accepts: [{ ...terms, extra: {} }] }
        const answer = await call('/settle', order(free))
        assert.deepEqual(refused(answer), [200, false, reason], path)
    }
    // What is no call.
    const good = order(offered)
    const broken = change => {
        const body = structuredClone(good)
        change(body)
        return body
    }
    for (const [body, code] of [
        ['', 'invalid_payload'],
        ['{', 'invalid_payload'],
        ['[]', 'invalid_payload'],
        ['{"a":1,"a":2}', 'invalid_payload'],
        [{}, 'invalid_payload'],
        [broken(b => delete b.paymentRequirements), 'invalid_payment_requirements'],
        [broken(b => (b.paymentRequirements.amount = '1.5')), 'invalid_payment_requirements'],
        [broken(b => (b.x402Version = 1)), 'invalid_x402_version'],
        [broken(b => (b.paymentPayload.x402Version = 1)), 'invalid_x402_version'],
        [broken(b => delete b.paymentPayload.resource), 'invalid_payload'],
        [broken(b => (b.paymentPayload.resource.url = '/page')), 'invalid_payload'],
        [broken(b => delete b.paymentPayload.payload.commitment), 'invalid_payload'],
        [broken(b => (b.paymentPayload.payload.commitment = 'a.b.c')), 'invalid_payload']
    ]) {
        const answer = await call('/settle', body)
        assert.deepEqual(refused(answer), [400, false, code], JSON.stringify(body))
        assert.match(answer.json.errorMessage, /\w+ \w+/)
        assert.deepEqual([answer.json.transaction === '' || body.paymentPayload !== undefined,
            typeof answer.json.network], [true, 'string'])
        assert.equal((await call('/verify', body)).json.isValid, false)
    }
    assert.equal((await call('/settle', 'x'.repeat(20_000))).status, 413)
    assert.equal((await call('/settle')).status, 405)
    assert.equal((await call('/page')).status, 404)
    assert.equal(paid(), '0 for 0')
})

test('the second settlement says what is billed in the end', async t => {
    const set = await market(t)
    const { call, ask, offer, order, paid, ledger, crawltab } = set
    const spent = () => ledger.query('SELECT sum(entries), sum(amount_micros) FROM spend')
    const body = order(await offer())
    const { id } = body.paymentPayload.accepted.extra
    assert.equal((await call('/settle', body)).json.amount, '12500000')
    // Several at once, again, and the first call once more, which cannot be told from a repeated one.
    const lower = at(body, '7000000')
    const answers = await Promise.all([lower, lower, lower].map(one => call('/settle', one)))
    for (const answer of [...answers, await call('/settle', lower), await call('/settle', body)])
        assert.deepEqual([answer.json.success, answer.json.transaction, answer.json.amount],
            [true, id, '7000000'], answer.text)
    // To another amount: lower, nothing, and higher.
    for (const amount of ['6999999', '0', '7000001', '12499999'])
        assert.deepEqual(refused(await call('/settle', at(body, amount))),
            [200, false, 'invalid_transaction_state'], amount)
    assert.equal(spent(), '1|7000000')
    // It was delivered: the same commitment goes on opening the page.
    const { accepted, payload } = body.paymentPayload
    const header = await ask('/page', paymentSignature(accepted, payload))
    assert.deepEqual([header.status, header.headers['crawler-charged']], [200, 'USD 7.00'])
    // Different amounts at once: one of them.
    const other = order(await offer('https://shop.example/race'))
    assert.equal((await call('/settle', other)).json.success, true)
    const race = await Promise.all(['1', '2', '3', '0'].map(amount => call('/settle', at(other, amount))))
    assert.deepEqual(race.map(answer => answer.json.success).sort(), [false, false, false, true])
    // In cents.
    const cents = order(await offer(), { accept: 1, scheme: 'batch-settlement' })
    assert.equal((await call('/settle', cents)).json.amount, '1250')
    for (const answer of [await call('/settle', at(cents, '700')), await call('/settle', at(cents, '700'))])
        assert.deepEqual([answer.json.success, answer.json.amount], [true, '700'])
    // Cut off, again and again.
    const cut = order(await offer('https://shop.example/cut'))
    assert.equal((await call('/settle', cut)).json.success, true)
    for (let i = 0; i < 5; i++) await set.cutOff('/settle', at(cut, '5'))
    assert.equal((await call('/settle', at(cut, '5'))).json.amount, '5')
    assert.equal(paid(), '4 for 50000000')
    const told = JSON.parse((await crawltab('lookup', '--json', id)).stdout)
    assert.deepEqual([told.undelivered.told_by, told.undelivered.final_micros], ['server', 7000000])
    await crawltab('audit')
})

test('what a server does not deliver is taken back, also when what was signed is over', async t => {
    const set = await market(t)
    const { call, ask, offer, order, paid, ledger, crawltab } = set
    const body = order(await offer())
    const nothing = at(body, '0')
    const { id } = body.paymentPayload.accepted.extra
    assert.equal((await call('/settle', body)).json.amount, '12500000')
    // While the one is not in the ledger yet the other is pending, and asks again.
    const settle = async () => {
        const answer = await call('/settle', nothing)
        return answer.json.errorReason === 'settlement_pending' ? settle() : answer
    }
    const both = await Promise.all([settle(), settle()])
    for (const answer of [...both, await call('/settle', nothing)])
        assert.deepEqual([answer.json.success, answer.json.transaction, answer.json.amount], [true, id, '0'],
            answer.text)
    assert.equal(
        ledger.query('SELECT count(*), min(told_by), min(status), min(sent_bytes) FROM undelivered'),
        '1|server|0|0'
    )
    // There is one end, whatever is said afterwards, and by whom.
    for (const other of [body, at(body, '7000000')])
        assert.deepEqual(refused(await call('/settle', other)), [200, false, 'invalid_transaction_state'])
    const { accepted, payload } = body.paymentPayload
    const header = await ask('/page', paymentSignature(accepted, payload))
    assert.equal(header.headers['crawler-error'], 'payment_undelivered')
    // A handler that takes longer than the offer and the commitment hold.
    const kept = order(await offer('https://shop.example/kept'))
    assert.equal((await call('/settle', kept)).json.success, true)
    const slow = order(await offer('https://shop.example/slow'))
    const first = (await call('/settle', slow)).json
    assert.equal(first.success, true)
    const never = order(await offer('https://shop.example/never'))
    await set.gate.stop()
    await (await set.startGate('--clock-offset', '1800')).ready()
    await until(set.known(set.keys.shop), 'the gate reads the key')
    assert.match((await call('/verify', never)).json.invalidMessage, /^offer_expired/)
    assert.deepEqual((await call('/settle', slow)).json, first)
    const free = at(slow, '0')
    assert.deepEqual([(await call('/settle', free)).json.amount, (await call('/settle', free)).json.amount],
        ['0', '0'])
    assert.deepEqual(refused(await call('/settle', never)), [200, false, 'invalid_payload'])
    assert.equal(paid(), '3 for 37500000')
    await crawltab('audit')
    // Nothing of it is billed.
    const site = ['--site', 'shop', '--json']
    const { stdout } = await crawltab('undelivered', ...site)
    assert.equal(JSON.parse(stdout).length ?? JSON.parse(stdout).undelivered.length, 2)
})

test('keys are made and revoked, and each opens what it is for', async t => {
    const { call, offer, order, paid, keys, make, known, crawltab, ledger } = await market(t)
    for (const key of ['', 'ctab_', keys.shop.slice(0, -1), `${keys.shop}x`]) {
        const answer = await call('/settle', order(await offer()), { key })
        assert.deepEqual(refused(answer), [401, false, 'unauthorized_server'])
        assert.equal(answer.headers['www-authenticate'], 'Bearer')
        assert.equal((await call('/supported', undefined, { key })).status, 401)
    }
    assert.match(keys.shop, /^ctab_[\w-]{43}$/)
    assert.equal(ledger.query('SELECT count(*) FROM token WHERE octet_length(digest) = 32'), '2')
    const reader = await make('reader', 'shop', '--role', 'verify', '--expires', '2099-01-01')
    await until(known(reader), 'the gate reads the new key')
    const body = order(await offer())
    assert.equal((await call('/verify', body, { key: reader })).json.isValid, true)
    const only = await call('/settle', body, { key: reader })
    assert.deepEqual(refused(only), [403, false, 'unauthorized_server'])
    await assert.rejects(make('reader', 'shop'), /is, or was, a key of this name/)
    await assert.rejects(make('Reader', 'shop'), error => error.code === 64)
    await assert.rejects(make('old', 'shop', '--expires', '2020-01-01'), error => error.code === 64)
    assert.equal((await call('/settle', body)).json.success, true)
    assert.match((await crawltab('token', 'revoke', 'shop-1', '--site', 'shop')).stdout, /^revoked/)
    assert.match((await crawltab('token', 'revoke', 'shop-1', '--site', 'shop')).stdout, /before/)
    await assert.rejects(crawltab('token', 'revoke', 'nobody', '--site', 'shop'), /no such key/)
    await until(async () => (await call('/settle', body)).status === 401, 'the gate has heard of it')
    assert.equal((await call('/verify', body, { key: reader })).json.isValid, true)
    const list = JSON.parse((await crawltab('token', 'list', '--site', 'shop', '--json')).stdout)
    assert.deepEqual(list.map(item => [item.name, item.role, item.state]), [
        ['shop-1', 'settle', 'revoked'],
        ['reader', 'verify', 'in force']
    ])
    assert.equal(list[1].expires_at, '2099-01-01T00:00:00Z')
    assert.equal(paid(), '1 for 12500000')
    await assert.rejects(async () => ledger.query("UPDATE token SET role = 'settle'"), /append|change/i)
    await crawltab('audit')
})

test('without the ledger a settlement is pending, and is charged once when it is back', async t => {
    const { call, cutOff, offer, order, paid, ledger } = await market(t, { ownServer: true })
    const body = order(await offer())
    const lost = order(await offer('https://shop.example/lost'))
    assert.equal((await call('/settle', lost)).json.success, true)
    ledger.stop()
    // Nobody has it yet, though the gate knows that it is not to be billed.
    const early = await Promise.all([0, 1].map(() => call('/settle', at(lost, '0'))))
    for (const answer of early)
        assert.deepEqual(refused(answer), [503, false, 'settlement_pending'])
    const away = await call('/settle', body)
    assert.deepEqual(refused(away), [503, false, 'settlement_pending'])
    assert.deepEqual([away.json.transaction, away.headers['retry-after']],
        [body.paymentPayload.accepted.extra.id, '1'])
    assert.equal((await call('/verify', body)).json.isValid, true)
    ledger.start()
    await until(async () => (await call('/settle', body)).json.success, 'the ledger is back')
    // Cut off: who asked has gone before it was answered.
    const cut = order(await offer('https://shop.example/cut'))
    for (let i = 0; i < 5; i++) await cutOff('/settle', cut)
    assert.equal((await call('/settle', cut)).json.success, true)
    assert.equal((await call('/settle', at(lost, '0'))).json.amount, '0')
    assert.equal(paid(), '3 for 37500000')
})

test('what is for sale is listed, in pages', async t => {
    const rules = Array.from({ length: 45 }, (_, i) => ({
        name: `page ${i}`,
        paths: [`/page-${i}/**`],
        action: 'charge',
        price: `${i + 1}`
    }))
    const site = { name: 'shop', hosts: ['shop.example'], network: 'shop:402', rules }
    const news = { name: 'news', hosts: ['news.example'], network: 'news:402', rules: rules.slice(0, 1) }
    const sites = [site, news].map(one => ({ ...one, terms_url: `https://${one.hosts[0]}/terms` }))
    const { call } = await market(t, { sites })
    const first = (await call('/discovery/resources')).json
    assert.deepEqual(first.pagination, { limit: 20, offset: 0, total: 45 })
    assert.equal(first.items.length, 20)
    const { resource, type, x402Version, accepts, lastUpdated } = first.items[1]
    assert.deepEqual([resource, type, x402Version], ['https://shop.example/page-1/*', 'http', 2])
    assert.deepEqual([accepts[0].amount, accepts[0].scheme], ['2000000', 'deferred'])
    assert.ok(Math.abs(new Date(lastUpdated) - Date.now()) < 600_000)
    const seen = []
    for (let offset = 0; offset < 60; offset += 15)
        seen.push(...(await call(`/discovery/resources?limit=15&offset=${offset}`)).json.items)
    assert.equal(new Set(seen.map(item => item.resource)).size, 45)
    assert.equal((await call('/discovery/resources?limit=100')).json.items.length, 45)
    assert.equal((await call('/discovery/resources?network=news:402')).json.pagination.total, 0)
    assert.equal((await call('/discovery/resources?scheme=deferred&type=http')).json.pagination.total, 45)
    for (const wrong of ['limit=0', 'limit=101', 'limit=x', 'limit=-1', 'offset=x', 'limit=99999999999'])
        assert.equal((await call(`/discovery/resources?${wrong}`)).status, 400, wrong)
    const found = []
    for (let cursor = '0'; cursor; ) {
        const page = (await call(`/discovery/search?query=PAGE+%34&limit=4&cursor=${cursor}`)).json
        found.push(...page.resources.map(item => item.metadata.description))
        cursor = page.pagination?.cursor
    }
    assert.deepEqual(found, ['page 4', ...[40, 41, 42, 43, 44].map(i => `page ${i}`)])
    assert.equal((await call('/discovery/search?query=nothing')).json.pagination, null)
    assert.equal((await call('/discovery/resources', undefined, { key: 'x' })).status, 401)
})
