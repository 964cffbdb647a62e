// What was delivered for a payment is on record some moments after: of files and of what a site's own
// server sends, whole, cut off by the client, or broken off by the site; and whoever has the key can test
// an address.
// Tests server/gate/delivering.c, tools/crawltab/entries/delivered.c
import assert from 'node:assert/strict'
import crypto from 'node:crypto'
import fs from 'node:fs'
import http from 'node:http'
import path from 'node:path'
import { test } from 'node:test'
import { scene, withWebBotAuth } from '../signers.js'
import { temporaryFolder, until } from '../support.js'

const sha256 = data => crypto.createHash('sha256').update(data).digest('hex')
const large = crypto.randomBytes(3_000_000)

// Its own server: /live comes in pieces, /endless until the client has gone, /broken stops in the middle.
async function site(t) {
    const server = http.createServer((request, response) => {
        if (request.url === '/live') {
            response.write(large.subarray(0, 1_000_000))
            return setTimeout(() => response.end(large.subarray(1_000_000)), 20)
        }
        if (request.url === '/short') return response.end('short')
        response.writeHead(200, { 'content-length': 100_000_000 })
        response.write(large.subarray(0, 200_000))
        if (request.url === '/broken') return setTimeout(() => response.destroy(), 50)
        const timer = setInterval(() => response.write(large.subarray(0, 100_000)), 10)
        response.on('close', () => clearInterval(timer))
    })
    await new Promise(resolve => server.listen(0, '127.0.0.1', resolve))
    t.after(() => (server.closeAllConnections(), server.close()))
    return `http://127.0.0.1:${server.address().port}`
}

async function beside(t, options = {}) {
    const folder = temporaryFolder(t)
    fs.writeFileSync(path.join(folder, 'small'), 'a small page')
    fs.writeFileSync(path.join(folder, 'large'), large)
    const set = await scene(t, { site: { root: folder, origin: await site(t) }, ...options })
    const commit = async target => {
        const id = await set.gate.offer(target)
        const url = `https://shop.example${target}`
        const headers = await withWebBotAuth(set.key, set.agent.origin, url, id)
        headers['user-agent'] = 'Crawler/1 \u00e9'
        const hex = Buffer.from(id, 'base64url').toString('hex', 0, 16)
        const uuid = hex.replace(/(.{8})(.{4})(.{4})(.{4})(.{12})/, '$1-$2-$3-$4-$5')
        return { headers, uuid }
    }
    const recorded = async (uuid, count = 1) => {
        const found = () => set.ledger.count(`delivery WHERE payment_id = '${uuid}'`)
        await until(() => found() === count, `${count} deliveries of ${uuid}`)
        const out = await set.crawltab('lookup', uuid, '--json', '--client', '127.0.0.9')
        return JSON.parse(out.stdout).delivered
    }
    return { ...set, folder, commit, recorded }
}

