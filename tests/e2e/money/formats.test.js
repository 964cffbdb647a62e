// One invoice in every format, read by programs that we did not write.
// Tests ledger/format/paper/pdf_library.c
import assert from 'node:assert/strict'
import { execFileSync, spawnSync } from 'node:child_process'
import fs from 'node:fs'
import path from 'node:path'
import { test } from 'node:test'
import { build, root } from '../support.js'
import { scene, withWebBotAuth } from '../signers.js'

const page = '/articles/harbour-bell.html'
const oneDay = 93900 // so many seconds ago was a day that can be closed now; and as many before that, another
const twoDays = 2 * oneDay

const site = {
    name: 'example',
    hosts: ['shop.example'],
    scheme: 'https',
    root: path.join(root, 'tools/demo/site'),
    network: 'example:402',
    terms_url: 'https://shop.example/terms',
    currency: 'EUR',
    seller: 'The Example Gazette',
    billing: {
        ...{ street: '1 Rue Exemple', city: 'Paris', postal_code: '75001', country: 'FR' },
        ...{ tax_id: 'FR12345678901', endpoint: '0009:12345678900012', iban: 'FR1420041010050500013M02606' }
    },
    rules: [
        { name: 'articles', paths: ['/articles/**'], action: 'charge', price: '0.05' },
        { name: 'rest', action: 'charge', price: '0.0025' }
    ]
}

const terms = [
    ...['tax.treatment=standard', 'tax.rate=19', 'buyer.name=Söhne <& Co>', 'buyer.country=DE'],
    ...['buyer.tax_id=DE123456789', 'buyer.endpoint=9930:DE123456789', 'buyer.city=Berlin']
]

// A ledger with one invoice over five crawls, whose gate runs so many seconds behind. `ago` runs the command
// on a clock as late as that.
async function invoiced(t, late = oneDay, change = {}) {
    const place = await scene(t, { sites: [{ ...site, ...change }] }, '--clock-offset', `-${late}`)
    const { gate, key, agent, crawltab } = place
    const ago = (seconds, ...words) =>
        crawltab('--clock-offset', `-${seconds}`, ...words)
    const words = ['agreement', 'set', agent.origin, '--reason', 'contract', ...terms]
    await crawltab('crawler', 'add', agent.origin)
    await ago(late, ...words)
    const ids = []
    for (const target of [page, page, '/articles/tide-tables.html', page, '/']) {
        const id = await gate.offer(target)
        ids.push(id)
        const time = Date.now() - late * 1000
        const url = `https://shop.example${target}`
        const headers = await withWebBotAuth(key, agent.origin, url, id, { time })
        assert.equal((await gate.request(target, { headers })).status, 200)
    }
    await ago(late - oneDay, 'nightly')
    const [{ number }] = JSON.parse((await crawltab('invoice', 'list', '--json')).stdout)
    const file = name => path.join(place.folder, name)
    return { ...place, number, file, ago, ids }
}

// hledger reads what the locale says.
const env = { ...process.env, LC_ALL: 'C.UTF-8' }
const run = (program, ...words) => execFileSync(program, words, { encoding: 'utf8', stdio: 'pipe', env })

