// free_recrawl: a page that a crawler has paid costs it nothing again for a while, as long as its entity tag
// is the same; what has changed, and what others have paid, is paid.
// Tests ledger/entry/recrawl.c
import assert from 'node:assert/strict'
import fs from 'node:fs'
import http from 'node:http'
import path from 'node:path'
import { test } from 'node:test'
import { makeKey, scene, withWebBotAuth } from '../signers.js'
import { temporaryFolder } from '../support.js'

const dayMs = 86400_000
const rules = [
    { name: 'big', paths: ['/big/**'], action: 'charge', price: '7.50', free_recrawl: '24h' },
    { name: 'once', paths: ['/once/**'], action: 'charge', price: '0.05' }
]

// How a site of either style keeps its pages: `write` makes one, or changes it.
const styles = {
    root: async t => {
        const folder = temporaryFolder(t)
        const write = (target, text) => {
            fs.mkdirSync(path.dirname(path.join(folder, target)), { recursive: true })
            fs.writeFileSync(path.join(folder, `${target}.new`), text)
            fs.renameSync(path.join(folder, `${target}.new`), path.join(folder, target))
        }
        return { site: { root: folder }, write }
    },
    origin: async t => {
        const pages = new Map()
        const server = http.createServer((request, response) => {
            const { text, etag } = pages.get(request.url)
            if (etag) response.setHeader('ETag', etag)
            const [, first, last] = /^bytes=(\d+)-(\d+)$/.exec(request.headers.range ?? '') ?? []
            if (first === undefined) return response.end(text)
            response.statusCode = 206
            response.setHeader('Content-Range', `bytes ${first}-${last}/${text.length}`)
            response.end(text.slice(Number(first), Number(last) + 1))
        })
        await new Promise(resolve => server.listen(0, '127.0.0.1', resolve))
        t.after(() => (server.closeAllConnections(), server.close()))
        const write = (target, text, etag = `"${text}"`) => pages.set(target, { text, etag })
        return { site: { root: '', origin: `http://127.0.0.1:${server.address().port}` }, write }
    }
}

async function beside(t, style, options = {}, ...extra) {
    const { site, write } = await styles[style](t)
    const set = await scene(t, { rules, ...options, site }, ...extra)
    const second = await makeKey()
    set.agent.answer = (request, response) =>
        response.end(JSON.stringify({ keys: [request.url === '/second' ? second.public : set.key.public] }))
    const crawlers = [
        { key: set.key, agent: set.agent.origin },
        { key: second, agent: `${set.agent.origin}/second` }
    ]
    const commit = async (target, { time = Date.now(), gate = set.gate, of = 0 } = {}) => {
        const id = await gate.offer(target)
        const { key, agent } = crawlers[of]
        const headers = await withWebBotAuth(key, agent, `https://shop.example${target}`, id, { time })
        return { id, headers }
    }
    // What a crawl of the page costs.
    const pay = async (target, { range, ...how } = {}) => {
        const { headers } = await commit(target, how)
        const more = range ? { Range: range } : {}
        const answer = await (how.gate ?? set.gate).request(target, { headers: { ...headers, ...more } })
        assert.ok([200, 206].includes(answer.status), answer.text)
        return answer.headers['crawler-charged']
    }
    return { ...set, write, commit, pay }
}

