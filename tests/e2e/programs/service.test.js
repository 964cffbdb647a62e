// The gate under a service manager such as systemd: what it tells, and sockets that it is given.
// Tests server/run/service.c
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import fs from 'node:fs'
import http from 'node:http'
import path from 'node:path'
import { test } from 'node:test'
import { Gate, build, stage, until } from '../support.js'

// Hears what is told, like systemd: one message behind the other, with nothing between.
async function manager(t, folder) {
    const socket = path.join(folder, 'notify')
    const child = spawn('socat', ['-u', `UNIX-RECV:${socket}`, 'STDOUT'], {
        stdio: ['ignore', 'pipe', 'inherit']
    })
    t.after(() => child.kill())
    const state = { socket, heard: '' }
    child.stdout.on('data', data => (state.heard += data))
    await until(() => fs.existsSync(socket), 'the manager listens')
    state.hears = pattern => until(() => pattern.test(state.heard), `${pattern} in ${state.heard}`)
    return state
}

test('it tells when it is ready, reloads, lives and stops', async t => {
    const { folder, config, ledger } = await stage(t, { gate: false })
    const { socket, hears } = await manager(t, folder)
    const gate = new Gate(config, { env: { NOTIFY_SOCKET: socket, WATCHDOG_USEC: '80000000' } })
    t.after(() => gate.stop())
    await gate.start()
    await hears(/READY=1\nSTATUS=serving; the ledger takes payments/)
    await hears(/WATCHDOG=1WATCHDOG=1/)
    gate.process.kill('SIGHUP')
    await hears(/RELOADING=1\nMONOTONIC_USEC=\d+READY=1/)
    await gate.logged(/event=reloaded/)
    ledger.stop()
    await hears(/STATUS=serving offers and free pages; the ledger is not reached/)
    ledger.start()
    await hears(/not reached.*STATUS=serving; the ledger takes payments/s)
    assert.deepEqual(await gate.stop(), { code: 0, signal: null })
    await hears(/STOPPING=1\nSTATUS=finishing the requests under way\nEXTEND_TIMEOUT_USEC=63000000/)
})

