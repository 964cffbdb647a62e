// The console's API: what each role may, what the description says against what is served and a client that
// others have made of it, writes that are done once, and pages of any number of rows.
// Tests server/console/console.c server/console/refusal.c server/console/caller.c server/console/serve_deed.c
// server/console/serve_page.c server/console/deed.c server/console/files.c server/console/intro.c
// server/console/openapi.c server/console/page.c server/console/settings.c server/console/base/role.c
// server/console/base/child.c server/console/base/asked.c server/console/base/reply.c
// server/console/view/view.c server/console/view/read.c server/console/view/markup.c
// server/console/view/write.c server/console/view/traffic_rows.c server/console/view/view_page.c
// server/console/view/plot.c
import assert from 'node:assert/strict'
import { test } from 'node:test'
import Ajv from 'ajv/dist/2020.js'
import { OpenAPIClientAxios } from 'openapi-client-axios'
import { desk, roles } from '../console.js'

// What a role may, said a second time.
const rights = {
    owner: ['traffic', 'books', 'records', 'money', 'terms', 'keys'],
    finance: ['traffic', 'books', 'money'],
    auditor: ['traffic', 'books', 'records'],
    reader: ['traffic']
}

// What a page needs to be one.
const given = set => ({
    number: set.number,
    crawler: set.agent.origin,
    q: set.payment,
    id: '01920f6e-5c00-7a31-9f00-8d5a1c2b3e4f',
    format: 'csv',
    piece: '0'
})
const address = (set, name, operation) => {
    const needed = (operation.parameters ?? []).filter(
        parameter => parameter.required && parameter.in === 'query'
    )
    const query = new URLSearchParams(needed.map(({ name }) => [name, given(set)[name]]))
    return `/api/v1${name}${query.size ? `?${query}` : ''}`
}
const operations = description =>
    Object.entries(description.paths).flatMap(([name, methods]) =>
        Object.entries(methods).map(([method, operation]) => ({ name, method, operation }))
    )

