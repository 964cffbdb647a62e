// What banks' files say is booked once, on the invoice that it is for; what came back opens it again; and
// what is not sure is left for a person. The files of tests/cases/bank came from the field.
// Of ledger/collect/intake.
import assert from 'node:assert/strict'
import fs from 'node:fs'
import path from 'node:path'
import { test } from 'node:test'
import { billed } from '../fees.js'
import { root } from '../support.js'

const iban = 'DE89370400440532013000'
const site = (name, more = {}) => ({
    name,
    hosts: [`${name}.example`],
    root: path.join(root, 'tools'),
    network: 'example:402',
    terms_url: 'https://shop.example/terms',
    currency: 'EUR',
    seller: 'The Example Gazette',
    invoice: { number: 'INV-2026-{number:6}' },
    billing: { iban: 'DE89 3704 0044 0532 0130 00', creditor_id: 'DE98ZZZ09999999999' },
    rules: [{ action: 'charge', price: '1' }],
    ...more
})

// A ledger with invoices over these amounts, INV-2026-000001 and so on.
async function banked(t, fees, more = {}) {
    const accounts = fees.map(fee => (typeof fee === 'object' ? fee : { fee }))
    for (const account of accounts) account.fee = Math.round(account.fee * 1000000)
    const set = await billed(t, { sites: [site('example')], ...more }, accounts)
    const { crawltab, folder } = set
    let files = 0
    // Gives the results of importing a file, or a text as one, and the exit status.
    const give = async (text, ...words) => {
        const file = path.join(folder, `bank-${++files}`)
        // The invoices of this ledger, whose clock was moved, are those of the files with TEST- before them.
        const ours = Buffer.from(text).toString('latin1').replaceAll(/(?<!TEST-)INV-2026-/g, 'TEST-INV-2026-')
        fs.writeFileSync(file, ours, 'latin1')
        const done = await crawltab('import', file, '--json', ...words).catch(error => error)
        assert.ok(done.stdout, done.stderr)
        return [done.code ?? 0, JSON.parse(done.stdout)]
    }
    const named = name => fs.readFileSync(path.join(root, 'tests/cases/bank', name))
    const show = async (n, ...words) =>
        JSON.parse((await crawltab('invoice', 'show', number(n), '--json', ...words)).stdout)
    const open = async n => (await show(n)).open_minor
    return { ...set, give, named, show, open }
}

const number = n => `TEST-INV-2026-${String(n).padStart(6, '0')}`
const brief = ([code, list]) => [code, ...list.map(one => [one.result, one.invoice, one.amount])]
const outcomes = ([, list]) => list.map(one => one.outcome)

const camt = (...statements) => `<?xml version="1.0" encoding="UTF-8"?>
<Document xmlns="urn:iso:std:iso:20022:tech:xsd:camt.053.001.08"><BkToCstmrStmt><GrpHdr><MsgId>M</MsgId>
<CreDtTm>2026-11-24T00:00:00</CreDtTm></GrpHdr>${statements.join('')}</BkToCstmrStmt></Document>`
const statement = (entries, account = iban) =>
    `<Stmt><Id>1</Id><Acct><Id><IBAN>${account}</IBAN></Id></Acct>${entries.join('')}</Stmt>`
const entry = ({ amount, text = '', reference = 'NONREF', day = 20, side = 'CRDT', more = '', inner = '' }) =>
    `<Ntry><Amt Ccy="EUR">${amount}</Amt><CdtDbtInd>${side}</CdtDbtInd>${more}<Sts><Cd>BOOK</Cd></Sts>
    <BookgDt><Dt>2026-11-${day}</Dt></BookgDt><AcctSvcrRef>${reference}</AcctSvcrRef><NtryDtls><TxDtls>
    <RmtInf><Ustrd>${text}</Ustrd></RmtInf>${inner}</TxDtls></NtryDtls></Ntry>`
const file = (...entries) => camt(statement(entries.map(entry)))
const csv = (...lines) => ['reference,amount,currency,date,text', ...lines].join('\n')
const reason = code => `<RtrInf><Rsn><Cd>${code}</Cd></Rsn></RtrInf>`

