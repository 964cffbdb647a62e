// SIGHUP: the gate takes a new configuration without dropping a request, and keeps the old one if the new one
// has an error anywhere. SIGTERM during all that.
// Tests server/run/generation.c, server/run/reload.c, server/run/shared.c
import assert from 'node:assert/strict'
import fs from 'node:fs'
import http from 'node:http'
import net from 'node:net'
import path from 'node:path'
import { test } from 'node:test'
import { anotherAuthority, payment, root, stage, temporaryFolder, until } from '../support.js'
import { makeKey, scene, withWebBotAuth } from '../signers.js'

const page = '/articles/harbour-bell.html'
const url = `https://shop.example${page}`

// A site of which every answer tells by which configuration it was made, in several places.
function version(n, more = {}) {
    const site = {
        name: 'example',
        hosts: ['shop.example', 'www.shop.example'],
        root: path.join(root, 'tools/demo/site'),
        network: 'example:402',
        pay_to: `merchant-${n}`,
        terms_url: `https://shop.example/terms/${n}`,
        rules: [
            { name: 'about', paths: ['/about.html'], action: 'allow' },
            { name: `rest ${n}`, action: 'charge', price: `0.00${String(n).padStart(4, '0')}` }
        ]
    }
    return { ttl: 100 + n, sites: [{ ...site, ...more }] }
}

// The one configuration that an offer is of; fails where it is of two.
function versionOf(text) {
    const offer = JSON.parse(text).accepts[0]
    const n = Number(offer.payTo.replace('merchant-', ''))
    assert.equal(offer.extra.termsUrl, `https://shop.example/terms/${n}`, text)
    assert.equal(offer.maxTimeoutSeconds, 100 + n, text)
    assert.equal(Number(offer.amount), n, text)
    return n
}

const bot = { headers: { 'user-agent': 'GPTBot/1.2' } }
const count = (text, pattern) => (text.match(pattern) ?? []).length

async function reload(gate, event = 'reloaded') {
    const pattern = new RegExp(`event=${event} `, 'g')
    const before = count(gate.log, pattern)
    gate.process.kill('SIGHUP')
    await until(() => count(gate.log, pattern) > before, `${event} in the log: ${gate.log}`)
}

const connections = ledger =>
    Number(ledger.query(`SELECT count(*) FROM pg_stat_activity WHERE usename = 'crawltab_gate'`))

test('a new configuration is taken on SIGHUP', async t => {
    const { gate, ledger, configure } = await stage(t, version(1))
    assert.equal(versionOf((await gate.request(page, bot)).text), 1)
    // All that it makes at start, some after it is ready.
    let before
    await until(() => before === (before = connections(ledger)), 'its connections have been made', 1000)
    configure({ ...version(2), logLevel: 'info', listen: '127.0.0.1:1' })
    await reload(gate)
    assert.match(gate.log, /event=reloaded .*changed="log_level offer.ttl_seconds sites.example"/)
    await gate.logged(/level=warn event=reload_ignored keys=listen /)
    assert.equal(versionOf((await gate.request(page, bot)).text), 2)
    assert.equal((await gate.request('/about.html')).status, 200)
    await until(() => count(gate.log, /event=request /g) === 1, `one request in ${gate.log}`)
    // The former generation is gone, and its connection to the ledger with it.
    await until(() => connections(ledger) === before, 'one connection to the ledger')
    await reload(gate)
    assert.match(gate.log, /event=reloaded .*changed=none/)
    assert.equal((await gate.stop()).code, 0)
})

