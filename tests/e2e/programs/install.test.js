// What `make install` installs: which files, with which paths in them, and that the programs run there.
// Tests tools/deploy/rules.mk and ledger/base/places.c
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import fs from 'node:fs'
import path from 'node:path'
import { test } from 'node:test'
import { promisify } from 'node:util'
import { Gate, Ledger, build, clockBefore, commandsOf, root, temporaryFolder, until } from '../support.js'

process.env.TZ = 'UTC'

const run = promisify(execFile)

// Built apart from what others may have built with another prefix, with the flags of the programs under test.
async function make(folder, ...words) {
    const flavours = { 'build-sanitize': ['SANITIZE=1'], 'build-thread': ['SANITIZE=thread'] }
    const flavour = flavours[path.basename(build)]
    const { MAKEFLAGS, MAKELEVEL, MFLAGS, ...env } = process.env
    const own = [`BUILD=${path.relative(root, build)}`, `to=${path.join(folder, 'made')}`, ...(flavour ?? [])]
    return run('make', ['-s', ...own, ...words], { cwd: root, env, encoding: 'utf8' })
}

const files = folder =>
    fs
        .readdirSync(folder, { recursive: true, withFileTypes: true })
        .filter(entry => !entry.isDirectory())
        .map(entry => path.join(entry.parentPath ?? entry.path, entry.name))
        .map(file => path.join('/', path.relative(folder, file)))
        .sort()

