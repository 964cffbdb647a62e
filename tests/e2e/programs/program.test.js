// The programs as their operators meet them: options, configuration, ports, signals.
// Tests server/main.c
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import fs from 'node:fs'
import net from 'node:net'
import path from 'node:path'
import { test } from 'node:test'
import { Gate, build, commandsOf, root, stage, temporaryFolder } from '../support.js'

function run(program, ...words) {
    return new Promise(resolve => {
        execFile(
            path.join(build, program),
            words,
            { encoding: 'utf8', cwd: root, timeout: 60_000 },
            (error, stdout, stderr) => resolve({ code: error ? error.code : 0, stdout, stderr })
        )
    })
}

test('every program says how it is used, in 80 columns', async () => {
    const words = [['crawltabd'], ['crawltab'], ['crawler']]
    for (const program of ['crawltab', 'crawler'])
        for (const command of commandsOf(program, (await run(program, '--help')).stdout))
            words.push([program, command])
    assert.ok(words.length > 25)
    for (const one of words) {
        const { code, stdout } = await run(...one, '--help')
        assert.equal(code, 0, one.join(' '))
        assert.match(stdout, /^usage: /i)
        for (const line of stdout.split('\n')) assert.ok(line.length <= 80, `${one}: ${line}`)
    }
})

test('the programs have one version, that of the change log', async () => {
    const changes = fs.readFileSync(path.join(root, 'tools/deploy/CHANGELOG.md'), 'utf8')
    const [, version] = /^## (\d+\.\d+\.\d+) /m.exec(changes)
    for (const program of ['crawltabd', 'crawltab', 'crawler'])
        assert.equal((await run(program, '--version')).stdout, `${program} ${version}\n`)
})

test('wrong words are wrong usage', async () => {
    for (const words of [
        ['crawltabd', '--nonsense'],
        ['crawltabd', 'word'],
        ['crawltabd', '--clock-offset', 'x'],
        ['crawltab', 'nonsense'],
        ['crawltab'],
        ['crawltab', 'lookup'],
        ['crawler', 'nonsense']
    ]) {
        const { code, stdout, stderr } = await run(...words)
        assert.equal(code, 64, words.join(' '))
        assert.notEqual(stdout + stderr, '')
    }
})

test('the configuration is checked before anything starts', async t => {
    const folder = temporaryFolder(t)
    const bad = path.join(folder, 'bad.yaml')
    fs.writeFileSync(bad, 'listn: 127.0.0.1:0\n')
    for (const words of [['--check-config'], []]) {
        const { code, stderr } = await run('crawltabd', '--config', bad, ...words)
        assert.equal(code, 1)
        assert.match(stderr, /bad\.yaml:1: unknown key "listn", did you mean "listen"\?/)
    }
    const good = await run('crawltabd', '--config', 'config.yaml.example', '--check-config')
    assert.deepEqual([good.code, good.stderr], [0, ''])
    assert.match(good.stdout, /good, 1 site/)
    // What the gate would not start with is not good either.
    const example = fs.readFileSync(path.join(root, 'config.yaml.example'), 'utf8')
    const insecure = example.replace('# deny: []', 'deny: ["http://crawler.example"]')
    fs.writeFileSync(bad, insecure.replace('root: tools', `root: ${root}/tools`))
    const refused = await run('crawltabd', '--config', bad, '--check-config')
    assert.deepEqual([refused.code, refused.stdout], [1, ''])
    assert.match(refused.stderr, /agent=http:\/\/crawler\.example .*not an https location/)
    const missing = await run('crawltabd', '--config', path.join(folder, 'none.yaml'))
    assert.equal(missing.code, 1)
    assert.match(
        missing.stderr,
        /none\.yaml: cannot be read: No such file or directory; copy config\.yaml\.example/
    )
    fs.chmodSync(bad, 0)
    if (process.getuid() !== 0)
        assert.match((await run('crawltabd', '--config', bad)).stderr, /Permission denied/)
})

test('a port in use is told and not shared', async t => {
    const { config, startGate } = await stage(t, { gate: false })
    const gate = await startGate()
    const text = fs.readFileSync(config, 'utf8')
    fs.writeFileSync(config, text.replace('127.0.0.1:0', `127.0.0.1:${gate.port}`))
    const second = await run('crawltabd', '--config', config)
    assert.equal(second.code, 1)
    assert.match(
        second.stderr,
        /event=listen_failed .*detail="Address already in use" hint="another program listens/
    )
    const other = net.createServer().listen(0, '127.0.0.1')
    await new Promise(resolve => other.on('listening', resolve))
    t.after(() => other.close())
    fs.writeFileSync(config, text.replace('127.0.0.1:0', `127.0.0.1:${other.address().port}`))
    assert.equal((await run('crawltabd', '--config', config)).code, 1)
    fs.writeFileSync(config, text.replace('127.0.0.1:0', '0.0.0.0:0'))
    const offset = await run('crawltabd', '--config', config, '--clock-offset', '-60')
    assert.equal(offset.code, 64)
    assert.match(offset.stderr, /--clock-offset is for demonstrations on loopback/)
})

test('the offer key is made once, kept to its owner, and rotates', async t => {
    const { folder, gate, startGate } = await stage(t)
    const file = path.join(folder, 'offer.key')
    assert.equal(fs.statSync(file).mode & 0o777, 0o600)
    const first = fs.readFileSync(file, 'utf8')
    assert.match(first, /^[0-9a-f]{64}\n$/)
    const id = await gate.offer('/')
    await gate.stop()
    const commit = async gate =>
        (
            await gate.request('/', {
                headers: { payment: `scheme="deferred", network="example:402", id="${id}"` }
            })
        ).headers['crawler-error']
    // An id under the current or the previous key is ours, and only the signature is missing.
    fs.writeFileSync(file, `${'a'.repeat(64)}\n${first}`)
    assert.equal(await commit(await startGate()), 'signature_required')
    fs.writeFileSync(file, `${'a'.repeat(64)}\n`)
    assert.equal(await commit(await startGate()), 'offer_mismatch')
    fs.writeFileSync(file, 'nonsense\n')
    await assert.rejects(startGate(), /event=offer_key_refused .*each line is a key of 64 hexadecimal digits/)
})

test('a gate that is told to stop finishes what is under way', async t => {
    const { config } = await stage(t, { gate: false })
    for (const signal of ['SIGTERM', 'SIGINT']) {
        const gate = await new Gate(config).start()
        const socket = net.connect(gate.port, '127.0.0.1')
        await new Promise(resolve => socket.on('connect', resolve))
        const answers = Promise.all(Array.from({ length: 20 }, () => gate.request('/')))
        assert.ok((await answers).every(answer => answer.status === 200))
        const { code } = await gate.stop(signal)
        assert.equal(code, 0)
        await gate.logged(/event=stopping/)
        socket.destroy()
    }
})
