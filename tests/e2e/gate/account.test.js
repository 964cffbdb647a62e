// A crawler reads its own account, and nobody else's: by signatures of every wrong kind, and the right one.
// Tests server/gate/account.c, server/gate/gate_thread.c, ledger/account/reader.c, ledger/account/answer.c,
// ledger/account/entries.c, ledger/account/summary.c
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { test } from 'node:test'
import { ask, asking, base } from '../account.js'
import { page, url } from '../directories.js'
import { makeKey, scene, withWebBotAuth } from '../signers.js'
import { directory, until } from '../support.js'

const pay = async ({ gate }, key, agent, target = page) => {
    const id = await gate.offer(target)
    const headers = await withWebBotAuth(key, agent.origin, `https://shop.example${target}`, id)
    const answer = await gate.request(target, { headers })
    assert.equal(answer.status, 200, answer.text)
    return id
}
const uuid = id => {
    const hex = Buffer.from(id, 'base64url').subarray(0, 16).toString('hex')
    return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join('-')
}
const refused = async (set, status, code, below, options = {}) => {
    const { key = set.key, agent = set.agent } = options
    const answer = await ask(set.gate, key, agent.origin, below, { raw: true, ...options })
    assert.equal(answer.headers['crawler-error'], code, `${answer.status} ${answer.text}`)
    assert.equal(answer.status, status)
    assert.match(answer.headers['content-type'], /application\/problem\+json/)
    return answer
}
// Connections of the reader's, and whatever they have asked: nothing before a signature holds.
const readers = ledger =>
    Number(
        ledger.query("SELECT count(*) FROM pg_stat_activity WHERE application_name = 'crawltabd account'")
    )

const rules = [
    {
        name: 'theirs',
        paths: ['/theirs/**'],
        agents: ['https://other.example'],
        action: 'charge',
        price: '9'
    },
    { name: 'articles', paths: ['/articles/**'], action: 'charge', price: '1.25' },
    { name: 'rest', action: 'charge', price: '0.0025' }
]

