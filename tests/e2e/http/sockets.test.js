// Clients that are slow, greedy, many, or gone, against a running gate: each is bounded in time and number,
// and nobody else notices.
// Tests server/http/connection.c, server/http/door.c, server/http/http.c, server/http/idle.c,
// server/http/limits.c, server/http/listen.c, server/http/request.c, server/http/response.c,
// server/http/serving.c
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import fs from 'node:fs'
import net from 'node:net'
import path from 'node:path'
import { test } from 'node:test'
import { build, Gate, stage, temporaryFolder, until } from '../support.js'
import { scene, withWebBotAuth } from '../signers.js'

const page = '/articles/harbour-bell.html'
const url = `https://shop.example${page}`
const get = (target, fields = '') => `GET ${target} HTTP/1.1\r\nHost: shop.example\r\n${fields}\r\n`
const sleep = ms => new Promise(resolve => setTimeout(resolve, ms))

// A connection that keeps all that came, and when it ended.
function connect(port, { hold = false } = {}) {
    const socket = net.connect({ port, host: '127.0.0.1', allowHalfOpen: true })
    const state = { socket, text: '', length: 0, open: true }
    socket.on('data', data => {
        state.length += data.length
        if (state.length < 65536) state.text += data.toString('latin1')
    })
    socket.on('error', () => {})
    state.ended = new Promise(resolve => {
        const end = () => {
            state.open = false
            socket.destroy()
            resolve(state.text)
        }
        socket.on('end', end)
        socket.on('close', end)
    })
    if (hold) socket.pause()
    state.connected = new Promise((resolve, reject) => {
        socket.once('connect', resolve)
        socket.once('error', reject)
    })
    state.connected.catch(() => {})
    return state
}

async function connectAll(port, count) {
    const all = []
    for (let i = 0; i < count; i += 250) {
        const some = Array.from({ length: Math.min(250, count - i) }, () => connect(port))
        await Promise.all(some.map(c => c.connected))
        all.push(...some)
    }
    return all
}

const closeAll = all => all.forEach(c => c.socket.destroy())
const files = pid => fs.readdirSync(`/proc/${pid}/fd`).length
const memory = pid => Number(/VmRSS:\s+(\d+)/.exec(fs.readFileSync(`/proc/${pid}/status`, 'utf8'))[1]) / 1024
// When the gate has the connections to the ledger that it keeps, the one for counts among them.
const settled = async ({ gate, ledger }) => {
    await gate.request('/', { headers: { 'user-agent': 'GPTBot/1.2' } })
    await until(() => ledger.count('traffic') > 0, 'the first counts')
    return files(gate.process.pid)
}

// CPU time so far, in hundredths of a second.
const ticks = pid => {
    const fields = fs.readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1].split(' ')
    return Number(fields[11]) + Number(fields[12])
}

test('a byte now and then does not keep a connection', { timeout: 60_000 }, async t => {
    const { gate } = await stage(t, { http: { header_seconds: 1, idle_seconds: 1 } })
    const drip = async (text, before = '') => {
        const client = connect(gate.port)
        await client.connected
        if (before) {
            client.socket.write(before)
            await until(() => client.text.includes('\r\n\r\n'), 'the first answer')
            client.text = ''
        }
        const start = Date.now()
        const timer = setInterval(() => client.socket.write(text[(Date.now() - start) % text.length]), 100)
        await client.ended
        clearInterval(timer)
        return Date.now() - start
    }
    const results = await Promise.all([
        drip('a'), // a request line without end
        drip('\r\n'), // empty lines before a request
        drip('x', get('/about.html')) // the second request
    ])
    assert.ok(results[0] >= 900, `${results[0]} ms`)
    for (const took of results) assert.ok(took < 10_000, `${took} ms`)
    const silent = connect(gate.port)
    const start = Date.now()
    await silent.ended
    assert.ok(Date.now() - start < 10_000)
    assert.equal((await gate.request('/about.html')).status, 200)
})

// The connection for the counts of requests is made with the first of them.
const own = 1

test('a reader must take its reply', { timeout: 60_000 }, async t => {
    const folder = temporaryFolder(t)
    const size = 64 * 1024 * 1024
    fs.writeFileSync(path.join(folder, 'big.bin'), '')
    fs.truncateSync(path.join(folder, 'big.bin'), size)
    const set = await stage(t, {
        root: folder,
        rules: [{ action: 'allow' }],
        http: { send_seconds: 2, send_bytes_per_second: 8 * 1024 * 1024 }
    })
    const { gate } = set
    const before = await settled(set)
    const slow = Array.from({ length: 10 }, () => connect(gate.port, { hold: true }))
    await Promise.all(slow.map(client => client.connected))
    slow.forEach(client => client.socket.write(get('/big.bin')))
    await until(() => files(gate.process.pid) >= before + 20, 'all are being sent to')
    const answer = await gate.request('/big.bin')
    assert.equal(answer.body.length, size)
    await until(() => files(gate.process.pid) <= before + own, 'files and sockets are closed again')
    for (const client of slow) client.socket.resume()
    await Promise.all(slow.map(client => client.ended))
    for (const client of slow) assert.ok(client.length < size)
})

