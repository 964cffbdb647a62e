// Invoices are collected once, by files that programs read which we did not write.
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import fs from 'node:fs'
import path from 'node:path'
import { test } from 'node:test'
import ach from '@ach/ach'
import { PaymentRequiredV2Schema } from '@x402/core/schemas'
import { scene, withWebBotAuth } from '../signers.js'
import { root } from '../support.js'

const page = '/articles/harbour-bell.html'
// So far back that the day of the crawls can be closed at any hour.
const offset = -(26 * 3600 + 300)

// An invoice over 0.05 of a crawler that pays as `settlement` says.
async function billed(t, settlement, site = {}) {
    // In a sandbox "TEST-" stands before it, and a bank's file has room for 15 characters.
    const invoice = { number: 'I{year}-{number:4}' }
    const set = await scene(t, { site: { invoice, ...site } }, '--clock-offset', String(offset))
    const id = await set.gate.offer(page)
    const time = Date.now() + offset * 1000
    const headers = await withWebBotAuth(set.key, set.agent.origin, `https://shop.example${page}`, id, {
        time
    })
    assert.equal((await set.gate.request(page, { headers })).status, 200)
    await set.crawltab('nightly')
    const agree = settlement => {
        const terms = Object.entries(settlement).map(([key, value]) => `settlement.${key}=${value}`)
        return set.crawltab(
            'agreement',
            'set',
            set.agent.origin,
            '--reason',
            'test',
            'buyer.name=Crawler Inc',
            ...terms
        )
    }
    await agree(settlement)
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
    const off = await crawltab('invoice', 'write-off', number, '--reason', 'bankrupt')
    assert.match(off.stdout, /^\S+ is written-off; 0\.05 USD is owed, and not counted on any more$/m)
    await assert.rejects(settle('--again', number), /cannot be collected/)
})

test('an invoice in a batch is not collected by another rail as well', async t => {
    const { agree, settle, ledger } = await billed(t, { rail: 'card' })
    assert.equal((await settle()).length, 1)
    await agree(x402)
    assert.deepEqual(await settle(), [])
    // Unless somebody says that the first attempt has failed.
    const [batch] = await settle('--again', ledger.query('SELECT number FROM invoice'))
    assert.equal(batch.rail, 'x402')
    assert.equal(ledger.query('SELECT rail, attempt FROM settlement ORDER BY attempt'), 'card|1\nx402|2')
})