test('a configuration with errors is refused as a whole', async t => {
    const { gate, config, configure, folder } = await stage(t, version(1))
    const refused = async pattern => {
        const at = gate.log.length
        await reload(gate, 'reload_refused')
        assert.match(gate.log.slice(at), pattern)
        assert.doesNotMatch(gate.log, /event=reloaded/)
        assert.equal(versionOf((await gate.request(page, bot)).text), 1)
    }
    await t.test('every error is told with its line', async () => {
        const text = fs.readFileSync(config, 'utf8')
        fs.writeFileSync(config, text.replace('"listen"', '"listn"').replace('"pay_to"', '"pay_too"'))
        await refused(/event=config_error detail=".*config\.yaml:2: unknown key .*did you mean .*listen/)
        assert.match(gate.log, /event=config_error detail=".*config\.yaml:\d\d: unknown key .*pay_to/)
    })
    await t.test('no file', async () => {
        fs.unlinkSync(config)
        await refused(/event=config_error detail=".*cannot be read/)
    })
    await t.test('a folder that is not there', async () => {
        configure(version(2, { root: path.join(folder, 'nowhere') }))
        await refused(/event=config_error detail=".*root: the folder .*[^]*event=reload_refused/)
    })
    await t.test('an offer key that is none', async () => {
        const file = path.join(folder, 'offer.key')
        const good = fs.readFileSync(file)
        configure(version(2))
        fs.writeFileSync(file, 'nonsense\n')
        await refused(/event=offer_key_refused .*[^]*event=reload_refused/)
        fs.writeFileSync(file, good)
    })
    await t.test('a ledger that does not answer', async () => {
        const text = fs.readFileSync(config, 'utf8')
        fs.writeFileSync(config, text.replace(/host=\S+/, 'host=127.0.0.1 port=1'))
        await refused(/event=reload_refused .*does not reach the ledger/)
    })
    configure(version(2))
    await reload(gate)
    assert.equal(versionOf((await gate.request(page, bot)).text), 2)
})

test('the offer key is rotated by SIGHUP', async t => {
    const { gate, folder, key, agent, ledger } = await scene(t)
    const file = path.join(folder, 'offer.key')
    const first = fs.readFileSync(file, 'utf8')
    const id = await gate.offer(page)
    fs.writeFileSync(file, `${'a'.repeat(64)}\n${first}`)
    await reload(gate)
    const paid = await gate.request(page, { headers: await withWebBotAuth(key, agent.origin, url, id) })
    assert.equal(paid.status, 200, paid.text)
    fs.writeFileSync(file, `${'a'.repeat(64)}\n`)
    await reload(gate)
    const later = await gate.request(page, { headers: { payment: payment(id) } })
    assert.equal(later.headers['crawler-error'], 'offer_mismatch')
    assert.equal(ledger.count('charge'), 1)
})

test('key directories are fetched again only if something changes for them', async t => {
    const { gate, configure, key, agent, tls } = await scene(t, version(1))
    const pay = async () => {
        const id = await gate.offer(page)
        const answer = await gate.request(page, { headers: await withWebBotAuth(key, agent.origin, url, id) })
        assert.equal(answer.status, 200, answer.text)
    }
    await pay()
    assert.equal(agent.requests, 1)
    configure(version(2))
    await reload(gate)
    await pay()
    assert.equal(agent.requests, 1)
    configure({ ...version(2), directory: { max_fresh_seconds: 70 } })
    await reload(gate)
    await pay()
    assert.equal(agent.requests, 2)
    // Authorities that are taken out of the file are not trusted any more.
    fs.copyFileSync(anotherAuthority(temporaryFolder(t)).caFile, tls.caFile)
    await reload(gate)
    const id = await gate.offer(page)
    const refused = await gate.request(page, { headers: await withWebBotAuth(key, agent.origin, url, id) })
    assert.equal(refused.headers['crawler-error'], 'directory_unavailable')
})

test('what crawlers have spent and owe stays in memory when times change', async t => {
    const options = { agents: { balance_limit: '0.10' }, ledger: { refresh_seconds: 60 } }
    const set = await scene(t, options)
    const { gate, configure, ledger, key, agent } = set
    const pay = async () => {
        const id = await gate.offer(page)
        return gate.request(page, { headers: await withWebBotAuth(key, agent.origin, url, id) })
    }
    const reader = () =>
        ledger.query("SELECT pid FROM pg_stat_activity WHERE application_name = 'crawltabd accounts'")
    assert.equal((await pay()).status, 200)
    const before = reader()
    configure({ ...options, ledger: { refresh_seconds: 1, timeout_seconds: 4 } })
    await reload(gate)
    assert.equal((await pay()).status, 200)
    assert.equal((await pay()).headers['crawler-error'], 'credit_limit_reached')
    assert.equal(reader(), before)
    assert.equal(count(gate.log, /event=accounts_ready/g), 1)
    // The new times hold: a payment is seen in a second or two, and not in a minute.
    ledger.query(`SELECT change_balances('{1}', '{1}', '{-50000}')`)
    await until(async () => (await pay()).status === 200, 'the payment is seen')
})

test('all connections are made anew when a pooler comes between', async t => {
    const { gate, configure, ledger } = await scene(t, version(1))
    const processes = () =>
        ledger.query("SELECT application_name, pid FROM pg_stat_activity WHERE usename = 'crawltab_gate'")
    const before = processes().split('\n')
    assert.equal(before.length, 2)
    configure({ ...version(1), ledger: { pooler: 'transaction' } })
    await reload(gate)
    await until(() => !before.some(line => processes().includes(line)), 'connections with the new setting')
})

test('requests that wait for a directory finish in the configuration in which they began', async t => {
    const { gate, ledger, configure, key, agent } = await scene(t, {
        ...version(1),
        directoryTimeout: 20
    })
    let release
    const asked = new Promise(resolve => {
        agent.answer = (request, response) => {
            release = () => response.end(JSON.stringify({ keys: [key.public] }))
            resolve()
        }
    })
    const id = await gate.offer(page)
    const waiting = gate.request(page, { headers: await withWebBotAuth(key, agent.origin, url, id) })
    await asked
    configure({ ...version(2), directoryTimeout: 20 })
    await reload(gate)
    assert.equal(versionOf((await gate.request(page, bot)).text), 2)
    // A second one waits until the first configuration is gone.
    configure({ ...version(3), directoryTimeout: 20 })
    gate.process.kill('SIGHUP')
    assert.equal(versionOf((await gate.request(page, bot)).text), 2)
    release()
    const paid = await waiting
    assert.equal(paid.status, 200, paid.text)
    assert.equal(paid.headers['crawler-charged'], 'USD 0.000001')
    assert.equal(ledger.query('SELECT rule FROM charge'), 'rest 1')
    await until(async () => versionOf((await gate.request(page, bot)).text) === 3, 'the third configuration')
})

// Keep-alive clients that ask and pay as fast as they can, until told to stop.
function load(gate, key, agent, clients) {
    const state = { stop: false, offers: 0, ids: [], versions: new Set() }
    const one = async () => {
        const keepAlive = new http.Agent({ keepAlive: true, maxSockets: 1 })
        const ask = headers =>
            new Promise((resolve, reject) => {
                const options = { host: '127.0.0.1', port: gate.port, path: page, agent: keepAlive }
                const request = http.get({ ...options, headers: { host: 'shop.example', ...headers } }, r => {
                    let text = ''
                    r.setEncoding('utf8')
                    r.on('data', data => (text += data))
                    r.on('end', () => resolve({ status: r.statusCode, headers: r.headers, text }))
                    r.on('error', reject)
                })
                request.on('error', reject)
            })
        while (!state.stop) {
            let id
            for (let i = 0; i < 20; i++) {
                const offer = await ask(bot.headers)
                assert.equal(offer.status, 402, offer.text)
                const n = versionOf(offer.text)
                state.versions.add(n)
                state.offers++
                id = JSON.parse(offer.text).accepts[0].extra.id
            }
            const paid = await ask(await withWebBotAuth(key, agent.origin, url, id))
            // The terms are in the id: an offer of other terms is not taken any more.
            if (paid.status === 402) {
                assert.equal(paid.headers['crawler-error'], 'offer_mismatch')
                versionOf(paid.text)
                continue
            }
            assert.equal(paid.status, 200, paid.text)
            state.ids.push(id)
        }
        keepAlive.destroy()
    }
    state.done = Promise.all(Array.from({ length: clients }, one))
    return state
}

test('reloads under load drop nothing and mix nothing', { timeout: 120_000 }, async t => {
    const { gate, ledger, configure, key, agent } = await scene(t, { ...version(1), logLevel: 'info' })
    const clients = load(gate, key, agent, 16)
    for (let n = 2; n <= 16; n++) {
        const before = clients.offers
        configure({ ...version(n), logLevel: 'info' })
        await reload(gate)
        if (n % 5 === 0) gate.process.kill('SIGHUP') // two in a row
        await Promise.race([until(() => clients.offers > before + 200, 'answers come'), clients.done])
    }
    clients.stop = true
    await clients.done
    assert.ok(clients.offers > 3000 && clients.ids.length > 100, `${clients.offers} ${clients.ids.length}`)
    // The second of two in a row may be what the next one waits for: then that version is passed over.
    assert.ok(clients.versions.size >= 16 - 3, `${[...clients.versions]}`)
    assert.equal(ledger.count('charge'), clients.ids.length)
    const { code } = await gate.stop()
    assert.equal(code, 0, gate.log)
})

test('SIGTERM ends a reload that waits', async t => {
    const { gate, config } = await stage(t, version(1))
    const silent = net.createServer().listen(0, '127.0.0.1')
    await new Promise(resolve => silent.on('listening', resolve))
    t.after(() => silent.close())
    const text = fs.readFileSync(config, 'utf8').replace('"timeout_seconds":3', '"timeout_seconds":60')
    fs.writeFileSync(config, text.replace(/host=\S+/, `host=127.0.0.1 port=${silent.address().port}`))
    const connected = new Promise(resolve => silent.once('connection', resolve))
    gate.process.kill('SIGHUP')
    await connected
    const { code } = await gate.stop()
    assert.equal(code, 0)
    await gate.logged(/event=reload_refused .*the gate is stopping[^]*event=stopping/)
})

test('reloads and SIGTERM in any order', async t => {
    const { startGate } = await stage(t, { ...version(1), gate: false })
    for (const pause of [0, 1, 2, 5, 10, 20]) {
        const gate = await startGate()
        for (let i = 0; i < 5; i++) gate.process.kill('SIGHUP')
        await new Promise(resolve => setTimeout(resolve, pause)) // any moment will do
        assert.deepEqual(await gate.stop(), { code: 0, signal: null }, gate.log)
    }
})