test('an invoice in every format', async t => {
    const { crawltab, config, number, file, folder, agent } = await invoiced(t)
    const document = JSON.parse((await crawltab('invoice', 'show', number, '--json')).stdout)
    assert.equal(document.net_minor, 20)
    assert.equal(document.total_minor, 24)
    for (const format of ['json', 'csv', 'html', 'pdf', 'ubl', 'hledger', 'ledger', 'beancount']) {
        const words = [
            'invoice',
            'show',
            number,
            '--format',
            format,
            '--entries-url',
            'https://a.example/{number}'
        ]
        await crawltab(...words, '--out', file(format))
        assert.equal(fs.statSync(file(format)).mode & 0o777, 0o600)
        if (format !== 'pdf')
            assert.equal((await crawltab(...words)).stdout, fs.readFileSync(file(format), 'utf8'))
    }
    // Where what draws is missing, or is none, the other formats are there all the same.
    const broken = fs.mkdtempSync(path.join(folder, 'lib-'))
    fs.writeFileSync(path.join(broken, 'libpangocairo-1.0.so.0'), '')
    const without = { env: { ...process.env, LD_LIBRARY_PATH: broken }, encoding: 'utf8' }
    const show = format => {
        const words = ['--config', config, 'invoice', 'show', number, '--format', format]
        return spawnSync(path.join(build, 'crawltab'), [...words, '--out', file('none')], without)
    }
    assert.match(show('pdf').stderr, /no PDF can be drawn without .* install libpangocairo-1\.0-0/)
    assert.ok(!fs.existsSync(file('none')))
    assert.equal(show('html').status, 0)
    const read = format => fs.readFileSync(file(format), 'utf8')
    assert.equal(JSON.parse(read('json')).entries_url, `https://a.example/${number}`)

    const rows = read('csv').trimEnd().split('\r\n')
    assert.equal(
        rows.map(row => row.split(',').at(-1)).join(' '),
        'amount 0.20 0.0025 0.00 -0.0025 0.20 0.04 0.24 0.00 0.00 0.00 0.24'
    )

    const html = read('html')
    assert.ok(html.includes('<strong>Söhne &lt;&amp; Co&gt;</strong>'))
    assert.ok(html.includes(`<a href="https://a.example/${number}">`))
    assert.doesNotMatch(html, /<script|src="http|url\(/)
    // The day was over days ago: the invoice is of today, and says for when it was scheduled.
    const minute = instant => `${instant.slice(0, 10)} ${instant.slice(11, 16)} UTC`
    const made = `${minute(document.made_at)} (scheduled ${minute(document.scheduled_at)})`
    assert.ok(html.includes(made), made)
    assert.equal(document.issued_at, document.made_at)
    assert.equal(document.issue_date, document.made_at.slice(0, 10))
    assert.ok(Date.now() - Date.parse(document.made_at) < 600_000, document.made_at)
    assert.ok(Date.parse(document.made_at) - Date.parse(document.scheduled_at) > 0)

    // PDF: read by poppler.
    const text = run('pdftotext', '-layout', file('pdf'), '-')
    const shown = ['Trial invoice', number, 'Söhne <& Co>', 'EUR 0.24', 'Page 1 of 1', agent.origin]
    for (const words of [...shown, minute(document.made_at)])
        assert.ok(text.includes(words), `${words} in ${text}`)
    const info = run('pdfinfo', '-isodates', file('pdf'))
    assert.match(info, new RegExp(`CreationDate: +${document.issued_at.slice(0, 19)}Z`))

    // UBL: well-formed, and its sums as xmllint reads them.
    run('xmllint', '--noout', file('ubl'))
    const value = name =>
        run(
            'xmllint',
            '--xpath',
            `string(//*[local-name()="LegalMonetaryTotal"]/*[local-name()="${name}"])`,
            file('ubl')
        ).trim()
    assert.deepEqual(
        ['LineExtensionAmount', 'TaxExclusiveAmount', 'TaxInclusiveAmount', 'PayableAmount'].map(value),
        ['0.20', '0.20', '0.24', '0.24']
    )

    // Books: strictly checked, and the balance is the invoice's.
    run('hledger', 'check', '--strict', '-f', file('hledger'))
    assert.match(run('hledger', 'balance', '-f', file('hledger'), 'Assets'), /0\.24 EUR {2}Assets:Receivable/)
    const balance = run('ledger', '--strict', '--pedantic', '-f', file('ledger'), 'balance', 'Liabilities')
    assert.match(balance, /-0\.04 EUR {2}Liabilities:Tax/)
    run('bean-check', file('beancount'))
    assert.ok(fs.readdirSync(folder).every(name => !name.endsWith('.new')))

    // What will not come is bad debt, less what came.
    await crawltab('invoice', 'write-off', number, '--reason', 'bankrupt')
    await crawltab('invoice', 'paid', number, '--amount', '0.10', '--reference', 'late')
    for (const format of ['hledger', 'ledger', 'beancount', 'html'])
        await crawltab('invoice', 'show', number, '--format', format, '--out', file(format))
    run('hledger', 'check', '--strict', '-f', file('hledger'))
    const books = run('hledger', 'balance', '-N', '-f', file('hledger'), 'Assets', 'Expenses')
    assert.match(books, /^ *0\.10 EUR {2}Assets:Bank\n *0\.14 EUR {2}Expenses:Bad-Debt\n$/)
    run('ledger', '--strict', '--pedantic', '-f', file('ledger'), 'balance')
    run('bean-check', file('beancount'))
    // The page is for its receiver.
    assert.match(read('html'), /To be paid[^]*0\.14/)
    assert.doesNotMatch(read('html'), /written/)
})

test('a credit note in every format', async t => {
    const { crawltab, number, file, ago, ids, agent } = await invoiced(t, twoDays)
    await ago(oneDay, 'adjust', ids[0], '--reversal', '--reason', 'empty page')
    await crawltab('nightly')
    const list = JSON.parse((await crawltab('invoice', 'list', '--json')).stdout)
    const credit = list.find(one => one.kind === 'credit-note').number
    assert.deepEqual([list[1].total, list[1].open, list[0].open], ['0.24', '0.18', '0.00'])
    const page = (await crawltab('invoice', 'list')).stdout
    assert.match(page, new RegExp(`^${number} .* 0\\.24 EUR +0\\.18 EUR .* ${agent.origin}$`, 'm'))
    assert.match(page, new RegExp(`^${credit} .* -0\\.06 EUR +0\\.00 EUR .* ${agent.origin}$`, 'm'))
    assert.match(page, /^2 documents +0\.18 EUR +0\.18 EUR/m)
    const document = JSON.parse((await crawltab('invoice', 'show', credit, '--json')).stdout)
    assert.equal(document.net_minor, 5)
    for (const format of ['csv', 'html', 'pdf', 'ubl', 'hledger', 'ledger', 'beancount'])
        await crawltab('invoice', 'show', credit, '--format', format, '--out', file(format))
    assert.match(
        run('pdftotext', '-layout', file('pdf'), '-'),
        new RegExp(`Trial credit note[^]*Corrects +${number}`)
    )
    const value = place =>
        run(
            'xmllint',
            '--xpath',
            `string(/*/${place.replace(/(\w+)/g, '*[local-name()="$1"]')})`,
            file('ubl')
        ).trim()
    assert.equal(value('CreditNoteTypeCode'), '381')
    assert.equal(value('CreditNoteLine/CreditedQuantity'), '1')
    assert.equal(value('LegalMonetaryTotal/LineExtensionAmount'), '0.05')
    assert.equal(value('LegalMonetaryTotal/PayableAmount'), '0.06')
    await crawltab('invoice', 'show', number, '--format', 'hledger', '--out', file('first'))
    run('hledger', 'check', '--strict', '-f', file('hledger'))
    const both = run('hledger', 'balance', '-f', file('first'), '-f', file('hledger'), 'Assets')
    assert.match(both, /0\.18 EUR {2}Assets:Receivable/)
    run('ledger', '--strict', '--pedantic', '-f', file('ledger'), 'balance')
    run('bean-check', file('beancount'))
})

test('many invoices go into a folder, and what cannot is told', async t => {
    const yen = { currency: 'JPY', rules: [{ action: 'charge', price: '3.7' }] }
    const { crawltab, number, file } = await invoiced(t, oneDay, yen)
    const out = file('books')
    const words = ['invoice', 'export', '--out', out, '--from', '2020-01-01', '--to', '2999-12-31']
    const done = await crawltab(...words, '--format', 'beancount')
    assert.equal(done.stdout, `1 of 1 invoices written to ${out}\n`)
    assert.deepEqual(fs.readdirSync(out), [`example-${number}.beancount`])
    const first = fs.readFileSync(path.join(out, `example-${number}.beancount`))
    await crawltab(...words, '--format', 'beancount')
    assert.deepEqual(fs.readFileSync(path.join(out, `example-${number}.beancount`)), first)
    // A currency without decimals, in books and on an e-invoice.
    for (const format of ['ledger', 'hledger', 'ubl'])
        await crawltab('invoice', 'show', number, '--format', format, '--out', file(format))
    const balance = run('ledger', '--strict', '--pedantic', '-f', file('ledger'), 'balance', 'Assets')
    assert.match(balance, /^ +21 JPY {2}Assets:Receivable/)
    run('hledger', 'check', '--strict', '-f', file('hledger'))
    run('bean-check', path.join(out, `example-${number}.beancount`))
    assert.match(fs.readFileSync(file('ubl'), 'utf8'), /<cbc:BaseQuantity unitCode="C62">5<\/cbc/)
    const none = await crawltab('invoice', 'export', '--out', out, '--format', 'csv', '--to', '2020-01-01')
    assert.equal(none.stdout, `0 of 0 invoices written to ${out}\n`)
    for (const [code, pattern, ...wrong] of [
        [64, /there is no such format/, 'show', number, '--format', 'docx'],
        [64, /say which format/, 'export', '--out', out],
        [64, /name the folder/, 'export', '--format', 'csv'],
        [1, /cannot be written/, 'show', number, '--format', 'csv', '--out', '/nowhere/at/all']
    ])
        await assert.rejects(crawltab('invoice', ...wrong), error => {
            assert.equal(error.code, code, error.stderr)
            assert.match(error.stderr, pattern)
            return true
        })
})
