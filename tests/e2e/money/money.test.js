// Every document and file says what its invoice comes to: amounts below 1, of 1 to 9, hundreds and millions,
// in currencies of no decimals to four.
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import fs from 'node:fs'
import path from 'node:path'
import { test } from 'node:test'
import { billed } from '../fees.js'
import { root } from '../support.js'

const env = { ...process.env, LC_ALL: 'C.UTF-8' }
const run = (program, ...words) => execFileSync(program, words, { encoding: 'utf8', stdio: 'pipe', env })

// Of a whole number of minor units, by its digits alone.
function decimal(minor, decimals) {
    const digits = String(minor).padStart(decimals + 1, '0')
    return decimals === 0 ? digits : `${digits.slice(0, -decimals)}.${digits.slice(-decimals)}`
}

const site = (name, currency) => ({
    name,
    hosts: [`${name}.example`],
    root: path.join(root, 'tools'),
    network: 'example:402',
    terms_url: 'https://shop.example/terms',
    currency,
    seller: 'The Example Gazette',
    // With TEST- before it there are 15 characters, for which an ACH file has room.
    invoice: { number: 'I{year}-{number:4}' },
    billing: {
        ...{ street: '1 Rue Exemple', city: 'Paris', postal_code: '75001', country: 'FR' },
        ...{ tax_id: 'FR12345678901', endpoint: '0009:12345678900012', iban: 'FR1420041010050500013M02606' },
        ...{ creditor_id: 'DE98ZZZ09999999999', ach_destination: '021000021' },
        ...{ ach_destination_name: 'A Bank', ach_origin: '1234567890', ach_company_id: '1234567890' }
    },
    rules: [{ action: 'charge', price: '1' }]
})

const buyer = {
    ...{ name: 'Crawler GmbH', city: 'Berlin', country: 'DE', tax_id: 'DE123456789' },
    endpoint: '9930:DE123456789'
}
const rails = {
    EUR: {
        ...{ rail: 'sepa-direct-debit', iban: 'FR1420041010050500013M02606', mandate_id: 'M-1' },
        mandate_date: '2026-01-31'
    },
    USD: { rail: 'ach', routing_number: '011000015', account: '0123456789', kind: 'checking' },
    JPY: {
        ...{ rail: 'x402', network: 'eip155:8453', asset: '0x833589fCD6eDb6E08f4c7C32D4f71b54bdA02913' },
        ...{ pay_to: '0x209693Bc6afc0C5328bA36FaF03C514EF312287C', decimals: 6, currency: 'JPY' }
    },
    KWD: { rail: 'card' },
    UYW: { rail: 'card' }
}
const decimals = { JPY: 0, EUR: 2, USD: 2, KWD: 3, UYW: 4 }
const units = { JPY: ['1', '335', '1234567'], KWD: ['0.005', '334.999'], UYW: ['7.8901', '1234567.89'] }
const usual = ['0.05', '7.89', '334.99', '1234567.89']

// So many micro-units.
const micros = text => {
    const [whole, rest = ''] = text.split('.')
    return BigInt(whole + rest.padEnd(6, '0'))
}