test('connections of one client are counted', async t => {
    const set = await stage(t, { http: { client_connections: 5 } })
    const { gate } = set
    const served = async client => {
        client.socket.write(get('/about.html'))
        await Promise.race([until(() => client.text.includes('\r\n\r\n'), 'an answer'), client.ended])
        return client.text.startsWith('HTTP/1.1 200')
    }
    const before = await settled(set)
    for (let round = 0; round < 3; round++) {
        // What was closed on this side may still be open on the gate's for a moment, and counts as long.
        let clients
        await until(async () => {
            clients = await connectAll(gate.port, 5)
            const all = await Promise.all(clients.map(served))
            if (!all.every(Boolean)) closeAll(clients)
            return all.every(Boolean)
        }, 'room for five')
        const sixth = connect(gate.port)
        assert.equal(await served(sixth), false)
        await sixth.ended
        closeAll(clients)
        await until(() => files(gate.process.pid) <= before + own, 'all are closed')
    }
})

// Waits beyond the limit, costs nothing there, and goes on when others have closed.
async function beyondTheLimit(gate, count) {
    const clients = await connectAll(gate.port, count)
    const active = () => clients.filter(client => client.text !== '').length
    clients.forEach(client => client.socket.write(get('/about.html')))
    let before = -1
    await until(async () => {
        const same = active() === before && before > 0
        before = active()
        await sleep(200)
        return same
    }, 'some are served')
    assert.ok(active() < count, `${active()} of ${count} at once`)
    const start = ticks(gate.process.pid)
    await sleep(1000)
    const spent = ticks(gate.process.pid) - start
    assert.ok(spent < 40, `${spent} % of a processor while nothing can be done`)
    // One after another gives way.
    await until(() => {
        for (const client of clients) if (client.text !== '') client.socket.destroy()
        return clients.every(client => client.text !== '' || !client.open)
    }, 'all are served in the end')
    for (const client of clients) assert.match(client.text, /^HTTP\/1\.1 200 /)
    assert.equal((await gate.request('/about.html')).status, 200)
}

test('connections beyond the limit wait', { timeout: 60_000 }, async t => {
    const { gate } = await stage(t, { http: { connections: 20 } })
    await beyondTheLimit(gate, 60)
})

test('a gate with few descriptors', { timeout: 60_000 }, async t => {
    const { config, folder } = await stage(t, { gate: false })
    const gate = await new Gate(config, { before: ['prlimit', '--nofile=300:300'] }).start()
    t.after(() => gate.stop())
    await gate.logged(/event=limits connections=129 open_files=300/)
    await gate.logged(/event=ledger_ready/)
    await beyondTheLimit(gate, 400)
    assert.ok(folder)
})

const manyAllowed = Number(/Max open files\s+(\d+)/.exec(fs.readFileSync('/proc/self/limits', 'utf8'))[1])

for (const count of [64, 256, 1000, 10_000])
    test(
        `${count} clients that send byte by byte delay nobody`,
        { timeout: 120_000, skip: manyAllowed < count + 1000 && `only ${manyAllowed} files may be open` },
        async t => {
            const { gate } = await stage(t, { http: { header_seconds: 120 }, logLevel: 'info' })
            const clients = await connectAll(gate.port, count)
            const text = get('/about.html', 'X-Long: a\r\n'.repeat(20))
            let at = 0
            const timer = setInterval(() => {
                for (let i = at % 10; i < count; i += 10) clients[i].socket.write(text[Math.floor(at / 10)])
                if (Math.floor(++at / 10) === text.length) clearInterval(timer)
            }, 20)
            t.after(() => clearInterval(timer))
            const times = []
            for (let i = 0; i < 100; i++) {
                const start = Date.now()
                assert.equal((await gate.request('/about.html')).status, 200)
                times.push(Date.now() - start)
            }
            times.sort((a, b) => a - b)
            t.diagnostic(`median ${times[50]} ms, longest ${times[99]} ms, ${memory(gate.process.pid)} MiB`)
            assert.ok(times[99] < 5000, `${times[99]} ms`)
            closeAll(clients)
        }
    )

