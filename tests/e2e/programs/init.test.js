// From nothing to a gate that observes, by five answers.
// Tests tools/crawltab/setup/init.c, tools/crawltab/setup/question.c
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import fs from 'node:fs'
import http from 'node:http'
import path from 'node:path'
import { test } from 'node:test'
import { Gate, Ledger, build, freePort, temporaryFolder, until } from '../support.js'

const started = async t => {
    const folder = temporaryFolder(t)
    const ledger = new Ledger(folder)
    ledger.start()
    t.after(() => ledger.stop())
    const env = { ...process.env, PGHOST: ledger.sockets, TZ: 'UTC' }
    delete env.PGPORT
    const crawltab = (words, answers = '', more = {}) =>
        new Promise(resolve => {
            const options = { cwd: folder, env: { ...env, ...more } }
            const child = spawn(path.join(build, 'crawltab'), words, options)
            let [stdout, stderr] = ['', '']
            child.stdout.on('data', data => (stdout += data))
            child.stderr.on('data', data => (stderr += data))
            child.on('close', code => resolve({ code, stdout, stderr }))
            child.stdin.on('error', () => {})
            child.stdin.end(answers)
        })
    const config = path.join(folder, 'config.yaml')
    return { folder, ledger, crawltab, config, read: () => fs.readFileSync(config, 'utf8') }
}

test('five answers make a gate that observes', async t => {
    const { folder, crawltab, config, read } = await started(t)
    const site = http.createServer((request, response) => response.end('a page of the gazette\n'))
    await new Promise(resolve => site.listen(0, '127.0.0.1', resolve))
    t.after(() => site.close())
    const origin = `http://127.0.0.1:${site.address().port}`
    // Wrong answers are told, each with its own sentence, and asked again.
    const answers = ['', 'a"b', '-', 'http://WWW.Gazette.example/news', 'elsewhere', '/no/such/folder']
    answers.push(origin, 'euros', 'eur', 'Europe/Nowhere', 'Europe/Paris', 'nobody', 'bills@gazette.example')
    const words = ['init', '--superuser', 'postgres', '--front', 'caddy']
    const { code, stdout, stderr } = await crawltab(words, answers.join('\n') + '\n')
    assert.equal(code, 0, stdout + stderr)
    for (const sentence of [
        /a host name is wanted/,
        /no quotes, backslashes or control characters/,
        /an address is wanted.* or a folder/,
        /there is no such folder/,
        /three letters of ISO 4217 are wanted/,
        /a zone of the tz database is wanted/,
        /an e-mail address is wanted/,
        /^created role crawltab_gate$/m,
        /^keys: .*offer\.key, .*identity\.key$/m,
        /reverse_proxy/,
        /^ {4}crawltabd &$/m,
        /^ {4}crawltab front --check http:\/\/www\.gazette\.example\/$/m,
        /^ {4}crawltab traffic$/m
    ])
        assert.match(stdout, sentence)
    for (const line of stdout.slice(stdout.indexOf('The lines above')).split('\n'))
        assert.ok(line.length <= 80, line)
    for (const line of [
        /^ {2}- name: "gazette"/m,
        /hosts: \["www\.gazette\.example"\]/,
        /scheme: http$/m,
        /currency: EUR$/m,
        /time_zone: "Europe\/Paris"/,
        /mode: observe$/m,
        /email: "bills@gazette\.example"/
    ])
        assert.match(read(), line)
    assert.equal(fs.statSync(config).mode & 0o777, 0o600)
    for (const key of ['offer.key', 'identity.key'])
        assert.equal(fs.statSync(path.join(folder, 'var', key)).mode & 0o777, 0o600)

    // What it made works, but for the port, which is another's here.
    fs.writeFileSync(config, read().replace('127.0.0.1:8402', `127.0.0.1:${await freePort()}`))
    const gate = new Gate(config, { cwd: folder })
    t.after(() => gate.stop())
    await gate.start()
    await gate.ready()
    const headers = { 'user-agent': 'GPTBot/1.2' }
    const { status } = await gate.request('/', { host: 'www.gazette.example', headers })
    assert.equal(status, 200)
    await until(async () => /GPTBot/.test((await crawltab(['traffic'])).stdout), 'the traffic is counted')

    // A second time nothing is touched.
    const before = read()
    const again = await crawltab(['init', '--yes', '--site', 'other.example', '--source', origin])
    assert.equal(again.code, 1)
    assert.match(again.stderr, /there is a configuration .*config\.yaml/)
    assert.equal(read(), before)
})

test('a script answers by options, and a wrong one leaves nothing behind', async t => {
    const { folder, crawltab, read } = await started(t)
    const usual = { '--site': 'shop.example', '--source': folder, '--currency': 'JPY', '--time-zone': 'UTC' }
    const words = more => {
        const all = { ...usual, ...more }
        const given = Object.keys(all).filter(option => all[option] !== null)
        return ['init', '--yes', '--superuser', 'postgres', ...given.flatMap(option => [option, all[option]])]
    }
    for (const [more, sentence] of [
        [{ '--site': null }, /an answer is missing \(option --site/],
        [{ '--source': null }, /an answer is missing \(option --source/],
        [{ '--source': 'shop' }, /option --source, value shop\): an address is wanted/],
        [{ '--currency': 'XYZ' }, /option --currency, value XYZ\): .*ISO 4217/],
        [{ '--time-zone': '../../etc/passwd' }, /option --time-zone, .*\): .*tz database/],
        [{ '--contact': 'x' }, /option --contact, value x\): .*e-mail/],
        [{ '--connection': 'host="x"' }, /option --connection, .*\): no quotes/]
    ]) {
        const { code, stderr } = await crawltab(words(more))
        assert.equal(code, 1, stderr)
        assert.match(stderr, sentence)
        assert.deepEqual(fs.readdirSync(folder).filter(name => /config|var/.test(name)), [])
    }
    const front = await crawltab(words({ '--front': 'nginxx' }))
    assert.equal(front.code, 64)
    assert.match(front.stderr, /unknown front.*nginxx[^]*did you mean nginx/)
    assert.deepEqual(fs.readdirSync(folder).filter(name => /config|var/.test(name)), [])
    // Without a server nothing is begun; one that is away is told, and what to do once it is there.
    const none = await crawltab(words({ '--connection': 'host=/nowhere dbname=crawltab' }))
    assert.equal(none.code, 1)
    assert.match(none.stdout, /The ledger has no tables yet/)
    assert.match(none.stdout, /^ {4}crawltab  \S+  crawltab_gate$/m)
    assert.match(none.stdout, /^ {4}local  crawltab  all  peer map=crawltab\n[^]* migrate --bootstrap\n/m)
    fs.rmSync(path.join(folder, 'config.yaml'))

    const { code, stdout, stderr } = await crawltab(words({}))
    assert.equal(code, 0, stdout + stderr)
    assert.match(read(), /root: "\//)
    // Of a currency without decimals a hundredth is no price.
    assert.match(read(), /price: "1"/)
})
