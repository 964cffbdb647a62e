// What the end-to-end tests share: a ledger (ledger.js), the gate as a real process on a free port, key
// directories over HTTPS under a certificate authority of the test's own, and raw HTTP requests.
import assert from 'node:assert/strict'
import { execFile, execFileSync, spawn } from 'node:child_process'
import { randomInt } from 'node:crypto'
import fs from 'node:fs'
import http from 'node:http'
import https from 'node:https'
import net from 'node:net'
import path from 'node:path'
import { promisify } from 'node:util'
import { build, giveBack, Ledger, lend, root, workFolder } from './ledger.js'

export { build, Ledger, root }
const run = promisify(execFile)

// LEDGER=citus: the tests' ledgers are spread over a cluster.
const spread = process.env.LEDGER === 'citus'
const { Cluster: Usual = Ledger, noCitus } = spread ? await import('./cluster.js') : {}
if (noCitus) throw new Error(noCitus)

const site = { name: 'example', root: 'tools/demo/site', network: 'example:402', port: 0 }

// The configuration as YAML; JSON is YAML too.
function configText(folder, ledger, options) {
    const config = {
        listen: options.listen ?? '127.0.0.1:0',
        threads: options.threads ?? 2,
        trusted_proxies: options.trustedProxies ?? [],
        http: options.http ?? {},
        origin: options.origin ?? {},
        traffic: { write_seconds: 1 },
        decisions: options.decisions ?? {},
        facilitator: options.facilitator ?? {},
        monitor: options.monitor ?? {},
        log: options.log ?? {},
        log_level: options.logLevel ?? 'debug',
        offer: { key_file: path.join(folder, 'offer.key'), ttl_seconds: options.ttl ?? 300 },
        directory: {
            insecure_hosts: options.insecureHosts ?? [],
            ca_file: options.caFile ?? '',
            timeout_seconds: options.directoryTimeout ?? 2,
            retry_seconds: 1,
            ...options.directory
        },
        signature: { algorithms: options.algorithms ?? ['ed25519'], ...options.signatureKeys },
        ledger: {
            connection: `host=${ledger.sockets} dbname=crawltab`,
            timeout_seconds: 3,
            ...options.ledger
        },
        seal: options.seal ?? {},
        delivery: options.delivery ?? {},
        identity: options.identity ?? {},
        nightly: options.nightly ?? {},
        sites: options.sites ?? [
            {
                name: site.name,
                hosts: ['shop.example', 'www.shop.example'],
                scheme: 'https',
                root: options.root ?? path.join(root, site.root),
                network: site.network,
                terms_url: 'https://shop.example/terms',
                signature: options.signature ?? {},
                agents: options.agents,
                rules: options.rules ?? [
                    { name: 'about', paths: ['/about.html'], action: 'allow' },
                    { name: 'drafts', paths: ['/drafts/**'], action: 'block' },
                    { name: 'articles', paths: ['/articles/**'], action: 'charge', price: '0.05' },
                    { name: 'rest', action: 'charge', price: '0.0025' }
                ],
                ...options.site
            }
        ]
    }
    return JSON.stringify(config, null, 1)
}

