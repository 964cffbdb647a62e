// What `crawltab lookup` answers about ids that were paid, offered, mistyped, somebody else's, or changed in
// the ledger behind its back.
import assert from 'node:assert/strict'
import fs from 'node:fs'
import path from 'node:path'
import test from 'node:test'
import { scene, withWebBotAuth } from '../signers.js'
import { stage } from '../support.js'

const page = '/articles/tide-tables.html'
const url = target => `https://shop.example${target}`
const offset = -3 * 86400_000

// The id with another character at this place.
const change = (id, at, by = 1) => {
    const letters = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'
    return id.slice(0, at) + letters[(letters.indexOf(id[at]) + by) % 64] + id.slice(at + 1)
}

// The answer of `lookup`: as text and, from `ask`, as JSON with its exit status.
function asking(crawltab) {
    const text = (...words) =>
        crawltab('lookup', ...words).then(
            output => ({ exit: 0, ...output }),
            ({ code, stdout, stderr }) => ({ exit: code, stdout, stderr })
        )
    const ask = async (...words) => {
        const { exit, stdout, stderr } = await text(...words, '--json')
        assert.ok(stdout, stderr)
        return { exit, ...JSON.parse(stdout) }
    }
    return { text, ask }
}

const result = (answer, check) => answer.checks.find(item => item.check === check)?.result

