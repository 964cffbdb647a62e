// A site whose pages are named by their query, such as WordPress with plain permalinks: each has its price.
import assert from 'node:assert/strict'
import http from 'node:http'
import { test } from 'node:test'
import { scene, withWebBotAuth } from '../signers.js'

const rules = [
    { name: 'posts', paths: ['/', '/index.php'], query: ['p', 'page_id'], action: 'charge', price: '0.05' },
    { name: 'api', query: ['rest_route=/wp/**'], action: 'charge', price: '0.20' },
    { name: 'feed', paths: ['/'], query: ['feed'], action: 'allow' },
    { name: 'rest', action: 'charge', price: '0.01' }
]

test('pages named by their query have their own price, however it is written', async t => {
    const site = http.createServer((request, response) => response.end(`page ${request.url}`))
    await new Promise(resolve => site.listen(0, '127.0.0.1', resolve))
    t.after(() => site.close())
    const origin = `http://127.0.0.1:${site.address().port}`
    const { gate, key, agent, ledger } = await scene(t, { rules, site: { root: '', origin } })
    const headers = { 'user-agent': 'GPTBot/1.2' }
    const prices = {
        '/': 'USD 0.01',
        '/?utm_source=x': 'USD 0.01',
        '/?p=7': 'USD 0.05',
        '/?utm_source=x&%70=7': 'USD 0.05',
        '/index.php?P=7': 'USD 0.05',
        '/?p[]=7': 'USD 0.05',
        '/?utm=1;p=7': 'USD 0.05',
        '/?rest_route=/wp/v2/posts': 'USD 0.20',
        '/?rest_route=%2Fwp%2Fv2%2Fposts&p=7': 'USD 0.20',
        '/?feed=rss&rest_route=/wp/v2/posts': 'USD 0.20'
    }
    for (const [target, price] of Object.entries(prices)) {
        const answer = await gate.request(target, { headers })
        assert.equal(answer.status, 402, target)
        assert.equal(answer.headers['crawler-price'], price, target)
    }
    assert.equal((await gate.request('/?feed=rss', { headers })).text, 'page /?feed=rss')
    // What was offered for one page pays for no dearer one.
    const id = await gate.offer('/')
    const pay = async target => {
        const signed = await withWebBotAuth(key, agent.origin, `https://shop.example${target}`, id)
        return gate.request(target, { headers: signed })
    }
    const other = await pay('/?p=7')
    assert.equal(other.status, 402)
    assert.equal(other.headers['crawler-error'], 'offer_mismatch')
    assert.equal((await pay('/')).text, 'page /')
    assert.equal(ledger.query('SELECT rule, amount_micros FROM charge'), 'rest|10000')
})
