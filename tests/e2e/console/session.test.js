// Coming into the console with a browser: sessions, forms, wrong keys, and live numbers.
// Tests server/console/base/session.c server/console/live.c ledger/token/console_token.c
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { desk } from '../console.js'

test('a session', async t => {
    const set = await desk(t, { trustedProxies: ['127.0.0.1'] })
    const { ask, logIn, keys, crawltab, ledger } = set
    const html = { accept: 'text/html' }
    const with_ = cookie => ({ ...html, cookie: cookie.split(';')[0] })

    const { status, cookie } = await logIn(keys.owner)
    await t.test('begins with a key, and is a cookie that scripts and other sites do not get', async () => {
        assert.equal(status, 303)
        assert.match(
            cookie,
            /^crawltab_session=[\w-]{43}; Path=\/; HttpOnly; SameSite=Strict; Max-Age=43200$/
        )
        const secure = await logIn(keys.owner, { 'x-forwarded-proto': 'https' })
        assert.match(secure.cookie, /; Secure/)
        const page = await ask('/today', { role: null, headers: with_(cookie) })
        assert.equal(page.status, 200)
        assert.match(page.text, /owner, owner/)
        const away = await ask('/today', { role: null, headers: html })
        assert.deepEqual([away.status, away.headers.get('location')], [303, '/login'])
        const other = await ask('/today', {
            role: null,
            headers: with_(`crawltab_session=${'A'.repeat(43)}`)
        })
        assert.equal(other.status, 303)
    })

    const post = (target, form, headers = with_(cookie)) =>
        ask(target, { role: null, method: 'POST', body: new URLSearchParams(form), headers })
    const field = (text, name) => new RegExp(`name="${name}" value="([^"]+)"`).exec(text)[1]

    await t.test('writes with its own forms alone, and once', async () => {
        const target = `/invoice?number=${set.number}`
        const { text } = await ask(target, { role: null, headers: with_(cookie) })
        const form = {
            number: set.number,
            amount: '0.01',
            reference: 'r1',
            csrf: field(text, 'csrf'),
            once: field(text, 'once')
        }
        assert.equal((await post('/invoice/paid', { ...form, csrf: '' })).status, 403)
        assert.equal((await post('/invoice/paid', { ...form, csrf: 'A'.repeat(43) })).status, 403)
        assert.equal(ledger.count('invoice_payment'), 0)
        const done = await post('/invoice/paid', form)
        assert.deepEqual([done.status, done.headers.get('location')], [303, `/invoice?number=${set.number}`])
        assert.equal((await post('/invoice/paid', form)).status, 303)
        assert.equal(ledger.count('invoice_payment'), 1)
        const wrong = await post('/invoice/paid', { ...form, amount: 'much', once: 'other' })
        assert.ok(wrong.status >= 400)
        assert.match(wrong.text, /<h1>/)
        assert.match(wrong.text, /Nothing was changed/)
    })

    await t.test('does not show what its role may not do', async () => {
        const reader = await logIn(keys.reader)
        const page = await ask('/today', { role: null, headers: with_(reader.cookie) })
        assert.ok(!page.text.includes('href="/settings"'))
        const auditor = await logIn(keys.auditor)
        const invoice = await ask(`/invoice?number=${set.number}`, {
            role: null,
            headers: with_(auditor.cookie)
        })
        assert.equal(invoice.status, 200)
        assert.ok(!invoice.text.includes('/invoice/void'))
        const refused = await ask('/settings', { role: null, headers: with_(reader.cookie) })
        assert.equal(refused.status, 403)
        assert.match(refused.text, /role of this key/)
    })

    await t.test('tells live numbers', async () => {
        const stop = new AbortController()
        const response = await fetch(`${set.desk.origin}/live`, {
            headers: with_(cookie),
            signal: stop.signal
        })
        assert.equal(response.headers.get('content-type'), 'text/event-stream')
        let text = ''
        for await (const piece of response.body) {
            text += Buffer.from(piece).toString()
            if (text.includes('\n\n')) break
        }
        stop.abort()
        const [, data] = /^event: today\ndata: (.*)\n\n/.exec(text)
        assert.equal(JSON.parse(data).example?.currency ?? 'USD', 'USD')
    })

    await t.test('ends by logging out, and with its key', async () => {
        const second = await logIn(keys.finance)
        const { text } = await ask('/today', { role: null, headers: with_(second.cookie) })
        const left = await post('/logout', { csrf: field(text, 'csrf') }, with_(second.cookie))
        assert.equal(left.status, 303)
        assert.equal((await ask('/today', { role: null, headers: with_(second.cookie) })).status, 303)
        const third = await logIn(keys.finance)
        await crawltab('token', 'revoke', 'finance', '--console')
        assert.equal((await ask('/today', { role: null, headers: with_(third.cookie) })).status, 303)
        assert.equal((await logIn(keys.finance)).status, 401)
    })

    await t.test('a client with many wrong keys has to wait, others do not', async () => {
        const from = address => ({ 'x-forwarded-for': address })
        for (let i = 0; i < 10; i++)
            assert.equal((await logIn(`ctab_${i}`, from('198.51.100.7'))).status, 401)
        assert.equal((await logIn(keys.owner, from('198.51.100.7'))).status, 429)
        const api = await ask('/api/v1/today', { headers: from('198.51.100.7') })
        assert.equal(api.status, 429)
        assert.equal((await logIn(keys.owner, from('198.51.100.8'))).status, 303)
        for (let i = 0; i < 10; i++)
            assert.equal((await logIn(`ctab_${i}`, from(`2001:db8:0:1::${i + 1}`))).status, 401)
        assert.equal((await logIn(keys.owner, from('2001:db8:0:1::ffff'))).status, 429)
        assert.equal((await logIn(keys.owner, from('2001:db8:0:2::1'))).status, 303)
    })

    await t.test('a key that has expired opens nothing', async () => {
        const key = (await crawltab('token', 'add', 'short', '--role', 'reader', '--expires', '2099-01-01'))
            .stdout
        assert.equal((await logIn(key.trim())).status, 303)
        await assert.rejects(crawltab('token', 'add', 'past', '--role', 'reader', '--expires', '2020-01-01'))
        await assert.rejects(crawltab('token', 'add', 'x', '--role', 'king'), /no such role/)
        ledger.own(`INSERT INTO console_token (name, role, digest, made_at, expires_at, actor)
            VALUES ('old', 'owner', sha256('ctab_old'), now() - interval '2 days',
                    now() - interval '1 day', 'x')`)
        assert.equal((await logIn('ctab_old', { 'x-forwarded-for': '198.51.100.9' })).status, 401)
    })

    assert.equal(await set.desk.stop(), 0)
})
