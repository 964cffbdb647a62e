// Disputes by the real programs: each reason, decided by a rule and by a person, before the invoice and after
// it, in part and whole; what is refused says why, each step is told, and proofs of what was rejected hold.
// Tests ledger/dispute/piece.c
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import fs from 'node:fs'
import http from 'node:http'
import path from 'node:path'
import test from 'node:test'
import { scene, withWebBotAuth } from '../signers.js'
import { temporaryFolder } from '../support.js'

const page = '/articles/harbour-bell.html'
// So far back that the day of the crawls can be closed at any hour.
const offset = -(26 * 3600 + 300)
const price = 1_500_000

async function receiver(t) {
    const types = []
    const server = http.createServer((request, response) => {
        const chunks = []
        request.on('data', chunk => chunks.push(chunk))
        request.on('end', () => {
            types.push(JSON.parse(Buffer.concat(chunks).toString()))
            response.writeHead(204).end()
        })
    })
    await new Promise(resolve => server.listen(0, '127.0.0.1', resolve))
    t.after(() => (server.closeAllConnections(), server.close()))
    return { types, url: `http://127.0.0.1:${server.address().port}/hook` }
}

test('disputes, from their opening to what comes of them', async t => {
    const hook = await receiver(t)
    const folder = temporaryFolder(t)
    const webhook = { url: hook.url, secret_file: path.join(folder, 'webhook.secret') }
    const rules = [{ name: 'all', action: 'charge', price: '1.5' }]
    const options = { site: { webhook, rules } }
    const set = await scene(t, options, '--clock-offset', String(offset))
    const { agent, key, gate, crawltab, ledger } = set
    for (let i = 0; i < 7; i++) {
        const id = await gate.offer(page)
        const time = Date.now() + offset * 1000
        const headers = await withWebBotAuth(key, agent.origin, `https://shop.example${page}`, id, { time })
        assert.equal((await gate.request(page, { headers })).status, 200)
    }
    const paid = ledger.query('SELECT payment_id FROM charge ORDER BY payment_id').split('\n')
    const dispute = async (...words) => JSON.parse((await crawltab('dispute', ...words, '--json')).stdout)
    const open = (...words) => dispute('open', ...words)
    const refused = async (...words) => {
        const error = await crawltab(...words).then(
            () => assert.fail(`${words.join(' ')} was taken`),
            error => error
        )
        return `${error.stdout}${error.stderr}`
    }
    const brief = ({ status, upheld_micros, findings }) => [
        status,
        upheld_micros,
        findings.map(finding => finding.rule).join(' ')
    ]

    await t.test('rules decide before the invoice is made', async () => {
        const log = path.join(folder, 'access.log')
        const lines = [
            `crawltab=${paid[0]} status=200 bytes=5 length=100`,
            `crawltab=${paid[1]} status=502 bytes=0 length=-`
        ]
        fs.writeFileSync(log, lines.join('\n') + '\n')
        await crawltab('undelivered', '--log', log)
        const lost = await open(paid[0], '--reason', 'service_not_delivered', '--text', 'half a page')
        assert.deepEqual(brief(lost), ['upheld', price, 'undelivered'])
        const events = lost.events.map(event => event.event)
        assert.deepEqual(events, ['opened', 'upheld'])
        assert.deepEqual([lost.opened_by, lost.statement], ['publisher', 'half a page'])
        const error = await open(paid[1], '--reason', 'service_defective')
        assert.deepEqual(brief(error), ['upheld', price, 'origin_error'])
        // Told again it is the same one, and nothing more is given back.
        const again = await open(paid[0], '--reason', 'service_not_delivered')
        assert.equal(again.dispute_id, lost.dispute_id)
        assert.equal(ledger.count('adjustment'), 2)
    })

    await t.test('a person decides what rules do not, in part', async () => {
        const wish = await open(paid[2], '--reason', 'customer_request')
        assert.deepEqual(brief(wish), ['referred', 0, ''])
        const id = wish.dispute_id
        const much = ['dispute', 'decide', id, '--uphold', '--amount', '1.6', '--reason', 'x']
        assert.match(await refused(...much), /this is more than was billed[^]*at most 1\.50 USD is left/)
        const part = await dispute('decide', id, '--uphold', '--amount', '0.5', '--reason', 'as a courtesy')
        assert.deepEqual(brief(part), ['part_upheld', 500_000, 'person'])
        const late = ['dispute', 'decide', id, '--reject', '--reason', 'no']
        assert.match(await refused(...late), /this dispute is decided already/)
    })

    const evidence = path.join(folder, 'letter.txt')
    let number, otherId
    await t.test('the night looks at what was opened at the gate, and bills as ever', async () => {
        ledger.query(
            `SELECT open_dispute(gen.id, 1, crawler_id, 'duplicate_payment', 'twice',
                                 ARRAY['${paid[3]}'::uuid], ARRAY[''], ARRAY[0],
                                 '{}', 'base', 'signature', sha256(''), 60, 14)
               FROM crawler, (SELECT uuid_floor(now()) AS id) AS gen`,
            'crawltab_gate'
        )
        const { stdout } = await crawltab('nightly')
        assert.match(stdout, /: dispute \S+ is referred, 0\.00 USD back\n/)
        const [opened] = await dispute('list', '--status', 'open')
        assert.deepEqual([opened.opened_by, opened.status, opened.overdue], ['crawler', 'referred', false])
        number = ledger.query("SELECT number FROM invoice WHERE kind = 'invoice'")
        const shown = (await crawltab('invoice', 'show', number)).stdout
        assert.match(shown, / Disputed +1\.50\n/)
        assert.match(shown, / Total USD +10\.50\n/)
    })

    await t.test('after the invoice: whole, and rejected with proofs', async () => {
        const [waiting] = await dispute('list', '--status', 'referred')
        const choice = [waiting.dispute_id, '--uphold', paid[3], '--reason', 'it was twice']
        const whole = await dispute('decide', ...choice)
        assert.deepEqual(brief(whole), ['upheld', price, 'person'])
        assert.equal(whole.subjects[0].invoice, number)
        const both = await open(paid[4], paid[5], '--reason', 'overcharge')
        const proofs = path.join(folder, 'proofs')
        const words = ['--reject', '--reason', 'it is the price that was signed', '--proof', proofs]
        assert.deepEqual(brief(await dispute('decide', both.dispute_id, ...words)), ['rejected', 0, ''])
        assert.deepEqual(fs.readdirSync(proofs).sort(), [`${paid[4]}.json`, `${paid[5]}.json`])
        for (const file of fs.readdirSync(proofs)) await crawltab('verify', path.join(proofs, file))
        await crawltab('dispute', 'show', both.dispute_id, '--proof', proofs, '--pdf')
        const letters = fs.readdirSync(proofs).filter(file => file.endsWith('.pdf'))
        assert.deepEqual(letters.sort(), [`${paid[4]}.pdf`, `${paid[5]}.pdf`])
        const text = execFileSync('pdftotext', [path.join(proofs, letters[0]), '-']).toString()
        assert.ok(text.includes('Evidence of a payment') && text.includes(paid[4]), text)
        fs.writeFileSync(evidence, 'Dear publisher,')
        const other = await open(paid[6], '--reason', 'other', '--evidence', evidence)
        const copy = path.join(folder, 'copy.txt')
        await crawltab('dispute', 'show', other.dispute_id, '--evidence', copy)
        assert.equal(fs.readFileSync(copy, 'utf8'), 'Dear publisher,')
        otherId = other.dispute_id
    })

    await t.test('files are put to it while it is open, and stay as they are', async () => {
        const file = path.join(folder, 'page.pdf'),
            copy = path.join(folder, 'page-copy.pdf'),
            bytes = Buffer.concat([Buffer.from('%PDF-1.7\n'), Buffer.alloc(1048567, 0xff)])
        const add = (...words) => dispute('add', otherId, '--evidence', ...words)
        fs.writeFileSync(file, bytes)
        const [opening, piece, ...more] = (await add(file, '--text', 'it is all there')).pieces
        assert.deepEqual([opening.piece, opening.name, more], [0, 'letter.txt', []])
        assert.equal(piece.sha256, createHash('sha256').update(bytes).digest('hex'))
        assert.deepEqual(
            [piece.name, piece.media_type, piece.bytes, piece.note],
            ['page.pdf', 'application/pdf', 1048576, 'it is all there']
        )
        assert.equal((await add(file, '--name', 'again')).pieces.length, 2)
        const shown = ['show', otherId, '--evidence', copy, '--piece']
        await crawltab('dispute', ...shown, '1')
        assert.ok(fs.readFileSync(copy).equals(bytes))
        assert.match(await refused('dispute', ...shown, '2'), /cannot write the evidence[^]*there is none/)
        const said = (await crawltab('dispute', 'show', otherId)).stdout
        assert.match(said, /^Evidence +0: letter\.txt, 15 bytes, SHA-256 [0-9a-f]{64}$/m)
        assert.match(said, /^ +1: page\.pdf, 1048576 bytes, SHA-256 [0-9a-f]{64}: it is all there$/m)
        fs.appendFileSync(file, 'x')
        assert.match(await refused('dispute', 'add', otherId, '--evidence', file), /it is larger than 1 MiB/)
        for (const wrong of [Buffer.from([0x50, 0x4b, 3, 4]), Buffer.from('a\xff', 'latin1'), '']) {
            fs.writeFileSync(file, wrong)
            const no = await refused('dispute', 'add', otherId, '--evidence', file)
            assert.match(no, /the evidence is (empty|no file that is taken)[^]*give a PDF, a PNG or JPEG/)
        }
        assert.match(await refused('dispute', 'add', otherId), /--evidence is missing/)
        // What is decided is decided on what was there.
        const decided = ledger.query("SELECT dispute_id FROM dispute_event WHERE event = 'rejected' LIMIT 1")
        const late = await refused('dispute', 'add', decided, '--evidence', evidence)
        assert.match(late, /this dispute is decided already/)
        assert.equal(ledger.count('dispute_piece'), 1)
        assert.equal(ledger.query("SELECT count(*) FROM fact WHERE source = 'dispute_piece'"), '1')
    })

    await t.test('each cause of a refusal has its sentence', async () => {
        const unknown = '01890000-0000-7000-8000-000000000001'
        const why = ['--reason', 'other']
        assert.match(await refused('dispute', 'open', unknown, ...why), /no entry has this payment id/)
        const again = await refused('dispute', 'open', paid[4], ...why)
        assert.match(again, /it is disputed already, or was: dispute /)
        const line = (invoice, n) => ['dispute', 'open', '--invoice', invoice, '--line', n, ...why]
        assert.match(await refused(...line('INV-1', '1')), /there is no such invoice/)
        assert.match(await refused(...line(number, '9')), /the invoice has no such line/)
        assert.match(await refused('dispute', 'show', unknown), /there is no such dispute/)
        const bad = await refused('dispute', 'open', paid[4], '--reason', 'bad')
        assert.match(bad, /crawltab dispute rules lists/)
        // A line is disputed with any of its crawls.
        assert.match(await refused(...line(number, '1')), /it is disputed already, or was: dispute /)
        assert.match((await crawltab('dispute', 'rules')).stdout, /service_not_delivered/)
    })

    await t.test('every step is told, and everything adds up', async () => {
        await crawltab('webhook', 'deliver')
        const times = word => hook.types.filter(({ type }) => type === `dispute.${word}`).length
        const words = ['opened', 'referred', 'upheld', 'part_upheld', 'rejected']
        assert.deepEqual(words.map(times), [6, 4, 3, 1, 1])
        assert.equal(hook.types.find(({ type }) => type === 'dispute.rejected').data.reason, 'overcharge')
        assert.match((await crawltab('audit')).stdout, /everything adds up/)
        const sums = 'SELECT sum(amount_micros) FROM'
        assert.equal(ledger.query(`${sums} adjustment`), String(3 * price + 500_000))
        assert.equal(ledger.query(`${sums} dispute_finding`), String(3 * price + 500_000))
    })
})
