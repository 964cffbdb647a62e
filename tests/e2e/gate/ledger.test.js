// The gate and its ledger: replays that cost it nothing, and answers in time when it hangs.
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import http from 'node:http'
import { test } from 'node:test'
import { until } from '../support.js'
import { scene, withHttpMessageSig, withWebBotAuth } from '../signers.js'

const page = '/articles/harbour-bell.html'
const url = `https://shop.example${page}`

// `count` times the same request over eight connections; calls `check` with each answer.
async function replay(gate, headers, count, check) {
    const agent = new http.Agent({ keepAlive: true, maxSockets: 8 })
    const once = () =>
        new Promise((resolve, reject) => {
            const request = http.request(
                {
                    host: '127.0.0.1',
                    port: gate.port,
                    path: page,
                    agent,
                    headers: { host: 'shop.example', ...headers }
                },
                response => {
                    response.resume()
                    response.on('error', reject)
                    response.on('end', () => resolve(response))
                }
            )
            request.on('error', reject)
            request.end()
        })
    let left = count
    const client = async () => {
        while (left-- > 0) check(await once())
    }
    await Promise.all(Array.from({ length: 8 }, client))
    agent.destroy()
}

test('5,000 replays cost no transaction', async t => {
    const { gate, ledger, key, agent } = await scene(t, { logLevel: 'info' })
    const id = await gate.offer(page)
    const headers = await withWebBotAuth(key, agent.origin, url, id)
    const first = await gate.request(page, { headers })
    assert.equal(first.status, 200, first.text)
    const backends = ledger.query(`SELECT pid FROM pg_stat_activity WHERE application_name = 'crawltabd'`)
    // No statement could be answered now.
    for (const pid of backends.split('\n')) process.kill(Number(pid), 'SIGSTOP')
    try {
        await replay(gate, headers, 5000, response => {
            assert.equal(response.statusCode, 200)
            assert.equal(response.headers['payment-response'], first.headers['payment-response'])
            assert.equal(response.headers['crawler-charged'], 'USD 0.05')
        })
        // Another signature of the same signer over the same payment is the same payment.
        const again = await withHttpMessageSig(key, agent.origin, url, id)
        const other = await gate.request(page, { headers: again })
        assert.equal(other.headers['payment-response'], first.headers['payment-response'])
    } finally {
        for (const pid of backends.split('\n')) process.kill(Number(pid), 'SIGCONT')
    }
    assert.equal(ledger.count('charge'), 1)
})

test('a hanging ledger is answered for in time, and its late commit is the payment', async t => {
    const { gate, ledger, key, agent } = await scene(t)
    const warm = await gate.offer(page)
    const headersOf = id => withWebBotAuth(key, agent.origin, url, id)
    assert.equal((await gate.request(page, { headers: await headersOf(warm) })).status, 200)
    const id = await gate.offer(page)
    const headers = await headersOf(id)
    const before = Date.now()
    const backend = Number(
        ledger.query(`SELECT pid FROM pg_stat_activity WHERE application_name = 'crawltabd'`)
    )
    process.kill(backend, 'SIGSTOP')
    const response = await gate.request(page, { headers })
    const took = Date.now() - before
    process.kill(backend, 'SIGCONT')
    assert.equal(response.status, 503, response.text)
    assert.equal(response.headers['crawler-error'], 'ledger_unavailable')
    assert.ok(Number(response.headers['retry-after']) > 0)
    assert.ok(took > 2000 && took < 4500, `${took} ms where timeout_seconds is 3`)
    // The statement lay in the socket: the server runs it now, though nobody waits for it any more.
    await until(() => ledger.count('charge') === 2, 'the late commit')
    const recorded = ledger.query('SELECT floor(extract(epoch FROM max(recorded_at))) FROM charge')
    let paid
    await until(
        async () => (paid = await gate.request(page, { headers })).status === 200,
        'the retry is taken'
    )
    assert.match(paid.headers['payment-response'], new RegExp(`id="${id}", timestamp=${recorded}$`))
    assert.equal(ledger.count('charge'), 2)
})

test('a lock on the entries makes crawlers try again, and nobody pays twice', async t => {
    const { gate, ledger, key, agent } = await scene(t)
    const sessions = spawn(
        'psql',
        ['-X', '-q', '-h', ledger.sockets, '-U', 'postgres', '-d', 'crawltab', '-v', 'ON_ERROR_STOP=1'],
        { stdio: ['pipe', 'ignore', 'inherit'] }
    )
    t.after(() => sessions.kill())
    sessions.stdin.write('BEGIN; LOCK TABLE charge IN ACCESS EXCLUSIVE MODE;\n')
    await until(
        () =>
            ledger.query(`SELECT count(*) FROM pg_locks WHERE mode = 'AccessExclusiveLock' AND granted
            AND relation = 'charge'::regclass`) === '1',
        'the lock'
    )
    const headers = []
    for (let i = 0; i < 5; i++)
        headers.push(await withWebBotAuth(key, agent.origin, url, await gate.offer(page)))
    const before = Date.now()
    const refused = await Promise.all(headers.map(fields => gate.request(page, { headers: fields })))
    assert.ok(Date.now() - before < 4500)
    for (const response of refused) {
        assert.equal(response.status, 503, response.text)
        assert.ok(Number(response.headers['retry-after']) > 0)
    }
    await gate.offer(page) // offers need no ledger
    sessions.stdin.end('ROLLBACK;\n')
    for (const fields of headers)
        await until(async () => (await gate.request(page, { headers: fields })).status === 200, 'the retry')
    assert.equal(ledger.count('charge'), 5)
})