test('lookup tells the truth', async t => {
    const { agent, key, gate, crawltab, ledger, folder } = await scene(
        t,
        {},
        '--clock-offset',
        `${offset / 1000}`
    )
    const { text, ask } = asking(crawltab)
    const pay = async target => {
        const id = await gate.offer(target)
        const time = Date.now() + offset
        const headers = await withWebBotAuth(key, agent.origin, url(target), id, { time })
        const response = await gate.request(target, { headers })
        assert.equal(response.status, 200, response.text)
        return id
    }
    const query = `${page}?ref=a%20b`
    const unpaid = await gate.offer(page)
    const hidden = await gate.offer(query)
    const paid = [await pay(page), await pay(page), await pay('/')]
    const uuid = (await ask(paid[1])).payment_id

    await t.test('an entry without its id, by URL and time', async () => {
        const around = ms => [
            '--at',
            new Date(Date.now() + offset + ms).toISOString().replace(/T(.{5}).*/, ' $1Z')
        ]
        const one = await ask('--url', url('/'), ...around(0))
        assert.deepEqual([one.exit, one.status, one.id], [0, 'paid', paid[2]])
        const several = await text('--url', url(page), '--crawler', agent.origin, ...around(0))
        assert.equal(several.exit, 1)
        assert.match(several.stdout, /^2 payments fit; look one up by its id:\n/)
        assert.ok(several.stdout.includes(`${uuid}  `), several.stdout)
        const list = await ask('--url', url(page), ...around(0))
        assert.deepEqual([list.exit, list.status, list.payments.length], [1, 'several', 2])
        for (const words of [
            ['--url', url('/nowhere'), ...around(0)],
            ['--url', url('/'), ...around(-40 * 60_000)]
        ])
            assert.match((await text(...words)).stdout, /^no payment for this URL/)
        for (const words of [around(0), ['--url', url('/')], [paid[0], '--url', url('/'), ...around(0)]])
            assert.match((await text(...words)).stderr, /use: crawltab lookup PAYMENT-ID, or lookup --url/)
    })

    await t.test('an entry, with what was checked', async () => {
        const open = await ask(paid[0])
        assert.equal(open.exit, 0)
        assert.equal(open.status, 'paid')
        assert.equal(open.id, paid[0])
        for (const check of ['id', 'price', 'url', 'offer', 'key', 'signature'])
            assert.equal(result(open, check), 'good', check)
        assert.equal(result(open, 'sealed'), 'unknown')
        assert.equal(open.holds, true)
        // The spaces and the line break of a mail are no mistake, nor are quotes; the UUID asks the same.
        const broken = `${paid[0].slice(0, 40)}\r\n  ${paid[0].slice(40)}`
        for (const given of [` ${paid[0]} `, `${paid[0]}\n`, `"${paid[0]}"`, broken, open.payment_id])
            assert.equal((await ask(given)).payment_id, open.payment_id)
        const shown = (await text(paid[0])).stdout
        assert.match(shown, /^Answer {6}paid: this is the entry\n/)
        const foreign = /^(Directory|Public key|Signature) |^ {2}\| /
        const ours = shown.split('\n').filter(line => !foreign.test(line))
        for (const line of ours) assert.ok(line.length <= 80, line)
    })

    await t.test('an offer that nobody paid', async () => {
        const answer = await ask(unpaid)
        assert.equal(answer.exit, 1)
        assert.equal(answer.status, 'expired')
        assert.equal(answer.site, 'example')
        assert.equal(answer.amount, '0.05')
        assert.equal(answer.currency, 'USD')
        assert.equal(answer.resource, url(page))
        assert.ok(Math.abs(answer.offered_unix * 1000 - Date.now() - offset) < 600_000)
        assert.equal(answer.expires_unix - answer.offered_unix, 300)
        // A URL that no file stands for is told to whoever names it, or once it has been paid for.
        assert.equal((await ask(hidden)).resource, null)
        assert.match((await text(hidden)).stdout, /--url URL compares/)
        assert.equal((await ask(hidden, '--url', url(query))).resource, url(query))
        assert.equal((await ask(hidden, '--url', url('/'))).resource, null)
        await pay(query)
        assert.equal((await ask(hidden)).resource, url(query))
    })

    await t.test('a mistyped id, and what it may have meant', async () => {
        const slips = id => [
            change(id, 63),
            change(id, 50),
            change(id, 30),
            change(id, 12),
            change(id, 3),
            id.slice(0, 41) + id.slice(42),
            `${id.slice(0, 20)}x${id.slice(20)}`,
            `${id.slice(0, 21)}.${id.slice(22)}`
        ]
        for (const [id, was] of [paid[0], unpaid].map((id, i) => [id, i === 0]))
            for (const slip of slips(id)) {
                const answer = await ask(slip)
                assert.equal(answer.exit, 1)
                assert.equal(answer.status, 'mistyped', slip)
                assert.equal(answer.may_mean[0].id, id)
                assert.equal(answer.may_mean[0].paid, was)
                assert.equal(answer.signature, undefined)
            }
        // The second half is wrong as a whole.
        const half = paid[0].slice(0, 32) + unpaid.slice(32)
        assert.equal((await ask(half)).may_mean[0].id, paid[0])
        assert.match((await text(half)).stdout, new RegExp(`Meant\\? +${paid[0]}\n +paid\n`))
        // One digit of a UUID.
        for (const at of [2, 10, 20, 35]) {
            const wrong = uuid.slice(0, at) + (uuid[at] === '1' ? '2' : '1') + uuid.slice(at + 1)
            const answer = await ask(wrong)
            assert.equal(answer.status, 'mistyped', wrong)
            assert.equal(answer.may_mean[0].payment_id, uuid)
        }
        const hello = await text('hello')
        assert.equal(hello.exit, 1)
        assert.match(hello.stdout, /^Answer {6}no invoice, credit note or key of this ledger, and no pay/)
        assert.equal((await text('x'.repeat(90))).exit, 64)
    })

    await t.test('without the offer key, what needs none', async () => {
        const [file, away] = [path.join(folder, 'offer.key'), path.join(folder, 'away.key')]
        fs.renameSync(file, away)
        for (const slip of [change(paid[0], 50), change(paid[0], 12), change(paid[0], 3)]) {
            const answer = await ask(slip)
            assert.equal(answer.status, 'mistyped', slip)
            assert.equal(answer.may_mean[0].id, paid[0])
            assert.match(answer.offer_key_problem, /No such file/)
        }
        const entry = await ask(paid[0])
        assert.equal(entry.status, 'paid')
        assert.equal(result(entry, 'offer'), 'unknown')
        assert.equal((await ask(unpaid)).status, 'unknown')
        assert.match((await text(unpaid)).stdout, /the offer key would tell[^]*offer\.key: No such file/)
        assert.ok(!fs.existsSync(file)) // and none was made
        fs.renameSync(away, file)
    })

    await t.test('invoices and keys by their names, and their slips', async () => {
        await crawltab('nightly')
        const number = ledger.query('SELECT number FROM invoice')
        const invoice = await ask(number)
        assert.deepEqual([invoice.exit, invoice.status, invoice.documents.length], [0, 'invoice', 1])
        const [{ agent: whose, entries, total_minor }] = invoice.documents
        assert.deepEqual([whose, entries, total_minor], [agent.origin, 4, 15])
        const made = JSON.parse((await crawltab('invoice', 'entries', number, '--json')).stdout)
        assert.deepEqual([made.entries.length, made.sum_micros], [4, made.billed_micros])
        const mine = made.entries.find(entry => entry.payment_id === uuid)
        assert.deepEqual([mine.resource, mine.amount_micros, mine.price_micros], [url(page), 50000, 50000])
        assert.match(mine.why, /^rule \S+ at 0\.05$/)
        assert.match((await text(` "${number}" `)).stdout, new RegExp(`entries ${number}: every crawl`))
        const thumbprint = key.keyid
        const known = await ask(thumbprint)
        assert.deepEqual([known.exit, known.status], [0, 'key'])
        assert.equal(known.accounts[0].agent, agent.origin)
        assert.deepEqual(known.accounts[0].entries.map(entry => entry.payment_id).includes(uuid), true)
        assert.equal(known.accounts[0].entries.length, 4)
        assert.equal(known.accounts[0].sources.length, 1)
        assert.match((await text(thumbprint)).stdout, /Relied on {3}http.*, 1 version of it\n/)
        const swapped = number.replace(/(.)(.)$/, '$2$1')
        const slips = [number.slice(0, -1), `${number}0`, number.toLowerCase(), number.replace('-0000', '-')]
        for (const slip of [...slips, number.replace('INV', 'IMV'), swapped]) {
            const answer = await ask(slip)
            assert.deepEqual([answer.exit, answer.status], [1, 'unknown'])
            assert.equal(answer.may_mean[0].number, number, slip)
        }
        for (const slip of [change(thumbprint, 7), thumbprint.slice(1), `${thumbprint}A`]) {
            const answer = await ask(slip)
            assert.equal(answer.may_mean[0].thumbprint, thumbprint, slip)
            assert.match((await text(slip)).stdout, /Meant\? +.{43}, the key of http/)
        }
        assert.equal((await text(number, '--proof', 'x')).exit, 64)
    })

    await t.test('what was changed or removed behind the ledger', async () => {
        await crawltab('nightly')
        assert.equal(result(await ask(paid[1]), 'sealed'), 'good')
        assert.equal(result(await ask(unpaid), 'sealed'), 'good')
        const table = ledger.query(`SELECT tableoid::regclass FROM charge WHERE payment_id = '${uuid}'`)
        const behind = sql => ledger.query(`ALTER TABLE ${table} DISABLE TRIGGER ALL; ${sql}`)
        const other = "convert_to(replace(convert_from(signature_base, 'UTF8'), 'author', 'a'), 'UTF8')"
        const changes = [
            ['amount_micros', '50001', 'price'],
            ['amount_micros', '49999', 'sealed'], // a site may have asked for less: only the seal tells
            ['resource', `'${url('/')}'`, 'url'],
            ['rule', "'rest'", 'sealed'],
            ['signature', "sha256('') || sha256('')", 'signature'],
            ['signature_base', other, 'signature'],
            ['recorded_at', "recorded_at + interval '1 second'", 'sealed']
        ]
        for (const [column, value, check] of changes) {
            behind(`CREATE TABLE was AS SELECT * FROM ${table} WHERE payment_id = '${uuid}';
                    UPDATE ${table} SET ${column} = ${value} WHERE payment_id = '${uuid}'`)
            const answer = await ask(paid[1])
            assert.equal(answer.status, 'paid')
            assert.equal(answer.exit, 1)
            assert.equal(answer.holds, false)
            assert.equal(result(answer, check), 'bad', column)
            assert.equal(result(answer, 'sealed'), 'bad', column)
            behind(`UPDATE ${table} t SET ${column} = was.${column} FROM was
                     WHERE t.payment_id = was.payment_id; DROP TABLE was`)
        }
        assert.equal((await ask(paid[1])).exit, 0)
        behind(`UPDATE ${table} SET amount_micros = 1 WHERE payment_id = '${uuid}'`)
        assert.match((await text(paid[1])).stdout, /ENTRY WAS CHANGED[^]*sealed +FAILS/)
        behind(`DELETE FROM ${table} WHERE payment_id = '${uuid}'`)
        for (const gone of [paid[1], uuid]) {
            const answer = await ask(gone)
            assert.equal(answer.exit, 1)
            assert.equal(answer.holds, false)
            assert.match((await text(gone)).stdout, /ENTRIES WERE CHANGED OR REMOVED/)
        }
    })
})

test('an id of another ledger, of another site, and one that still holds', async t => {
    const other = await stage(t)
    fs.writeFileSync(path.join(other.folder, 'page.html'), 'x')
    const sites = ['gazette', 'courier'].map(name => ({
        name,
        hosts: [`${name}.example`],
        root: other.folder,
        network: `${name}:402`,
        terms_url: 'https://shop.example/terms',
        rules: [{ action: 'charge', price: '1' }]
    }))
    const { gate, crawltab } = await stage(t, { sites })
    const { ask, text } = asking(crawltab)
    const foreign = await other.gate.offer('/')
    assert.equal((await ask(foreign)).status, 'foreign')
    assert.match((await text(foreign)).stdout, /another ledger's/)
    const courier = await ask(await gate.offer('/page.html', { host: 'courier.example' }))
    assert.equal(courier.exit, 1)
    assert.equal(courier.status, 'offered')
    assert.equal(courier.site, 'courier')
    assert.equal(courier.amount, '1.00')
    assert.equal(courier.resource, 'https://courier.example/page.html')
})
