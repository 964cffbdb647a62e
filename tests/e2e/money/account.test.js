// A crawler reads what it was billed: statement, invoices in every format, what is on them, proofs.
// Tests ledger/account/statement.c, ledger/account/invoices.c, ledger/account/proof.c,
// ledger/account/disputes.c, ledger/collect/statement.c
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import fs from 'node:fs'
import path from 'node:path'
import { test } from 'node:test'
import { ask, asking, base } from '../account.js'
import { page, url } from '../directories.js'
import { makeKey, scene, withWebBotAuth } from '../signers.js'
import { build, directory } from '../support.js'
import { verifyProof } from '../verifier.js'
import { witness } from '../witness.js'

const dayMs = 86_400_000
const isoDate = ms => new Date(ms).toISOString().slice(0, 10)
const uuid = id => {
    const hex = Buffer.from(id, 'base64url').subarray(0, 16).toString('hex')
    return hex.replace(/^(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-')
}

test('a crawler reads what it was billed', async t => {
    // Noon, four days ago: no midnight comes in between.
    const today = Math.floor(Date.now() / dayMs) * dayMs
    const behind = Math.round((today - 3.5 * dayMs - Date.now()) / 1000) * 1000
    const day = isoDate(today - 4 * dayMs)
    const options = {
        rules: [{ name: 'articles', action: 'charge', price: '1.25' }],
        site: {
            seller: 'Gazette',
            billing: {
                ...{ street: '1 Rue Exemple', city: 'Paris', postal_code: '75001', country: 'FR' },
                ...{ tax_id: 'FR12345678901', endpoint: '0009:12345678900012' }
            }
        }
    }
    const set = await scene(t, options, '--clock-offset', String(behind / 1000))
    const { crawltab, key, agent, ledger, folder } = set
    const otherKey = await makeKey()
    const other = await directory(t, set.tls, [otherKey.public])
    const insecureHosts = [agent.host, other.host]
    const seen = await witness(t, 'witness.example')
    const seal = { witnesses: [`${seen.verifier} ${seen.url}`] }
    set.configure({ insecureHosts, caFile: set.tls.caFile, seal, ...options })
    process.kill(set.gate.process.pid, 'SIGHUP')
    await set.gate.logged(/event=reloaded/)

    let { gate } = set
    const pay = async (signer, origin, time) => {
        const id = await gate.offer(page)
        const headers = await withWebBotAuth(signer, origin, url, id, { time })
        assert.equal((await gate.request(page, { headers })).status, 200)
        return uuid(id)
    }
    const mine = []
    for (let i = 0; i < 5; i++) mine.push(await pay(key, agent.origin, Date.now() + behind))
    const theirs = await pay(otherKey, other.origin, Date.now() + behind)
    await gate.stop()
    const clock = offset => ['--clock-offset', String(offset / 1000)]
    const terms = [
        ...['tax.treatment=standard', 'tax.rate=19', 'buyer.name=Söhne <& Co>', 'buyer.country=DE'],
        ...['buyer.tax_id=DE123456789', 'buyer.endpoint=9930:DE123456789', 'buyer.city=Berlin']
    ]
    await crawltab(...clock(behind), 'agreement', 'set', agent.origin, ...terms, '--reason', 'contract')
    seen.logs.set('example:402/example', (await crawltab('checkpoint', 'key')).stdout.trim())
    await crawltab('nightly', '--day', day)
    const credit = ['adjust', mine[0], '--credit', '0.25', '--reason', 'the page was slow']
    await crawltab(...clock(behind + dayMs), ...credit)
    await crawltab('nightly')
    gate = await set.startGate()
    await gate.ready()
    const fresh = await pay(key, agent.origin, Date.now())
    mine.sort()

    const read = (below, more) => ask(gate, key, agent.origin, below, more)
    const answer = below => ask(gate, key, agent.origin, below, { raw: true })
    const alike = async (one, another, code) => {
        const [a, b] = [await answer(one), await answer(another)]
        assert.equal(a.headers['crawler-error'], code, a.text)
        const told = ({ status, text, headers: { date, ...headers } }) => ({ status, text, headers })
        assert.deepEqual(told(a), told(b), "another's is as unknown as what does not exist")
    }
    const listed = JSON.parse((await crawltab('invoice', 'list', '--json')).stdout)
    const numberOf = (who, kind = 'invoice') =>
        listed.find(one => one.agent === who && one.kind === kind).number
    const number = numberOf(agent.origin)
    const note = numberOf(agent.origin, 'credit-note')
    const theirNumber = numberOf(other.origin)

    await t.test('the statement is the publisher’s', async () => {
        const from = isoDate(today - 10 * dayMs)
        const words = [agent.origin, '--site', 'example', '--from', from, '--json']
        const [wanted] = JSON.parse((await crawltab('statement', ...words)).stdout)
        assert.deepEqual(await read(`/statement?from=${from}`), wanted)
        assert.equal(wanted.closing_minor, 744 - 30, 'with tax')
        assert.deepEqual((await read('/statement')).lines, wanted.lines)
        assert.deepEqual((await read('/statement?to=2001-01-01')).lines, [])
        const long = await answer('/statement?from=2020-01-01')
        assert.equal(long.headers['crawler-error'], 'range_too_long')
    })

    await t.test('invoices, in every format that the publisher has', async () => {
        const { invoices, next } = await read('/invoices')
        assert.deepEqual(
            invoices.map(one => [one.number, one.kind, one.total, one.open_minor, one.status, one.entries]),
            [
                [number, 'invoice', '7.44', 744 - 30, 'issued', 5],
                [note, 'credit-note', '0.30', 0, 'issued', 0]
            ]
        )
        assert.equal(next, null)
        const [first, second] = [await read('/invoices?limit=1'), await read(`/invoices?after=${number}`)]
        assert.deepEqual(first.invoices, [invoices[0]])
        assert.deepEqual(second.invoices, [invoices[1]])
        assert.deepEqual(await read(first.next.split('/account')[1]), { ...second, next: null })
        assert.equal(second.next, null)
        assert.deepEqual((await read(`/invoices?after=${theirNumber}`)).invoices, [])
        assert.deepEqual((await read(`/invoices?to=${isoDate(today - 5 * dayMs)}`)).invoices, [])
        const formats = {
            csv: 'csv',
            html: 'html',
            pdf: 'pdf',
            xml: 'ubl',
            journal: 'hledger',
            ledger: 'ledger',
            beancount: 'beancount'
        }
        for (const [extension, format] of Object.entries(formats)) {
            const file = path.join(folder, `invoice.${extension}`)
            await crawltab('invoice', 'show', number, '--format', format, '--out', file)
            const got = await answer(`/invoices/${number}.${extension}`)
            assert.equal(got.status, 200, got.text)
            assert.ok(got.body.equals(fs.readFileSync(file)), extension)
        }
        const { stdout } = await crawltab('invoice', 'show', number, '--format', 'json')
        const document = JSON.parse(stdout)
        assert.ok(document.events.some(event => event.actor !== ''))
        for (const event of document.events) event.actor = ''
        assert.deepEqual(await read(`/invoices/${number}`), document)
        assert.deepEqual(await read(`/invoices/${number}.json`), document)
        await alike(`/invoices/${theirNumber}`, '/invoices/INV-2026-999999', 'invoice_unknown')
        await alike(`/invoices/${theirNumber}.pdf`, '/invoices/INV%2F9.pdf', 'invoice_unknown')
        await alike(`/invoices/${theirNumber}/entries`, '/invoices/x/entries', 'invoice_unknown')
        const without = await answer(`/invoices/${note}/entries`)
        assert.equal(without.headers['crawler-error'], 'invoice_without_entries', without.text)
        assert.equal((await read(`/invoices/${note}`)).lines[0].payment_id, mine[0])
        await alike('/invoices/%00', '/invoices/%zz', 'invoice_unknown')
    })

    await t.test('that one was written off is nobody else’s affair', async () => {
        const all = async () => {
            const files = ['', '.html', '.journal'].map(end => `/invoices/${number}${end}`)
            const told = []
            for (const below of ['/statement', '/invoices', ...files]) told.push((await answer(below)).text)
            return told
        }
        const before = await all()
        await crawltab('invoice', 'write-off', number, '--reason', 'a bankruptcy')
        assert.match((await crawltab('invoice', 'show', number, '--format', 'hledger')).stdout, /Bad-Debt/)
        assert.deepEqual(await all(), before)
    })

    await t.test('what is on an invoice, page by page', async () => {
        const found = []
        for (let below = `/invoices/${number}/entries?limit=2`; below; ) {
            const part = await read(below)
            assert.ok(part.entries.length <= 2)
            found.push(...part.entries)
            below = part.next?.split('/account')[1]
        }
        assert.deepEqual(
            found.map(entry => [entry.payment_id, entry.day, entry.amount]),
            mine.map(id => [id, day, '1.25'])
        )
    })

    await t.test('proofs of own entries alone', async () => {
        const file = path.join(folder, 'proof.json')
        const got = await answer(`/proofs/${mine[2]}`)
        assert.equal(got.status, 200, got.text)
        fs.writeFileSync(file, got.body)
        const vkey = (await crawltab('checkpoint', 'key')).stdout.trim()
        const words = ['verify', file, '--vkey', vkey]
        const said = execFileSync(path.join(build, 'crawltab'), words, { cwd: '/' })
        assert.match(said.toString(), /^This proof holds\./)
        assert.equal(verifyProof(got.text, { vkey }).entry.payment_id, mine[2])
        assert.ok(!got.text.includes(theirs) && !got.text.includes(other.origin))
        const early = await answer(`/proofs/${fresh}`)
        assert.equal(early.headers['crawler-error'], 'proof_not_yet', early.text)
        const unknown = mine[2].replace(/.$/, last => (last === '0' ? '1' : '0'))
        await alike(`/proofs/${theirs}`, `/proofs/${unknown}`, 'entry_unknown')
        await alike('/proofs/x', `/proofs/${unknown}`, 'entry_unknown')
    })

    await t.test('checkpoints, as they were published and cosigned', async () => {
        const { checkpoints } = await read('/checkpoints')
        const newest = checkpoints.at(-1)
        assert.equal(newest.note, (await crawltab('checkpoint', 'show')).stdout)
        assert.match(newest.note, /^— example:402\/example \S+\n— witness\.example \S+\n$/m)
        checkpoints.forEach((one, i) => assert.equal(one.size, i + 1))
        assert.ok(checkpoints.some(one => one.day === day))
        const [first] = (await read('/checkpoints?limit=1')).checkpoints
        assert.deepEqual(first, checkpoints[0])
        const rest = await read('/checkpoints?after=1')
        assert.deepEqual(rest.checkpoints, checkpoints.slice(1))
    })

    await t.test('disputes: opened by what is signed, and read', async () => {
        const post = (body, { signer = key, who = agent, ...more } = {}) => {
            const text = typeof body === 'string' ? body : JSON.stringify(body)
            return ask(gate, signer, who.origin, '/disputes', {
                raw: true,
                method: 'POST',
                body: text,
                ...more
            })
        }
        const refused = async (response, status, code) => {
            const got = await response
            assert.equal(got.headers['crawler-error'], code, `${got.status} ${got.text}`)
            assert.equal(got.status, status)
            return got
        }
        const body = { reason: 'overcharge', statement: 'offered at 1.00', payments: [mine[1]] }
        const sign = { without: ['"content-digest"'] }
        await refused(post(body, sign), 403, 'account_signature_required')
        await refused(post(body, { tag: 'web-bot-auth' }), 403, 'account_signature_required')
        const headers = asking(key, agent.origin, `${base}/disputes`, { method: 'POST', body: '{}' })
        const swapped = { method: 'POST', headers, body: JSON.stringify(body) }
        await refused(gate.request(`${base}/disputes`, swapped), 403, 'signature_invalid')
        for (const wrong of [
            '{',
            '[]',
            '{"reason":"overcharge"}',
            { ...body, reason: 'because' },
            { ...body, more: 1 },
            { ...body, payments: [] },
            { ...body, payments: [7] },
            { ...body, payments: 'x' },
            { ...body, statement: 'x'.repeat(4097) },
            { ...body, lines: [{ invoice: number }] },
            { ...body, lines: [{ invoice: number, line: 0 }] },
            { ...body, payments: Array.from({ length: 1001 }, () => mine[1]) },
            `{"reason":"other","reason":"other","payments":["${mine[1]}"]}`
        ])
            await refused(post(wrong), 400, 'malformed_dispute')
        await refused(post('x'.repeat(140_000)), 413, 'body_refused')
        assert.equal(ledger.count('dispute'), 0)

        // All or nothing, and another's payment is as unknown as one that nobody made.
        const unknown = mine[2].replace(/.$/, last => (last === '0' ? '1' : '0'))
        const causes = async payments => {
            const got = await refused(post({ ...body, payments }), 409, 'dispute_refused')
            assert.match(got.headers['content-type'], /problem\+json/)
            return JSON.parse(got.text).subjects.map(({ cause, sentence }) => [cause, sentence])
        }
        const nobody = ['unknown', 'no entry has this payment id: nothing was charged for it']
        assert.deepEqual(await causes([mine[1], theirs]), [['', undefined], nobody])
        assert.deepEqual(await causes([unknown]), [nobody])
        const told = async payments => (await post({ ...body, payments })).text
        assert.equal(await told([theirs]), await told([unknown]))
        assert.equal(ledger.count('dispute'), 0)

        const line = async invoice => {
            const lines = [{ invoice, line: 1 }]
            return (await refused(post({ ...body, lines }), 409, 'dispute_refused')).text
        }
        assert.equal(await line(theirNumber), await line('INV-2026-999999'))
        const made = await post(body)
        assert.equal(made.status, 201, made.text)
        const { dispute_id: id, outcome, due_at } = JSON.parse(made.text)
        assert.equal(outcome, 'opened')
        const again = await post(body)
        assert.deepEqual([again.status, JSON.parse(again.text).dispute_id], [200, id])
        assert.equal(ledger.count('dispute'), 1)
        const evidence = ledger.query(
            `SELECT convert_from(evidence, 'UTF8') = '${JSON.stringify(body)}'
                    AND position('"@method": POST' IN convert_from(signature_base, 'UTF8')) > 0
               FROM dispute`
        )
        assert.equal(evidence, 't', 'what was signed is kept')

        const { disputes, next } = await read('/disputes')
        assert.deepEqual(
            disputes.map(({ dispute_id, reason, status, claimed_micros }) => [
                dispute_id,
                reason,
                status,
                claimed_micros
            ]),
            [[id, 'overcharge', 'opened', 1_250_000]]
        )
        assert.equal(next, null)
        const whole = await read(`/disputes/${id}`)
        assert.deepEqual(
            [whole.due_at, whole.statement, whole.subjects[0].payment_id, whole.events.length],
            [due_at, 'offered at 1.00', mine[1], 1]
        )
        const mineOnly = await post(
            { reason: 'other', payments: [theirs] },
            { signer: otherKey, who: other }
        )
        assert.equal(mineOnly.status, 201, mineOnly.text)
        const another = JSON.parse(mineOnly.text).dispute_id
        await alike(`/disputes/${another}`, `/disputes/${unknown}`, 'dispute_unknown')
        assert.equal((await read('/disputes')).disputes.length, 1)
        await crawltab('audit')
    })

    await t.test('days with many entries, and more than one of them', async () => {
        // More than one look goes through, most of them another's.
        const [all, each] = [55_000, 24]
        const bulk = Math.floor(all / each)
        ledger.query(
            `INSERT INTO charge (payment_id, lane, site_id, crawler_id, amount_micros, rule, resource,
                                 recorded_at, thumbprint, signature, signature_base)
             SELECT id, get_byte(uuid_send(id), 15), site_id, crawler_id, 1250000, 'articles', '${url}',
                    now(), sha256('x'), 'x', 'x'
               FROM site CROSS JOIN generate_series(1, ${all}) AS n
               JOIN crawler ON agent = CASE n % ${each} WHEN 0 THEN '${agent.origin}'
                                       ELSE '${other.origin}' END
              CROSS JOIN LATERAL (SELECT (substr(uuid_floor(now() - n * interval '1 ms')::text, 1, 14) || '7'
                  || substr(md5(n::text), 1, 3) || '-8' || substr(md5(n::text), 4, 3) || '-'
                  || substr(md5(n::text), 7, 12))::uuid AS id) AS made`,
            'crawltab_gate'
        )
        const pages = []
        for (let below = '/entries'; below; ) {
            const part = await read(below)
            pages.push(part.entries)
            below = part.next?.split('/account')[1]
        }
        const ids = pages.flat().map(entry => entry.payment_id)
        assert.ok(pages.length >= 3 && pages.every(one => one.length <= 1000))
        assert.equal(ids.length, bulk + mine.length + 1)
        assert.deepEqual(ids, [...new Set(ids)].sort())
        const own = ledger.query(
            `SELECT payment_id FROM charge JOIN crawler USING (crawler_id)
              WHERE agent = '${agent.origin}' ORDER BY payment_id`
        )
        assert.deepEqual(ids, own.split('\n'))
        const past = await read(`/entries?from=${day}&to=${day}`)
        assert.deepEqual(
            past.entries.map(entry => entry.payment_id),
            mine
        )
    })

    await t.test('days in the archive are told as such', async () => {
        await crawltab('archive', day, '--to', folder)
        const { entries, archived, next } = await read(`/entries?to=${day}`)
        assert.deepEqual([entries, next], [[], null])
        assert.deepEqual(archived, [{ day, entries: 5, amount: '6.25', amount_micros: 6_250_000 }])
        const unknown = mine[2].replace(/.$/, last => (last === '0' ? '1' : '0'))
        await alike(`/proofs/${mine[2]}`, `/proofs/${unknown}`, 'entry_archived')
        const onInvoice = await read(`/invoices/${number}/entries`)
        assert.deepEqual(onInvoice.archived, archived)
    })
})
