// What the crawler's operator reads of the account at a site, and how kept receipts are compared with it.
// Tests tools/crawler/account/session.c, tools/crawler/account/summary.c, tools/crawler/account/statement.c,
// tools/crawler/account/invoice.c, tools/crawler/account/proof.c, tools/crawler/account/reconcile.c,
// tools/crawler/account/dispute.c
import assert from 'node:assert/strict'
import { execFile, spawn } from 'node:child_process'
import fs from 'node:fs'
import path from 'node:path'
import { test } from 'node:test'
import { build, freePort, root, stage, temporaryFolder } from '../support.js'

const program = path.join(build, 'crawler')
const dayMs = 86_400_000

function run(program, ...words) {
    return new Promise(resolve =>
        execFile(program, words.map(String), { timeout: 60_000 }, (error, stdout, stderr) =>
            resolve({ code: error ? error.code : 0, stdout: stdout.toString(), stderr: stderr.toString() })
        )
    )
}

async function serve(t, key) {
    const words = ['serve', '--key', key, '--listen', '127.0.0.1:0']
    const child = spawn(program, words, { stdio: ['ignore', 'pipe', 'inherit'] })
    t.after(() => child.kill())
    return new Promise((resolve, reject) => {
        let said = ''
        child.stdout.on('data', data => {
            said += data
            const found = /listening on (http:\/\/127\.0\.0\.1:\d+)/.exec(said)
            if (found) resolve(found[1])
        })
        child.on('exit', code => reject(new Error(`crawler serve ended with ${code}`)))
    })
}

