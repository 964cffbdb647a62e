// A witness that is not ours sees each site's log grow, and cosigns nothing else. What it refuses, and why,
// is told in words, and the night goes on. Tests ledger/witness/witness.c
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { stage } from '../support.js'
import { witness } from '../witness.js'

const dayMs = 86_400_000
const origin = 'example:402/example'
const isoDate = ms => new Date(ms).toISOString().slice(0, 10)

test('witnesses cosign each checkpoint, and no log but one that has grown', async t => {
    const [first, second] = [await witness(t, 'witness.example/w1'), await witness(t, 'other.example')]
    const lines = [`${first.verifier} ${first.url}/`, `${second.verifier}  ${second.url}`]
    const { crawltab, ledger, configure } = await stage(
        t,
        { seal: { witnesses: lines } },
        '--clock-offset',
        String(-6 * 86400)
    )
    const today = Math.floor(Date.now() / dayMs) * dayMs
    const days = [6, 5, 4, 3].map(ago => isoDate(today - ago * dayMs))
    const night = day => crawltab('nightly', '--day', day)
    const kept = () =>
        ledger.query(
            `SELECT string_agg(log_size || ' ' || split_part(witness, '+', 1), ',' ORDER BY log_size, witness)
             FROM cosignature`
        )
    const shown = async (...words) => (await crawltab('checkpoint', 'show', ...words)).stdout
    const audit = async () => (await crawltab('audit')).stdout

    // Nobody has told the second one of the log: the first has signed all the same, and the day is closed.
    const key = (await crawltab('checkpoint', 'key')).stdout.trim()
    first.logs.set(origin, key)
    await assert.rejects(night(days[0]), error => {
        assert.match(error.stdout, /1 cosignature of its newest checkpoint/)
        assert.match(error.stderr, /other\.example.*it does not know this log.*crawltab checkpoint key/s)
        return true
    })
    // The gate has made the day before its start too, in the first hour of a day.
    const size = ledger.count('checkpoint')
    assert.equal(kept(), `${size} witness.example/w1`)
    second.logs.set(origin, key)
    assert.match((await crawltab('checkpoint', 'witness')).stdout, /1 cosignature of its newest/)
    assert.deepEqual(first.requests, ['old 0'])

    const diagnosis = async () => {
        const { stdout } = await crawltab('doctor', '--json', '--offline').catch(error => error)
        const of = JSON.parse(stdout).findings.filter(finding => finding.check === 'witness')
        return of.map(({ state, found }) => `${state} ${found}`)
    }
    assert.deepEqual(await diagnosis(), [
        'ok example: witness.example/w1 has cosigned the newest checkpoint',
        'ok example: other.example has cosigned the newest checkpoint'
    ])

    // From where each has seen it: with a proof, which it has checked.
    await night(days[1])
    assert.deepEqual([first.requests.at(-1), second.requests.at(-1)], [`old ${size}`, `old ${size}`])
    assert.equal((await shown()).match(/^— /gm).length, 3)
    assert.equal((await shown('--json')).match(/— /g).length, 3)
    assert.match(await audit(), /everything adds up/)

    // What was cosigned is shown again, from where the witness says, if the ledger knows nothing of it.
    ledger.query(`ALTER TABLE cosignature DISABLE TRIGGER append_only; DELETE FROM cosignature`)
    await night(days[2])
    assert.deepEqual(first.requests.slice(-2), ['old 0', `old ${size + 1}`])

    // What one of them answers otherwise keeps nobody from anything, and the next run asks again.
    const answers = [
        [[503], /it answers with status 503 hint: the next run asks again/],
        [[400], /it answers with status 400 hint: is it a witness at all/],
        [[200, ''], /without a signature by the key that seal\.witnesses has of it/],
        [[200, `— witness.example/w1 ${'A'.repeat(80)}`], /without a signature by the key/],
        [[409, '99\n'], /it has cosigned 99 days of this log, the ledger has \d: an old state was restored/],
        [[409, `${size + 2}\n`], /refuses to go on from there/],
        [[409, ''], /and not of how many days/],
        [[422], /the log has not grown from the \d days that it has cosigned: a day was changed/]
    ]
    await first.close()
    await assert.rejects(night(days[3]), error => {
        assert.match(error.stdout, /1 cosignature/)
        assert.match(error.stderr, /not cosigned.*witness\.example\/w1.*(refused|connect)/is)
        return true
    })
    assert.equal(second.seen.get(origin).size, size + 3)
    assert.deepEqual(await diagnosis(), [
        `warn example: witness.example/w1 has cosigned ${size + 2} of the ${size + 3} days of the log`,
        'ok example: other.example has cosigned the newest checkpoint'
    ])
    const third = await witness(t, 'third.example')
    third.logs.set(origin, key)
    configure({ seal: { witnesses: [`${third.verifier} ${third.url}`] } })
    const ask = () => crawltab('checkpoint', 'witness')
    third.spoil = text => `${text} `
    await assert.rejects(ask(), /its signature is not good/)
    third.spoil = text => text
    for (const [answer, words] of answers) {
        third.answer = answer
        await assert.rejects(ask(), error => {
            assert.match(error.stderr.replaceAll(/\s+/g, ' '), words)
            return true
        })
    }
    assert.ok(!kept().includes('third'))
    third.answer = null
    await ask()
    assert.ok(kept().endsWith(`${size + 3} third.example`))

    // A log that was made anew, and is as long as the one that was seen.
    ledger.query('DELETE FROM cosignature')
    third.seen.set(origin, { ...third.seen.get(origin), root: Buffer.alloc(32) })
    await assert.rejects(ask(), /it has cosigned another log of as many days: a night was run again/)

    for (const [line, words] of [
        [third.verifier, /not a verifier key, a space and a URL/],
        [`${key} ${third.url}`, /no verifier key of a witness/],
        [`${third.verifier} ftp://third.example`, /does not begin with http/]
    ]) {
        configure({ seal: { witnesses: [line] } })
        await assert.rejects(ask(), words)
    }
    configure({ seal: {} })
    await assert.rejects(ask(), /there are no witnesses/)
})