test('the API', async t => {
    const set = await desk(t)
    const { ask, ledger, keys, crawltab } = set
    const description = (await ask('/api/v1/openapi.json')).json
    const all = operations(description)
    assert.ok(all.length > 30)

    await t.test('every role may what it may, and nothing else', async () => {
        const writes = ledger.query('SELECT count(*) FROM invoice_event')
        // What may be done is asked wrongly, so that nothing comes of it.
        for (const { name, method, operation } of all)
            for (const role of roles) {
                const right = operation['x-right']
                const target = `${address(set, name, operation).replace('format=csv', 'format=none')}`
                const wrong = `${target}${target.includes('?') ? '&' : '?'}nothing=1`
                const answer = await ask(wrong, { role, ...(method === 'post' ? { json: {} } : {}) })
                const what = `${role} ${method} ${name}: ${answer.text.slice(0, 200)}`
                const open = name === '/openapi.json'
                if (right && !rights[role].includes(right)) assert.equal(answer.status, 403, what)
                else if (open) assert.equal(answer.status, 200, what)
                else assert.equal(answer.status, 400, what)
            }
        for (const { name, operation } of all)
            assert.equal((await ask(address(set, name, operation), { role: null })).status, 401, name)
        assert.equal(ledger.query('SELECT count(*) FROM invoice_event'), writes)
        const refused = `SELECT count(*) FROM operator_action WHERE detail LIKE 'refused /invoice/void%'
                            AND actor LIKE '%reader (console, reader)%'`
        assert.equal(ledger.query(refused), '1')
    })

    await t.test('answers are as the description says', async () => {
        const ajv = new Ajv({ strict: false, validateFormats: false })
        ajv.addSchema(description, 'api')
        const pointer = name => name.replaceAll('~', '~0').replaceAll('/', '~1')
        let tables = 0
        for (const { name, method, operation } of all) {
            if (method !== 'get' || !operation.responses[200].content['application/json']) continue
            const { status, json, text } = await ask(address(set, name, operation))
            if (name === '/dispute') {
                assert.equal(status, 404)
                continue
            }
            const where = `api#/paths/${pointer(name)}/get/responses/200/content/application~1json/schema`
            const valid = ajv.getSchema(where)
            assert.ok(valid(json), `${name}: ${JSON.stringify(valid.errors)} ${text.slice(0, 500)}`)
            for (const table of Object.values(json.views ?? {})) tables += table.rows.length > 0
        }
        assert.ok(tables >= 15, `${tables} tables have rows`)
        const problem = ajv.getSchema('api#/components/schemas/problem')
        for (const bad of [
            '/nothing',
            '/invoices?nothing=1',
            '/invoices?from=2026-02-30',
            '/invoices?limit=0'
        ])
            assert.ok(problem((await ask(`/api/v1${bad}`)).json), bad)
    })

    await t.test('what pages link to is described, and there', async () => {
        const html = { accept: 'text/html' }
        const seen = new Set(),
            todo = ['/today']
        while (todo.length > 0) {
            const target = todo.pop()
            const { status, text, headers } = await ask(target, { headers: html })
            assert.ok([200, 303].includes(status), `${status} ${target} ${text.slice(0, 300)}`)
            if (
                !/text\/html/.test(headers.get('content-type')) ||
                /sandbox/.test(headers.get('content-security-policy'))
            )
                continue
            for (const [, how, link] of text.matchAll(/(href|action)="(\/[^"]*)"/g)) {
                const [name, query = ''] = link.replaceAll('&amp;', '&').split('?')
                const bare = name.replace(/^\/api\/v1/, '').replace(/(?<!openapi)\.(csv|json)$/, '')
                if (/^\/(assets|login|logout)/.test(bare)) continue
                assert.ok(description.paths[bare], `${bare} is not described`)
                // One of a kind is enough; an e-invoice needs addresses that this site has not.
                const kind = `${bare}?${query.replace(/=[^&]*/g, '')}`
                if (
                    how === 'action' ||
                    !description.paths[bare].get ||
                    seen.has(kind) ||
                    query.includes('format=ubl')
                )
                    continue
                seen.add(kind)
                todo.push(link.replaceAll('&amp;', '&'))
            }
        }
        assert.ok(seen.size > 25, String(seen.size))
    })

    await t.test('a table is JSON and CSV at the same address', async () => {
        const rows = (await ask('/invoices.json')).json.views.invoices.rows
        const csv = (await ask('/invoices.csv')).text.trim().split('\r\n')
        const accepted = await ask('/invoices', { headers: { accept: 'text/csv' } })
        assert.deepEqual(accepted.text.trim().split('\r\n'), csv)
        const head = csv[0].split(',')
        assert.equal(csv.length, rows.length + 1)
        assert.equal(rows[0].total_micros, 50_000)
        assert.equal(csv[1].split(',')[head.indexOf('total')], '0.05')
        assert.equal(csv[1].split(',')[head.indexOf('number')], `"${set.number}"`)
        assert.equal(
            (await ask(`/crawler.csv?crawler=${set.agent.origin}&view=keys`)).text.split('\r\n')[0],
            'thumbprint,directory,first_seen'
        )
    })

    await t.test('a write is done once', async () => {
        const pay = (key, json) => ask('/api/v1/invoice/paid', { json, headers: { 'idempotency-key': key } })
        const body = { number: set.number, amount: '0.02', reference: 'a-1' }
        const [first, second] = [await pay('k1', body), await pay('k1', body)]
        assert.equal(first.status, 200, first.text)
        assert.equal(second.text, first.text)
        assert.equal(ledger.count('invoice_payment'), 1)
        assert.equal((await pay('k1', { ...body, amount: '0.03' })).status, 422)
        assert.equal((await pay('', body)).status, 400)
        const wrong = await pay('k2', { ...body, number: 'NONE-1', reference: 'b' })
        assert.equal(wrong.status, 409)
        assert.match(wrong.json.detail, /no such invoice/)
        assert.equal(
            (await pay('k2', { ...body, number: 'NONE-1', reference: 'b' })).json.detail,
            wrong.json.detail
        )
        assert.equal((await pay('k3', { ...body, more: 'x' })).status, 400)
        const actor = ledger.query('SELECT actor FROM invoice_payment')
        assert.match(actor, / for owner \(console, owner\)/)
    })

    await t.test('an agreement is changed by who has seen it', async () => {
        const crawler = set.agent.origin
        const seen = await ask(`/api/v1/agreement?crawler=${crawler}`)
        assert.equal(seen.headers.get('etag'), '"0"')
        const change = (match, terms, target = '/api/v1/agreement/set') =>
            ask(target, {
                json: { crawler, terms, reason: 'as agreed' },
                headers: match ? { 'if-match': match } : {}
            })
        assert.equal((await change(undefined, 'cadence: weekly')).status, 428)
        const tried = await change(undefined, 'cadence: weekly', '/api/v1/agreement/try')
        assert.equal(tried.json.after.cadence, 'weekly', tried.text)
        assert.equal(ledger.count('agreement'), 0)
        assert.equal((await change('"0"', 'cadence: weekly')).status, 200)
        assert.equal(ledger.count('agreement'), 1)
        const late = await change('"0"', 'cadence: monthly')
        assert.equal(late.status, 412, late.text)
        const wrong = await change('"1"', 'cadence: hourly')
        assert.deepEqual([wrong.status, ledger.count('agreement')], [409, 1], wrong.text)
        const again = await ask(`/api/v1/agreement?crawler=${crawler}`)
        assert.equal(again.headers.get('etag'), '"1"')
        assert.equal(again.json.object.terms.cadence, 'weekly')
    })

    await t.test('the description drives a client that others have made', async () => {
        const validateStatus = () => true
        const makeClient = role =>
            new OpenAPIClientAxios({
                definition: description,
                withServer: { url: `${set.desk.origin}/api/v1` },
                axiosConfigDefaults: { headers: { authorization: `Bearer ${keys[role]}` }, validateStatus }
            }).initSync()
        const client = makeClient('finance')
        for (const { operation } of all)
            assert.equal(typeof client[operation.operationId], 'function', operation.operationId)
        const [{ number }] = (await client.get_invoices({ status: 'part-paid' })).data.views.invoices.rows
        assert.equal(number, set.number)
        const invoice = (await client.get_invoice({ number })).data
        assert.equal(invoice.views.billed.rows[0].payment_id, set.payment)
        const document = await client.get_invoice_document({ number, format: 'html' })
        assert.match(document.data, new RegExp(number))
        // A parameter that is missing has a problem for an answer.
        assert.equal((await client.get_invoice()).status, 400)

        const asked = { payment_id: set.payment, code: 'other', text: 'we never fetched that' }
        const once = { 'Idempotency-Key': 'dispute-1' }
        assert.equal((await makeClient('reader').post_dispute_open({}, asked)).status, 403)
        const opened = await client.post_dispute_open(once, asked)
        assert.equal(opened.status, 200, JSON.stringify(opened.data))
        assert.deepEqual((await client.post_dispute_open(once, asked)).data, opened.data)
        const id = ledger.query('SELECT dispute_id FROM dispute')
        const page = (await client.get_dispute({ id })).data
        assert.equal(page.views.subjects.rows[0].payment_id, set.payment)
        assert.equal(page.object.open, true, JSON.stringify(page))

        // Whatever it is called and whatever is in it: it is saved, and never shown by the console.
        const bytes = new TextEncoder().encode('<script>alert(1)</script>\r\n--boundary\r\n')
        const put = (content, more = {}, key = {}) => {
            const form = new FormData()
            for (const [name, value] of Object.entries({ id, ...more })) form.set(name, value)
            const name = 'C:\\letters\\a "b".html'
            if (content) form.set('file', new Blob([content], { type: 'text/html' }), name)
            return ask('/api/v1/dispute/add', { role: 'finance', method: 'POST', body: form, headers: key })
        }
        const key = { 'idempotency-key': 'piece-1' }
        const added = await put(bytes, { text: 'what it sent' }, key)
        assert.equal(added.status, 200, added.text)
        assert.equal((await put(bytes, { text: 'what it sent' }, key)).text, added.text)
        assert.equal((await put('another', { text: 'what it sent' }, key)).status, 422)
        const [piece, ...others] = (await client.get_dispute({ id })).data.views.evidence.rows
        assert.deepEqual(
            [piece.piece, piece.name, piece.media_type, piece.bytes, piece.note, others.length],
            [1, 'a %22b%22.html', 'text/plain', bytes.length, 'what it sent', 0]
        )
        const saved = await ask(`/dispute/evidence?id=${id}&piece=1`)
        assert.deepEqual(new TextEncoder().encode(saved.text), bytes)
        const says = name => saved.headers.get(name)
        assert.equal(says('content-type'), 'application/octet-stream')
        assert.equal(says('content-disposition'), 'attachment; filename="a--22b-22.html"')
        assert.equal(says('x-content-type-options'), 'nosniff')
        assert.match(says('content-security-policy'), /^default-src 'none'/)
        assert.equal((await ask(`/dispute/evidence?id=${id}&piece=2`)).status, 404)
        assert.equal((await put('GIF89a\0')).status, 409)
        assert.equal((await put(null)).status, 400)
        assert.equal((await put(Buffer.alloc(1048577, 'x'))).status, 413)
        assert.equal((await put(Buffer.alloc(1048576, 'x'))).status, 200)
        const rejected = await client.post_dispute_reject({}, { id, reason: 'it was delivered' })
        assert.equal(rejected.status, 200, JSON.stringify(rejected.data))
        const listed = (await client.get_disputes({ status: 'rejected' })).data.views.disputes.rows
        assert.deepEqual(
            listed.map(row => row.dispute_id),
            [id]
        )
    })

    await t.test('a look-up tells of a payment, and proves it', async () => {
        const { json } = await ask(`/api/v1/lookup?q=${set.payment}`)
        assert.equal(json.object.status, 'paid')
        assert.ok(json.views.checks.rows.length >= 3)
        const html = (await ask(`/lookup?q=${set.payment}`, { headers: { accept: 'text/html' } })).text
        assert.match(
            html,
            /signed for <b>https:\/\/shop\.example\/articles\/harbour-bell\.html<\/b> at <b>0\.05 USD/
        )
        const proof = await ask(`/api/v1/lookup/proof?q=${set.payment}`)
        assert.equal(proof.status, 200)
        assert.match(proof.headers.get('content-disposition'), /^attachment; filename="proof\.json"$/)
        const found = await ask(`/lookup?q=${set.number}`, { headers: { accept: 'text/html' } })
        assert.equal(found.headers.get('location'), `/invoice?number=${set.number}&site=example`)
        assert.equal((await ask('/api/v1/lookup?q=--config')).status, 400)
    })

    await t.test('documents come in every format', async () => {
        const formats = { pdf: /^%PDF-/, html: /<html/, csv: /^"?number/, json: /^\{/ }
        for (const [format, begins] of Object.entries(formats)) {
            const { status, text } = await ask(
                `/api/v1/invoice/document?number=${set.number}&format=${format}`
            )
            assert.equal(status, 200, format)
            assert.match(text, begins, format)
        }
        assert.equal((await ask(`/api/v1/invoice/document?number=${set.number}&format=exe`)).status, 400)
    })

    await t.test('audits are on record, with what came of them', async () => {
        const audits = async how => ask(`/ledger${how}view=audits`, { role: 'auditor' })
        assert.deepEqual((await audits('.json?')).json.views.audits.rows, [])
        await crawltab('audit', '--site', 'example')
        const [run, ...more] = (await audits('.json?')).json.views.audits.rows
        assert.deepEqual(more, [])
        const closed = ledger.count('day_close')
        const days = `${closed} closed day${closed === 1 ? '' : 's'}`
        assert.match(run.detail, new RegExp(`^example: everything adds up; ${days}, \\d+\\.\\d seconds$`))
        assert.match(run.actor, / as /)
        assert.ok((await audits('.csv?')).text.includes(run.detail))
        const page = await ask('/ledger', { headers: { accept: 'text/html' } })
        assert.match(page.text, /What came of it.*example: everything adds up/s)
        assert.equal((await ask('/api/v1/deeds?action=audit')).json.views.deeds.rows.length, 1)
    })

    await t.test('any number of rows is paged by key', async () => {
        ledger.own(`INSERT INTO operator_action (happened_at, actor, action, detail)
            SELECT now(), 'test', 'many', 'row ' || n FROM generate_series(1, 2500) AS n`)
        const seen = []
        let next = ''
        while (next !== null) {
            const after = next && `&after=${encodeURIComponent(next)}`
            const { json } = await ask(`/api/v1/deeds?action=many&limit=700${after}`)
            seen.push(...json.views.deeds.rows.map(row => row.detail))
            next = json.views.deeds.next
        }
        assert.equal(seen.length, 2500)
        assert.deepEqual(
            seen,
            Array.from({ length: 2500 }, (_, i) => `row ${2500 - i}`)
        )
        assert.equal((await ask('/api/v1/deeds?after=x')).status, 400)
        assert.equal((await ask('/api/v1/deeds?after=%5B%22x%22%5D')).status, 400)
    })

    await t.test('disputes are paged by key: the open ones by deadline, then the others', async () => {
        // Two of three are decided; deadlines repeat.
        ledger.own(`
            INSERT INTO dispute (dispute_id, site_id, crawler_id, opened_by, reason, statement, opened_at,
                                 due_at, actor)
            SELECT (substr(uuid_floor(now() - n * interval '1 hour')::text, 1, 24)
                    || lpad(n::text, 12, '0'))::uuid, site_id, crawler_id, 'publisher', 'other', 'many',
                   now() - interval '30 days', date_trunc('day', now()) + (n * 7 % 5 - 2) * interval '1 day',
                   'test'
              FROM site, generate_series(1, 150) AS n, (SELECT min(crawler_id) AS crawler_id FROM crawler) c
             WHERE site.name = 'example';
            INSERT INTO dispute_event (dispute_id, step, site_id, event, happened_at, actor)
            SELECT dispute_id, step, site_id, CASE step WHEN 1 THEN 'opened' ELSE 'rejected' END, opened_at,
                   'test'
              FROM dispute, generate_series(1, 2) AS step
             WHERE statement = 'many' AND (step = 1 OR right(dispute_id::text, 3)::integer % 3 > 0)`)
        const all = async query => {
            const seen = []
            for (let next = ''; next !== null; ) {
                const after = next && `&after=${encodeURIComponent(next)}`
                const { views } = (await ask(`/api/v1/disputes?limit=7&${query}${after}`)).json
                assert.ok(views.disputes.rows.length <= 7)
                seen.push(...views.disputes.rows.map(row => row.dispute_id))
                next = views.disputes.next
            }
            return seen
        }
        const wanted = where =>
            ledger
                .query(
                    `SELECT dispute_id FROM dispute d JOIN dispute_state t USING (dispute_id) WHERE ${where}
                      ORDER BY t.open DESC, CASE WHEN t.open THEN due_at END,
                               CASE WHEN t.open THEN dispute_id END, dispute_id DESC`
                )
                .split('\n')
        assert.ok(wanted('open').length >= 50 && wanted('not open').length >= 100)
        assert.deepEqual(await all(''), wanted('true'))
        assert.deepEqual(await all('status=open&site=example'), wanted('open'))
        assert.deepEqual(await all('status=overdue'), wanted('open AND due_at < now()'))
        assert.deepEqual(await all('status=opened'), wanted("status = 'opened'"))
        assert.deepEqual(await all('status=rejected'), wanted("status = 'rejected'"))
        assert.equal((await ask('/api/v1/disputes?sort=reason')).status, 400)
        assert.equal((await ask('/api/v1/disputes?after=%5B1,2%5D')).status, 400)
    })

    await t.test('messages are paged by key', async () => {
        ledger.own(`INSERT INTO outbox (message_id, site_id, type, body, made_at)
            SELECT 'many' || n, site_id, 'test', '{}', now() - n / 3 * interval '1 minute'
              FROM site, generate_series(1, 30) AS n WHERE name = 'example'`)
        const seen = []
        for (let next = ''; next !== null; ) {
            const after = next && `&after=${encodeURIComponent(next)}`
            const { messages } = (await ask(`/api/v1/messages?limit=4&site=example${after}`)).json.views
            seen.push(...messages.rows.map(row => row.message_id))
            next = messages.next
        }
        const order = 'ORDER BY made_at DESC, message_id DESC'
        assert.deepEqual(seen, ledger.query(`SELECT message_id FROM outbox ${order}`).split('\n'))
    })

    await t.test('a table that is read whole is sorted by any column', async () => {
        ledger.own(`INSERT INTO crawler (agent, first_seen_at)
            SELECT 'https://many' || n || '.example', '2026-01-01'::timestamptz + n * interval '1 hour'
              FROM generate_series(1, 120) AS n`)
        const names = async query =>
            (await ask(`/api/v1/crawlers?limit=1000&${query}`)).json.views.crawlers.rows.map(
                row => row.crawler
            )
        const up = await names('sort=first_seen')
        assert.deepEqual(await names('sort=-first_seen'), [...up].reverse())
        assert.equal(up[0], 'https://many1.example')
        assert.equal(up[118], 'https://many119.example')
        assert.equal((await ask('/api/v1/crawlers?sort=nothing')).status, 400)
        const first = (await ask('/api/v1/crawlers?limit=100&sort=first_seen')).json.views.crawlers
        const rest = (await ask(`/api/v1/crawlers?limit=100&sort=first_seen&after=${first.next}`)).json.views
            .crawlers
        assert.deepEqual(
            [...first.rows, ...rest.rows].map(row => row.crawler),
            up
        )
        assert.equal(rest.next, null)
    })

    await t.test('text from outside stays text', async () => {
        const evil = `https://evil.example/"><script>alert('x')</script>`
        ledger.own(`INSERT INTO crawler (agent, first_seen_at)
            VALUES ($$${evil}$$, now()), ('=1+1', now()), ('@x', now())`)
        for (const target of [
            '/crawlers',
            `/crawler?crawler=${encodeURIComponent(evil)}`,
            `/invoices?crawler=${encodeURIComponent(evil)}`
        ]) {
            const { text, headers } = await ask(target, { headers: { accept: 'text/html' } })
            assert.ok(text.includes('&lt;script&gt;alert(&#39;x&#39;)'), target)
            assert.ok(!text.includes('<script>'), target)
            assert.match(headers.get('content-security-policy'), /script-src 'self'/)
        }
        const csv = (await ask('/crawlers.csv?limit=1000')).text
        assert.match(csv, /^"'=1\+1",/m)
        assert.match(csv, /^"'@x",/m)
    })

    await t.test('keys are made, shown once, and revoked', async () => {
        const json = { name: 'bob', role: 'reader' }
        const made = await ask('/api/v1/tokens/add', { json, headers: { 'idempotency-key': 'bob' } })
        assert.match(made.json.key, /^ctab_/)
        const again = await ask('/api/v1/tokens/add', { json, headers: { 'idempotency-key': 'bob' } })
        assert.equal(again.status, 409)
        assert.ok(!again.text.includes(made.json.key))
        assert.equal(
            ledger.query(`SELECT count(*) FROM console_write WHERE answer LIKE '%${made.json.key}%'`),
            '0'
        )
        keys.bob = made.json.key
        assert.equal((await ask('/api/v1/today', { role: 'bob' })).status, 200)
        assert.equal((await ask('/api/v1/tokens/revoke', { json: { name: 'bob' } })).status, 200)
        assert.equal((await ask('/api/v1/today', { role: 'bob' })).status, 401)
        const listed = JSON.parse((await crawltab('token', 'list', '--console', '--json')).stdout)
        assert.equal(listed.find(token => token.name === 'bob').state, 'revoked')
        assert.ok(listed.find(token => token.name === 'owner').last_used)
    })

    await t.test('prices are tried on what was counted', async () => {
        ledger.query(`INSERT INTO traffic (batch, site_id, period, crawler, verified, rule, outcome, reason,
                                           requests, bytes, amount_micros, pages)
            SELECT gen_random_uuid(), site_id, now(), 'GPTBot', false, 'articles', outcome, '', requests, 0,
                   amount, repeat('0', 3072)::bit(3072)
              FROM site, (VALUES ('offered', 40, 0), ('paid', 3, 150000)) AS v (outcome, requests, amount)`)
        const { json } = await ask('/api/v1/rules?try=articles%3D0.10,rest%3D1')
        const row = json.views.rules.rows.find(row => row.key === 'articles')
        assert.equal(row.price_micros, 50_000)
        assert.equal(row.tried_micros, 100_000)
        assert.equal(row.same_payers_micros, row.paid * 100_000)
        assert.equal(row.all_pay_micros, (row.paid + row.offered) * 100_000)
        assert.ok(row.offered >= 40 && row.paid >= 3)
        ledger.query(`INSERT INTO traffic_path SELECT site_id, current_date - 1, path, 'GPTBot', false,
            'articles', 'offered', 7000, 0, 0 FROM site, (VALUES (''), ('/a')) AS v (path)`)
        const paths = (await ask('/api/v1/rules?view=paths')).json.views.paths.rows
        const known = paths.filter(({ offered }) => offered === 7000).map(({ key, pages }) => [key, pages])
        assert.deepEqual(known.sort(), [
            ['(other paths)', 0],
            ['/a', 1]
        ])
    })

    await t.test('how much of the site a crawler took is told of what was counted', async () => {
        // Registers of the half of a sketch: pages that somebody else was offered.
        ledger.query(`INSERT INTO traffic (batch, site_id, period, crawler, verified, rule, outcome, reason,
                                           requests, bytes, amount_micros, pages)
            SELECT gen_random_uuid(), site_id, now(), 'GPTBot', false, 'articles', 'offered', '', 100, 0, 0,
                   (repeat('1' || repeat('0', 23), 64) || repeat('0', 1536))::bit(3072) FROM site`)
        const anybody = Number(ledger.query('SELECT distinct_pages(bit_or(pages)) FROM traffic'))
        assert.ok(anybody > 80 && anybody < 100, String(anybody))
        const target = `/crawler?crawler=${encodeURIComponent(set.agent.origin)}`
        const [row, ...more] = (await ask(`/api/v1${target}`)).json.views.coverage.rows
        assert.deepEqual(more, [])
        assert.deepEqual(
            [row.pages_taken, row.pages_asked, row.pages_of_site, row.taken_percent, row.asked_percent],
            [1, 1, anybody, 1, 1]
        )
        const csv = (await ask(target.replace('?', '.csv?view=coverage&'))).text.trim().split('\r\n')
        assert.match(csv[0], /^site,first_date,last_date,pages_taken,/)
        assert.ok(csv[1].endsWith(`,1,1,${anybody},1,1`), csv[1])
        const page = (await ask(target, { headers: { accept: 'text/html' } })).text
        const sentence = `<b>1</b> different page of example, <b>1 %</b> of the about ${anybody} that anybody`
        assert.ok(page.includes(sentence), page)
        const before = await ask(`/api/v1${target}&from=2026-01-01&to=2026-01-02`)
        assert.deepEqual(before.json.views.coverage.rows, [])
    })

    await t.test('what will not come is written off, and owed all the same', async () => {
        const number = set.number
        const write = json => ask('/api/v1/invoice/write-off', { role: 'finance', json })
        const listed = async status =>
            (await ask(`/api/v1/invoices?status=${status}`)).json.views.invoices.rows.length
        const aging = async () => (await ask('/api/v1/invoices?view=aging')).json.views.aging.rows
        const notes = ledger.count('adjustment')
        assert.deepEqual([(await aging())[0].total_micros, await listed('open')], [30_000, 1])
        assert.equal((await write({ number })).status, 400)
        const done = await write({ number, reason: 'bankrupt' })
        assert.equal(done.status, 200, done.text)
        const { status, open_minor, repeated } = done.json
        assert.deepEqual([status, open_minor, repeated], ['written-off', 3, false])
        assert.equal((await write({ number, reason: 'again' })).json.repeated, true)
        const [row] = await aging()
        assert.deepEqual([row.invoices, row.total_micros, row.written_off_micros], [0, 0, 30_000])
        assert.deepEqual([await listed('open'), await listed('written-off'), await listed('void')], [0, 1, 0])
        const list = (await crawltab('invoice', 'list', '--status', 'written-off')).stdout
        assert.match(list, new RegExp(`^${number} .* 0\\.05 USD +0\\.00 USD +written-off`, 'm'))
        // What is sent to the crawler says what it owes; money that comes pays it.
        const page = (await ask(`/api/v1/invoice/document?number=${number}&format=html`)).text
        assert.match(page, /To be paid[^]*0\.03/)
        assert.equal(ledger.count('adjustment'), notes)
        const paid = { number, amount: '0.03', reference: 'late' }
        const late = await ask('/api/v1/invoice/paid', { json: paid })
        assert.equal(late.json.status, 'paid', late.text)
        assert.deepEqual(await aging(), [])
        const none = await write({ number, reason: 'x' })
        assert.deepEqual([none.status, /nothing of the invoice is open/.test(none.text)], [409, true])
    })

    await t.test('addresses and methods that are none', async () => {
        assert.equal((await ask('/api/v1/nothing')).status, 404)
        const read = await ask('/api/v1/invoices', { json: {} })
        assert.deepEqual([read.status, read.headers.get('allow')], [405, 'GET, HEAD'])
        assert.equal((await ask('/api/v1/invoice/void')).status, 405)
        assert.equal((await ask('/api/v1/today', { method: 'DELETE' })).status, 405)
        assert.equal((await ask('/api/v1/today?x=%00')).status, 400)
        assert.equal(
            (
                await ask('/api/v1/invoice/void', {
                    method: 'POST',
                    headers: { 'content-type': 'text/plain' },
                    body: 'x'
                })
            ).status,
            415
        )
    })
})
