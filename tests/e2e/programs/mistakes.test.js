// What a person does wrong first: each mistake gets the hint that helps.
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import fs from 'node:fs'
import net from 'node:net'
import path from 'node:path'
import test from 'node:test'
import { build, stage } from '../support.js'

const run = (program, ...words) => {
    const { status, stdout, stderr } = spawnSync(path.join(build, program), words, { encoding: 'utf8' })
    return { status, text: stdout + stderr }
}

test('words that were mistyped', () => {
    assert.match(run('crawltab', 'lookpu').text, /did you mean lookup\?/)
    assert.match(run('crawltab', 'invoice', 'list', '--jsn').text, /did you mean --json\?/)
    assert.doesNotMatch(run('crawltab', 'zebrafish').text, /did you mean/)
    assert.equal(run('crawltab', 'lookpu').status, 64)
})

test('a port in use, and connections that PostgreSQL refuses', async t => {
    const { config, configure, ledger, crawltab } = await stage(t, { gate: false })
    const server = net.createServer().listen(0, '127.0.0.1')
    await new Promise(resolve => server.on('listening', resolve))
    t.after(() => server.close())
    const { port } = server.address()
    configure({ listen: `127.0.0.1:${port}` })
    const inUse = run('crawltabd', '--config', config, '--check-config')
    assert.match(inUse.text, new RegExp(`config.yaml:2: listen: "127.0.0.1:${port}" is in use by another`))
    assert.equal(inUse.status, 0) // it may be the gate itself, which is about to read this file
    configure({ listen: '127.0.0.1:0' })
    assert.equal(run('crawltabd', '--config', config, '--check-config').text.includes('in use'), false)

    const text = fs.readFileSync(config, 'utf8')
    const bootstrap = ['migrate', '--bootstrap', '--superuser', 'stranger']
    const stranger = run('crawltab', '--config', config, ...bootstrap)
    assert.match(stranger.text, /role "stranger" does not exist[^]*hint: name a superuser[^]*--superuser/)
    fs.writeFileSync(config, text.replace('dbname=crawltab', 'dbname=crawtlab'))
    const elsewhere = run('crawltab', '--config', config, 'audit')
    assert.match(elsewhere.text, /database "crawtlab" does not exist[^]*is dbname in ledger.connection spelt/)
    fs.writeFileSync(config, text)
    assert.match((await crawltab('audit')).stdout, /audited/)

    const rules = ledger.query('SHOW hba_file')
    const wanted = 'local all crawltab_operator scram-sha-256\n'
    fs.writeFileSync(rules, wanted + fs.readFileSync(rules, 'utf8'))
    ledger.query("ALTER ROLE crawltab_operator PASSWORD 'right'")
    ledger.query('SELECT pg_reload_conf()')
    const asked = () => run('crawltab', '--config', config, 'audit')
    const without = asked()
    assert.match(without.text, /no password supplied[^]*hint: PostgreSQL answers and refuses the role's pass/)
    fs.writeFileSync(config, text.replace('dbname=crawltab', 'dbname=crawltab password=wrong'))
    const wrong = asked()
    assert.match(wrong.text, /password authentication failed[^]*refuses the role's password/)
    assert.doesNotMatch(wrong.text, /is PostgreSQL running/)
    fs.writeFileSync(config, text.replace('dbname=crawltab', 'dbname=crawltab password=right'))
    assert.equal(asked().status, 0)
})
