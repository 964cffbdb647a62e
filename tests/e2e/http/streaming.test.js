// Bodies go through in pieces: whatever their length, and whether or not anybody reads them, the memory of
// the gate stays within bounds. STREAM_MIB and STREAM_CROWD (make streaming: 4096, 1000) make both larger. By
// unix sockets: of a thousand TCP connections on loopback that nobody reads the kernel keeps 4 MiB each, at
// either side, which is more than it grants to all the machine.
// Tests server/origin/origin.c
import assert from 'node:assert/strict'
import fs from 'node:fs'
import http from 'node:http'
import path from 'node:path'
import { test } from 'node:test'
import { scene, withWebBotAuth } from '../signers.js'
import { temporaryFolder, until } from '../support.js'

const mebibyte = 1 << 20
const length = Number(process.env.STREAM_MIB ?? 256) * mebibyte
const pieces = 64 * mebibyte // more than sockets hold
const crowd = Number(process.env.STREAM_CROWD ?? 100)
const piece = Buffer.alloc(64 * 1024, 'words of the page ')

// A site whose bodies are as long as the last part of the path says, written as fast as they are taken.
async function longSite(t, folder) {
    const site = { sent: 0, open: 0 }
    const server = http.createServer((request, response) => {
        let left = Number(request.url.split('/').at(-1))
        response.writeHead(200, { 'Content-Length': left })
        site.open++
        response.on('close', () => site.open--)
        const write = () => {
            while (left > 0 && !response.destroyed) {
                const part = left < piece.length ? piece.subarray(0, left) : piece
                left -= part.length
                site.sent += part.length
                if (!response.write(part)) return response.once('drain', write)
            }
            response.end()
        }
        write()
    })
    const socket = path.join(folder, 'site.sock')
    await new Promise(resolve => server.listen(socket, resolve))
    t.after(() => (server.closeAllConnections(), server.close()))
    site.origin = `unix:${socket}`
    return site
}

// The most that the process has had resident since `fresh`, in MiB.
const status = (pid, name) =>
    Number(new RegExp(`${name}:\\s+(\\d+)`).exec(fs.readFileSync(`/proc/${pid}/status`, 'utf8'))[1]) / 1024
const fresh = pid => fs.writeFileSync(`/proc/${pid}/clear_refs`, '5')

const ask = (socketPath, path, headers = { 'user-agent': 'Mozilla/5.0' }) =>
    new Promise((resolve, reject) => {
        const fields = { host: 'shop.example', ...headers }
        const options = { socketPath, path, agent: false, headers: fields }
        http.get(options, resolve).on('error', reject)
    })

const read = response =>
    new Promise((resolve, reject) => {
        let bytes = 0
        response.on('data', data => (bytes += data.length))
        response.on('end', () => resolve(bytes))
        response.on('error', reject)
    })

test('long bodies and slow readers take no memory', { timeout: 1_800_000 }, async t => {
    const folder = temporaryFolder(t)
    const site = await longSite(t, folder)
    const { gate, key, agent, ledger } = await scene(t, {
        logLevel: 'info',
        listen: `unix:${path.join(folder, 'gate.sock')}`,
        http: { send_seconds: 3600 }, // a slow reader is not cut off here
        origin: { head_seconds: 3600, gap_seconds: 3600 }, // nor a slow site given up
        site: { root: '', scheme: 'http', origin: site.origin, rules: [{ action: 'charge', price: '0.05' }] }
    })
    const { pid } = gate.process
    const target = `/long/${length}`
    const url = `http://shop.example${target}`
    const signed = await withWebBotAuth(key, agent.origin, url, await gate.offer(target))
    const before = status(pid, 'VmRSS')

    fresh(pid)
    const paid = await ask(gate.socketPath, target, signed)
    assert.equal(paid.statusCode, 200)
    assert.equal(await read(paid), length)
    assert.equal(ledger.count('charge'), 1)
    const one = status(pid, 'VmHWM') - before
    assert.ok(one < 16, `${one} MiB more for one long body`)

    // Nobody reads but the last; the others have their heads.
    fresh(pid)
    site.sent = 0
    const waiting = []
    for (let i = 0; i < crowd; i++) {
        const response = await ask(gate.socketPath, `/each/${pieces}`)
        assert.equal(response.statusCode, 200)
        waiting.push(response)
    }
    let last
    await until(() => {
        const still = site.sent === last
        last = site.sent
        return still
    }, 'everything that can be taken is taken', 500)
    assert.equal(site.open, crowd)
    const each = (status(pid, 'VmHWM') - before) / crowd
    assert.ok(each < 0.25, `${each} MiB for each of ${crowd} slow readers`)
    assert.ok(site.sent < crowd * pieces, 'the site waits for its readers')
    assert.equal(await read(waiting.pop()), pieces)
    for (const response of waiting) response.destroy()
    await until(() => site.open === 0, 'the site hears that its readers are gone')
    assert.equal(await read(await ask(gate.socketPath, '/more/1000')), 1000)
    t.diagnostic(`one body of ${length / mebibyte} MiB: ${one.toFixed(1)} MiB`)
    t.diagnostic(`${crowd} readers: ${(each * 1024).toFixed(0)} KiB each`)
})