test('every document and file says the total', async t => {
    const accounts = Object.keys(decimals).flatMap(currency =>
        (units[currency] ?? usual).map((amount, i) => ({
            ...{ site: currency.toLowerCase(), fee: micros(amount), buyer, settlement: rails[currency] },
            tax: i % 2 === 1 ? 190000 : 0
        }))
    )
    const sites = Object.keys(decimals).map(currency => site(currency.toLowerCase(), currency))
    const set = await billed(t, { sites }, accounts)
    const { crawltab, folder } = set
    const list = JSON.parse((await crawltab('invoice', 'list', '--json')).stdout)
    assert.equal(list.length, accounts.length)
    const formats = ['json', 'csv', 'html', 'pdf', 'ubl', 'hledger', 'ledger', 'beancount']
    for (const currency of Object.keys(decimals))
        for (const format of formats)
            if (format !== 'ubl' || decimals[currency] <= 2) {
                const words = ['invoice', 'export', '--site', currency.toLowerCase(), '--format', format]
                await crawltab(...words, '--out', path.join(folder, format))
            }
    const pages = (await crawltab('invoice', 'list')).stdout
    const sum = currency =>
        accounts.filter(a => a.currency === currency).reduce((all, a) => all + a.total, 0n)
    for (const account of accounts) {
        const { site, number, currency, agent, total } = account
        const text = decimal(total, decimals[currency])
        assert.equal(account.decimals, decimals[currency])
        const rest = account.tax ? (account.fee * 19n) / 100n : 0n
        const unit = 10n ** BigInt(6 - account.decimals)
        assert.ok(total * unit - account.fee - rest <= unit, `${account.fee} and tax are ${text}`)
        const item = list.find(one => one.number === number && one.site === site)
        assert.deepEqual([item.total, BigInt(item.total_minor)], [text, total])
        const money = `${text} ${currency}`
        assert.match(pages, new RegExp(`^${number} .* ${money.replaceAll('.', '\\.')} `, 'm'))
        const file = format =>
            path.join(
                folder,
                format,
                fs.readdirSync(path.join(folder, format)).find(one => one.startsWith(`${site}-${number}.`))
            )
        const read = format => fs.readFileSync(file(format), 'utf8')

        const document = JSON.parse(read('json'))
        assert.deepEqual([document.total, BigInt(document.total_minor)], [text, total])
        assert.equal(document.net_minor + document.tax.amount_minor, document.total_minor)
        const rows = read('csv').trimEnd().split('\r\n')
        const row = rows.find(one => one.includes(',"total",'))
        assert.match(row, new RegExp(`,"total","",,,${text.replaceAll('.', '\\.')}$`))
        const words = `${currency} ${text}`
        const page = read('html').replace(/<[^>]*>/g, '|')
        assert.match(page, new RegExp(`Total[|\\s]+${words.replaceAll('.', '\\.')}\\|`))
        const paper = run('pdftotext', '-layout', file('pdf'), '-')
        assert.match(paper, new RegExp(`Total +${words.replaceAll('.', '\\.')}$`, 'm'))
        for (const format of ['hledger', 'ledger', 'beancount'])
            assert.match(read(format), new RegExp(`Receivable:\\S+ +${money.replaceAll('.', '\\.')}$`, 'm'))
        if (account.decimals <= 2)
            assert.ok(read('ubl').includes(`<cbc:PayableAmount currencyID="${currency}">${text}</`), number)
        const shown = (await crawltab('invoice', 'show', number, '--site', site)).stdout
        assert.match(shown, /^ +France *$/m)
        assert.doesNotMatch(shown, /^ +FR *$/m)
        assert.match(shown, new RegExp(`^ +Total ${currency} +${text.replaceAll('.', '\\.')}$`, 'm'))
    }
    for (const { agent, number, total, decimals } of accounts.filter((_, i) => i % 3 === 0)) {
        const text = decimal(total, decimals).replaceAll('.', '\\.')
        assert.match((await crawltab('statement', agent)).stdout, new RegExp(`${number}.* ${text}$`, 'm'))
    }
    for (const currency of Object.keys(decimals)) {
        const files = fs.readdirSync(path.join(folder, 'hledger'))
        const own = files.filter(name => name.startsWith(currency.toLowerCase()))
        const words = own.flatMap(name => ['-f', path.join(folder, 'hledger', name)])
        const owed = run('hledger', 'balance', ...words, '--depth', '2', '--flat', '-N', 'Assets:Receivable')
        const money = `${decimal(sum(currency), decimals[currency])} ${currency}`
        assert.equal(owed.trim().split(/ {2,}/)[0].replaceAll(',', ''), money)
    }

    // What is collected, file by file.
    const batches = JSON.parse((await crawltab('settle', '--out', folder, '--json')).stdout)
    for (const batch of batches) assert.equal(BigInt(batch.total_minor), sum(batch.currency))
    const batch = rail => fs.readFileSync(batches.find(one => one.rail === rail).file, 'utf8')
    const sepa = batch('sepa-direct-debit')
    assert.ok(sepa.includes(`<CtrlSum>${decimal(sum('EUR'), 2)}</CtrlSum>`))
    const ach = batch('ach').split('\n')
    const { requests } = JSON.parse(batch('x402'))
    const charges = set.ledger
        .query(`SELECT body FROM outbox WHERE type = 'settlement.requested'`)
        .split('\n')
        .flatMap(body => JSON.parse(body).data.charges)
    for (const { number, currency, total, agent } of accounts) {
        const asked = {
            EUR: () => new RegExp(`>${number}</End[^]*?<InstdAmt Ccy="EUR">([0-9.]+)<`).exec(sepa)[1],
            USD: () => ach.find(line => line[0] === '6' && line.includes(number)).slice(29, 39),
            JPY: () => requests.find(one => one.resource.description === number).accepts[0].amount,
            KWD: () => charges.find(one => one.agent === agent).due_minor,
            UYW: () => charges.find(one => one.agent === agent).due_minor
        }
        const right = {
            EUR: () => decimal(total, 2),
            USD: () => String(total).padStart(10, '0'),
            JPY: () => String(total * 1000000n),
            KWD: () => Number(total),
            UYW: () => Number(total)
        }
        assert.equal(asked[currency](), right[currency](), `${currency} ${total}`)
    }
    const settled = (await crawltab('settle', 'list')).stdout
    for (const currency of Object.keys(decimals))
        assert.ok(settled.includes(` ${decimal(sum(currency), decimals[currency])} ${currency}\n`), settled)
})
