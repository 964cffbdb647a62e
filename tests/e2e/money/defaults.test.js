// What a site bills crawlers without an agreement: by its own terms, or nothing until there is one.
import assert from 'node:assert/strict'
import path from 'node:path'
import { test } from 'node:test'
import { scene, withWebBotAuth } from '../signers.js'
import { root } from '../support.js'

const page = '/articles/harbour-bell.html'
// Two days in a row, so far back that the second can be closed at any hour.
const offsets = [-(50 * 3600 + 300), -(26 * 3600 + 300)]

const place = (name, invoice) => ({
    ...{ name, invoice, hosts: [`${name}.example`], root: path.join(root, 'tools/demo/site') },
    ...{ network: 'example:402', terms_url: 'https://shop.example/terms', currency: 'EUR' },
    rules: [{ action: 'charge', price: '1.25' }]
})
const sites = [
    place('taxed', { due_days: 14, tax_treatment: 'standard', tax_rate: '19' }),
    place('least', { minimum: '3.75' }),
    place('held', { without_agreement: 'hold' })
]

async function crawl(set, gate, host, offset) {
    const id = await gate.offer(page, { host })
    const time = Date.now() + offset * 1000
    const headers = await withWebBotAuth(set.key, set.agent.origin, `https://${host}${page}`, id, { time })
    assert.equal((await gate.request(page, { host, headers })).status, 200)
}

test('taxed, carried up to the minimum, and held until there is an agreement', async t => {
    const set = await scene(t, { sites }, '--clock-offset', String(offsets[0]))
    const { crawltab, ledger } = set
    for (const { hosts } of sites)
        for (let i = 0; i < 2; i++) await crawl(set, set.gate, hosts[0], offsets[0])
    const later = await set.startGate('--clock-offset', String(offsets[1]))
    await later.ready()
    for (const { hosts } of sites) await crawl(set, later, hosts[0], offsets[1])
    const first = ledger.query('SELECT min(uuid_instant(payment_id))::date FROM charge')
    const invoices = async () =>
        JSON.parse((await crawltab('invoice', 'list', '--json')).stdout)
            .map(({ site, entries, total_minor }) => `${site} ${entries} ${total_minor}`)
            .sort()

    await crawltab('nightly', '--day', first)
    assert.deepEqual(await invoices(), ['taxed 2 298'])
    const number = ledger.query('SELECT number FROM invoice')
    const document = JSON.parse((await crawltab('invoice', 'show', number, '--json')).stdout)
    const { treatment, rate_ppm, amount_minor } = document.tax
    assert.deepEqual([treatment, rate_ppm, amount_minor, document.net_minor], ['standard', 190000, 48, 250])
    assert.equal(Date.parse(document.due_date) - Date.parse(document.issue_date), 14 * 86400000)
    assert.match(
        ledger.query('SELECT terms FROM invoice'),
        /^No agreement: the site's price list, invoices daily; due in 14 days\.$/
    )
    await crawltab('audit')
    // What is held, or below the minimum, is told with that of the day that is still open.
    const [crawler] = JSON.parse((await crawltab('crawler', 'list', '--json')).stdout)
    assert.deepEqual(
        crawler.sites.map(({ site, open_micros }) => `${site} ${open_micros}`).sort(),
        ['held 3750000', 'least 3750000', 'taxed 1250000']
    )

    // Nothing that is held is lost: the first invoice under the agreement is over all of it.
    ledger.own(`INSERT INTO agreement (site_id, crawler_id, version, valid_from, recorded_at, actor, reason,
            status, buyer, settlement, due_days, subscription, included_crawls, minimum_fee_micros,
            minimum_invoice_micros, tax_treatment, tax_rate_ppm, cadence, fee_micros)
        SELECT site_id, crawler_id, 1, ends_at, ends_at, 'test', 'test', 'active', '{"name": "Crawler Ltd"}',
            '{}', 10, false, 0, 0, 0, 'zero', 0, 'daily', 0
          FROM crawler, site JOIN day USING (site_id) WHERE name = 'held' AND local_date = '${first}'`)
    await crawltab('nightly')
    assert.deepEqual(await invoices(), ['held 3 375', 'least 3 375', 'taxed 1 149', 'taxed 2 298'])
    assert.equal(
        ledger.query(`SELECT buyer_party ->> 'name', tax_treatment, first_date FROM invoice
            WHERE site_name = 'held'`),
        `Crawler Ltd|zero|${first}`
    )
    await crawltab('audit')

    // What counts from the oldest open day on is told once, not with each night.
    assert.equal(ledger.query('SELECT count(*), max(version) FROM site_terms'), '3|1')
    await crawltab('nightly')
    assert.equal(ledger.query('SELECT count(*) FROM site_terms'), '3')
})
