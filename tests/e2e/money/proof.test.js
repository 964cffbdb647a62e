// Proofs that leave the ledger: made of payments in every dialect, and checked by the command and by a
// verifier that was written from ledger/PROOF.md alone. What one refuses, the other refuses too.
// Tests ledger/bundle/deliveries.c, ledger/bundle/witnesses.c
import assert from 'node:assert/strict'
import { execFileSync, spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import fs from 'node:fs'
import path from 'node:path'
import { test } from 'node:test'
import { claims, jws, paymentSignature, signed } from '../dialects.js'
import { page, proof as directoryProof, url } from '../directories.js'
import { makeEcKey, makeRsaKey, scene, withHttpMessageSig, withWebBotAuth } from '../signers.js'
import { build, root, until } from '../support.js'
import { verifyProof } from '../verifier.js'
import { witness } from '../witness.js'

const dayMs = 86_400_000
const host = 'shop.example'
const isoDate = ms => new Date(ms).toISOString().slice(0, 10)

// Changes that make another file of it, each with its name.
function* tampered(json) {
    const copy = () => structuredClone(json)
    const at = (tree, steps) => steps.reduce((value, step) => value[step], tree)
    function* walk(value, steps) {
        const name = steps.join('.')
        const change = to => {
            const tree = copy()
            at(tree, steps.slice(0, -1))[steps.at(-1)] = to
            return [name, tree]
        }
        if (typeof value === 'number') yield change(value + 1)
        else if (typeof value === 'string') {
            const middle = value.length >> 1
            yield change(
                value.slice(0, middle) + (value[middle] === 'A' ? 'B' : 'A') + value.slice(middle + 1)
            )
            yield change(`${value} `)
        } else if (Array.isArray(value)) {
            for (const [i, item] of value.entries()) yield* walk(item, [...steps, i])
            // Rows may be missing, and who signed before: none of it is claimed to be whole.
            if (value.length > 0 && name !== 'facts' && name !== 'logs.0.key_changes') {
                yield [`${name} shorter`, change(value.slice(1))[1]]
                yield [`${name} twice`, change([value[0], ...value])[1]]
            }
        } else {
            for (const member of Object.keys(value)) {
                yield* walk(value[member], [...steps, member])
                const tree = copy()
                delete at(tree, steps)[member]
                // Nor has anybody to cosign.
                if (member === 'witnesses') continue
                yield [`${name} without ${member}`, tree]
            }
            const tree = copy()
            at(tree, steps).more = 1
            yield [`${name} with more`, tree]
        }
    }
    yield* walk(json, [])
}

test('a proof holds without the ledger, and nothing in it can be changed', async t => {
    // Noon, four days ago: no midnight comes in between.
    const today = Math.floor(Date.now() / dayMs) * dayMs
    const behind = Math.round((today - 3.5 * dayMs - Date.now()) / 1000) * 1000
    const time = Date.now() + behind
    const algorithms = ['ed25519', 'rsa-pss-sha512', 'ecdsa-p256-sha256']
    const [rsa, ec] = [await makeRsaKey(), await makeEcKey()]
    const street = 'Straße des 17. Juni 135'
    const site = { seller: 'Gazette & Söhne', billing: { street, city: 'Berlin', country: 'DE' } }
    const notary = await witness(t, 'witness.example/w1')
    const seal = { witnesses: [`${notary.verifier} ${notary.url}/`] }
    const set = await scene(t, { algorithms, site, seal }, '--clock-offset', String(behind / 1000))
    const { crawltab, gate, agent, key, folder, ledger } = set
    const { origin } = agent
    agent.answer = (request, response) => {
        const body = JSON.stringify({ keys: [key, rsa, ec].map(one => one.public) })
        const created = Math.floor((Date.now() + behind) / 1000)
        const fields = directoryProof(key, agent.host, body, { created, expires: created + 60 })
        for (const [name, value] of Object.entries(fields)) response.setHeader(name, value)
        response.end(body)
    }
    const pay = async (headers, target = page) => {
        const answer = await gate.request(target, { headers })
        assert.equal(answer.status, 200, answer.text)
        return ledger.query(
            'SELECT payment_id FROM charge ORDER BY recorded_at DESC, payment_id DESC LIMIT 1'
        )
    }
    const offer = async () =>
        JSON.parse((await gate.request(page, { headers: { 'user-agent': 'GPTBot' } })).text).accepts[0]
    const accepted = async () => {
        const { extras, ...rest } = await offer()
        return rest
    }
    const at = { time }
    const paid = {}
    paid.payment = await pay(await withWebBotAuth(key, origin, url, await gate.offer(page), at))
    paid.member = await pay(await withHttpMessageSig(key, origin, url, await gate.offer(page), at))
    paid.x402 = await pay(signed(key, origin, host, paymentSignature(await accepted()), at))
    paid.price = await pay(signed(key, origin, host, { 'crawler-exact-price': 'USD 0.05' }, at))
    const one = await accepted()
    paid.jws = await pay(paymentSignature(one, { commitment: jws(key, claims(origin, one, url, at)) }))
    paid.rsa = await pay(await withWebBotAuth(rsa, origin, url, await gate.offer(page), at))
    paid.ec = await pay(signed(ec, origin, host, paymentSignature(await accepted()), at))
    paid.ecPrice = await pay(signed(ec, origin, host, { 'crawler-max-price': 'USD 0.06' }, at))
    const unpaid = await gate.offer(page)
    const home = await gate.offer('/')
    const broken = await pay(await withWebBotAuth(key, origin, `https://${host}/`, home, at), '/')
    const count = new Set([...Object.values(paid), broken]).size
    assert.equal(count, 9)
    await until(() => ledger.count('delivery') === count, 'what was delivered')

    const file = name => path.join(folder, `${name}.json`)
    // Half of it, says the front.
    fs.writeFileSync(file('log'), `crawltab=${home} status=200 bytes=10 length=20\n`)
    await crawltab('undelivered', '--log', file('log'))
    const day = isoDate(today - 4 * dayMs)
    await assert.rejects(
        crawltab('lookup', paid.payment, '--proof', file('none')),
        /its day is not closed yet/
    )
    assert.ok(!fs.existsSync(file('none')))
    const log = async () => (await crawltab('checkpoint', 'key')).stdout.trim()
    notary.logs.set('example:402/example', await log())
    await crawltab('nightly', '--day', day)
    await crawltab('lookup', paid.payment, '--proof', file('first'))
    const early = { key: (await crawltab('checkpoint', 'key')).stdout.trim(), note: file('note') }
    fs.writeFileSync(early.note, (await crawltab('checkpoint', 'show')).stdout)
    await crawltab('adjust', paid.payment, '--credit', '0.01', '--reason', 'the page was slow')
    await crawltab('checkpoint', 'key', 'rotate', '--reason', 'once a year')
    await assert.rejects(crawltab('nightly'), /it knows this log by another key than the one that has signed/)
    const vkey = await log()
    await crawltab('lookup', paid.payment, '--proof', file('unseen'))
    notary.logs.set('example:402/example', vkey)
    assert.match((await crawltab('checkpoint', 'interim')).stdout, /1 cosignature of the newest closed day/)
    assert.notEqual(vkey, early.key)

    // What a letter says, without the spaces in which lines were broken.
    const close = text => text.replaceAll(/\s+/g, '')
    const letter = name => path.join(folder, `${name}.pdf`)
    const onPaper = name => close(execFileSync('pdftotext', ['-raw', letter(name), '-']).toString())
    const says = (name, ...words) => {
        const text = onPaper(name).replaceAll(close(`Gazette & Söhne · ${words[0]} Page`), '')
        const digest = createHash('sha256').update(fs.readFileSync(file(name))).digest('hex')
        const found = verify(name).split(/^- |^[A-Z].*:\n/m)
        assert.ok(found.length > 5)
        for (const sentence of [...words, 'Gazette & Söhne', street, digest, ...found.slice(1)])
            assert.ok(
                text.replaceAll(/(Page)?\dof\d/g, '').includes(close(sentence).replaceAll(/\dof\d/g, '')),
                `${sentence} in ${text}`
            )
        const [{ checkpoint }] = JSON.parse(read(name)).logs
        assert.ok(text.includes(close(checkpoint)))
        assert.ok(text.includes(close(`crawltab verify ${name}.json --vkey '${vkey}'`)))
    }

    const verify = (name, ...words) => {
        try {
            const out = execFileSync(path.join(build, 'crawltab'), ['verify', file(name), ...words], {
                cwd: '/',
                stdio: 'pipe'
            })
            return out.toString().replaceAll(/\n {2}/g, ' ')
        } catch (error) {
            assert.equal(error.status, 1, error.stderr)
            return null
        }
    }
    const read = name => fs.readFileSync(file(name), 'utf8')

    await t.test('of payments in every dialect', async () => {
        for (const [name, id] of Object.entries(paid)) {
            await crawltab('lookup', id, '--proof', file(name))
            const said = verify(name, '--vkey', vkey)
            assert.match(said ?? verify(name), /^This proof holds\.\nProven:/)
            assert.match(
                said,
                new RegExp(
                    `The log has payment ${id} as number \\d of the ${count} entries of ${day} \\(UTC\\)`
                )
            )
            const by = algorithms[name === 'rsa' ? 1 : name.startsWith('ec') ? 2 : 0]
            assert.ok(said.includes(`as ${origin}, has signed to pay for ${url} by ${by}; 0.05 USD is`), said)
            // It has signed its answer with one of its keys.
            const listed = `directory ${origin}/.well-known/http-message-signatures-directory listed this key`
            assert.ok(said.includes(by === algorithms[0] ? `- The ${listed}` : `- That the ${listed}`), said)
            assert.match(
                said,
                /by invoice TEST-INV-\d{4}-000001 .*in line 1: 8 crawls by the rule "articles" at 0\.05 USD/s
            )
            assert.match(said, /Not proven by it:.*That anybody has read the page, or what it said/s)
            const found = verifyProof(read(name), { vkey })
            assert.equal(found.entry.payment_id, id)
            assert.equal(found.offered, name.toLowerCase().endsWith('price') ? undefined : 50000)
            assert.ok(found.facts.every(fact => fact.sealed))
            const [delivered, ...others] = found.deliveries
            const bytes = fs.readFileSync(path.join(root, 'tools/demo/site', page))
            const digest = createHash('sha256').update(bytes).digest('hex')
            assert.equal(others.length, 0)
            assert.deepEqual(
                [delivered.ended, delivered.status, delivered.sent_bytes, delivered.body_digest],
                ['whole', 200, bytes.length, `\\x${digest}`]
            )
            assert.ok(
                said.includes(`delivery: all of it was handed to the network; status 200, ${bytes.length}`),
                said
            )
            assert.match(said, /Not proven by it:.*That this is what the crawler got/s)
        }
        assert.match(
            verify('payment'),
            /Adjusted at .*: credit of 0\.01 USD, because: the page was slow \(sealed on/
        )
        assert.match(verify('price'), /No offer was answered: the crawler named the price itself/)
    })

    await t.test('with a letter that says all of it, of a crawl that was not delivered too', async () => {
        const words = name => ['--proof', file(name), '--pdf', letter(name)]
        await crawltab('lookup', paid.payment, ...words('payment'))
        says('payment', 'Evidence of a payment', 'A trial:', '0.05 USD, by the rule "articles"', url)
        await crawltab('lookup', broken, ...words('broken'))
        says('broken', 'Evidence of a payment', 'The page was not delivered whole: 10 bytes were sent')
        const unasked = crawltab('lookup', paid.payment, '--pdf', letter('none'))
        await assert.rejects(unasked, /--pdf is a letter about the file of --proof/)
    })

    await t.test('by whom, and that the log has grown from a checkpoint', () => {
        assert.match(verify('payment'), /Whose key has signed the log: the file names it itself/)
        assert.match(verify('payment', '--vkey', early.key), /to which the one that you gave leads/)
        assert.match(
            verify('payment', '--checkpoint', early.note),
            /Its first \d days? are those of the checkpoint/
        )
        verifyProof(read('payment'), { vkey: early.key, checkpoint: fs.readFileSync(early.note, 'utf8') })
        const typed = Buffer.alloc(33, 1)
        const id = createHash('sha256')
            .update('example:402/example\n')
            .update(typed)
            .digest('hex')
            .slice(0, 8)
        const stranger = `example:402/example+${id}+${typed.toString('base64')}`
        assert.equal(verify('payment', '--vkey', stranger), null)
        assert.throws(() => verifyProof(read('payment'), { vkey: stranger }), /the key that you trust/)
        fs.writeFileSync(file('other'), fs.readFileSync(early.note, 'utf8').replace(/\n\d+\n/, '\n9\n'))
        assert.equal(verify('payment', '--checkpoint', file('other')), null)
        assert.throws(() => verifyProof(read('payment'), { checkpoint: read('other') }))
    })

    await t.test('which a witness has seen grow', async () => {
        const by = ['--witness', notary.verifier]
        const said = verify('payment', ...by)
        assert.match(said, /The witness witness\.example\/w1 has cosigned all \d days of the log/)
        assert.match(said, /, which you gave: it has seen the log only grow\./)
        assert.match(verify('payment'), /Whose keys the witnesses' are: the file names them itself/)
        // Of what was sealed since, nothing was in the first proof.
        assert.match(verify('first', ...by), /The witness .* has cosigned all \d days? of the log/)
        assert.match(verify('unseen'), /has cosigned the first \d days? of the log/)
        const stranger = await witness(t, 'witness.example/w1')
        for (const [name, key] of [
            ['unseen', notary.verifier],
            ['payment', stranger.verifier]
        ]) {
            assert.equal(verify(name, '--witness', key), null)
            assert.throws(() => verifyProof(read(name), { witness: key }), /witness/)
        }
        for (const name of ['payment', 'first']) verifyProof(read(name), { witness: notary.verifier })
        const misused = ['verify', file('payment'), '--witness', vkey]
        assert.throws(
            () => execFileSync(path.join(build, 'crawltab'), misused, { stdio: 'pipe' }),
            /--witness is no verifier key of a witness/
        )
    })

    await t.test('that there is none', async () => {
        const words = ['--proof', file('absence'), '--pdf', letter('absence')]
        const answer = crawltab('lookup', unpaid, ...words)
        await assert.rejects(answer, error => /offered and never paid/.test(error.stdout) && !error.stderr)
        assert.match(verify('absence', '--vkey', vkey), /None of the 9 entries of .* has the payment id/)
        verifyProof(read('absence'), { vkey })
        says('absence', 'Evidence that a payment id was not charged', 'where it would stand, nothing does')
        const claim = JSON.parse(read('absence'))
        // The last one was asked for last: nothing comes behind it but an id from the signature's second.
        assert.ok(claim.neighbours.length >= 1)
        // Of an entry there is no such proof, whatever stands beside it.
        for (const id of Object.values(paid)) {
            fs.writeFileSync(file('forged'), JSON.stringify({ ...claim, payment_id: id }))
            assert.equal(verify('forged'), null)
            assert.throws(() => verifyProof(read('forged')))
        }
    })

    await t.test('with nothing but OpenSSL, as the document says', () => {
        const document = fs.readFileSync(path.join(root, 'ledger/PROOF.md'), 'utf8')
        const [, commands] = /## 7\. By hand\n.*?\n\n((?: {4}[^\n]*\n)+)/s.exec(document)
        const out = execFileSync('bash', ['-e', '-c', `cp payment.json proof.json\n${commands}`], {
            cwd: folder
        })
        const { thumbprint } = JSON.parse(read('payment')).entry
        assert.equal(out.toString().trim(), `Signature Verified Successfully\n${thumbprint}`)
    })

    for (const name of ['payment', 'absence'])
        await t.test(`and of ${name} each field that is changed makes both refuse`, () => {
            // Another id between the same neighbours is another proof, and a good one.
            const changes = [...tampered(JSON.parse(read(name)))].filter(
                ([what]) => name !== 'absence' || what !== 'payment_id'
            )
            assert.ok(changes.length > 50, String(changes.length))
            // Each process costs more than a check: they get as many files as a command takes.
            for (let from = 0; from < changes.length; from += 60) {
                const some = changes.slice(from, from + 60)
                const files = some.map(([what, json], i) => {
                    fs.writeFileSync(file(`tampered-${i}`), JSON.stringify(json))
                    assert.throws(
                        () => verifyProof(read(`tampered-${i}`)),
                        undefined,
                        `the verifier takes ${what}`
                    )
                    return file(`tampered-${i}`)
                })
                const { status, stdout } = spawnSync(path.join(build, 'crawltab'), ['verify', ...files], {
                    cwd: '/',
                    encoding: 'utf8'
                })
                const verdicts = stdout.match(/^This proof .*/gm)
                assert.equal(status, 1)
                assert.equal(verdicts.length, some.length)
                for (const [i, [what]] of some.entries())
                    assert.equal(verdicts[i], 'This proof does not hold.', `the command takes ${what}`)
            }
        })
})
