// What every command owes to whoever types it, for all that the programs list.
import assert from 'node:assert/strict'
import { spawn, spawnSync } from 'node:child_process'
import path from 'node:path'
import { test } from 'node:test'
import { build, commandsOf, stage } from '../support.js'

const run = (program, ...words) => {
    const { status, stdout, stderr } = spawnSync(path.join(build, program), words, { encoding: 'utf8' })
    return { status, stdout, stderr }
}
const all = commandsOf('crawltab', run('crawltab', '--help').stdout)

test('each program tells its version and its help, without colours', () => {
    for (const program of ['crawltab', 'crawltabd', 'crawler']) {
        assert.match(run(program, '--version').stdout, new RegExp(`^${program} \\d+\\.\\d+\\.\\d+`))
        assert.equal(run(program, '--help').stderr, '')
    }
})

test('each command has a help, with examples that it would take', () => {
    assert.ok(all.length > 25)
    for (const command of all) {
        const { status, stdout: help, stderr } = run('crawltab', command, '--help')
        assert.deepEqual([status, stderr], [0, ''], command)
        assert.equal(run('crawltab', 'help', command).stdout, help)
        assert.match(help, new RegExp(`^usage: crawltab ${command}\\b`))
        assert.doesNotMatch(help, /\x1b/)
        for (const line of help.split('\n')) assert.ok(line.length <= 80, line)
        const [before, examples] = help.split('\nexamples:\n')
        assert.match(examples, new RegExp(`^  crawltab ${command}\\b`), command)
        for (const [option] of examples.matchAll(/--[a-z][a-z-]*/g))
            assert.ok(before.includes(option), `${command}: its example has ${option}`)
    }
    assert.match(run('crawltab', 'help', 'invioce').stderr, /did you mean invoice\?/)
    assert.equal(run('crawltab', 'help', 'invioce').status, 64)
})

test('each command asks what was meant by an option that was mistyped', () => {
    for (const command of all) {
        const help = run('crawltab', command, '--help').stdout
        const options = [...help.matchAll(/--[a-z][a-z-]*/g)].map(([option]) => option)
        const own = options.find(option => !['--config', '--yes', '--help'].includes(option))
        if (!own) continue
        const { status, stderr } = run('crawltab', command, `${own}q`)
        assert.equal(status, 64, command)
        assert.match(stderr, new RegExp(`unknown option[^]*did you mean ${own}\\?`), command)
    }
})

test('what lists has JSON', () => {
    for (const command of all) {
        const [usage] = run('crawltab', command, '--help').stdout.split('\n\n')
        const forms = usage.split(/\n {7}(?=crawltab )/)
        for (const form of forms.filter(form => / list\b/.test(form)))
            assert.match(form, /--json/, `${command}: ${form}`)
    }
})

test('lists are whole in a pipe, and JSON', async t => {
    const { ledger, crawltab } = await stage(t)
    const agent = `https://${'long'.repeat(12)}.example/agents/main`
    await crawltab('crawler', 'add', agent)
    const plain = (await crawltab('crawler', 'list')).stdout
    assert.ok(plain.includes(agent), plain)
    const command = `${path.join(build, 'crawltab')} --config ${ledger.folder}/config.yaml crawler list`
    const shown = spawnSync('script', ['-qefc', command, '/dev/null'], { encoding: 'utf8' }).stdout
    assert.ok(shown.includes(`${agent.slice(0, 27)}...`), shown)
    const [site] = JSON.parse((await crawltab('site', 'list', '--json')).stdout)
    assert.deepEqual([site.site, site.currency, site.changes], ['example', 'USD', []])
    assert.deepEqual(JSON.parse((await crawltab('archive', 'list', '--json')).stdout), [])
})

test('what cannot be undone is asked for on a terminal', async () => {
    const id = '01920f6e-5c00-7a31-9f00-8d5a1c2b3e4f'
    const deeds = [
        ['traffic', 'forget', '--before', '2026-01-01'],
        ['invoice', 'void', 'INV-1', '--reason', 'x'],
        ['adjust', id, '--reversal', '--reason', 'x'],
        ['checkpoint', 'key', 'rotate', '--reason', 'x'],
        ['site', 'zone', 'example', 'UTC'],
        ['dispute', 'decide', id, '--reject', '--reason', 'x'],
        ['token', 'revoke', 'shop-1']
    ]
    // Without a configuration it comes to nothing, but only after the question.
    const ask = (words, answer) =>
        new Promise(resolve => {
            const command = [path.join(build, 'crawltab'), '--config', '/nowhere', ...words].join(' ')
            const stdio = ['pipe', 'pipe', 'inherit']
            const child = spawn('script', ['-qefc', command, '/dev/null'], { stdio })
            let out = ''
            child.stdout.on('data', data => {
                if (!/\[y\/N\]/.test(out) && /\[y\/N\]/.test(out + data)) child.stdin.write(answer)
                out += data
            })
            child.on('exit', status => resolve({ status, out }))
        })
    for (const words of deeds) {
        const refused = await ask(words, 'n\n')
        assert.equal(refused.status, 1)
        assert.match(refused.out, /cannot be undone\. Go on\? \[y\/N\] [^]*nothing was done/)
        assert.match((await ask(words, 'y\n')).out, /Go on\?[^]*cannot read the configuration/)
        assert.doesNotMatch((await ask([...words, '--yes'], '')).out, /Go on/)
        assert.doesNotMatch(run('crawltab', '--config', '/nowhere', ...words).stderr, /Go on/)
    }
})