test('files from the field', async t => {
    const set = await banked(t, [1, 0.1, 1, 1, 0.08, { fee: 0.12, settlement: { rail: 'card' } }])
    const { give, named, show, open, crawltab } = set
    await crawltab('settle')

    assert.deepEqual(brief(await give(named('nonref-day1.xml'))), [0, ['booked', number(2), '0.05']])
    assert.deepEqual(brief(await give(named('nonref-day2.xml'))), [0, ['booked', number(2), '0.05']])
    for (const name of ['nonref-day1.xml', 'nonref-day2.xml'])
        assert.deepEqual(brief(await give(named(name))), [0, ['booked before', number(2), '0.05']])
    assert.equal((await show(2)).status, 'paid')

    const batch = [2, ['booked', number(5), '0.05'], ['left', null, '100.00'], ['left', null, '200.00']]
    assert.deepEqual(brief(await give(named('batch-addtl.xml'))), batch)
    batch[1][0] = 'booked before'
    assert.deepEqual(brief(await give(named('batch-addtl.xml'))), batch)
    assert.equal(await open(5), 3)

    const noref = await give(named('noref.xml'))
    assert.deepEqual(brief(noref), [2, ['left', null, '5.00'], ['booked', number(5), '0.03']])
    assert.match(noref[1][0].outcome, /names no invoice: left for you/)
    assert.equal((await show(5)).status, 'paid')

    // What came back opens the invoice, with the bank's reason, and is collected once more.
    await crawltab('invoice', 'paid', number(6), '--amount', '0.12', '--reference', 'by hand')
    assert.equal(await open(6), 0)
    const returned = await give(named('return2.xml'))
    assert.deepEqual(brief(returned), [0, ['returned', number(6), '-0.12']])
    assert.deepEqual(outcomes(returned), ['returned (AC04 (account closed)): 0.12 EUR open'])
    assert.deepEqual(brief(await give(named('return2.xml'))), [0, ['booked before', number(6), '-0.12']])
    const opened = await show(6)
    assert.deepEqual([opened.open_minor, opened.status], [12, 'issued'])
    const event = opened.events.at(-1)
    assert.deepEqual([event.event, event.detail], ['returned', 'AC04 (account closed); RT1'])
    assert.deepEqual(JSON.parse((await crawltab('settle', '--json')).stdout), [])
    const [again] = JSON.parse((await crawltab('settle', '--again', number(6), '--json')).stdout)
    assert.equal(again.total_minor, 12)

    assert.deepEqual(brief(await give(csv(`R7,0.12,EUR,2026-11-22,${number(6)}`)))[1][0], 'booked')
    assert.deepEqual(brief(await give(named('neg.csv'))), [0, ['returned', number(6), '-0.12']])
    assert.deepEqual(brief(await give(named('neg.csv'))), [0, ['booked before', number(6), '-0.12']])
    assert.match((await show(6)).events.at(-1).detail, /^Ruecklastschrift TEST-INV-2026-000006; R8$/)
    assert.equal(await open(6), 12)
    assert.match((await crawltab('audit')).stdout, /everything adds up/)
})

test('what is left is listed for people, and what cannot be read is told', async t => {
    const { crawltab, folder, open } = await banked(t, [100])
    const good = { amount: '1.00', text: number(1), reference: 'GOOD-1' }
    fs.writeFileSync(path.join(folder, 'page'), file(good, { amount: '7.00', text: 'rent' }))
    const page = await crawltab('import', path.join(folder, 'page')).catch(error => error)
    assert.equal(page.code, 2)
    assert.match(page.stdout, /^2026-11-20 +1\.00 EUR +GOOD-1 +TEST-INV-2026-000001 +booked$/m)
    assert.match(page.stdout, /names no invoice: left for you\n {2}entry 2: rent\n/)
    assert.match(page.stdout, /^1 booked, 0 returned, 0 booked before, 1 left for you$/m)
    const refusals = [
        [Buffer.from(file(good), 'utf16le'), /UTF-16/],
        [Buffer.concat([Buffer.from([0xff, 0xfe]), Buffer.from(file(good), 'utf16le')]), /UTF-16/],
        [Buffer.from('PK\x03\x04 and so on'), /zip archive/],
        ['', /is empty/],
        ['reference,amount\n', /no column "currency"/],
        ['<Document><BkToCstmrAcctRpt/></Document>', /camt\.052/]
    ]
    for (const [bytes, pattern] of refusals) {
        fs.writeFileSync(path.join(folder, 'wrong'), bytes)
        await assert.rejects(crawltab('import', path.join(folder, 'wrong')), error => {
            assert.equal(error.code, 1)
            assert.match(error.stderr, /nothing was booked/)
            assert.match(error.stderr, pattern)
            return true
        })
    }
    await assert.rejects(crawltab('import', path.join(folder, 'none')), /cannot be read/)
    // Another account's statement is told, unless somebody says that it is the site's as well.
    const foreign = 'DE02120300000000202051'
    const other = entry({ ...good, reference: 'THEIRS-1' })
    fs.writeFileSync(path.join(folder, 'foreign'), camt(statement([other], foreign)))
    const import_ = (...words) => crawltab('import', path.join(folder, 'foreign'), ...words)
    await assert.rejects(import_(), error => error.code === 2 && /on account DE02/.test(error.stdout))
    assert.match((await import_('--account', 'de02 1203 0000 0000 2020 51')).stdout, /^1 booked/m)
    assert.equal(await open(1), 9800)
})

