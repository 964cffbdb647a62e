// What the tests of the console share: a ledger with a payment, an invoice and a second crawler, the console
// as a process of its own, and a key for each role.
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import path from 'node:path'
import { build, until } from './support.js'
import { scene, withWebBotAuth } from './signers.js'

export const roles = ['owner', 'finance', 'auditor', 'reader']
const page = '/articles/harbour-bell.html'
// So far back that the day of the crawl can be closed at any hour.
const offset = -(26 * 3600 + 300)

class Console {
    constructor(config) {
        this.words = ['--config', config, 'console', '--listen', '127.0.0.1:0']
        this.log = ''
    }
    async start() {
        this.process = spawn(path.join(build, 'crawltab'), this.words, {
            stdio: ['ignore', 'ignore', 'pipe']
        })
        this.ended = new Promise(resolve => this.process.on('exit', code => resolve(code)))
        this.process.stderr.on('data', data => (this.log += data))
        const listens = () => /listens \(address ([^)]+)\)/.exec(this.log)
        await Promise.race([
            until(listens, `the console listens: ${this.log}`),
            this.ended.then(() => assert.fail(`the console ended: ${this.log}`))
        ])
        this.origin = `http://${listens()[1]}`
    }
    async stop() {
        if (this.process.exitCode === null && this.process.signalCode === null) this.process.kill('SIGTERM')
        return this.ended
    }
}

// `paid: false`: nothing has come in yet.
export async function desk(t, { paid = true, ...options } = {}) {
    const set = await scene(t, options, '--clock-offset', String(offset))
    if (paid) {
        const id = await set.gate.offer(page)
        const time = Date.now() + offset * 1000
        const headers = await withWebBotAuth(set.key, set.agent.origin, `https://shop.example${page}`, id, {
            time
        })
        assert.equal((await set.gate.request(page, { headers })).status, 200)
        set.payment = set.ledger.query('SELECT payment_id FROM charge')
        await set.gate.stop()
        await set.crawltab('nightly')
        set.number = set.ledger.query('SELECT number FROM invoice')
    }
    set.keys = {}
    for (const role of roles)
        set.keys[role] = (await set.crawltab('token', 'add', role, '--role', role)).stdout.trim()
    const desk = new Console(set.config)
    t.after(() => desk.stop())
    await desk.start()
    // As a program with the key of a role: `json` is sent as a body.
    const ask = async (target, { role = 'owner', json, headers = {}, ...more } = {}) => {
        const key = role ? { authorization: `Bearer ${set.keys[role]}` } : {}
        const type = json === undefined ? {} : { 'content-type': 'application/json' }
        const response = await fetch(desk.origin + target, {
            method: json === undefined ? 'GET' : 'POST',
            redirect: 'manual',
            body: json === undefined ? undefined : JSON.stringify(json),
            headers: { ...key, ...type, ...headers },
            ...more
        })
        const text = await response.text()
        const isJson = /json/.test(response.headers.get('content-type') ?? '')
        return { status: response.status, headers: response.headers, text, json: isJson && JSON.parse(text) }
    }
    // As a browser: the cookie of a session, and what its forms hold.
    const logIn = async (key, headers = {}) => {
        const response = await fetch(`${desk.origin}/login`, {
            method: 'POST',
            redirect: 'manual',
            body: new URLSearchParams({ token: key }),
            headers
        })
        return {
            status: response.status,
            cookie: response.headers.get('set-cookie'),
            text: await response.text()
        }
    }
    return { ...set, desk, ask, logIn }
}
