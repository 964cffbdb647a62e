// Invoices are collected once, by files that programs read which we did not write.
import assert from 'node:assert/strict'
import fs from 'node:fs'
import path from 'node:path'
import { test } from 'node:test'
import ach from '@ach/ach'
import { PaymentRequiredV2Schema } from '@x402/core/schemas'
import { scene, withWebBotAuth } from './signers.js'

const page = '/articles/harbour-bell.html'
// So far back that the day of the crawls can be closed at any hour.
const offset = -(26 * 3600 + 300)

// An invoice over 0.05 of a crawler that pays as `settlement` says.
async function billed(t, settlement, site = {}) {
    const set = await scene(t, { site }, '--clock-offset', String(offset))
    const id = await set.gate.offer(page)
    const time = Date.now() + offset * 1000
    const headers = await withWebBotAuth(set.key, set.agent.origin, `https://shop.example${page}`, id, {
        time
    })
    assert.equal((await set.gate.request(page, { headers })).status, 200)
    await set.crawltab('nightly')
    const agree = settlement =>
        set.ledger.query(`
            INSERT INTO agreement (site_id, crawler_id, version, valid_from, recorded_at, actor, reason,
                status, cadence, subscription, fee_micros, included_crawls, minimum_fee_micros,
                minimum_invoice_micros, tax_treatment, tax_rate_ppm, due_days, buyer, settlement)
            SELECT site_id, crawler_id, (SELECT count(*) + 1 FROM agreement), now(), now(), 'test', 'test',
                'active', 'daily', false, 0, 0, 0, 0, 'none', 0, 30, '{"name": "Crawler Inc"}',
                '${JSON.stringify(settlement)}'
              FROM site, crawler`)
    agree(settlement)
    const settle = async (...words) =>
        JSON.parse((await set.crawltab('settle', ...words, '--out', set.folder, '--json')).stdout)
    return { ...set, agree, settle }
}

const x402 = {
    rail: 'x402',
    network: 'eip155:8453',
    asset: '0x833589fCD6eDb6E08f4c7C32D4f71b54bdA02913',
    pay_to: '0x209693Bc6afc0C5328bA36FaF03C514EF312287C',
    decimals: 6
}

test('an invoice is collected once, whoever asks how often', async t => {
    const { crawltab, settle, ledger, folder } = await billed(t, x402)
    assert.equal((await settle('--dry-run')).length, 1)
    assert.equal(ledger.count('settlement'), 0)
    const [first, second] = await Promise.all([settle().catch(() => []), settle().catch(() => [])])
    const [batch] = [...first, ...second]
    assert.equal(first.length + second.length, 1)
    assert.deepEqual(await settle(), [])
    assert.equal(ledger.count('settlement'), 1)
    const bytes = fs.readFileSync(batch.file)
    assert.equal(fs.statSync(batch.file).mode & 0o77, 0)
    fs.rmSync(batch.file)
    const written = (await crawltab('settle', 'write', batch.batch, '--out', folder)).stdout.trim()
    assert.deepEqual(fs.readFileSync(written), bytes)
    // The bank gave it back: once more, by name.
    const number = ledger.query('SELECT number FROM invoice')
    assert.equal((await settle('--again', number)).length, 1)
    assert.equal(ledger.query('SELECT max(attempt) FROM settlement'), '2')
    assert.equal(JSON.parse((await crawltab('settle', 'list', '--json')).stdout).length, 2)
    await assert.rejects(settle('--again', 'INV-1999-000001'), /cannot be collected/)
})

test('x402 payment requests are what @x402/core takes', async t => {
    const { settle } = await billed(t, x402)
    const [batch] = await settle('--rail', 'x402')
    const { requests } = JSON.parse(fs.readFileSync(batch.file, 'utf8'))
    const request = PaymentRequiredV2Schema.parse(requests[0])
    const [accepts] = request.accepts
    assert.deepEqual(
        [accepts.scheme, accepts.network, accepts.amount, accepts.payTo],
        ['exact', x402.network, '50000', x402.pay_to]
    )
})

test('what the bank needs and does not get is named, and nothing is collected', async t => {
    const { settle, agree, ledger } = await billed(t, { ...x402, asset: '' })
    await assert.rejects(settle(), /INV-\d{4}-000001 has no settlement\.asset/)
    assert.equal(ledger.count('settlement') + ledger.count('settlement_batch'), 0)
    agree(x402)
    assert.equal((await settle()).length, 1)
})

test('a card is charged by the publisher, who is told to', async t => {
    const { settle, ledger } = await billed(t, { rail: 'card', customer: 'cus_1' })
    const [batch] = await settle()
    assert.equal(batch.file, '')
    const body = JSON.parse(ledger.query('SELECT body FROM outbox'))
    assert.equal(body.type, 'settlement.requested')
    assert.deepEqual(
        body.data.charges.map(({ due_minor, currency, settlement }) => [
            due_minor,
            currency,
            settlement.customer
        ]),
        [[5, 'USD', 'cus_1']]
    )
})
