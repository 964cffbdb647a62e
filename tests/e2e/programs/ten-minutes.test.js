// The ten minutes of the README, from a site to the first invoice: its own commands, run one after the other.
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import fs from 'node:fs'
import http from 'node:http'
import path from 'node:path'
import { test } from 'node:test'
import { Ledger, build, freePort, root, temporaryFolder, until } from '../support.js'
import { nginx } from '../fronts.js'

// What the README shows between one heading and the next: blocks of lines that are indented.
function blocks(heading) {
    const text = fs.readFileSync(path.join(root, 'README.md'), 'utf8')
    const section = text.split(`\n## ${heading}\n`)[1].split('\n## ')[0]
    return [...section.matchAll(/(?:^ {4}.*\n|^\n(?= {4}))+/gm)].map(([block]) =>
        block.replace(/^ {4}/gm, '')
    )
}

test('the ten minutes of the README', { timeout: 400_000 }, async t => {
    const folder = temporaryFolder(t)
    const ledger = new Ledger(folder)
    ledger.start()
    t.after(() => ledger.stop())
    const site = http.createServer((request, response) => response.end('a page of the gazette\n'))
    await new Promise(resolve => site.listen(0, '127.0.0.1', resolve))
    t.after(() => site.close())
    const [gate, front, keys] = [await freePort(), await freePort(), await freePort()]
    // Ports of this test's own, and a name that leads here.
    const here = text =>
        text
            .replaceAll('127.0.0.1:8080', `127.0.0.1:${site.address().port}`)
            .replaceAll('127.0.0.1:8402', `127.0.0.1:${gate}`)
            .replaceAll('127.0.0.1:8403', `127.0.0.1:${keys}`)
            .replaceAll('--listen 80 ', `--listen 127.0.0.1:${front} `)
            .replaceAll('gazette.example', `localhost:${front}`)
            .replaceAll('/var/run/postgresql', ledger.sockets)
    const [config, start, look, pay, bill] = blocks('Ten minutes, with a site that you have').map(here)
    fs.writeFileSync(path.join(folder, 'config.yaml'), config)

    // The day is over at once: the gate and the crawler live in the one before. What would go on running is
    // the test's to end.
    const ended = []
    t.after(() => ended.forEach(child => child.kill()))
    const words = `
set -e
offset=-93900
crawltab() {
    case $1 in
    migrate) command crawltab "$@" --superuser postgres ;;
    today) command crawltab --clock-offset $offset "$@" ;;
    *) command crawltab "$@" ;;
    esac
}
crawler() {
    case $1 in
    fetch) shift && command crawler fetch --clock-offset $offset "$@" ;;
    *) command crawler "$@" ;;
    esac
}
pidof() { cat gate.pid; }
`
    const options = { cwd: folder, env: { ...process.env, PATH: `${build}:${process.env.PATH}` } }
    const background = async (line, port) => {
        const command = line.replace(/ &$/, '')
        const child = spawn(
            'bash',
            ['-c', `exec ${command.replace(/^crawltabd/, 'crawltabd --clock-offset -93900')}`],
            { ...options, stdio: ['ignore', 'ignore', 'pipe'] }
        )
        child.log = ''
        child.stderr.on('data', data => (child.log += data))
        ended.push(child)
        await until(async () => {
            assert.equal(child.exitCode, null, child.log)
            return fetch(`http://127.0.0.1:${port}/`).then(
                () => true,
                () => false
            )
        }, `${command} answers: ${child.log}`)
        return child
    }
    let output = ''
    const run = async line => {
        const child = spawn('bash', ['-c', words + line], { ...options, timeout: 200_000 })
        output = ''
        child.stdout.on('data', data => (output += data))
        child.stderr.on('data', data => (output += data))
        const status = await new Promise(resolve => child.on('close', resolve))
        assert.equal(status, 0, `${line}: ${output}`)
    }
    const lines = block => block.trim().split('\n')

    const [migrate, gateLine, print] = lines(start)
    await run(migrate)
    const running = await background(gateLine, gate)
    fs.writeFileSync(path.join(folder, 'gate.pid'), String(running.pid))
    const reached = () => /event=ledger_ready/.test(running.log) && /event=accounts_ready/.test(running.log)
    await until(reached, 'the gate reaches the ledger')
    await run(print)
    await nginx(t, fs.readFileSync(path.join(folder, 'crawltab.conf'), 'utf8'), front)

    const [check, traffic] = lines(look)
    await run(check)
    assert.match(output, /^good {3}\S+ gets the page: the gate observes only$/m)
    assert.ok(!output.includes('WRONG'), output)
    await until(async () => {
        await run(traffic)
        return /AddSearchBot/.test(output)
    }, 'the crawler is counted')
    assert.equal(ledger.count('charge'), 0, 'observing costs nobody anything')

    const [charge, reload, keygen, serve, fetchLine] = lines(pay)
    await run(charge)
    await run(reload)
    await until(() => /event=reloaded/.test(running.log), 'the gate has the new mode')
    await run(keygen)
    await background(serve, keys)
    await run(fetchLine)
    assert.equal(ledger.count('charge'), 1, output)

    const [nightly, list] = lines(bill)
    await run(nightly)
    await run(list)
    assert.match(output, /INV-\d{4}-000001/)
    assert.match(output, /0\.01/)
})
