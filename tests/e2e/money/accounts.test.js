// One crawler has one account, however it spells its URL; and what an origin spends is limited as a whole.
import assert from 'node:assert/strict'
import fs from 'node:fs'
import path from 'node:path'
import { test } from 'node:test'
import { until } from '../support.js'
import { scene, withWebBotAuth } from '../signers.js'

const page = '/articles/harbour-bell.html'
const url = `https://shop.example${page}`
const wellKnown = '/.well-known/http-message-signatures-directory'

// A payment of 0.05 by the location, with keys that are fetched from it.
async function pay({ gate, key }, location) {
    const id = await gate.offer(page, { headers: { 'signature-agent': `"${location}"` } })
    const headers = await withWebBotAuth(key, location, url, id)
    for (let i = 0; i < 100; i++) {
        const response = await gate.request(page, { headers })
        if (response.status !== 503) return response.headers['crawler-error'] ?? 'paid'
        await new Promise(resolve => setTimeout(resolve, 100))
    }
    assert.fail('503 for ever')
}

async function payAll(set, ...locations) {
    const outcomes = []
    for (const location of locations) outcomes.push(await pay(set, set.agent.origin + location))
    return outcomes
}

const accounts = set => set.ledger.query('SELECT agent FROM crawler ORDER BY agent').split('\n')

test('queries make no accounts, and pass no limit', async t => {
    const set = await scene(t, { agents: { day_limit: '0.15' } })
    const { agent, ledger } = set
    const asked = []
    const answer = agent.answer
    agent.answer = (request, response) => {
        asked.push(request.url)
        answer(request, response)
    }
    const minted = ['', `${wellKnown}?1`, `${wellKnown}?2`, `${wellKnown}?3`, '/?4']
    assert.deepEqual(await payAll(set, ...minted), [
        'paid',
        'paid',
        'paid',
        'credit_limit_reached',
        'credit_limit_reached'
    ])
    assert.deepEqual(asked, [wellKnown, ...minted.slice(1)], 'keys are looked up by the URL as it was sent')
    assert.deepEqual(accounts(set), [agent.origin])
    assert.equal(ledger.query('SELECT sum(amount_micros) FROM charge'), '150000')
    assert.equal(
        ledger.query('SELECT count(*) FROM directory_snapshot'),
        '3',
        'the evidence is what each URL said'
    )
})

test('paths make accounts, all of which are within the limit of their origin', async t => {
    const set = await scene(t, { agents: { day_limit: '0.15' }, ledger: { refresh_seconds: 1 } })
    assert.deepEqual(await payAll(set, '/a', '/b', '/c', '/d', '/a', ''), [
        'paid',
        'paid',
        'paid',
        ...Array(3).fill('credit_limit_reached')
    ])
    const { origin } = set.agent
    assert.deepEqual(accounts(set), [`${origin}/a`, `${origin}/b`, `${origin}/c`])
    // After a restart as well; and what is agreed with one of them is within its reach.
    await set.gate.stop()
    set.gate = await set.startGate()
    assert.deepEqual(await payAll(set, '/d', '/a'), Array(2).fill('credit_limit_reached'))
    const terms = path.join(set.folder, 'terms.yaml')
    fs.writeFileSync(terms, JSON.stringify({ limits: { day: '0.20' } }))
    await set.crawltab('agreement', 'set', `${origin}/a?v=2`, '--reason', 'test', '--file', terms)
    await until(async () => (await pay(set, `${origin}/a?v=2`)) === 'paid', 'the agreement is read')
    assert.deepEqual(await payAll(set, '/a', '/b'), Array(2).fill('credit_limit_reached'))
    assert.equal(set.ledger.query('SELECT sum(amount_micros) FROM charge'), '200000')
    await set.crawltab('crawler', 'suspend', `${origin}/b?x`, '--reason', 'test')
    await until(async () => (await pay(set, `${origin}/b?y`)) === 'agent_suspended', 'it is suspended')
})

test('of a shared origin, every path is somebody else', async t => {
    const set = await scene(t)
    const { origin } = set.agent
    const lists = { day_limit: '0.05', shared_origins: [origin], deny: [origin] }
    set.configure({ agents: lists })
    await set.gate.stop()
    set.gate = await set.startGate()
    assert.deepEqual(await payAll(set, '/a', '/b?1', '/b?2', ''), [
        'paid',
        'paid',
        'credit_limit_reached',
        'agent_suspended'
    ])
    assert.deepEqual(accounts(set), [`${origin}/a`, `${origin}/b`])
})

test('who is denied stays denied under any query, and an origin with all its paths', async t => {
    const set = await scene(t)
    const { origin } = set.agent
    set.configure({ agents: { deny: [`${origin}/keys`, 'https://other.example'] } })
    await set.gate.stop()
    set.gate = await set.startGate()
    assert.deepEqual(await payAll(set, '/keys', '/keys?x', '/%6beys?y', '/x/../keys?', '/keys/1?', ''), [
        ...Array(4).fill('agent_suspended'),
        'paid',
        'paid'
    ])
    set.configure({ agents: { deny: [`${origin}${wellKnown}?any`] } })
    await set.gate.stop()
    set.gate = await set.startGate()
    assert.deepEqual(await payAll(set, '', '?x', '/keys?x', '/1'), Array(4).fill('agent_suspended'))
})