test('a collection that the bank credits in one sum, or rejects', async t => {
    const settlement = scheme => ({
        ...{ rail: 'sepa-direct-debit', iban: 'FR1420041010050500013M02606', mandate_id: 'M-1', scheme },
        mandate_date: '2026-01-31'
    })
    const fees = [1, 2, 4, 8].map((fee, i) => ({ fee, settlement: settlement(i < 2 ? 'core' : 'b2b') }))
    const { give, open, show, crawltab, folder } = await banked(t, fees)
    const [batch] = JSON.parse((await crawltab('settle', '--out', folder, '--json')).stdout)
    const message = batch.batch.replaceAll('-', '')
    const sum = (amount, id, count) =>
        camt(
            statement([
                entry({ amount, reference: 'SUM-1' }).replace(
                    /<NtryDtls>[^]*<\/NtryDtls>/,
                    `<NtryDtls><Btch><PmtInfId>${id}</PmtInfId><NbOfTxs>${count}</NbOfTxs></Btch></NtryDtls>`
                )
            ])
        )
    const wrong = await give(sum('3.01', `${message}-C`, 2))
    assert.deepEqual(
        [wrong[0], outcomes(wrong)],
        [2, ['a batch of 2 payments that does not list them: left for you']]
    )
    assert.deepEqual(brief(await give(sum('3.00', `${message}-C`, 2))), [
        0,
        ['booked', number(1), '1.00'],
        ['booked', number(2), '2.00']
    ])
    assert.deepEqual(
        (await give(sum('3.00', `${message}-C`, 2)))[1].map(one => one.result),
        ['booked before', 'booked before']
    )
    assert.deepEqual([await open(1), await open(2), await open(3)], [0, 0, 400])

    // pain.002: one debit, then a whole block.
    const report = inner => `<Document xmlns="urn:iso:std:iso:20022:tech:xsd:pain.002.001.10">
        <CstmrPmtStsRpt><GrpHdr><MsgId>X</MsgId><CreDtTm>2026-11-24T00:00:00</CreDtTm></GrpHdr>
        <OrgnlGrpInfAndSts><OrgnlMsgId>${message}</OrgnlMsgId><OrgnlMsgNmId>pain.008.001.08</OrgnlMsgNmId>
        </OrgnlGrpInfAndSts>${inner}</CstmrPmtStsRpt></Document>`
    const why = code => `<StsRsnInf><Rsn><Cd>${code}</Cd></Rsn></StsRsnInf>`
    const one =
        report(`<OrgnlPmtInfAndSts><OrgnlPmtInfId>${message}-C</OrgnlPmtInfId><TxInfAndSts><StsId>S1</StsId>
        <OrgnlEndToEndId>${number(1)}</OrgnlEndToEndId><TxSts>RJCT</TxSts>${why('AC04')}</TxInfAndSts>
        </OrgnlPmtInfAndSts>`)
    const rejected = await give(one)
    assert.deepEqual(outcomes(rejected), ['rejected (AC04 (account closed)): 1.00 EUR open'])
    assert.equal(await open(1), 100)
    const whole =
        report(`<OrgnlPmtInfAndSts><OrgnlPmtInfId>${message}-B</OrgnlPmtInfId><PmtInfSts>RJCT</PmtInfSts>
        ${why('FF01')}</OrgnlPmtInfAndSts>`)
    const block = await give(whole)
    assert.deepEqual(
        [block[0], block[1].map(item => [item.result, item.invoice])],
        [
            0,
            [
                ['returned', number(3)],
                ['returned', number(4)]
            ]
        ]
    )
    assert.match(outcomes(block)[0], /rejected \(FF01 .*\): nothing was booked as received; 4\.00 EUR open/)
    const [{ total_minor }] = JSON.parse(
        (await crawltab('settle', '--again', number(3), '--out', folder, '--json')).stdout
    )
    assert.equal(total_minor, 400)
    // The second attempt's money is not taken by the same report.
    await give(file({ amount: '4.00', text: number(3) }))
    for (const text of [one, whole])
        assert.ok((await give(text))[1].every(item => item.result === 'booked before'))
    assert.equal(await open(3), 0)
    assert.match(
        (await show(3)).events.find(item => item.event === 'returned').detail,
        /^FF01 \(file format incorrect\); rejection\//
    )
})

test('two sites share an account, and a number', async t => {
    const sites = [site('one'), site('two')]
    const { give, ledger } = await banked(
        t,
        [
            { site: 'one', fee: 5 },
            { site: 'two', fee: 5 }
        ],
        { sites }
    )
    const text = file({ amount: '5.00', text: number(1) })
    assert.deepEqual(brief(await give(text, '--site', 'one')), [0, ['booked', number(1), '5.00']])
    const second = await give(text, '--site', 'two')
    assert.deepEqual([second[0], outcomes(second)], [2, ['booked before for site one: left for you']])
    assert.equal(ledger.count('invoice_payment'), 1)
})
