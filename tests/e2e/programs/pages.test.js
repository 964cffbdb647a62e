// Every command of the pages for readers is run: here, in the order of the pages, or by the test that is
// named.
// Tests README.md and tools/doc.
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import fs from 'node:fs'
import path from 'node:path'
import { test } from 'node:test'
import { build, root } from '../support.js'
import { scene, withWebBotAuth } from '../signers.js'

const dayMs = 86400_000
const page = '/articles/harbour-bell.html'

// The commands of a page's indented blocks, without their comments; a line that goes on is one.
const commandsOf = name => {
    const text = fs.readFileSync(path.join(root, name), 'utf8').replaceAll(/\\\n */g, '')
    return [...text.matchAll(/^ {4}((?:crawltab|crawltabd|crawler) .*)$/gm)].map(([, line]) =>
        line.replace(/\s+#.*/, '').trim()
    )
}

// What other tests run: how the command begins, the test's file below tests/, and what stands there.
const elsewhere = [
    ['crawltab migrate', 'e2e/support.js', /'migrate', '--bootstrap'/],
    ['crawltabd', 'e2e/support.js', /'crawltabd'/],
    ['crawltab --config trial.yaml', 'e2e/programs/sandbox.test.js', /'a month in five minutes'/],
    ['crawler keygen', 'e2e/programs/crawler-account.test.js', /'keygen', '--key'/],
    ['crawler serve', 'e2e/programs/crawler-account.test.js', /'serve', '--key'/],
    ['crawler directory', 'e2e/programs/files.test.js', /'directory'/],
    ['crawler fetch', 'e2e/programs/crawler.test.js', /'fetch', '--key'/],
    ...['account', 'statement', 'invoice', 'proof', 'reconcile', 'dispute'].map(word => [
        `crawler ${word}`,
        'e2e/programs/crawler-account.test.js',
        new RegExp(`'${word}'`)
    ]),
    ['crawltab check-request', 'e2e/verify/check-request.test.js', /'check-request'/],
    ['crawltab front --check', 'e2e/front_exam.js', /'--check'/],
    ['crawltab front', 'e2e/front_exam.js', /'front'/],
    ['crawltab today --watch', 'e2e/gate/today.test.js', /'--watch'/],
    ['crawltab console', 'e2e/console.js', /'console'/],
    ['crawltab settle --again', 'e2e/money/settle.test.js', /'--again'/],
    ['crawltab webhook', 'e2e/money/webhook.test.js', /'webhook'/],
    ['crawltab import', 'e2e/money/bank.test.js', /'import'/],
    ['crawltab backup', 'e2e/programs/backup.test.js', /'backup', '--to'/],
    ['crawltab restore', 'e2e/programs/backup.test.js', /'restore', '--from'/],
    ['crawltab nightly', 'e2e/programs/ten-minutes.test.js', /nightly/],
    ['crawltab archive', 'e2e/http/amount.test.js', /'archive', 'restore'/],
    ['crawltab doctor', 'e2e/programs/doctor.test.js', /'doctor'/]
]

// Three days of one crawler, each with its invoice, of a site that has all that documents want.
async function ledgerOfThreeDays(t) {
    const midday = Math.floor(Date.now() / dayMs) * dayMs - 4.5 * dayMs
    const back = at => Math.round((at - Date.now()) / 1000)
    const sites = [
        {
            name: 'shop',
            hosts: ['gazette.example'],
            root: path.join(root, 'tools/demo/site'),
            network: 'example:402',
            terms_url: 'https://gazette.example/terms',
            currency: 'EUR',
            seller: 'The Example Gazette',
            billing: {
                ...{ street: '1 Rue Exemple', city: 'Paris', postal_code: '75001', country: 'FR' },
                ...{ tax_id: 'FR12345678901', endpoint: '0009:12345678900012' },
                ...{ iban: 'FR1420041010050500013M02606' }
            },
            rules: [
                { name: 'articles', paths: ['/articles/**'], action: 'charge', price: '1.05' },
                { action: 'charge', price: '0.0025' }
            ]
        }
    ]
    const options = { sites, facilitator: { listen: '127.0.0.1:0' } }
    let offset = back(midday)
    const set = await scene(t, options, '--clock-offset', String(offset))
    const who = ['tax.treatment=standard', 'tax.rate=19', 'buyer.name=Crawling Ltd', 'buyer.country=DE']
    const more = ['buyer.tax_id=DE123456789', 'buyer.endpoint=9930:DE123456789', 'buyer.city=Berlin']
    await set.crawltab('crawler', 'add', set.agent.origin)
    const terms = ['agreement', 'set', set.agent.origin, '--reason', 'contract', ...who, ...more]
    await set.crawltab('--clock-offset', String(offset), ...terms)
    const ids = []
    for (let day = 0; day < 3; day++) {
        if (day > 0) {
            await set.gate.stop()
            offset = back(midday + day * dayMs)
            set.gate = await set.startGate('--clock-offset', String(offset))
            await set.gate.ready()
        }
        for (const target of [page, page, '/']) {
            const host = 'gazette.example'
            const id = await set.gate.offer(target, { host })
            const url = `https://${host}${target}`
            const time = Date.now() + offset * 1000
            const headers = await withWebBotAuth(set.key, set.agent.origin, url, id, { time })
            const answer = await set.gate.request(target, { host, headers })
            assert.equal(answer.status, 200, answer.text)
            ids.push({ id, url, at: new Date(time).toISOString().slice(0, 16).replace('T', ' ') })
        }
    }
    await set.crawltab('nightly')
    const invoices = JSON.parse((await set.crawltab('invoice', 'list', '--json')).stdout)
    const numbers = invoices.map(invoice => invoice.number).sort()
    assert.equal(numbers.length, 3)
    return { ...set, ids, numbers, first: new Date(midday).toISOString().slice(0, 10) }
}

test('every command of the pages runs', { timeout: 600_000 }, async t => {
    const set = await ledgerOfThreeDays(t)
    const { folder, config, ids, numbers, agent, ledger } = set
    const env = { ...process.env, PATH: `${build}:${process.env.PATH}`, CRAWLTAB_CONFIG: config }
    const prelude = 'crawltab() { command crawltab --config "$CRAWLTAB_CONFIG" "$@"; }\n'
    const shell = line =>
        new Promise(resolve =>
            execFile('bash', ['-euc', prelude + line], { cwd: folder, env, timeout: 60_000 }, (...said) =>
                resolve({ code: said[0]?.code ?? 0, stdout: said[1], stderr: said[2] })
            )
        )
    fs.writeFileSync(path.join(folder, 'kept.txt'), (await set.crawltab('checkpoint', 'show')).stdout)
    const dearer = fs.readFileSync(config, 'utf8').replace('"1.05"', '"2.10"')
    fs.writeFileSync(path.join(folder, 'dearer.yaml'), dearer)
    fs.writeFileSync(path.join(folder, 'access.log'), `crawler.example "GET ${page}" 200\n`)
    const last = new Date(Date.now() + dayMs).toISOString().slice(0, 10)
    const [next, later] = [40, 50].map(days => new Date(Date.now() + days * dayMs).toISOString().slice(0, 10))
    const disputes = async () =>
        JSON.parse((await set.crawltab('dispute', 'list', '--json')).stdout).map(({ dispute_id: id }) => id)
    // What stands for something of the reader's own.
    const ours = async line => {
        const number = / void .*--reissue/.test(line) ? 2 : / void /.test(line) ? 1 : 0
        const payment = / adjust /.test(line) ? ids[1] : ids[0]
        let text = line
            .replaceAll('INV-2026-000001', numbers[number])
            .replaceAll('PAYMENT-ID', payment.id)
            .replace('--url URL', `--url ${ids[2].url}`)
            .replace('--reason "their request"', `--from ${later} $&`)
            .replace(/--at "[^"]*"/, `--at "${ids[2].at}"`)
            .replaceAll('https://crawler.example', agent.origin)
            .replaceAll(/--from 2026-1[12]-\d\d(?= --reason)/g, `--from ${next}`)
            .replaceAll(/--from 2026-1[12]-\d\d/g, `--from ${set.first}`)
            .replaceAll(/--to 2026-1[12]-\d\d/g, `--to ${last}`)
            .replaceAll('--vkey KEY', '--vkey "$(crawltab checkpoint key | tail -n 1)"')
            .replaceAll('$((40 * 86400))', '3456000')
            .replaceAll('2027-12-31', next)
        if (/dispute (show|add|decide) ID/.test(text)) {
            const all = await disputes()
            const one = /--reject/.test(text) ? all.find(id => id !== decided) : (decided ??= all[0])
            text = text.replace(' ID', ` ${one}`)
        }
        return text
    }
    let decided
    const failed = []
    let count = 0
    for (const name of ['publisher', 'finance', 'auditor', 'operator'].map(one => `tools/doc/${one}.md`)) {
        for (const line of commandsOf(name)) {
            if (elsewhere.some(([begin]) => line.startsWith(begin))) continue
            const mine = await ours(line)
            const said = await shell(mine)
            if (said.code !== 0) failed.push(`${name}: ${mine}: ${said.code}: ${said.stderr || said.stdout}`)
            count++
        }
    }
    assert.deepEqual(failed, [])
    assert.ok(count > 45, `${count} commands`)
    assert.ok(ledger.count('adjustment') >= 3)
})

test('those that are left out are run by the test that is named', () => {
    const names = fs.readdirSync(path.join(root, 'tools/doc')).filter(name => name.endsWith('.md'))
    const all = ['README.md', ...names.map(name => `tools/doc/${name}`)].flatMap(commandsOf)
    for (const [begin, file, words] of elsewhere) {
        assert.ok(all.some(line => line.startsWith(begin)), `no page says ${begin}`)
        const test = fs.readFileSync(path.join(root, 'tests', file), 'utf8')
        assert.ok(words.test(test), `${begin} in ${file}`)
    }
    // Every other command of the README and of the crawler's page is among them.
    const here = ['crawltab invoice list', 'crawltab today']
    for (const name of ['README.md', 'tools/doc/crawler.md'])
        for (const line of commandsOf(name)) {
            const run = here.includes(line) || elsewhere.some(([begin]) => line.startsWith(begin))
            assert.ok(run, `${name}: ${line}`)
        }
})
