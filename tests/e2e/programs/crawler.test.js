// The paying crawler of tools/crawler, as its operator uses it, against a real gate.
import assert from 'node:assert/strict'
import { execFile, spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import fs from 'node:fs'
import path from 'node:path'
import { test } from 'node:test'
import { build, freePort, root, stage, temporaryFolder } from '../support.js'

const program = path.join(build, 'crawler')
const network = 'example:402'

function crawler(...words) {
    return new Promise(resolve =>
        execFile(program, words.map(String), { encoding: 'utf8', timeout: 60_000 }, (error, stdout, stderr) =>
            resolve({ code: error ? error.code : 0, stdout, stderr })
        )
    )
}

// Starts `crawler serve` and returns the origin that it listens on.
async function serve(t, key) {
    const child = spawn(program, ['serve', '--key', key, '--listen', '127.0.0.1:0'], {
        stdio: ['ignore', 'pipe', 'inherit']
    })
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

async function scene(t) {
    const folder = temporaryFolder(t)
    const key = path.join(folder, 'crawler.key')
    const out = path.join(folder, 'out')
    assert.equal((await crawler('keygen', '--key', key)).code, 0)
    const agent = await serve(t, key)
    const port = await freePort()
    const set = await stage(t, {
        listen: `127.0.0.1:${port}`,
        insecureHosts: [new URL(agent).host],
        sites: [
            {
                name: 'example',
                hosts: [`127.0.0.1:${port}`],
                scheme: 'http',
                root: path.join(root, 'tools/demo/site'),
                network,
                terms_url: 'https://shop.example/terms',
                rules: [
                    { name: 'about', paths: ['/about.html'], action: 'allow' },
                    { name: 'drafts', paths: ['/drafts/**'], action: 'block' },
                    { name: 'articles', paths: ['/articles/**'], action: 'charge', price: '0.05' }
                ]
            }
        ]
    })
    const base = `http://127.0.0.1:${port}`
    const fetch = (...words) => crawler('fetch', '--key', key, '--agent', agent, '--out', out, ...words)
    const receipts = () =>
        fs
            .readFileSync(path.join(out, 'receipts.jsonl'), 'utf8')
            .trim()
            .split('\n')
            .map(line => JSON.parse(line))
    return { ...set, folder, key, agent, out, base, fetch, receipts }
}

test('it pays, keeps the page and the receipt', async t => {
    const { ledger, base, fetch, receipts, out } = await scene(t)
    const url = `${base}/articles/harbour-bell.html`
    const { code, stdout } = await fetch('--max-price', 'USD 0.05', url)
    assert.equal(code, 0, stdout)
    assert.match(stdout, /USD 0\.05/)
    const [receipt] = receipts()
    assert.equal(receipt.url, url)
    assert.equal(receipt.network, network)
    assert.match(receipt.id, /^[\w-]{64}$/)
    const page = fs.readFileSync(path.join(root, 'tools/demo/site/articles/harbour-bell.html'))
    const file =
        path.isAbsolute(receipt.file) || fs.existsSync(receipt.file)
            ? receipt.file
            : path.join(out, receipt.file)
    assert.deepEqual(fs.readFileSync(file), page)
    assert.ok(JSON.stringify(receipt).includes(createHash('sha256').update(page).digest('hex')))
    assert.equal(ledger.query('SELECT resource, amount_micros FROM charge'), `${url}|50000`)
})

test('it pays no more than it was told', async t => {
    const { ledger, base, fetch } = await scene(t)
    const pages = ['harbour-bell', 'night-bakers', 'tide-tables'].map(name => `${base}/articles/${name}.html`)
    assert.equal((await fetch(pages[0])).code, 1, 'without a price nothing is paid')
    assert.equal((await fetch('--max-price', 'USD 0.049999', pages[0])).code, 1)
    assert.equal((await fetch('--max-price', 'EUR 1', pages[0])).code, 1)
    assert.equal(ledger.count('charge'), 0)
    const { code, stdout, stderr } = await fetch('--max-price', 'USD 0.05', '--budget', 'USD 0.12', ...pages)
    assert.equal(code, 1)
    assert.match(stdout + stderr, /budget/)
    assert.equal(ledger.count('charge'), 2)
})

test('free pages are free, and refusals are told with their code', async t => {
    const { ledger, base, fetch } = await scene(t)
    assert.equal((await fetch(`${base}/about.html`)).code, 0)
    const blocked = await fetch('--max-price', 'USD 1', `${base}/drafts/lighthouse.html`)
    assert.equal(blocked.code, 1)
    assert.match(blocked.stdout + blocked.stderr, /403.*blocked/s)
    const missing = await fetch('--max-price', 'USD 1', `${base}/articles/nothing.html`)
    assert.equal(missing.code, 1)
    assert.match(missing.stdout + missing.stderr, /404.*not_found/s)
    assert.equal(ledger.count('charge'), 0)
})

test('a commitment is repeated with the same id while the ledger is away', async t => {
    const { ledger, base, fetch, gate } = await scene(t)
    assert.equal((await fetch('--max-price', 'USD 0.05', `${base}/articles/tide-tables.html`)).code, 0)
    ledger.stop()
    const later = fetch('--max-price', 'USD 0.05', `${base}/articles/harbour-bell.html`)
    for (let i = 0; i < 100 && !/code=ledger_unavailable/.test(gate.log); i++)
        await new Promise(resolve => setTimeout(resolve, 50))
    ledger.start()
    const { code, stdout, stderr } = await later
    assert.equal(code, 0, stdout + stderr)
    assert.equal(ledger.count('charge'), 2)
})

test('mistakes of the command line are told', async t => {
    const { folder, base, fetch, key, agent } = await scene(t)
    const again = await crawler('keygen', '--key', key)
    assert.equal(again.code, 1)
    assert.match(again.stderr, /exist/)
    const url = `${base}/about.html`
    const missing = await crawler('fetch', '--key', path.join(folder, 'none'), '--agent', agent, url)
    assert.equal(missing.code, 1)
    assert.match(missing.stderr, /none.*No such file/s)
    assert.equal((await fetch('--max-price', 'cheap', url)).code, 64)
    const closed = await fetch(`http://127.0.0.1:${await freePort()}/`)
    assert.equal(closed.code, 1)
    assert.match(closed.stdout + closed.stderr, /connect/i)
})