// Each command has its page, and crawler's a section, in the words of its own help.
async function pages(there) {
    const page = name => fs.readFileSync(`${there}/opt/tab/share/man/man1/${name}.1`, 'utf8')
    for (const program of ['crawltab', 'crawler']) {
        const help = async (...words) =>
            (await run(`${there}/opt/tab/bin/${program}`, [...words, '--help'])).stdout.trimEnd()
        const whole = page(program)
        for (const command of new Set(commandsOf(program, await help()))) {
            const alone = program === 'crawltab'
            const text = alone
                ? page(`crawltab-${command}`).split('.SH DESCRIPTION\n.nf\n.in 0\n')[1]
                : whole.split(`.SH crawler ${command}\n.nf\n.in 0\n`)[1]
            const plain = text.split('\n.in\n')[0].replace(/^\\&/gm, '').replaceAll('\\-', '-')
            const lines = plain.replaceAll('\\(aq', "'").replaceAll('\\e', '\\')
            assert.equal(lines, (await help(command)).replace(/ +$/gm, ''))
            if (!alone) continue
            const named = `.BR crawltab\\-${command.replaceAll('-', '\\-')} (1)`
            assert.ok(whole.includes(`\n${named}`), named)
            assert.match(page(`crawltab-${command}`), /^\.SH NAME\ncrawltab\\-\S+ \\- \w/m)
        }
    }
    const config = fs.readFileSync(`${there}/opt/tab/share/man/man5/crawltab.yaml.5`, 'utf8')
    assert.match(config, /^trusted_proxies: \[\]$/m)
    for (const line of config.split('\n')) assert.ok(line.replace(/\\(\(aq|.)/g, '-').length <= 80, line)
}

// bash offers commands, what a command does, and options.
async function completion(there) {
    const file = `${there}/opt/tab/share/bash-completion/completions/crawltab`
    const complete = async (...words) => {
        const script = `. "$1"; program=$2; shift 2; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1))
            _crawltab "$program" && printf '%s ' "\${COMPREPLY[@]}"`
        const program = `${there}/opt/tab/bin/${words[0]}`
        return (await run('bash', ['-c', script, 'bash', file, program, ...words])).stdout.trim()
    }
    assert.equal(await complete('crawltab', 'inv'), 'invoice')
    assert.equal(await complete('crawltab', 'invoice', 'sh'), 'show')
    assert.equal(await complete('crawltab', 'invoice', 'show', '--fo'), '--format')
    assert.equal(await complete('crawler', 'fe'), 'fetch')
}

// zsh offers the same. compadd, which only a line that is being edited has, tells what it was given.
async function zshCompletion(there) {
    const file = `${there}/opt/tab/share/zsh/site-functions/_crawltab`
    const complete = async (...words) => {
        const script = `compadd() { shift; print -rl -- "$@"; }; _files() { print files; }
            f=$1; shift; words=("$@"); CURRENT=$#; . "$f"`
        const program = `${there}/opt/tab/bin/${words[0]}`
        return (await run('zsh', ['-fc', script, 'zsh', file, program, ...words.slice(1)])).stdout.split('\n')
    }
    assert.ok((await complete('crawltab', 'inv')).includes('invoice'))
    assert.ok((await complete('crawltab', 'invoice', 'sh')).includes('show'))
    assert.ok((await complete('crawltab', 'invoice', 'show', '--fo')).includes('--format'))
    assert.ok((await complete('crawler', 'fe')).includes('fetch'))
    assert.deepEqual(await complete('crawltab', '--config', ''), ['files', ''])
}

test('files go where the variables of GNU say, and away again', async t => {
    const folder = temporaryFolder(t)
    const there = path.join(folder, 'image')
    await make(folder, 'install', `DESTDIR=${there}`, 'prefix=/opt/tab', 'localstatedir=/srv/var')
    const installed = files(there)
    for (const file of [
        '/opt/tab/sbin/crawltabd',
        '/opt/tab/bin/crawltab',
        '/opt/tab/bin/crawler',
        '/opt/tab/share/doc/crawltab/examples/config.yaml.example',
        '/opt/tab/share/doc/crawltab/examples/haproxy.lua',
        '/opt/tab/share/doc/crawltab/CHANGELOG.md',
        '/opt/tab/share/doc/crawltab/PROOF.md',
        '/opt/tab/share/doc/crawltab/tools/doc/operator.md',
        '/opt/tab/share/bash-completion/completions/crawltab',
        '/opt/tab/share/man/man1/crawler.1',
        '/opt/tab/share/crawltab/site/articles/harbour-bell.html'
    ])
        assert.ok(installed.includes(file), `${file} is not among ${installed.join('\n')}`)
    for (const file of installed) {
        const mode = fs.statSync(there + file).mode & 0o777
        assert.equal(mode, /\/s?bin\//.test(file) ? 0o755 : 0o644, file)
        assert.ok(file.startsWith('/opt/tab/'), file)
    }
    assert.ok(fs.statSync(`${there}/etc/crawltab`).isDirectory())
    assert.equal(fs.statSync(`${there}/srv/var/lib/crawltab`).mode & 0o777, 0o700)

    // The paths are those of the installation, not of where its image happens to lie.
    const examples = `${there}/opt/tab/share/doc/crawltab/examples`
    const example = fs.readFileSync(`${examples}/config.yaml.example`, 'utf8')
    assert.match(example, /key_file: \/srv\/var\/lib\/crawltab\/offer\.key\n/)
    assert.match(example, /checkpoint_key_file: \/srv\/var\/lib\/crawltab\/checkpoint\.key\n/)
    assert.match(example, /# secret_file: \/srv\/var\/lib\/crawltab\/webhook\.secret\n/)
    assert.match(example, /connection: "dbname=crawltab"\n/)
    assert.ok(!example.includes(folder) && !/\bvar\//.test(example.replaceAll('/srv/var/', '')), example)
    // An installed program looks for its configuration in /etc, whatever folder it runs in.
    const lost = await run(`${there}/opt/tab/bin/crawltab`, ['invoice', '--help'], { cwd: root })
    assert.match(lost.stdout, /\(default: \/etc\/crawltab\/config\.yaml\)/)

    await pages(there)
    await completion(there)
    await zshCompletion(there)

    fs.writeFileSync(`${there}/etc/crawltab/config.yaml`, '')
    await make(folder, 'uninstall', `DESTDIR=${there}`, 'prefix=/opt/tab', 'localstatedir=/srv/var')
    assert.deepEqual(files(there), ['/etc/crawltab/config.yaml'])
    assert.ok(!fs.existsSync(`${there}/srv/var/lib/crawltab`))
})

test('the units are sound and give little away', { timeout: 120_000 }, async t => {
    const folder = temporaryFolder(t)
    const prefix = path.join(folder, 'usr')
    const places = [`prefix=${prefix}`, `sysconfdir=${folder}/etc`, `localstatedir=${folder}/var`]
    await make(folder, 'install', ...places)
    const units = `${prefix}/lib/systemd/system`
    const names = fs.readdirSync(units).sort()
    assert.deepEqual(names, [
        'crawltab-audit.service',
        'crawltab-audit.timer',
        'crawltab-console.service',
        'crawltab-interim.service',
        'crawltab-interim.timer',
        'crawltab-nightly.service',
        'crawltab-nightly.timer',
        'crawltab-webhook.service',
        'crawltab-webhook.timer',
        'crawltabd.service',
        'crawltabd.socket'
    ])
    for (const name of names) {
        const text = fs.readFileSync(path.join(units, name), 'utf8')
        assert.ok(!/@(\w+)@/.test(text), `${name} has a path that was not filled in: ${text}`)
        if (!name.endsWith('.service')) continue
        const [, program] = /^ExecStart=(\S+)/m.exec(text)
        fs.accessSync(program, fs.constants.X_OK)
    }
    const found = await run('sh', ['-c', 'command -v systemd-analyze || true'])
    if (!found.stdout) return t.skip('systemd-analyze is not here')
    const env = { ...process.env, SYSTEMD_UNIT_PATH: `${units}:` }
    const all = names.map(name => path.join(units, name))
    const { stdout, stderr } = await run('systemd-analyze', ['verify', '--man=no', ...all], { env })
    // What is wrong elsewhere on this machine is not ours.
    assert.ok(!/crawltab/.test(stdout + stderr), stdout + stderr)
    for (const unit of all.filter(unit => unit.endsWith('.service'))) {
        const words = ['security', '--offline=true', '--threshold=20', unit]
        const { stdout } = await run('systemd-analyze', words).catch(error => assert.fail(error.stdout))
        assert.match(stdout, /Overall exposure level for \S+: [01]\.\d OK|: 2\.0 /)
    }
})

test('an installation runs by itself', { timeout: 120_000 }, async t => {
    const folder = temporaryFolder(t)
    const ledger = new Ledger(folder)
    ledger.start()
    t.after(() => ledger.stop())
    const [prefix, etc, state] = ['usr', 'etc', 'state'].map(name => path.join(folder, name))
    await make(folder, 'install', `prefix=${prefix}`, `sysconfdir=${etc}`, `localstatedir=${state}`)
    const example = fs.readFileSync(`${prefix}/share/doc/crawltab/examples/config.yaml.example`, 'utf8')
    const config = example
        .replace('dbname=crawltab', `host=${ledger.sockets} dbname=crawltab`)
        .replace('listen: "127.0.0.1:8402"', 'listen: "127.0.0.1:0"')
    fs.writeFileSync(`${etc}/crawltab/config.yaml`, config)
    // Nothing says where the configuration is, and the folder is any.
    const crawltab = (...words) => run(`${prefix}/bin/crawltab`, words, { cwd: folder, encoding: 'utf8' })
    await crawltab('migrate', '--bootstrap', '--superuser', 'postgres')
    const night = clockBefore(15)
    fs.writeFileSync(`${etc}/crawltab/config.yaml`, config.replace('at: []', `at: ["${night.at}"]`))
    const gate = new Gate(undefined, { program: `${prefix}/sbin/crawltabd` })
    t.after(() => gate.stop())
    await gate.start('--clock-offset', night.offset)
    await until(() => /event=ledger_ready/.test(gate.log), 'the gate reaches the ledger')
    const page = await gate.request('/articles/harbour-bell.html', { host: '127.0.0.1:8402' })
    assert.match(page.text, /harbour/i)
    await gate.offer('/articles/harbour-bell.html', { host: '127.0.0.1:8402' })
    // The gate finds the command that was installed with it.
    await gate.logged(/event=nightly_done status=0/)
    for (const key of ['offer.key', 'identity.key', 'checkpoint.key'])
        assert.equal(fs.statSync(`${state}/lib/crawltab/${key}`).mode & 0o777, 0o600, key)
    assert.deepEqual(fs.readdirSync(`${etc}/crawltab`), ['config.yaml'])
    const { stdout } = await crawltab('invoice', 'list')
    assert.match(stdout, /invoice/i)
})
