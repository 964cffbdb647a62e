// What a site says in public about its terms: where it is found, who gets it, and what goes with a page.
// Tests server/published/own_licence.c
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { scene, withWebBotAuth } from '../signers.js'

const crawler = { 'user-agent': 'GPTBot/1.2' }
const person = { 'user-agent': 'Mozilla/5.0 (X11; Linux x86_64) Firefox/140.0' }
const types = {
    '/rsl.xml': 'application/rsl+xml',
    '/.well-known/x402.json': 'application/json',
    '/.well-known/tdmrep.json': 'application/json'
}

test('terms are told to whoever asks, with each offer and with each page', async t => {
    const licence = { tdmrep: true, content_usage: 'train-ai=n, search=y' }
    const { gate, key, agent, crawltab } = await scene(t, { site: { licence } })
    for (const [path, type] of Object.entries(types)) {
        for (const headers of [crawler, person]) {
            const answer = await gate.request(path, { headers })
            assert.equal(answer.status, 200, path)
            assert.equal(answer.headers['content-type'], type)
            assert.ok(answer.text.includes('/articles/*'), answer.text)
            assert.equal(Number(answer.headers['content-length']), answer.body.length)
        }
        const head = await gate.request(path, { headers: crawler, method: 'HEAD' })
        assert.equal(head.status, 200)
        assert.equal(head.text, '')
    }
    // The command writes the same for a front that serves it.
    const shown = (await crawltab('licence', 'show')).stdout
    assert.equal(shown, (await gate.request('/rsl.xml', { headers: person })).text)
    const robots = (await crawltab('licence', 'show', '--format', 'robots')).stdout
    assert.match(robots, /^License: https:\/\/shop\.example\/rsl\.xml$/m)

    const usage = answer => [
        answer.headers['content-usage'],
        answer.headers['tdm-reservation'],
        answer.headers['tdm-policy']
    ]
    const reserved = [licence.content_usage, '1', 'https://shop.example/terms']
    const offer = await gate.request('/articles/index.html', { headers: crawler })
    assert.equal(offer.status, 402)
    assert.match(offer.headers.link, /<\/rsl\.xml>; rel="license"; type="application\/rsl\+xml"/)
    assert.deepEqual(usage(offer), reserved)
    const id = await gate.offer('/')
    const headers = await withWebBotAuth(key, agent.origin, 'https://shop.example/', id)
    const page = await gate.request('/', { headers })
    assert.equal(page.status, 200)
    assert.deepEqual(usage(page), reserved)
    assert.deepEqual(usage(await gate.request('/about.html', { headers: crawler })), [
        licence.content_usage,
        undefined,
        undefined
    ])
    const read = await gate.request('/', { headers: person })
    assert.equal(read.status, 200)
    assert.deepEqual(usage(read), [undefined, undefined, undefined])
})

test('what is not to be said is not said', async t => {
    const licence = { rsl: false, x402: false }
    const { gate } = await scene(t, { site: { licence } })
    for (const path of Object.keys(types))
        assert.equal((await gate.request(path, { headers: crawler })).status, 404, path)
    const offer = await gate.request('/', { headers: crawler })
    assert.equal(offer.headers.link, '<https://shop.example/terms>; rel="terms-of-service"')
})
