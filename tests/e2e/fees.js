// Ledgers with invoices over any amount: crawlers that owe a flat fee for one day.
import assert from 'node:assert/strict'
import { stage } from './support.js'

// So far back that the day can be closed at any hour. Shortly after a midnight the gate keeps the day before
// as well: agreements are in force from this instant, so that they owe for one day.
export const dayAgo = 26 * 3600 + 300

const text = value => `'${JSON.stringify(value).replaceAll("'", "''")}'`

// Makes the sites' ledger and an invoice for each account {site, fee, tax, buyer, settlement}, in this order:
// `fee` in micro-units, tax in millionths. Each of the crawlers gets the number and total of its invoice.
export async function billed(t, options, accounts) {
    const set = await stage(t, { gate: false, ...options })
    const gate = await set.startGate('--clock-offset', String(-dayAgo))
    await gate.logged(/event=ledger_ready/)
    await gate.stop()
    const { ledger } = set
    accounts.forEach((account, i) => {
        const { fee, tax = 0, buyer = { name: 'Crawler Inc' }, settlement = {} } = account
        account.agent = `https://crawler${i + 1}.example`
        ledger.own(`WITH account AS (
            INSERT INTO crawler (agent, first_seen_at) VALUES ('${account.agent}', now()) RETURNING *)
            INSERT INTO agreement (site_id, crawler_id, version, valid_from, recorded_at, actor, reason,
                status, cadence, subscription, fee_micros, included_crawls, minimum_fee_micros,
                minimum_invoice_micros, tax_treatment, tax_rate_ppm, due_days, buyer, settlement)
            SELECT s.site_id, a.crawler_id, 1, now() - interval '${dayAgo} seconds', now(), 'test', 'test',
                'active', 'daily', false, ${fee}, 0, 0, 0, '${tax ? 'standard' : 'none'}', ${tax}, 14,
                ${text(buyer)}, ${text(settlement)}
              FROM account a, site s WHERE s.name = '${account.site ?? 'example'}'`)
    })
    // Between one and two o'clock the day after it could be closed as well.
    await set.crawltab('nightly', '--day', new Date(Date.now() - dayAgo * 1000).toISOString().slice(0, 10))
    for (const account of accounts) {
        const row = ledger.query(`SELECT number, site_name, total_minor, currency, currency_decimals
            FROM invoice WHERE agent = '${account.agent}'`)
        const [number, site, total, currency, decimals] = row.split('|')
        assert.ok(total, `no invoice for ${account.agent}`)
        Object.assign(account, { number, site, total: BigInt(total), currency, decimals: Number(decimals) })
    }
    return { ...set, accounts }
}