test('the crawler reads its account and compares its receipts', async t => {
    const folder = temporaryFolder(t)
    const file = name => path.join(folder, name)
    const key = file('crawler.key')
    await run(program, 'keygen', '--key', key)
    const agent = await serve(t, key)
    const port = await freePort()
    const base = `http://127.0.0.1:${port}`
    // Noon, four days ago.
    const today = Math.floor(Date.now() / dayMs) * dayMs
    const behind = ['--clock-offset', Math.round((today - 3.5 * dayMs - Date.now()) / 1000)]
    const site = {
        name: 'example',
        hosts: [`127.0.0.1:${port}`],
        scheme: 'http',
        root: path.join(root, 'tools/demo/site'),
        network: 'example:402',
        terms_url: 'https://shop.example/terms',
        rules: [{ name: 'articles', paths: ['/articles/**'], action: 'charge', price: '1.25' }]
    }
    const options = { listen: `127.0.0.1:${port}`, insecureHosts: [new URL(agent).host], sites: [site] }
    const set = await stage(t, options, ...behind.map(String))
    const who = ['--key', key, '--agent', agent]
    const fetch = (...words) =>
        run(program, 'fetch', ...who, '--out', file('out'), '--max-price', 'USD 1.25', ...words)
    const pages = ['harbour-bell', 'tide-tables', 'night-ferry'].map(name => `${base}/articles/${name}.html`)
    const crawler = (command, ...words) => run(program, command, ...who, base, ...words)
    const done = async (command, ...words) => {
        const { code, stdout, stderr } = await crawler(command, ...words)
        assert.equal(code, 0, stderr + stdout)
        return stdout
    }

    await t.test('before the first payment there is none', async () => {
        const { code, stderr } = await crawler('account', ...behind)
        assert.equal(code, 1)
        assert.match(stderr, /^crawler: account_unknown: you have no account here yet/)
        assert.match((await crawler('account')).stderr, /^crawler: signature_invalid: /)
    })

    assert.equal((await fetch(...behind, ...pages.slice(0, 2))).code, 0)
    await set.gate.stop()
    await set.crawltab('nightly')
    await (await set.startGate()).ready()
    assert.equal((await fetch(pages[0])).code, 0)
    const receipts = fs.readFileSync(file('out/receipts.jsonl'), 'utf8').trim().split('\n')
    assert.equal(receipts.length, 3)
    const [{ number }] = JSON.parse((await set.crawltab('invoice', 'list', '--json')).stdout)

    await t.test('account, statement, invoices and proofs', async () => {
        const account = await done('account')
        assert.match(account, /^Site +example, network example:402$/m)
        assert.match(account, /^Owed +USD 3\.75$/m)
        assert.match(account, /^Left of the limits +any amount$/m)
        assert.match(account, /^Prices +USD 1\.25 for \/articles\/\*\* \(articles\)$/m)
        assert.equal(JSON.parse(await done('account', '--json')).credit.owed_micros, 3_750_000)
        const statement = await done('statement')
        assert.match(statement, new RegExp(`invoice ${number} +2\\.50\n.*Closing balance +2\\.50`))
        const { lines } = JSON.parse(await done('statement', '--json', '--from', '2026-01-01'))
        assert.deepEqual([lines.length, lines[0].amount_minor], [1, 250])
        const listed = await done('invoice')
        assert.match(listed, new RegExp(`${number} +invoice +USD +2\\.50 +issued +open 2\\.50`))
        assert.equal(JSON.parse(await done('invoice', '--json'))[0].number, number)
        await done('invoice', number, '--format', 'pdf', '--out', file('invoice.pdf'))
        assert.equal(fs.readFileSync(file('invoice.pdf')).subarray(0, 5).toString(), '%PDF-')
        assert.equal(JSON.parse(await done('invoice', number)).total_minor, 250)
        const { code, stderr } = await crawler('invoice', 'INV-1')
        assert.deepEqual([code, /^crawler: invoice_unknown: /.test(stderr)], [1, true])
        const { id } = JSON.parse(receipts[0])
        await done('proof', id, '--out', file('proof.json'))
        const verified = await run(path.join(build, 'crawltab'), 'verify', file('proof.json'))
        assert.match(verified.stdout, /^This proof holds\./)
        assert.match((await crawler('proof', JSON.parse(receipts[2]).id)).stderr, /^crawler: proof_not_yet: /)
    })

    const kept = lines => fs.writeFileSync(file('kept.jsonl'), lines.join('\n') + '\n')
    const changed = (line, more) => JSON.stringify({ ...JSON.parse(line), ...more })
    const compare = (...words) => crawler('reconcile', '--receipts', file('kept.jsonl'), ...words)

    await t.test('receipts and entries agree', async () => {
        const foreign = changed(receipts[0], { network: 'other:402', id: 'x' })
        kept([...receipts, foreign])
        const { code, stdout, stderr } = await compare()
        assert.equal(code, 0, stderr)
        assert.equal(
            stdout,
            '3 receipts here, USD 3.75; 3 entries there, USD 3.75\n3 agree, no differences\n'
        )
        const id = Buffer.from(JSON.parse(receipts[2]).id, 'base64url')
        const day = new Date(id.readUIntBE(0, 6)).toISOString().slice(0, 10)
        const one = JSON.parse((await compare('--json', '--from', day, '--to', day)).stdout)
        assert.deepEqual([one.receipts, one.entries, one.agree, one.differences], [1, 1, 1, []])
    })

    await t.test('each difference is named', async () => {
        const strange = JSON.parse(receipts[0]).id.replace(/^(.{20})./, (_, start) => `${start}_`)
        kept([
            changed(receipts[0], { charged: 'USD 1.24' }),
            receipts[1],
            receipts[1],
            changed(receipts[1], { id: strange })
        ])
        const { code, stdout } = await compare('--json')
        assert.equal(code, 2)
        const found = JSON.parse(stdout)
        assert.deepEqual(found.differences.map(({ difference }) => difference).sort(), [
            'amount_differs',
            'missing_here',
            'missing_there',
            'twice_here'
        ])
        const amount = found.differences.find(({ difference }) => difference === 'amount_differs')
        assert.deepEqual([amount.here, amount.there], ['USD 1.24', 'USD 1.25'])
        const told = await compare()
        assert.equal(told.code, 2)
        assert.match(told.stdout, /another amount there .*\n.*\n +here USD 1\.24, there USD 1\.25/)
        assert.match(told.stdout, /\n4 receipts here, USD 4\.99; 3 entries there, USD 3\.75\n/)
        assert.match(told.stdout, /\n0 agree, 4 differences\n$/)
        kept([changed(receipts[0], { url: pages[2] }), ...receipts.slice(1)])
        assert.match((await compare()).stdout, new RegExp(`for another URL .*\n.*\n +there: ${pages[0]}\n`))
    })

    await t.test('what cannot be compared is no agreement', async () => {
        const none = await crawler('reconcile', '--receipts', file('none.jsonl'))
        assert.deepEqual([none.code, /none\.jsonl: No such file/.test(none.stderr)], [1, true])
        kept([receipts[0], '{"id": 7}'])
        const broken = await compare()
        assert.deepEqual([broken.code, /kept\.jsonl:2: no receipt/.test(broken.stderr)], [1, true])
        assert.equal((await crawler('reconcile', '--from', 'x')).code, 64)
        assert.equal((await run(program, 'statement', ...who)).code, 64)
        assert.equal((await crawler('invoice', number, 'more')).code, 64)
        const elsewhere = await run(program, 'account', ...who, agent)
        assert.equal(elsewhere.code, 1)
        assert.match(elsewhere.stderr, /is there a gate/)
    })

    await t.test('disputes', async () => {
        const { id } = JSON.parse(receipts[0])
        assert.equal(await done('dispute'), 'no disputes\n')
        const words = ['--reason', 'service_defective', '--statement', 'an empty page']
        const opened = await done('dispute', ...words, id)
        assert.match(opened, /^dispute [0-9a-f-]{36} is opened, to be decided by /)
        const [one] = JSON.parse(await done('dispute', '--json'))
        const [again, listed] = [await done('dispute', ...words, id), await done('dispute')]
        assert.match(again, new RegExp(`^dispute ${one.dispute_id} is there already`))
        assert.match(listed, new RegExp(`^${one.dispute_id} .* opened +service_defective +0.00 of 1.25`))
        assert.match(await done('dispute', one.dispute_id), /an empty page\n  about [0-9a-f-]{36}: 1\.25\n/)
        const strange = id.replace(/^(.{20})./, (_, start) => `${start}_`)
        const subjects = [JSON.parse(receipts[1]).id, strange, 'INV-9:1']
        const both = await crawler('dispute', ...words, ...subjects)
        assert.equal(both.code, 1)
        assert.match(both.stderr, new RegExp(`dispute_refused: .*\ncrawler: ${strange}: no entry has this`))
        assert.match(both.stderr, /crawler: INV-9:1: there is no such invoice/)
        assert.equal((await crawler('dispute', ...words, 'x')).code, 64)
        assert.equal((await crawler('dispute', ...words)).code, 64)
        assert.equal((await crawler('dispute', id, id)).code, 64)
    })

    await t.test('archived days are named', async () => {
        const day = new Date(today - 4 * dayMs).toISOString().slice(0, 10)
        await set.crawltab('archive', day, '--to', folder)
        kept(receipts)
        const { code, stdout } = await compare()
        assert.equal(code, 0)
        assert.match(stdout, new RegExp(`^${day}: 2 entries, USD 2\\.50, are in the publisher's archive`))
        assert.match(stdout, /\n2 receipts of such days.*\n.*\n1 agree, no differences\n$/)
    })
})