test('keys and the password may come as credentials', async t => {
    const { folder, config, ledger, crawltab } = await stage(t, { gate: false })
    const credentials = path.join(folder, 'credentials')
    fs.mkdirSync(credentials)
    const give = (name, text) => fs.writeFileSync(path.join(credentials, name), text, { mode: 0o440 })
    give('offer.key', `${'5a'.repeat(32)}\n`)
    give('gate.password', 'open sesame\n')
    // Only who has the password gets in as the gate.
    ledger.query(`ALTER ROLE crawltab_gate PASSWORD 'open sesame'`)
    const hba = path.join(ledger.sockets, 'data/pg_hba.conf')
    const lines = fs.readFileSync(hba, 'utf8')
    fs.writeFileSync(hba, `local all crawltab_gate scram-sha-256\n${lines}`)
    ledger.query('SELECT pg_reload_conf()')
    const text = JSON.parse(fs.readFileSync(config, 'utf8'))
    text.offer.key_file = '$CREDENTIALS_DIRECTORY/offer.key'
    text.ledger.password_file = '$CREDENTIALS_DIRECTORY/gate.password'
    fs.writeFileSync(config, JSON.stringify(text))

    const gate = new Gate(config, { env: { CREDENTIALS_DIRECTORY: credentials } })
    t.after(() => gate.stop())
    await gate.start()
    await gate.logged(/event=ledger_ready/)
    await gate.offer('/')
    // The operator is no such unit, and needs neither.
    await crawltab('invoice', 'list')
    const lost = new Gate(config)
    await assert.rejects(lost.start(), /file="?\/nonexistent\/\$CREDENTIALS_DIRECTORY\/offer\.key/)
    // A password that everybody may read is refused, and so is one that is wrong.
    for (const [mode, password, pattern] of [
        [0o444, 'open sesame\n', /event=ledger_password_refused .*everybody on this machine may read it/],
        [0o400, 'open barley\n', /password authentication failed/]
    ]) {
        fs.rmSync(path.join(credentials, 'gate.password'))
        give('gate.password', password)
        fs.chmodSync(path.join(credentials, 'gate.password'), mode)
        const refused = new Gate(config, { env: { CREDENTIALS_DIRECTORY: credentials } })
        t.after(() => refused.stop())
        await refused.start()
        await refused.logged(pattern)
        await refused.stop()
    }
})

// Holds listening sockets like systemd, descriptors from 3 on, and starts the gate again whenever it ends.
// Words: how many sockets share the port, their names, and the gate's command line.
const holder = String.raw`
use Socket;
$^F = 100;
my ($count, $names, @command) = @ARGV;
my ($at, @sockets) = pack_sockaddr_in(0, INADDR_LOOPBACK);
for (1 .. $count) {
    socket(my $socket, PF_INET, SOCK_STREAM, 0) or die $!;
    setsockopt($socket, SOL_SOCKET, 15, 1) or die $!; # SO_REUSEPORT
    bind($socket, $at) && listen($socket, 128) or die $!;
    $at = getsockname($socket);
    push @sockets, $socket;
}
$SIG{TERM} = sub { kill 'TERM', $child; waitpid $child, 0; exit };
for (;;) {
    $child = fork // die;
    if (!$child) {
        @ENV{qw(LISTEN_PID LISTEN_FDS LISTEN_FDNAMES)} = ($$, $count, $names);
        exec @command or die;
    }
    print STDERR "started $child\n";
    waitpid $child, 0;
    exit $? >> 8 if $? >> 8;
}`

function held(t, config, count, names, ...words) {
    const command = [path.join(build, 'crawltabd'), '--config', config, ...words]
    const child = spawn('perl', ['-e', holder, String(count), names.join(':'), ...command], {
        stdio: ['ignore', 'ignore', 'pipe']
    })
    const state = { log: '', ended: new Promise(resolve => child.on('close', resolve)) }
    child.stderr.on('data', data => (state.log += data))
    state.logged = pattern => until(() => pattern.test(state.log), `${pattern} in ${state.log}`)
    state.gate = () => Number(state.log.match(/started (\d+)/g).at(-1).slice(8))
    t.after(async () => {
        child.kill()
        await state.ended
    })
    return state
}

function ask(port, target = '/') {
    return new Promise((resolve, reject) => {
        const headers = { host: 'shop.example', 'user-agent': 'GPTBot', connection: 'close' }
        const request = http.request({ port, headers, path: target, agent: false }, response => {
            response.resume()
            response.on('end', () => resolve(response.statusCode))
        })
        request.on('error', reject)
        request.end()
    })
}

for (const count of [1, 2])
    test(`threads share ${count} given, and nobody is turned away while it starts again`, async t => {
        const { config } = await stage(t, { gate: false, threads: 3, logLevel: 'info' })
        const gates = held(t, config, count, Array(count).fill('crawltabd.socket'))
        await gates.logged(/event=listening/)
        const port = Number(/address=127\.0\.0\.1:(\d+)/.exec(gates.log)[1])
        // More than threads, so that each socket has been somebody's.
        const all = await Promise.all(Array.from({ length: 30 }, () => ask(port)))
        assert.deepEqual([...new Set(all)], [402])
        let restarts = 0
        while (restarts < 2) {
            process.kill(gates.gate(), 'SIGTERM')
            const asking = Array.from({ length: 30 }, () => ask(port))
            restarts++
            await until(() => gates.log.split('event=listening').length === restarts + 2, gates.log)
            assert.deepEqual([...new Set(await Promise.all(asking))], [402])
        }
    })

test('sockets called decisions are for fronts that ask', async t => {
    const { config } = await stage(t, { gate: false, logLevel: 'info' })
    const gates = held(t, config, 2, ['crawltabd.socket', 'decisions'])
    await gates.logged(/event=listening/)
    await gates.logged(/event=deciding address=127\.0\.0\.1:\d+/)
    const port = Number(/event=deciding address=127\.0\.0\.1:(\d+)/.exec(gates.log)[1])
    // The two share a port, and the kernel chooses. What decides misses the page that it should judge.
    const seen = new Set()
    await until(async () => seen.add(await ask(port)).size === 2, 'both have answered')
    for (let i = 0; i < 10; i++) seen.add(await ask(port))
    assert.deepEqual([...seen].sort(), [400, 402])
})

test('sockets that the gate could not all serve are refused', async t => {
    const { config } = await stage(t, { gate: false, threads: 1 })
    const many = held(t, config, 2, ['a', 'b'])
    assert.equal(await many.ended, 1)
    assert.match(many.log, /event=listen_failed .*more sockets were given than there are threads/)
    const moved = held(t, config, 1, ['a'], '--clock-offset', '-60')
    assert.equal(await moved.ended, 64)
    assert.match(moved.log, /--clock-offset is for demonstrations on loopback; `listen` is systemd's/)
})