for (const style of ['root', 'origin'])
    test(`${style}: what is unchanged is free for who has paid it`, async t => {
        const { gate, write, commit, pay, ledger, crawltab, startGate } = await beside(t, style)
        for (const page of ['a', 'b', 'c']) write(`/big/${page}`, `${page} 1`)
        write('/once/a', 'once')
        assert.deepEqual([await pay('/big/a'), await pay('/big/b')], ['USD 7.50', 'USD 7.50'])
        assert.deepEqual([await pay('/big/a'), await pay('/big/b')], ['USD 0.00', 'USD 0.00'])
        assert.deepEqual([await pay('/once/a'), await pay('/once/a')], ['USD 0.05', 'USD 0.05'])
        assert.equal(await pay('/big/a', { of: 1 }), 'USD 7.50', 'another account of the same origin')
        assert.equal(await pay('/big/a', { of: 1 }), 'USD 0.00')
        write('/big/a', 'a 2, which is another text')
        assert.equal(await pay('/big/a'), 'USD 7.50')
        const free = await commit('/big/a')
        const get = () => gate.request('/big/a', { headers: free.headers })
        for (let i = 0; i < 2; i++) {
            const answer = await get()
            assert.equal(answer.text, 'a 2, which is another text')
            assert.equal(answer.headers['crawler-charged'], 'USD 0.00')
        }
        // The id that was free for the page as it was does not open it as it is.
        write('/big/a', 'a 3, another one')
        const changed = await get()
        assert.deepEqual([changed.status, changed.headers['crawler-error']], [402, 'page_changed'])
        assert.doesNotMatch(changed.text, /another one/)
        assert.equal(await pay('/big/a'), 'USD 7.50')
        // A part that was paid makes no whole page free; but a whole one its parts.
        assert.equal(await pay('/big/c', { range: 'bytes=0-1' }), 'USD 7.50')
        assert.equal(await pay('/big/c'), 'USD 7.50')
        assert.equal(await pay('/big/c', { range: 'bytes=0-1' }), 'USD 0.00')
        await gate.stop()
        const other = await startGate()
        await other.ready()
        assert.equal(await pay('/big/c', { gate: other }), 'USD 0.00')
        const [row] = ledger.query(
            `SELECT count(*) FILTER (WHERE amount_micros > 0), count(*) FILTER (WHERE amount_micros = 0),
                    sum(amount_micros) FROM charge`
        ).split('\n')
        assert.equal(row, '9|6|52600000')
        await crawltab('audit')
    })

test('what did not arrive, and what nothing tells apart, is paid again', async t => {
    const { write, pay, ledger } = await beside(t, 'origin')
    write('/big/a', 'a 1')
    assert.equal(await pay('/big/a'), 'USD 7.50')
    const uuid = ledger.query('SELECT payment_id FROM charge')
    ledger.query(`SELECT note_undelivered('${uuid}', 200, 1, 3, 'log', '${uuid}', 1)`)
    assert.equal(await pay('/big/a'), 'USD 7.50')
    assert.equal(await pay('/big/a'), 'USD 0.00')
    for (const etag of [null, 'W/"1"', '"', 'plain']) {
        write('/big/b', 'b', etag)
        assert.deepEqual([await pay('/big/b'), await pay('/big/b')], ['USD 7.50', 'USD 7.50'], String(etag))
    }
    assert.equal(ledger.query('SELECT count(*) FROM charge WHERE amount_micros = 0'), '1')
})

test('after its time a page is paid again, and the bill says so', async t => {
    // The gate's clock stands at noon three days ago, whatever the time is.
    const noon = Math.floor(Date.now() / dayMs) * dayMs - 2.5 * dayMs
    const offset = hours => Math.round((noon - Date.now()) / 1000) + hours * 3600
    const words = hours => ['--clock-offset', String(offset(hours))]
    const set = await beside(t, 'root', {}, ...words(0))
    const { write, ledger, crawltab } = set
    write('/big/a', 'a 1')
    let { gate } = set
    const at = async hours => {
        if (hours > 0) {
            await gate.stop()
            gate = await set.startGate(...words(hours))
            await gate.ready()
        }
        return set.pay('/big/a', { gate, time: Date.now() + offset(hours) * 1000 })
    }
    assert.equal(await at(0), 'USD 7.50')
    assert.equal(await at(13), 'USD 0.00')
    assert.equal(await at(23.9), 'USD 0.00')
    assert.equal(await at(24.1), 'USD 7.50', 'what was free makes nothing free')
    assert.equal(await at(26), 'USD 0.00')
    await gate.stop()
    await crawltab('nightly')
    assert.equal(
        ledger.query(
            'SELECT quantity, unit_price_micros FROM crawler_day_line ORDER BY local_date, unit_price_micros'
        ),
        '1|7500000\n3|0\n1|7500000'
    )
    assert.equal(ledger.query('SELECT sum(amount_micros) FROM invoice_line'), '15000000')
    assert.equal(ledger.query('SELECT count(*) FROM unproven'), '0')
    await crawltab('audit')
})