test('a number that two sites have is collected again of one of them', async t => {
    const rules = [{ action: 'charge', price: '0.05' }]
    const place = name => ({
        name,
        hosts: [`${name}.example`],
        root: path.join(root, 'tools/demo/site'),
        network: 'example:402',
        terms_url: 'https://shop.example/terms',
        rules
    })
    const sites = [place('one'), place('two')]
    const set = await scene(t, { sites }, '--clock-offset', String(offset))
    for (const { name, hosts } of sites) {
        const [host] = hosts
        const id = await set.gate.offer(page, { host })
        const time = Date.now() + offset * 1000
        const signed = await withWebBotAuth(set.key, set.agent.origin, `https://${host}${page}`, id, { time })
        assert.equal((await set.gate.request(page, { host, headers: signed })).status, 200)
        const terms = ['buyer.name=Crawler Inc', 'settlement.rail=card']
        const words = ['--site', name, '--reason', 'test', ...terms]
        await set.crawltab('agreement', 'set', set.agent.origin, ...words)
    }
    // A configuration bills its own sites: it does not know how the other one's invoices look.
    set.configure({ sites: sites.slice(0, 1) })
    assert.match((await set.crawltab('nightly')).stderr, /not in this configuration.*two.*--site/s)
    assert.equal(set.ledger.query('SELECT DISTINCT site_name FROM invoice'), 'one')
    set.configure({ sites })
    await set.crawltab('nightly')
    const settle = async (...words) => JSON.parse((await set.crawltab('settle', ...words, '--json')).stdout)
    assert.equal((await settle()).length, 2)
    const number = set.ledger.query('SELECT DISTINCT number FROM invoice')
    await assert.rejects(settle('--again', number), /several sites.*--site/s)
    assert.equal(set.ledger.count('settlement'), 2)
    assert.equal((await settle('--again', number, '--site', 'two')).length, 1)
    assert.equal(set.ledger.count('settlement'), 3)
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

const achSite = {
    seller: 'The Example Gazette',
    billing: {
        ach_destination: '021000021',
        ach_destination_name: 'A Bank',
        ach_origin: '1234567890',
        ach_company_id: '1234567890'
    }
}
const achTerms = { rail: 'ach', routing_number: '011000015', account: '0123456789', kind: 'checking' }

test('what the bank needs and does not get is named, and nothing is collected', async t => {
    const { settle, configure, ledger } = await billed(t, achTerms)
    await assert.rejects(settle(), /TEST-I\d{4}-0001 has no seller\.ach_company_id/)
    assert.equal(ledger.count('settlement') + ledger.count('settlement_batch'), 0)
    configure({ site: achSite })
    assert.equal((await settle()).length, 1)
})

test('without the publisher of today nothing is collected for the one of then', async t => {
    const { settle, configure, ledger } = await billed(t, achTerms, achSite)
    const billing = { ...achSite.billing, ach_company_id: '1999999999', logo: 'config.yaml' }
    configure({ site: { ...achSite, billing } })
    await assert.rejects(settle(), /billing\.logo is no PNG/)
    assert.equal(ledger.count('settlement') + ledger.count('settlement_batch'), 0)
})

test('the ACH file is what npm @ach/ach reads', async t => {
    const { settle, ledger } = await billed(t, achTerms, achSite)
    const [batch] = await settle('--collect-on', '2030-01-31')
    const text = fs.readFileSync(batch.file, 'utf8')
    for (const line of text.trimEnd().split('\n')) assert.equal(line.length, 94)
    const file = await new Promise((resolve, reject) => {
        const parser = ach().getParser('ach')
        parser.on('error', reject)
        parser.on('data', resolve)
        fs.createReadStream(batch.file).pipe(parser)
    })
    const [bundle] = file.batches
    const [entry] = bundle.entries
    assert.equal(file.batches.length, 1)
    assert.equal(bundle.entries.length, 1)
    assert.equal(bundle.effectiveDate, '300131')
    assert.deepEqual(
        [entry.transactionCode, entry.amount, entry.identificationNumber, entry.receivingCompanyName],
        ['27', 5, ledger.query('SELECT number FROM invoice'), 'CRAWLER INC']
    )
    for (const { entryHash, totalDebit, totalCredit } of [bundle.footer, file.file.footer])
        assert.deepEqual([entryHash, totalDebit, totalCredit], [1100001, 5, 0])
    // Files of one day have names of their own; 2030-05-25 is the Saturday before Memorial Day.
    const again = async () =>
        (await settle('--again', ledger.query('SELECT number FROM invoice'), '--collect-on', '2030-05-25'))[0]
    const next = await again()
    assert.equal(next.collect_on, '2030-05-28')
    assert.equal(fs.readFileSync(next.file, 'utf8').split('\n')[1].slice(69, 75), '300528')
    const modifier = batch => fs.readFileSync(batch.file, 'utf8')[33]
    const dayOf = batch => ledger.query(`SELECT (made_at AT TIME ZONE 'UTC')::date FROM settlement_batch
        WHERE batch_id = '${batch.batch}'`)
    const third = await again()
    const names = new Set([batch, next, third].map(one => dayOf(one) + modifier(one)))
    assert.equal(names.size, 3)
})

test('the SEPA file names both accounts and adds up', async t => {
    const site = {
        currency: 'EUR',
        seller: 'The Example Gazette',
        billing: { iban: 'DE89370400440532013000', creditor_id: 'DE98ZZZ09999999999' }
    }
    const mandate = {
        rail: 'sepa-direct-debit',
        iban: 'FR1420041010050500013M02606',
        mandate_id: 'M-1',
        mandate_date: '2026-01-31'
    }
    const { settle } = await billed(t, mandate, site)
    const [batch] = await settle('--collect-on', '2030-01-31')
    const value = xpath =>
        execFileSync('xmllint', ['--xpath', `string(//*[local-name()="${xpath}"])`, batch.file], {
            encoding: 'utf8'
        }).trim()
    assert.equal(value('CtrlSum'), '0.05')
    assert.equal(value('InstdAmt'), '0.05')
    assert.equal(value('ReqdColltnDt'), '2030-01-31')
    assert.equal(value('CdtrAcct'), site.billing.iban)
    assert.equal(value('DbtrAcct'), mandate.iban)
    assert.equal(value('MndtId'), 'M-1')
    // From Good Friday to the Tuesday after Easter.
    const words = ['--again', value('EndToEndId'), '--collect-on', '2030-04-19']
    assert.equal((await settle(...words))[0].collect_on, '2030-04-23')
})

test('a card is charged by the publisher, who is told to', async t => {
    const { settle, ledger } = await billed(t, { rail: 'card' })
    const [batch] = await settle()
    assert.equal(batch.file, '')
    const body = JSON.parse(ledger.query('SELECT body FROM outbox'))
    assert.equal(body.type, 'settlement.requested')
    assert.deepEqual(
        body.data.charges.map(({ due_minor, currency, settlement }) => [
            due_minor,
            currency,
            settlement.rail
        ]),
        [[5, 'USD', 'card']]
    )
})

test('a statement goes up to today at the site, where tomorrow may have begun', async t => {
    const { agent, crawltab, ledger } = await billed(t, x402, { time_zone: 'Pacific/Kiritimati' })
    const number = ledger.query('SELECT number FROM invoice')
    await crawltab('invoice', 'paid', number, '--amount', '0.02', '--reference', 'R1')
    const statement = async (...words) =>
        JSON.parse((await crawltab('statement', agent.origin, '--json', ...words)).stdout)
    const [account] = await statement()
    assert.equal(account.closing_minor, 3)
    assert.equal(account.to, ledger.query('SELECT received_on FROM invoice_payment'))
    const [later] = await statement('--from', '2999-01-01')
    assert.deepEqual([later.to, later.opening_minor, later.lines], ['2999-01-01', 3, []])
    await assert.rejects(statement('--from', '2026-11-02', '--to', '2026-11-01'), /is after --to/)
})

test("what a bank's file says was paid is booked once", async t => {
    const { crawltab, ledger, folder } = await billed(t, x402)
    const number = ledger.query('SELECT number FROM invoice')
    const file = path.join(folder, 'bank.csv')
    const spaced = number.toLowerCase().replaceAll('-', ' / ')
    fs.writeFileSync(
        file,
        [
            'reference,amount,currency,date,text',
            `R1,0.02,USD,2026-11-20,"part of ${spaced}, thanks"`,
            'R2,12.00,USD,2026-11-20,rent',
            `R3,0.01,EUR,2026-11-20,${number}`,
            `R4,-0.01,USD,2026-11-20,${number}`
        ].join('\r\n')
    )
    const book = async (...words) => {
        const answer = await crawltab('import', file, '--json', ...words).catch(error => error)
        return [answer.code ?? 0, JSON.parse(answer.stdout).map(one => [one.reference, one.outcome])]
    }
    const left = [
        ['R2', 'names no invoice: left for you'],
        ['R3', 'in another currency: left for you']
    ]
    const back = ['R4', `returned (${number}): 0.04 USD open`]
    const before = [['R1', 'booked before'], ...left, ['R4', 'booked before']]
    assert.deepEqual(await book('--dry-run'), [2, [['R1', 'booked'], ...left, back]])
    assert.equal(ledger.count('invoice_payment'), 0)
    assert.deepEqual(await book(), [2, [['R1', 'booked'], ...left, back]])
    assert.deepEqual(await book(), [2, before])
    assert.deepEqual(await book('--dry-run'), [2, before])
    assert.equal(ledger.count('invoice_payment'), 2)
    const shown = async () => JSON.parse((await crawltab('invoice', 'show', number, '--json')).stdout)
    assert.deepEqual([(await shown()).status, (await shown()).open_minor], ['part-paid', 4])
    // The rest by camt.053, and the first reference of that day again with another amount.
    const entry = (reference, amount) => `<Ntry><Amt Ccy="USD">${amount}</Amt><CdtDbtInd>CRDT</CdtDbtInd>
        <Sts><Cd>BOOK</Cd></Sts><BookgDt><Dt>2026-11-20</Dt></BookgDt><AcctSvcrRef>${reference}</AcctSvcrRef>
        <NtryDtls><TxDtls><RmtInf><Ustrd>${number}</Ustrd></RmtInf></TxDtls></NtryDtls></Ntry>`
    fs.writeFileSync(
        file,
        `<Document xmlns="urn:iso:std:iso:20022:tech:xsd:camt.053.001.08"><BkToCstmrStmt><Stmt>
        ${entry('S1', '0.04')}${entry('R1', '0.05')}</Stmt></BkToCstmrStmt></Document>`
    )
    assert.deepEqual(await book(), [
        2,
        [
            ['S1', 'booked'],
            ['R1', 'booked before, with another amount: left for you']
        ]
    ])
    assert.deepEqual([(await shown()).status, (await shown()).open_minor], ['paid', 0])
    fs.writeFileSync(file, 'reference;amount\n')
    await assert.rejects(crawltab('import', file), /nothing was booked.*no column "currency"/s)
    await assert.rejects(crawltab('import', `${file}.none`), /cannot be read/)
})