test('what was delivered is on record', async t => {
    const options = { decisions: { listen: '127.0.0.1:0' } }
    const { gate, commit, recorded, crawltab, ledger } = await beside(t, options)
    const get = async (target, more = {}) => {
        const paid = await commit(target)
        const headers = { ...paid.headers, ...more }
        const answer = await gate.request(target, { headers, from: '127.0.0.9' })
        assert.ok([200, 206].includes(answer.status), answer.text)
        return { ...paid, answer }
    }
    const small = await get('/small')
    const part = large.subarray(1000)

    await t.test("of files, of their parts, and of what the site's own server sends", async () => {
        const ways = [
            [small, 200, Buffer.from('a small page')],
            [await get('/large'), 200, large],
            [await get('/large'), 200, large],
            [await get('/large', { range: 'bytes=1000-2999999' }), 206, part],
            [await get('/large', { range: 'bytes=1000-1999' }), 206, part.subarray(0, 1000)],
            [await get('/live'), 200, large],
            [await get('/short'), 200, Buffer.from('short')]
        ]
        for (const [{ uuid, answer }, status, body] of ways) {
            assert.equal(sha256(answer.body), sha256(body))
            const [{ ended_at: at, ...found }] = await recorded(uuid)
            assert.ok(Math.abs(Date.parse(at) - Date.now()) < 600_000, at)
            assert.deepEqual(found, {
                repeated: false,
                ended: 'whole',
                status,
                sent_bytes: body.length,
                sha256: sha256(body),
                user_agent: 'Crawler/1 ?',
                client: 'the same'
            })
        }
    })

    await t.test('once more for a page that was paid before, and no third time', async () => {
        for (let i = 0; i < 2; i++)
            assert.equal((await gate.request('/small', { headers: small.headers })).status, 200)
        const found = await recorded(small.uuid, 2)
        assert.deepEqual(
            found.map(one => [one.repeated, one.client.slice(0, 8)]),
            [
                [false, 'the same'],
                [true, 'another ']
            ]
        )
    })

    await t.test('who hangs up, and who breaks off', async () => {
        const { headers, uuid } = await commit('/endless')
        await new Promise((resolve, reject) => {
            const request = http.get(
                {
                    host: '127.0.0.1',
                    port: gate.port,
                    path: '/endless',
                    agent: false,
                    setHost: false,
                    headers: { host: 'shop.example', ...headers }
                },
                response => response.once('data', () => (request.destroy(), resolve()))
            )
            request.on('error', reject)
        })
        const broken = await commit('/broken')
        await assert.rejects(gate.request('/broken', { headers: broken.headers }))
        const [cut] = await recorded(uuid)
        assert.equal(cut.ended, 'cut')
        assert.ok(cut.sent_bytes > 0 && cut.sent_bytes < 100_000_000)
        const [found] = await recorded(broken.uuid)
        assert.deepEqual(
            [found.ended, found.sent_bytes, found.sha256],
            ['broken', 200_000, sha256(large.subarray(0, 200_000))]
        )
    })

    await t.test('of a page that a front delivers, that it may', async () => {
        await gate.logged(/event=deciding address=\S+\n/)
        const port = Number(/event=deciding address=\S*:(\d+)/.exec(gate.log)[1])
        const { headers, uuid } = await commit('/small')
        const asked = { ...headers, 'x-original-uri': '/small' }
        assert.equal((await gate.request('/', { port, headers: asked })).status, 200)
        const [found] = await recorded(uuid)
        assert.deepEqual(
            [found.ended, found.status, found.sent_bytes, found.sha256, found.user_agent],
            ['handed', null, null, null, 'Crawler/1 ?']
        )
    })

    await t.test('and is shown to people', async () => {
        const { stdout } = await crawltab('lookup', small.uuid, '--client', '127.0.0.9')
        const digest = sha256('a small page')
        for (const text of [
            'Delivered   whole on ',
            'status 200, 12 bytes',
            `SHA-256 ${digest.slice(0, 32)}\n`,
            `        ${digest.slice(32)}\n`,
            'User-Agent Crawler/1 ?\n',
            'client 127.0.0.9: the same\n',
            "(the publisher's own record: not that anybody has read the page)"
        ])
            assert.ok(stdout.includes(text), `${text} in ${stdout}`)
        const lines = stdout.slice(stdout.indexOf('\nDelivered ')).split('\n')
        assert.deepEqual(
            lines.filter(line => line.length > 80),
            []
        )
        const plain = await crawltab('lookup', small.uuid)
        assert.ok(plain.stdout.includes('client: a keyed hash, which --client ADDRESS tests\n'))
        const bad = await crawltab('lookup', small.uuid, '--client', 'nobody').catch(error => error)
        assert.match(bad.stderr, /this is no address.*nobody/s)
    })
    await crawltab('audit')
    assert.equal(ledger.query('SELECT count(*) FROM delivery d JOIN charge USING (payment_id)'), '11')
})

test('it can be left off', async t => {
    const { gate, commit, ledger, crawltab } = await beside(t, { delivery: { record: false } })
    const { headers, uuid } = await commit('/small')
    assert.equal((await gate.request('/small', { headers })).status, 200)
    await gate.stop() // what it has is written
    assert.equal(ledger.count('delivery'), 0)
    const { stdout } = await crawltab('lookup', uuid)
    assert.ok(stdout.includes('Delivered   (not recorded, which proves nothing)'))
})
