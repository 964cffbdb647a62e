// A proxy between a gate and PostgreSQL that cuts a connection at an exact moment of the protocol. It reads
// messages (PostgreSQL 15 documentation, section 55.7) just far enough to know which statement is executed
// and where the answer to it begins and ends.
import net from 'node:net'

// The messages of a client that the server answers, up to ReadyForQuery.
const answered = new Set(['S', 'Q'])
// Those of which a client waits for nothing more before it sends them.
const closing = new Set(['S', 'Q', 'H', 'X', 'p', 'c', 'd', 'f', 'F'])

// Takes whole messages off the front of `state.rest`. The first of a client has no type: '' stands for it.
function* messages(state, data) {
    state.rest = Buffer.concat([state.rest, data])
    for (;;) {
        const head = state.typed ? 1 : 0
        if (state.rest.length < head + 4) return
        const length = head + state.rest.readInt32BE(head)
        if (state.rest.length < length) return
        const bytes = state.rest.subarray(0, length)
        state.rest = state.rest.subarray(length)
        const type = head ? String.fromCharCode(bytes[0]) : ''
        state.typed = true
        yield { type, bytes }
    }
}

const strings = bytes => bytes.subarray(5).toString('latin1').split('\0')

class Link {
    constructor(proxy, client, upstream) {
        Object.assign(this, { proxy, client, server: net.connect(upstream), sql: new Map() })
        this.fromClient = { rest: Buffer.alloc(0), typed: false }
        this.fromServer = { rest: Buffer.alloc(0), typed: true }
        this.flight = { bytes: [], executed: [] }
        this.waiting = [{ executed: [] }] // for ReadyForQuery; the first is the start's
        for (const [socket, read] of [
            [client, data => this.readClient(data)],
            [this.server, data => this.readServer(data)]
        ]) {
            socket.setNoDelay() // messages are written one by one
            socket.on('data', read)
            socket.on('error', () => {}) // the other side may be cut or killed
            socket.on('close', () => this.cut())
        }
    }
    cut() {
        this.client.destroy()
        this.server.destroy()
    }
    readClient(data) {
        for (const { type, bytes } of messages(this.fromClient, data)) {
            const { flight } = this
            flight.bytes.push(bytes)
            if (type === 'P') this.sql.set(strings(bytes)[0], strings(bytes)[1])
            if (type === 'B') flight.executed.push(`${strings(bytes)[1]} ${this.sql.get(strings(bytes)[1])}`)
            if (type === 'Q') flight.executed.push(strings(bytes)[0])
            if (type !== '' && !closing.has(type)) continue
            this.flight = { bytes: [], executed: [] }
            this.send(flight, answered.has(type))
        }
    }
    send(flight, isAnswered) {
        flight.fault = isAnswered ? this.proxy.take(flight) : undefined
        if (isAnswered) this.waiting.push(flight)
        const moment = flight.fault?.moment
        if (moment === 'before') return this.cut()
        if (moment === 'silence before') return
        const sent = () => moment === 'sent' && this.cut()
        this.server.write(Buffer.concat(flight.bytes), sent)
        flight.bytes = []
    }
    readServer(data) {
        for (const { type, bytes } of messages(this.fromServer, data)) {
            const flight = this.waiting[0]
            if (flight?.fault) flight.bytes.push(bytes)
            else this.client.write(bytes)
            if (type !== 'Z') continue
            this.waiting.shift()
            if (flight.fault) this.finish(flight.fault, Buffer.concat(flight.bytes))
        }
    }
    // The whole answer is here: what the statement did is durable.
    finish(fault, answer) {
        fault.answered(answer.length)
        if (fault.moment === 'after') this.cut()
        if (fault.moment === 'within')
            this.client.write(answer.subarray(0, fault.bytes), () => this.client.end(() => this.cut()))
        // 'silence after': it is never passed on, and the connection stays as it is
    }
}

export class Proxy {
    // `upstream`: where PostgreSQL listens, as net.connect takes it.
    static async start(t, upstream) {
        const proxy = new Proxy()
        proxy.links = new Set()
        const server = net.createServer(client => {
            const link = new Link(proxy, client, upstream)
            proxy.links.add(link)
            client.on('close', () => proxy.links.delete(link))
        })
        await new Promise(resolve => server.listen(0, '127.0.0.1', resolve))
        proxy.port = server.address().port
        t.after(() => {
            for (const link of proxy.links) link.cut()
            server.close()
        })
        return proxy
    }
    // Meets the next execution of what `pattern` fits with a fault at the moment, once:
    //   'before', 'silence before'   it is not passed on; the connection is cut, or stays and is silent
    //   'sent'                       it is passed on, and both sides are cut at once
    //   'after', 'silence after'     it is done, and its answer is not passed on
    //   'within'                     it is done, and `bytes` of its answer are passed on before the cut
    // `seen` is true when it has met one; `length` resolves with that of the answer, if one is waited for.
    arm(moment, pattern, bytes = 0) {
        const fault = { moment, pattern, bytes }
        fault.length = new Promise(resolve => (fault.answered = resolve))
        this.armed = fault
        return fault
    }
    take(flight) {
        const fault = this.armed
        if (!fault || !flight.executed.some(text => fault.pattern.test(text))) return undefined
        this.armed = undefined
        fault.seen = true
        return fault
    }
}