export class Gate {
    // `before`: words that the command line starts with, such as those of prlimit. Without a configuration
    // the program has to know where it is.
    constructor(config, { before = [], env = {}, program = path.join(build, 'crawltabd') } = {}) {
        this.config = config
        this.words = [...before, program, ...(config ? ['--config', config] : [])]
        this.env = { ...process.env, ...env }
        this.log = ''
    }
    // May be called again after an end: the port is another one then.
    async start(...extra) {
        this.log = ''
        this.port = undefined
        const [program, ...words] = [...this.words, ...extra]
        this.process = spawn(program, words, { stdio: ['ignore', 'ignore', 'pipe'], env: this.env })
        this.ended = new Promise(resolve =>
            this.process.on('exit', (code, signal) => resolve({ code, signal }))
        )
        const address = await new Promise((resolve, reject) => {
            this.process.stderr.on('data', data => {
                this.log += data
                const found = !this.port && /event=listening address=([^ ]+) /.exec(this.log)
                if (found) resolve(found[1])
            })
            this.ended.then(() => reject(new Error(`the gate ended: ${this.log}`)))
        })
        this.socketPath = address.startsWith('unix:') ? address.slice(5) : undefined
        this.port = this.socketPath ? undefined : Number(address.split(':').at(-1))
        return this
    }
    async stop(signal = 'SIGTERM') {
        if (this.process.exitCode === null && this.process.signalCode === null) this.process.kill(signal)
        return this.ended
    }
    // Waits until the log says so: it comes on another way than the answers.
    logged(pattern) {
        return until(() => pattern.test(this.log), `${pattern} in the log: ${this.log}`)
    }
    // Waits until it can take payments: its writers have the ledger, and it knows what crawlers owe. Either
    // may be first.
    ready() {
        const both = () => /event=ledger_ready/.test(this.log) && /event=accounts_ready/.test(this.log)
        return until(both, 'the gate reaches the ledger')
    }
    // One request as it stands: nothing is added but the Host and Connection fields. `from` is the client's
    // own address, one of 127.0.0.0/8; `port` another server's, such as a proxy in front, and `socketPath`
    // that of another listener.
    request(target, options = {}) {
        const { method = 'GET', host = 'shop.example', headers = {}, body, from, port = this.port } = options
        const { socketPath = port === this.port ? this.socketPath : undefined } = options
        return new Promise((resolve, reject) => {
            const request = http.request(
                {
                    host: '127.0.0.1',
                    port,
                    localAddress: from,
                    socketPath,
                    path: target,
                    method,
                    setHost: false,
                    agent: false,
                    headers: { host, ...headers }
                },
                response => {
                    const chunks = []
                    response.on('data', chunk => chunks.push(chunk))
                    response.on('error', reject)
                    response.on('end', () => {
                        const body = Buffer.concat(chunks)
                        resolve({
                            status: response.statusCode,
                            headers: response.headers,
                            body,
                            text: body.toString()
                        })
                    })
                }
            )
            request.on('error', reject)
            request.end(body)
        })
    }
    // The offer for a page, as an AI crawler gets it.
    async offer(target, options = {}) {
        const response = await this.request(target, {
            ...options,
            headers: { 'user-agent': 'GPTBot/1.2', ...options.headers }
        })
        assert.equal(response.status, 402, response.text)
        return JSON.parse(response.text).accepts[0].extra.id
    }
}

// Looks every so many milliseconds, for half a minute.
export async function until(condition, what, everyMs = 50) {
    for (let i = 0; i < 30_000 / everyMs; i++) {
        if (await condition()) return
        await new Promise(resolve => setTimeout(resolve, everyMs))
    }
    assert.fail(`waited in vain: ${what}`)
}

// A ledger, a gate with its configuration, and what ends them. `extra` are words of the gate's command line.
export async function stage(t, options = {}, ...extra) {
    const folder = workFolder()
    // `asUsed` and `ownServer`: nobody else's.
    const own = options.asUsed || options.ownServer
    const Kind = options.ledgerKind ?? Usual
    const ledger = own ? new Kind(folder, options) : lend(Usual)
    const config = path.join(folder, 'config.yaml')
    const gates = []
    t.after(async () => {
        for (const gate of gates) await gate.stop()
        if (own) ledger.stop()
        else giveBack(ledger)
        fs.rmSync(folder, { recursive: true, force: true })
    })
    fs.writeFileSync(config, configText(folder, ledger, options))
    if (own) ledger.start()
    const stage = {
        folder,
        ledger,
        config,
        crawltab: (...words) =>
            run(path.join(build, 'crawltab'), ['--config', config, ...words], {
                encoding: 'utf8',
                cwd: folder
            }),
        configure: changed =>
            fs.writeFileSync(config, configText(folder, ledger, { ...options, ...changed })),
        startGate: async (...words) => {
            const gate = new Gate(config)
            gates.push(gate)
            await gate.start(...words)
            return gate
        }
    }
    // A lent ledger has been migrated, unless this configuration names other roles.
    if (own || options.ledger) await stage.crawltab('migrate', '--bootstrap', '--superuser', 'postgres')
    if (own && !options.ledgerKind)
        ledger.spread((...words) =>
            execFileSync(path.join(build, 'crawltab'), ['--config', config, ...words], { stdio: 'pipe' })
        )
    if (options.gate !== false) {
        stage.gate = await stage.startGate(...extra)
        await stage.gate.ready()
    }
    return stage
}

