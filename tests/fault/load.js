// Crawlers that pay and go on paying, whatever happens: each takes an offer, signs it once, and sends the
// same commitment again until it is decided. What they see becomes the history that checker.js reads.
import http from 'node:http'
import { withWebBotAuth } from '../e2e/signers.js'
import { generator, pages, sleep } from './support.js'

// How long a request may go without an answer before it counts as hung, and a payment without a decision.
const patienceMs = 20_000
const decisionMs = 120_000

// One request; never rejects. { status, headers, text } or { cut: why }, or { hung: true }.
export function ask(port, target, headers) {
    return new Promise(resolve => {
        if (!port) return resolve({ cut: 'no gate' })
        const request = http.request(
            { host: '127.0.0.1', port, path: target, setHost: false, agent: false, headers },
            response => {
                const chunks = []
                response.on('data', chunk => chunks.push(chunk))
                response.on('error', error => resolve({ cut: error.code }))
                response.on('end', () =>
                    resolve({
                        status: response.statusCode,
                        headers: response.headers,
                        text: Buffer.concat(chunks).toString()
                    })
                )
            }
        )
        request.setTimeout(patienceMs, () => {
            resolve({ hung: true })
            request.destroy()
        })
        request.on('error', error => resolve({ cut: error.code }))
        request.end()
    })
}

const receiptForm = /^scheme="deferred", network="example:402", id="([\w-]{64})", timestamp=(\d+)$/

// What an answer to a commitment means.
export function outcomeOf(answer, id) {
    if (answer.hung) return { outcome: 'hung' }
    if (answer.cut) return { outcome: 'cut', code: answer.cut }
    const { status, headers } = answer
    const code = headers['crawler-error']
    const receipt = receiptForm.exec(headers['payment-response'] ?? '')
    if (status === 200 && receipt?.[1] === id) {
        const units = /^USD (\d+)(?:\.(\d{1,6}))?$/.exec(headers['crawler-charged'])
        const charged = Number(units[1]) * 1e6 + Number((units[2] ?? '').padEnd(6, '0'))
        return { outcome: 'receipt', status, timestamp: Number(receipt[2]), charged }
    }
    // Without Retry-After a 503 would leave the crawler alone with its question.
    if (status === 503 && Number(headers['retry-after']) > 0) return { outcome: 'again', status, code }
    return { outcome: 'refused', status, code }
}

export class Load {
    // `gates`: any of them is asked. `timeOf`: when a commitment to an id is signed. `judge`: what an answer
    // to one means.
    constructor(world, options = {}) {
        const { clients = 8, seed = 1, gates = [world.gate], retryMs = 20, timeOf = world.now } = options
        const { judge = outcomeOf } = options
        Object.assign(this, { world, gates, retryMs, timeOf, judge })
        this.history = []
        this.underWay = new Set()
        this.receipts = 0
        this.putOff = 0 // requests for an offer that got none
        this.random = generator(seed)
        this.running = Array.from({ length: clients }, () => this.client())
        // Told by progress and by stop.
        for (const client of this.running) client.catch(error => (this.failure = error))
        world.t.after(() => this.abandon())
    }
    async client() {
        while (!this.stopping) await this.pay()
    }
    async offer(page) {
        for (;;) {
            const answer = await ask(this.random.pick(this.gates).port, page.target, {
                host: 'shop.example',
                'user-agent': 'GPTBot/1.2'
            })
            if (answer.status === 402) return JSON.parse(answer.text).accepts[0].extra.id
            if (this.stopping) return undefined
            if (!answer.cut && answer.status !== 503) throw new Error(`no offer: ${JSON.stringify(answer)}`)
            this.putOff++
            await sleep(this.retryMs)
        }
    }
    async commitment({ page = this.random.pick(pages), signer = this.random.pick(this.world.signers) } = {}) {
        const id = await this.offer(page)
        if (!id) return undefined
        const options = { time: this.timeOf(id), lifetime: 3600 }
        const fields = await withWebBotAuth(signer.key, signer.agent, page.url, id, options)
        return { id, page, signer, headers: { host: 'shop.example', ...fields } }
    }
    async attempt(commitment, gate = this.random.pick(this.gates)) {
        const { id, page, signer, headers } = commitment
        const asked = { id, agent: signer.agent, url: page.url, amount: page.amount }
        const asking = ask(gate.port, page.target, headers).then(answer => {
            const attempt = { ...asked, ...this.judge(answer, id, page) }
            this.history.push(attempt)
            if (attempt.outcome === 'receipt') this.receipts++
            return attempt
        })
        this.underWay.add(asking)
        return asking.finally(() => this.underWay.delete(asking))
    }
    // Waits until the attempts that are under way now are in the history.
    async settled() {
        await Promise.all(this.underWay)
    }
    // Gives back the last attempt, which decided.
    async decide(commitment, gate) {
        const start = Date.now()
        for (;;) {
            const attempt = await this.attempt(commitment, gate)
            if (attempt.outcome === 'receipt' || attempt.outcome === 'refused') return attempt
            // The checker calls it undecided.
            if (this.abandoned || Date.now() - start > decisionMs) return attempt
            await sleep(this.retryMs)
        }
    }
    async pay(choice) {
        const commitment = await this.commitment(choice)
        return commitment && this.decide(commitment)
    }
    // Waits for that many more receipts.
    async progress(count = 1) {
        const wanted = this.receipts + count
        const start = Date.now()
        while (this.receipts < wanted) {
            if (Date.now() - start > 60_000)
                throw new Error(
                    `no progress; the last attempts: ${JSON.stringify(this.history.slice(-3))}` +
                        this.gates.map(gate => `; a gate's log: ${gate.log.slice(-1000)}`).join('')
                )
            if (this.failure) throw this.failure
            await sleep(2)
        }
    }
    // Leaves payments undecided, as after a failure of the test.
    abandon() {
        this.stopping = this.abandoned = true
    }
    // Begins no payment any more, and waits for the decision of those that are under way.
    async stop() {
        this.stopping = true
        await Promise.all(this.running)
        return this.history
    }
}
