// Requests as bytes on a socket, and the answers that come back, taken apart by nobody's HTTP library.
import assert from 'node:assert/strict'
import net from 'node:net'

// A request's head: lines as they stand, each with its end.
export const head = (target, fields = {}, method = 'GET') =>
    [`${method} ${target} HTTP/1.1`, 'Host: shop.example', ...lines(fields), '', ''].join('\r\n')

// Field lines of an object; a list as a value is a line for each of its items.
export const lines = fields =>
    Object.entries(fields).flatMap(([name, value]) => [value].flat().map(one => `${name}: ${one}`))

// The answers in the bytes, by RFC 9112: `heads` if they are to requests by HEAD.
export function answers(bytes, heads = false) {
    const found = []
    for (let at = 0; at < bytes.length;) {
        const end = bytes.indexOf('\r\n\r\n', at)
        assert.ok(end >= 0, `no end of fields: ${JSON.stringify(bytes.toString('latin1', at))}`)
        const [line, ...fields] = bytes.toString('latin1', at, end).split('\r\n')
        const status = /^HTTP\/1\.1 (\d{3}) /.exec(line)
        assert.ok(status, `status line ${JSON.stringify(line)}`)
        const headers = {}
        for (const field of fields) {
            const colon = field.indexOf(':')
            headers[field.slice(0, colon).toLowerCase()] = field.slice(colon + 1).trim()
        }
        const bodiless = heads || status[1] === '304'
        const length = bodiless ? 0 : Number(headers['content-length'] ?? 0)
        const body = bytes.subarray(end + 4, end + 4 + length)
        assert.equal(body.length, length, 'the body is whole')
        found.push({ status: Number(status[1]), headers, body, text: body.toString() })
        at = end + 4 + length
    }
    return found
}

// Sends the text (each character a byte; a list: one piece after another), ends the client's side if asked
// to, and waits until the gate has closed. Fails after a while in which nothing came.
export function talk(port, text, { end = false, silence = 5000 } = {}) {
    return new Promise((resolve, reject) => {
        const chunks = []
        const socket = net.connect({ port, host: '127.0.0.1', allowHalfOpen: true })
        const give = () => {
            socket.destroy()
            resolve(Buffer.concat(chunks))
        }
        socket.setTimeout(silence, () => {
            socket.destroy()
            reject(new Error(`not closed after ${JSON.stringify(Buffer.concat(chunks).toString('latin1'))}`))
        })
        socket.on('connect', async () => {
            for (const [i, piece] of [text].flat().entries()) {
                if (i > 0) await new Promise(done => setTimeout(done, 20))
                socket.write(Buffer.from(piece, 'latin1'))
            }
            if (end) socket.end()
        })
        socket.on('data', chunk => chunks.push(chunk))
        socket.on('error', () => {})
        socket.on('end', give)
        socket.on('close', give)
    })
}

// One request on a connection of its own, and its one answer.
export async function ask(port, target, fields = {}, method = 'GET') {
    const bytes = await talk(port, head(target, { ...fields, Connection: 'close' }, method))
    const found = answers(bytes, method === 'HEAD')
    assert.equal(found.length, 1, bytes.toString('latin1'))
    return found[0]
}