test('a crawler reads its own account and no other', async t => {
    const set = await scene(t, { rules, agents: { day_limit: '100', balance_limit: '200' } })
    const { gate, ledger, key, agent } = set
    const otherKey = await makeKey()
    const other = await directory(t, set.tls, [otherKey.public])
    set.configure({
        insecureHosts: [agent.host, other.host],
        caFile: set.tls.caFile,
        rules,
        agents: { day_limit: '100', balance_limit: '200' }
    })
    process.kill(gate.process.pid, 'SIGHUP')
    await gate.logged(/event=reloaded/)

    await t.test('not without a signature that is for this', async () => {
        const problem = await gate.request(base)
        assert.equal(problem.status, 403)
        assert.equal(problem.headers['crawler-error'], 'account_signature_required')
        assert.equal(
            problem.headers['accept-signature'],
            'sig=("@method" "@authority" "@path" "@query" "signature-agent")' +
                ';created;expires;nonce;tag="crawltab-account"'
        )
        const required = (options, below = '/entries') =>
            refused(set, 403, 'account_signature_required', below, options)
        // A crawl's signature: somebody a crawler has asked for a page may have kept it.
        await required({ tag: 'web-bot-auth' })
        const page = await withWebBotAuth(key, agent.origin, `https://shop.example${base}`)
        assert.equal((await gate.request(base, { headers: page })).status, 403)
        for (const component of ['@method', '@authority', '@path', '@query', 'signature-agent'])
            await required({ without: [`"${component}"`] }, '/entries?limit=7')
        await required({ nonce: null })
        await refused(set, 403, 'signature_invalid', '', { lifetime: 61 })
        await refused(set, 403, 'signature_invalid', '', { time: Date.now() + 120_000 })
        await refused(set, 403, 'signature_expired', '', { time: Date.now() - 61_000 })
        // Of another key, path, query, method, host.
        await refused(set, 403, 'key_unknown', '', { key: otherKey })
        await refused(set, 403, 'key_unknown', '', { agent: other })
        const relayed = async (headers, target, options) => {
            const answer = await gate.request(target, { headers, ...options })
            assert.equal(answer.headers['crawler-error'], 'signature_invalid', answer.text)
        }
        await relayed(asking(key, agent.origin, base), `${base}/entries`)
        await relayed(asking(key, agent.origin, `${base}/entries`), `${base}/entries?limit=7`)
        await relayed(asking(key, agent.origin, base, { method: 'PUT' }), base)
        await relayed(asking(key, agent.origin, base, { host: 'evil.example' }), base)
        await relayed(asking(key, agent.origin, base, { host: 'www.shop.example' }), base)
        const forged = asking(otherKey, agent.origin, base)
        forged['Signature-Input'] = forged['Signature-Input'].replace(otherKey.keyid, key.keyid)
        await relayed(forged, base)
        const swapped = asking(key, agent.origin, base)
        swapped['Signature-Agent'] = `"${other.origin}"`
        const answer = await gate.request(base, { headers: swapped })
        assert.equal(answer.headers['crawler-error'], 'key_unknown')
        // Paths and parameters that there are not.
        await refused(set, 404, 'account_path_unknown', '/other')
        await refused(set, 404, 'account_path_unknown', '/entries/')
        for (const query of ['form=2026-01-01', 'from=2026-02-30', 'limit=0', 'limit=1&limit=2'])
            await refused(set, 400, 'malformed_query', `/entries?${query}`)
        await refused(set, 400, 'malformed_query', '/entries?from=2026-02-02&to=2026-02-01')
        await refused(set, 400, 'malformed_query', '?limit=7')
        const posted = await refused(set, 405, 'method_not_allowed', '', { method: 'PUT', body: '{}' })
        assert.equal(posted.headers.allow, 'GET')
        assert.equal(readers(ledger), 0, 'and the ledger was never asked')
        assert.equal(ledger.count('crawler'), 0)
    })

    await t.test('a stranger hears nothing but that', async () => {
        await refused(set, 404, 'account_unknown', '')
        await refused(set, 404, 'account_unknown', '/entries')
        assert.equal(ledger.count('crawler'), 0)
    })

    const mine = []
    const theirs = []
    for (let i = 0; i < 7; i++) {
        mine.push(uuid(await pay(set, key, agent, i % 3 === 0 ? '/about.html' : page)))
        theirs.push(uuid(await pay(set, otherKey, other)))
    }

    await t.test('terms, prices and credit', async () => {
        let summary
        await until(async () => {
            summary = await ask(gate, key, agent.origin)
            return summary.credit.spent_today_micros > 0
        }, 'spending is known')
        const spent = 4 * 1_250_000 + 3 * 2500
        const { credit, prices, ...rest } = summary
        assert.deepEqual(rest, {
            site: 'example',
            agent: agent.origin,
            currency: 'USD',
            network: 'example:402',
            terms_url: 'https://shop.example/terms',
            agreement: null,
            pending: []
        })
        assert.deepEqual(credit, {
            spent_today_micros: spent,
            owed_micros: spent,
            day_limit_micros: 100_000_000,
            balance_limit_micros: 200_000_000,
            left_micros: 100_000_000 - spent
        })
        assert.deepEqual(
            prices.map(({ rule, price, price_micros }) => [rule, price, price_micros]),
            [
                ['articles', '1.25', 1_250_000],
                ['rest', '0.0025', 2500]
            ],
            'what others pay is not in it'
        )
        const terms = ['limits.day=50', 'fee=3.00', '--reason', 'secret']
        await set.crawltab('agreement', 'set', agent.origin, ...terms)
        await until(async () => {
            summary = await ask(gate, key, agent.origin)
            return summary.credit.day_limit_micros === 50_000_000
        }, 'the agreement is in force')
        assert.equal(summary.agreement.version, 1)
        assert.equal(summary.agreement.terms.fee_micros, 3_000_000)
        assert.equal(summary.credit.left_micros, 50_000_000 - spent)
        assert.ok(!JSON.stringify(summary).includes('secret'))
    })

    await t.test('entries, page by page', async () => {
        await until(() => ledger.count('charge') === ledger.count('delivery'), 'what was delivered')
        const whole = await ask(gate, key, agent.origin, '/entries')
        assert.equal(whole.next, null)
        assert.deepEqual(whole.archived, [])
        assert.deepEqual(
            whole.entries.map(entry => entry.payment_id),
            [...mine].sort()
        )
        const [entry] = whole.entries.filter(one => one.payment_id === mine[1])
        assert.deepEqual(
            { ...entry, recorded_at: null, day: null },
            {
                payment_id: mine[1],
                day: null,
                recorded_at: null,
                amount: '1.25',
                amount_micros: 1_250_000,
                rule: 'articles',
                url,
                keyid: key.keyid,
                unproven: null,
                undelivered: false,
                final_micros: null,
                delivered: 'whole'
            }
        )
        const pages = []
        for (let below = '/entries?limit=3'; below; ) {
            const part = await ask(gate, key, agent.origin, below)
            pages.push(part.entries)
            below = part.next?.slice(base.length)
        }
        assert.deepEqual(
            pages.map(part => part.length),
            [3, 3, 1]
        )
        assert.deepEqual(pages.flat(), whole.entries)
        const after = await ask(gate, key, agent.origin, `/entries?after=${theirs[3]}`)
        assert.deepEqual(
            after.entries.map(one => one.payment_id),
            mine.filter(id => id > theirs[3]).sort(),
            "another's id is no more than a moment"
        )
        const none = await ask(gate, key, agent.origin, '/entries?to=2001-01-01')
        assert.deepEqual([none.entries, none.next], [[], null])
        const seen = JSON.stringify(await ask(gate, otherKey, other.origin, '/entries'))
        assert.ok(theirs.every(id => seen.includes(id)) && !mine.some(id => seen.includes(id)))
    })

    await t.test('a request is taken once', async () => {
        const headers = asking(key, agent.origin, base)
        assert.equal((await gate.request(base, { headers })).status, 200)
        const again = await gate.request(base, { headers })
        assert.equal(again.headers['crawler-error'], 'signature_expired', again.text)
        // And pays for nothing.
        const id = await gate.offer(page)
        const paying = asking(key, agent.origin, page)
        paying.Payment = `scheme="deferred", network="example:402", id="${id}"`
        assert.equal((await gate.request(page, { headers: paying })).status, 403)
        const answer = await ask(gate, key, agent.origin, '', { raw: true })
        assert.equal(answer.headers['cache-control'], 'private, no-store')
    })

    await t.test('however slow it is, payments do not wait', async () => {
        const words = ['-X', '-q', '-h', ledger.sockets, '-U', 'postgres', '-d', 'crawltab']
        const holder = spawn('psql', words, { stdio: ['pipe', 'pipe', 'inherit'] })
        const ended = new Promise(resolve => holder.on('exit', resolve))
        // The days are read by accounts, and by no payment.
        holder.stdin.write('BEGIN; LOCK TABLE crawler_day IN ACCESS EXCLUSIVE MODE; SELECT 1;\n')
        await new Promise(resolve => holder.stdout.once('data', resolve))
        const waiting = ask(gate, key, agent.origin, '/entries', { raw: true })
        await until(
            () =>
                ledger.query(
                    `SELECT count(*) FROM pg_stat_activity
                      WHERE application_name = 'crawltabd account' AND wait_event_type = 'Lock'`
                ) === '1',
            'the reader waits'
        )
        mine.push(uuid(await pay(set, key, agent)))
        const answer = await Promise.race([waiting, 'not yet'])
        assert.equal(answer, 'not yet', 'the payment was first')
        assert.equal((await waiting).headers['crawler-error'], 'account_unavailable')
        holder.stdin.end('ROLLBACK;\n')
        await ended
    })

    await t.test('without the ledger it says so, and comes back', async () => {
        ledger.query('ALTER DATABASE crawltab ALLOW_CONNECTIONS false', 'postgres', 'postgres')
        ledger.query(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = 'crawltab'",
            'postgres',
            'postgres'
        )
        const away = await refused(set, 503, 'account_unavailable', '/entries')
        assert.match(away.headers['retry-after'], /^\d+$/)
        ledger.query('ALTER DATABASE crawltab ALLOW_CONNECTIONS true', 'postgres', 'postgres')
        await until(async () => {
            const answer = await ask(gate, key, agent.origin, '/entries', { raw: true })
            return answer.status === 200
        }, 'the account can be read again')
    })

    await t.test('who asks too often is told to wait, others are not', async () => {
        // From many networks, so that it is the account's own limit; in rounds, as allowances grow meanwhile.
        const limited = async (signer, round, network) => {
            const answers = await Promise.all(
                Array.from({ length: 40 }, (_, i) =>
                    ask(gate, signer, agent.origin, '', { raw: true, from: network(40 * round + i) })
                )
            )
            const told = answers.filter(one => one.headers['crawler-error'] === 'account_rate_limited')
            for (const one of told) {
                assert.equal(one.status, 429)
                assert.match(one.headers['retry-after'], /^\d+$/)
            }
            return told.length > 0
        }
        const rounds = async (signer, network) => {
            for (let round = 0; round < 50; round++) if (await limited(signer, round, network)) return
            assert.fail('never limited')
        }
        await rounds(key, i => `127.${10 + (i >> 8)}.${i & 255}.1`)
        const own = await ask(gate, otherKey, other.origin, '/entries', { from: '127.2.0.1' })
        assert.equal(own.entries.length, 7)
        // One network, whoever signs: nothing is verified any more.
        await rounds(otherKey, () => '127.3.0.1')
    })
})