// A certificate authority and a certificate for localhost, good for a day: one for all tests of a file.
const authority = {}
export function certificates(folder) {
    if (!authority.made) authority.made = anotherAuthority(folder)
    else for (const name of ['ca.pem', 'ca.key']) fs.writeFileSync(path.join(folder, name), authority[name])
    for (const name of ['ca.pem', 'ca.key']) authority[name] ??= fs.readFileSync(path.join(folder, name))
    return { ...authority.made, caFile: path.join(folder, 'ca.pem') }
}

// One that the certificates of other tests are not of.
export function anotherAuthority(folder) {
    const file = name => path.join(folder, name)
    const openssl = (...words) => execFileSync('openssl', words, { stdio: 'pipe' })
    const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes']
    openssl(
        'req',
        '-x509',
        ...key,
        '-keyout',
        file('ca.key'),
        '-out',
        file('ca.pem'),
        '-days',
        '1',
        '-subj',
        '/CN=test authority'
    )
    openssl('req', ...key, '-keyout', file('host.key'), '-out', file('host.csr'), '-subj', '/CN=localhost')
    fs.writeFileSync(file('host.ext'), 'subjectAltName=DNS:localhost\n')
    openssl(
        'x509',
        '-req',
        '-in',
        file('host.csr'),
        '-CA',
        file('ca.pem'),
        '-CAkey',
        file('ca.key'),
        '-CAcreateserial',
        '-out',
        file('host.pem'),
        '-days',
        '1',
        '-extfile',
        file('host.ext')
    )
    return {
        caFile: file('ca.pem'),
        key: fs.readFileSync(file('host.key')),
        cert: fs.readFileSync(file('host.pem'))
    }
}

// A crawler's key directory over HTTPS. `answer` may be changed while it runs.
export async function directory(t, { key, cert }, keys) {
    const state = {
        requests: 0,
        answer: (request, response) => {
            response.end(JSON.stringify({ keys }))
        }
    }
    const server = https.createServer({ key, cert }, (request, response) => {
        state.requests++
        state.path = request.url
        response.setHeader('content-type', 'application/http-message-signatures-directory+json')
        state.answer(request, response)
    })
    await new Promise(resolve => server.listen(0, '127.0.0.1', resolve))
    t.after(() => {
        server.closeAllConnections?.()
        server.close()
    })
    state.host = `localhost:${server.address().port}`
    state.origin = `https://${state.host}`
    state.close = () => {
        server.closeAllConnections?.()
        server.close()
    }
    return state
}

// A clock three days behind that shows, in UTC, a few seconds before a full minute; and that minute.
export function clockBefore(seconds) {
    const now = Date.now()
    const minute = Math.ceil((now - 3 * 86_400_000) / 60_000 + 1) * 60_000
    const offset = Math.round((minute - seconds * 1000 - now) / 1000)
    return { offset: String(offset), at: new Date(minute).toISOString().slice(11, 16) }
}

// A port that was free a moment ago, for where a configuration must name it beforehand.
// A port that nobody listens on. It lies below those that the kernel gives to outgoing connections: one of
// these could take it before its server has it, or between two runs of a server.
export async function freePort() {
    const [first] = fs.readFileSync('/proc/sys/net/ipv4/ip_local_port_range', 'utf8').split(/\s/).map(Number)
    for (;;) {
        const port = randomInt(10000, first > 11000 ? first : 65536)
        const server = net.createServer().listen(port, '127.0.0.1')
        const free = await new Promise(resolve =>
            server.on('listening', () => resolve(true)).on('error', () => resolve(false))
        )
        await new Promise(resolve => server.close(resolve))
        if (free) return port
    }
}

export function temporaryFolder(t) {
    const folder = workFolder()
    t.after(() => fs.rmSync(folder, { recursive: true, force: true }))
    return folder
}

// The commands that a program's help lists. Its examples begin with the program's own name.
export const commandsOf = (program, help) =>
    [...help.matchAll(/^  ([a-z][\w-]*) +[a-z]/gm)]
        .map(([, command]) => command)
        .filter(command => command !== program || program === 'crawltab')

export const payment = id => `scheme="deferred", network="example:402", id="${id}"`
