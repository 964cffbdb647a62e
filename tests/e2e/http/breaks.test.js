// A site that breaks off, and a gate that is killed, under load: in the end whoever has a page has paid
// for it once, and who has none is billed nothing.
// Tests server/origin/origin.c, server/gate/delivering.c, ledger/entry/reports.c
import assert from 'node:assert/strict'
import { randomInt } from 'node:crypto'
import http from 'node:http'
import { test } from 'node:test'
import { scene, withWebBotAuth } from '../signers.js'
import { freePort, until } from '../support.js'

const size = 300_000
const crawlers = 8
const pages = 15 // of each crawler
const kills = 4

// Breaks off one answer in three, some before their head is out.
async function site(t) {
    const server = http.createServer((request, response) => {
        const chance = randomInt(9)
        if (chance === 0) return request.socket.destroy()
        response.writeHead(200, { 'content-length': size })
        if (chance > 2) return response.end('x'.repeat(size))
        response.write('x'.repeat(randomInt(1, size)))
        setTimeout(() => response.destroy(), randomInt(30))
    })
    await new Promise(resolve => server.listen(0, '127.0.0.1', resolve))
    t.after(() => (server.closeAllConnections(), server.close()))
    return `http://127.0.0.1:${server.address().port}`
}

test('no charge without content, and no content without charge', { timeout: 240_000 }, async t => {
    const listen = `127.0.0.1:${await freePort()}`
    const set = await scene(t, { listen, site: { root: '', origin: await site(t) }, logLevel: 'info' })
    const { ledger, key, agent } = set
    let { gate } = set
    const asked = async (target, headers) => {
        try {
            return await gate.request(target, { headers })
        } catch {
            await new Promise(resolve => setTimeout(resolve, 50))
            return { status: 0 } // broken off, or nobody there
        }
    }
    const had = new Map() // by payment id: whether its page came whole
    const crawl = async target => {
        let offer = { status: 0 }
        while (offer.status !== 402) offer = await asked(target, { 'user-agent': 'GPTBot/1.2' })
        const id = JSON.parse(offer.text).accepts[0].extra.id
        const signed = await withWebBotAuth(key, agent.origin, `https://shop.example${target}`, id)
        for (;;) {
            const answer = await asked(target, signed)
            if (answer.status === 200) return had.set(id, answer.body.length === size)
            if (answer.status === 402) {
                assert.equal(answer.headers['crawler-error'], 'payment_undelivered')
                return had.set(id, false)
            }
            assert.ok([0, 502, 503].includes(answer.status), `${answer.status} ${answer.text}`)
        }
    }
    const working = Promise.all(
        Array.from({ length: crawlers }, async (_, who) => {
            for (let i = 0; i < pages; i++) await crawl(`/articles/${who}/${i}`)
        })
    )
    for (let i = 0; i < kills; i++) {
        const before = had.size
        await until(() => had.size >= before + 15 || had.size === crawlers * pages, 'some pages')
        await gate.stop('SIGKILL')
        gate = await set.startGate()
    }
    await working
    assert.equal(had.size, crawlers * pages)
    await gate.stop() // what it still has to tell is told
    const billed = new Set(
        ledger
            .query(
                `SELECT payment_id FROM charge WHERE payment_id NOT IN (SELECT payment_id FROM undelivered)`
            )
            .split('\n')
    )
    for (const [id, whole] of had) {
        const hex = Buffer.from(id, 'base64url').toString('hex', 0, 16)
        const uuid = hex.replace(/(.{8})(.{4})(.{4})(.{4})(.{12})/, '$1-$2-$3-$4-$5')
        assert.equal(billed.delete(uuid), whole, `${uuid} came whole: ${whole}`)
    }
    assert.deepEqual([...billed], [])
    const undelivered = ledger.count('undelivered')
    assert.ok(undelivered > 5, `${undelivered} broke off`)
    await set.crawltab('audit')
})