test('fields without end, and a body where none belongs', async t => {
    const { gate, ledger } = await stage(t)
    const send = async bytes => {
        const client = connect(gate.port)
        await client.connected
        client.socket.write(bytes)
        return client.ended
    }
    const close = 'Connection: close\r\n'
    assert.match(await send(get('/', 'X: y\r\n'.repeat(1000) + close)), /^(HTTP\/1\.1 431 |$)/)
    assert.match(await send(get('/', `X: ${'y'.repeat(65536)}\r\n`)), /^(HTTP\/1\.1 431 |$)/)
    assert.match(await send(get(`/${'y'.repeat(65536)}`)), /^(HTTP\/1\.1 414 |$)/)
    const smuggled = get('/about.html')
    for (const [method, fields, body] of [
        ['GET', `Content-Length: ${smuggled.length}\r\n`, smuggled],
        ['HEAD', 'Content-Length: 5\r\n', 'hello'],
        ['GET', 'Transfer-Encoding: chunked\r\n', `5\r\nhello\r\n0\r\n\r\n${smuggled}`],
        ['GET', 'Content-Length: 1000000000000\r\n', 'x'.repeat(100_000)]
    ]) {
        const answer = await send(get('/about.html', fields).replace('GET', method) + body)
        // Where more was sent than was read, the system may take the answer back.
        if (answer !== '' || body.length < 1000) assert.match(answer, /^HTTP\/1\.1 413 /)
        assert.equal(answer.match(/HTTP\/1\.1 /g)?.length ?? 1, 1)
        if (method === 'GET' && answer)
            assert.equal(JSON.parse(answer.split('\r\n\r\n')[1]).code, 'body_refused')
    }
    assert.match(await send(get('/about.html', `Content-Length: 0\r\n${close}`)), /^HTTP\/1\.1 200 /)
    assert.equal(ledger.count('charge'), 0)
})

// A crawler whose directory answers when it is told to.
async function parked(t, options = {}) {
    const set = await scene(t, { directoryTimeout: 20, ...options })
    const state = { ...set }
    const asked = new Promise(resolve => {
        set.agent.answer = (request, response) => {
            state.release = () => response.end(JSON.stringify({ keys: [set.key.public] }))
            resolve()
        }
    })
    const id = await set.gate.offer(page)
    const signed = await withWebBotAuth(set.key, set.agent.origin, url, id)
    state.bytes = get(
        page,
        Object.entries(signed)
            .map(([name, value]) => `${name}: ${value}\r\n`)
            .join('')
    )
    state.client = connect(set.gate.port)
    await state.client.connected
    state.client.socket.write(state.bytes)
    await asked
    return state
}

test('who has ended their side while waiting gets the page', async t => {
    const { client, release, ledger } = await parked(t)
    client.socket.end()
    await sleep(100)
    release()
    assert.match(await client.ended, /^HTTP\/1\.1 200 [^]*Payment-Response/i)
    assert.equal(ledger.count('charge'), 1)
})

test('SIGTERM answers who waits, and nobody new', { timeout: 60_000 }, async t => {
    const { client, release, ledger, gate } = await parked(t)
    const idle = connect(gate.port)
    await idle.connected
    idle.socket.write(get('/about.html'))
    await until(() => idle.text.includes('\r\n\r\n'), 'an answer')
    const halfway = connect(gate.port)
    await halfway.connected
    halfway.socket.write('GET /about.html HTTP/1.1\r\nHost: sh')
    await sleep(100)
    gate.process.kill('SIGTERM')
    await gate.logged(/event=stopping/)
    await until(
        async () =>
            !(await connect(gate.port).connected.then(
                () => true,
                () => false
            )),
        'a closed door'
    )
    await Promise.all([idle.ended, halfway.ended])
    assert.equal(client.text, '')
    release()
    const answer = await client.ended
    assert.match(answer, /^HTTP\/1\.1 200 [^]*Payment-Response/i)
    assert.match(answer, /^Connection: close/im)
    assert.deepEqual(await gate.ended, { code: 0, signal: null })
    assert.equal(ledger.count('charge'), 1)
})

test('a commitment that is being recorded when SIGTERM comes is answered', { timeout: 60_000 }, async t => {
    const { gate, ledger, key, agent } = await scene(t)
    const warm = await withWebBotAuth(key, agent.origin, url, await gate.offer(page))
    assert.equal((await gate.request(page, { headers: warm })).status, 200)
    const lock = spawn('psql', ['-X', '-q', '-h', ledger.sockets, '-U', 'postgres', '-d', 'crawltab'])
    t.after(() => lock.kill())
    lock.stdin.write('BEGIN; LOCK TABLE charge IN ACCESS EXCLUSIVE MODE; SELECT 1 AS held;\n')
    await new Promise(resolve => lock.stdout.once('data', resolve))
    const headers = await withWebBotAuth(key, agent.origin, url, await gate.offer(page))
    const paying = gate.request(page, { headers })
    const blocked = 'SELECT count(*) FROM pg_locks WHERE NOT granted'
    await until(() => Number(ledger.query(blocked)) > 0, 'the entry waits for the lock')
    gate.process.kill('SIGTERM')
    await gate.logged(/event=stopping/)
    lock.stdin.end('COMMIT;\n')
    assert.equal((await paying).status, 200)
    assert.deepEqual(await gate.ended, { code: 0, signal: null })
    assert.equal(ledger.count('charge'), 2)
})

