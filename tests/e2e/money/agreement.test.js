// Crawlers and agreements as the operator meets them: accounts, terms in files and single ones, history.
// Tests server/rules/tariff.c
import assert from 'node:assert/strict'
import fs from 'node:fs'
import path from 'node:path'
import { test } from 'node:test'
import { root, stage } from '../support.js'
import { scene, withWebBotAuth } from '../signers.js'

const page = '/articles/harbour-bell.html'
const crawler = 'https://crawler.example'

// What a command says, and its exit status.
async function say(scene, ...words) {
    try {
        const { stdout, stderr } = await scene.crawltab(...words)
        return { code: 0, stdout, stderr }
    } catch (error) {
        return { code: error.code, stdout: error.stdout, stderr: error.stderr }
    }
}

function assertNarrow(text) {
    for (const line of text.split('\n')) assert.ok(line.length <= 80, line)
}

async function setting(t) {
    const place = await stage(t)
    const done = await say(place, 'crawler', 'add', 'Crawler.Example/')
    assert.deepEqual([done.code, done.stdout], [0, `added ${crawler}\n`])
    const file = path.join(place.folder, 'terms.yaml')
    const write = text => (fs.writeFileSync(file, text), file)
    return { ...place, write }
}

test('an account is made ahead of the first crawl, once', async t => {
    const place = await setting(t)
    const again = await say(place, 'crawler', 'add', crawler)
    assert.deepEqual([again.code, again.stdout], [0, `${crawler} has an account already\n`])
    assert.equal(place.ledger.count('crawler'), 1)
    const wrong = await say(place, 'crawler', 'add', 'not a host')
    assert.equal(wrong.code, 64)
    assert.match(wrong.stderr, /this is no crawler's identity/)
    const list = await say(place, 'crawler', 'list')
    assert.match(list.stdout, /https:\/\/crawler\.example +-\n/)
    const unknown = await say(place, 'crawler', 'show', 'other.example')
    assert.equal(unknown.code, 1)
    assert.match(unknown.stderr, /there is no such crawler.*other\.example/)
})

test('what is shown can be edited and given back', async t => {
    const place = await setting(t)
    const none = await say(place, 'agreement', 'show', crawler)
    assert.match(none.stdout, /^# https:\/\/crawler\.example has no agreement with site example\./)
    const template = await say(place, 'agreement', 'template')
    assertNarrow(template.stdout)
    const yaml = template.stdout
        .replace('cadence: daily', 'cadence: monthly')
        .replace('fee: 0', 'fee: 250')
        .replace('  name: ""', '  name: "Crawler & Söhne: GmbH"')
    const set = await say(
        place,
        ...['agreement', 'set', crawler, '--file', place.write(yaml), '--reason', 'contract 17']
    )
    assert.equal(set.code, 0, set.stderr)
    assert.match(set.stdout, /^- cadence: daily\n\+ cadence: monthly\n/)
    assert.match(set.stdout, /recorded version 1, valid from 20/)
    const shown = await say(place, 'agreement', 'show', 'crawler.example', '--site', 'example')
    assertNarrow(shown.stdout)
    assert.match(shown.stdout, /^# https:\/\/crawler\.example at site example, version 1\n# valid from 20/)
    assert.match(shown.stdout, /\n# contract 17\n\nstatus: active\ncadence: monthly\n/)
    assert.match(shown.stdout, /\nbuyer:\n {2}name: "Crawler & Söhne: GmbH"\n/)
    const words = ['agreement', 'set', crawler, '--reason', 'x', '--file']
    const same = await say(place, ...words, place.write(shown.stdout))
    assert.deepEqual([same.code, same.stdout], [0, 'nothing to change: version 1 says the same\n'])
    assert.equal(place.ledger.count('agreement'), 1)
})

test('the example for publishers is taken', async t => {
    const place = await setting(t)
    const page = fs.readFileSync(path.join(root, 'tools/doc/publisher.md'), 'utf8')
    const example = /\n( {4}cadence: monthly\n(?: {4}.*\n)+)/.exec(page)[1].replace(/^ {4}/gm, '')
    const file = place.write(example)
    const set = await say(place, 'agreement', 'set', crawler, '--reason', 'x', '--file', file)
    assert.equal(set.code, 0, set.stderr)
    assert.match(set.stdout, /\+ fee: "250\.00"\n/)
})

test('single terms, later versions, and history', async t => {
    const place = await setting(t)
    const set = (...words) => say(place, 'agreement', 'set', crawler, '--reason', 'talks', ...words)
    assert.equal(
        (await set('fee=10', "buyer.name=O'Neil", 'tax.treatment=standard', 'tax.rate=8.875')).code,
        0
    )
    const dry = await set('fee=20', '--dry-run')
    assert.match(dry.stdout, /^- fee: "10\.00"\n\+ fee: "20\.00"\nwould be version 2, valid from /)
    assert.equal(place.ledger.count('agreement'), 1)
    const later = await set('fee=20', '--from', '2999-06-01', '--expect-version', '1')
    assert.match(later.stdout, /recorded version 2, valid from 2999-06-01T00:00:00Z\n$/)
    const show = (...words) => say(place, 'agreement', 'show', crawler, ...words)
    assert.match((await show()).stdout, /\nfee: "10\.00"\n[^]*\n# Version 2 follows at 2999-06-01 00:00/)
    assert.match((await show('--at', '2999-06-01T00:00')).stdout, /\nfee: "20\.00"\n/)
    assert.match((await show('--at', '2999-06-01T01:00+02:00')).stdout, /\nfee: "10\.00"\n/)
    const history = await show('--history')
    assertNarrow(history.stdout)
    assert.match(history.stdout, /version 1 \(in force\)[^]*version 2 \(pending\)[^]*\n- fee: "10\.00"\n/)
    const json = JSON.parse((await show('--history', '--json')).stdout)
    assert.deepEqual(
        json.map(one => [one.version, one.state, one.terms.fee_micros, one.terms.tax.rate_ppm]),
        [
            [1, 'in force', 10000000, 88750],
            [2, 'pending', 20000000, 88750]
        ]
    )
    assert.equal(JSON.parse((await show('--json')).stdout).reason, 'talks')
    assert.equal(JSON.parse((await show('--json', '--at', '2001-01-01')).stdout), null)
})

test('a date is a midnight in the zone that it will have', async t => {
    const place = await setting(t)
    await place.crawltab('site', 'zone', 'example', 'Europe/Paris')
    const words = ['agreement', 'set', crawler, '--reason', 'x', '--dry-run', 'fee=1', '--from']
    assert.match((await say(place, ...words, '2999-06-01')).stdout, /valid from 2999-05-31T22:00:00Z\n/)
    assert.match((await say(place, ...words, '2999-12-01 08:30')).stdout, /valid from 2999-12-01T07:30:00Z\n/)
})

test('mistakes are told, and change nothing', async t => {
    const place = await setting(t)
    const set = (...words) => say(place, 'agreement', 'set', crawler, ...words)
    const file = place.write('statsu: active\nfee: x\nbuyer:\n  country: UK\n')
    const bad = await set('--reason', 'x', '--file', file)
    assert.equal(bad.code, 1)
    assert.match(bad.stderr, /terms\.yaml:1: unknown key "statsu", did you mean "status"\?\n/)
    assert.match(bad.stderr, /terms\.yaml:2: fee: "x" is not an amount/)
    for (const [code, pattern, ...words] of [
        [64, /a reason is missing/, 'fee=1'],
        [64, /say what to change/, '--reason', 'x'],
        [64, /say what to change/, '--reason', 'x', '--file', file, 'fee=1'],
        [
            64,
            /this is no date and no instant \(argument 2026-02-30/,
            '--reason',
            'x',
            '--from',
            '2026-02-30',
            'fee=1'
        ],
        [64, /this is no date/, '--reason', 'x', '--from', '2999-01-01T24:00', 'fee=1'],
        [64, /cannot begin in the past/, '--reason', 'x', '--from', '2026-01-01', 'fee=1'],
        [64, /this is no version/, '--reason', 'x', '--expect-version', 'two', 'fee=1'],
        [75, /somebody else has recorded a version/, '--reason', 'x', '--expect-version', '3', 'fee=1'],
        [1, /terms: settlement\.rail: sepa-direct-debit collects EUR, but the site bills in USD/].concat([
            '--reason',
            'x',
            'settlement.rail=sepa-direct-debit'
        ]),
        [1, /the ledger has no such site/, '--reason', 'x', '--site', 'other', 'fee=1'],
        [1, /cannot read the terms/, '--reason', 'x', '--file', '/nowhere']
    ]) {
        const answer = await set(...words)
        assert.equal(answer.code, code, answer.stderr)
        assert.match(answer.stderr, pattern)
    }
    const warned = await set('--reason', 'x', '--dry-run', 'prices=[{rule: articels, price: 1}]')
    assert.match(warned.stderr, /no rule of the site has this name.*articels/)
    assert.equal(place.ledger.count('agreement'), 0)
})

test('a crawler that pays is listed with what is not billed yet, and can be suspended', async t => {
    const place = await scene(t)
    const { gate, key, agent } = place
    for (let i = 0; i < 2; i++) {
        const id = await gate.offer(page)
        const headers = await withWebBotAuth(key, agent.origin, `https://shop.example${page}`, id)
        assert.equal((await gate.request(page, { headers })).status, 200)
    }
    const list = await say(place, 'crawler', 'list')
    assertNarrow(list.stdout)
    assert.match(list.stdout, /https:\/\/localhost:\d+ +example +active +none +0\.10 USD\n/)
    const suspended = await say(place, 'crawler', 'suspend', agent.origin, '--reason', 'unpaid')
    assert.deepEqual(
        [suspended.code, suspended.stdout],
        [0, 'the crawler is suspended at site example now: version 1\n']
    )
    assert.match(
        (await say(place, 'crawler', 'suspend', agent.origin, '--reason', 'x')).stdout,
        /nothing to change/
    )
    const show = await say(place, 'crawler', 'show', agent.origin)
    assertNarrow(show.stdout)
    assert.match(show.stdout, /Site example: suspended\n +agreement +version 1, valid from 20/)
    assert.match(show.stdout, /not billed +0\.10 USD, 2 crawls/)
    assert.ok(show.stdout.includes(key.keyid))
    const json = JSON.parse((await say(place, 'crawler', 'show', agent.origin, '--json')).stdout)
    assert.deepEqual(json.sites, [
        {
            ...{ site: 'example', status: 'suspended', agreement_version: 1, open_entries: 2 },
            ...{ open_micros: 100000, currency: 'USD' }
        }
    ])
    assert.equal(json.keys[0].thumbprint, key.keyid)
    assert.equal((await say(place, 'crawler', 'resume', agent.origin)).code, 64)
    assert.equal((await say(place, 'crawler', 'resume', agent.origin, '--reason', 'paid')).code, 0)
    assert.equal(
        JSON.parse((await say(place, 'crawler', 'list', '--json')).stdout)[0].sites[0].status,
        'active'
    )
})