test('a second SIGTERM does not wait', async t => {
    const { gate, client } = await parked(t)
    gate.process.kill('SIGTERM')
    await gate.logged(/event=stopping/)
    await until(() => {
        gate.process.kill('SIGTERM')
        return gate.process.exitCode !== null || gate.process.signalCode !== null
    }, 'the end')
    assert.equal((await gate.ended).signal, 'SIGTERM')
    await client.ended
})

test('the wait after SIGTERM is bounded', { timeout: 60_000 }, async t => {
    const { gate, ledger } = await parked(t, { http: { drain_seconds: 1 }, directoryTimeout: 60 })
    gate.process.kill('SIGTERM')
    assert.deepEqual(await gate.ended, { code: 0, signal: null })
    await gate.logged(/event=requests_cut_off count=1/)
    assert.equal(ledger.count('charge'), 0)
})

const sanitized = build.endsWith('build-sanitize')

// Sends to all, and waits until all have been answered once more.
async function askAll(clients, bytes) {
    const before = clients.map(client => client.length)
    for (let i = 0; i < clients.length; i += 250)
        for (const client of clients.slice(i, i + 250)) client.socket.write(bytes)
    await until(
        () => clients.every((client, i) => !client.open || client.length > before[i]),
        'an answer for each'
    )
    assert.ok(clients.every(client => client.open))
}

test(
    '10,000 idle connections take little memory',
    {
        timeout: 120_000,
        skip: sanitized
            ? 'sanitizers take more'
            : manyAllowed < 11_000 && `only ${manyAllowed} files may be open`
    },
    async t => {
        const { gate } = await stage(t, {
            http: { idle_seconds: 300, header_seconds: 100 },
            logLevel: 'info'
        })
        const clients = await connectAll(gate.port, 10_000)
        for (let round = 0; round < 3; round++) {
            await askAll(clients, get('/about.html'))
            await until(() => memory(gate.process.pid) < 64, `64 MiB, not ${memory(gate.process.pid)}`)
        }
        t.diagnostic(`${memory(gate.process.pid)} MiB`)
        closeAll(clients)
        await until(() => files(gate.process.pid) < 100, 'all are closed')
        assert.equal((await gate.request('/about.html')).status, 200)
    }
)

test('idle connections within the limit stay when others come', { timeout: 60_000 }, async t => {
    const { gate } = await stage(t, { threads: 1, http: { idle_seconds: 60, connections: 200 } })
    const clients = await connectAll(gate.port, 180)
    await askAll(clients, get('/about.html'))
    const start = Date.now()
    // Others come and go while the gate puts the idle ones aside, a second after their last answer.
    while (Date.now() - start < 4000) {
        const others = await connectAll(gate.port, 5)
        await Promise.all(others.map(other => (other.socket.end(), other.ended)))
    }
    assert.equal(clients.filter(client => client.open).length, clients.length)
    await askAll(clients, get('/about.html'))
})

test('idle connections lose nothing, end in time and are counted', { timeout: 60_000 }, async t => {
    const set = await stage(t, {
        http: { idle_seconds: 5, header_seconds: 5, client_connections: 700 },
        logLevel: 'info'
    })
    const { gate } = set
    const before = await settled(set)
    const clients = await connectAll(gate.port, 700)
    const request = get('/about.html')
    const half = request.slice(0, 20)
    const talkers = clients.slice(0, 200)
    const halfway = clients.slice(200, 400)
    const silent = clients.slice(400)
    await askAll(talkers, request)
    // One answer, and the start of a second request, which is in the gate's hands.
    await askAll(halfway, request + half)
    await sleep(2500)
    await askAll(halfway, request.slice(20))
    await askAll(talkers, request)
    const refused = connect(gate.port)
    refused.socket.write(request)
    assert.equal(await refused.ended, '')
    for (const client of [...talkers, ...halfway]) assert.match(client.text, /^(HTTP\/1\.1 200 [^]*){2}$/)
    closeAll(talkers)
    await Promise.all([...halfway, ...silent].map(client => client.ended))
    await until(() => files(gate.process.pid) <= before + own, 'all are closed')
    const again = await connectAll(gate.port, 600)
    await askAll(again, request)
    await sleep(2000)
    const { code } = await gate.stop()
    assert.equal(code, 0)
    await Promise.all(again.map(client => client.ended))
})
