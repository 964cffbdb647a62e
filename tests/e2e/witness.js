// A witness (c2sp.org/tlog-witness), written from the specifications of C2SP and RFC 9162 alone: nothing of
// it is shared with the ledger's own trees and notes.
import { createHash, createPublicKey, generateKeyPairSync, sign, verify } from 'node:crypto'
import http from 'node:http'

const sha256 = (...parts) =>
    createHash('sha256')
        .update(Buffer.concat(parts.map(part => Buffer.from(part))))
        .digest()
const idOf = (name, typed) => sha256(`${name}\n`, typed).subarray(0, 4)
const verifierOf = (name, typed) =>
    `${name}+${idOf(name, typed).toString('hex')}+${typed.toString('base64')}`

// RFC 9162 section 2.1.4.2.
function hasGrown(first, second, proof, firstRoot, secondRoot) {
    if (first === second) return proof.length === 0 && firstRoot.equals(secondRoot)
    const path = Number.isInteger(Math.log2(first)) ? [firstRoot, ...proof] : [...proof]
    if (path.length === 0) return false
    let [fn, sn] = [first - 1, second - 1]
    while (fn & 1) [fn, sn] = [fn >> 1, sn >> 1]
    let [fr, sr] = [path[0], path[0]]
    for (const step of path.slice(1)) {
        if (sn === 0) return false
        if (fn & 1 || fn === sn) {
            ;[fr, sr] = [sha256([1], step, fr), sha256([1], step, sr)]
            while (!(fn & 1) && fn !== 0) [fn, sn] = [fn >> 1, sn >> 1]
        } else sr = sha256([1], sr, step)
        ;[fn, sn] = [fn >> 1, sn >> 1]
    }
    return sn === 0 && fr.equals(firstRoot) && sr.equals(secondRoot)
}

// True if the log's key has signed the note's text.
function isSigned(text, signatures, verifier) {
    const [, name, , key] = /^([^+]+)\+([0-9a-f]{8})\+(.+)$/.exec(verifier)
    const typed = Buffer.from(key, 'base64')
    const der = Buffer.concat([Buffer.from('302a300506032b6570032100', 'hex'), typed.subarray(1)])
    const publicKey = createPublicKey({ key: der, format: 'der', type: 'spki' })
    return signatures
        .map(line => /^— (\S+) (\S+)$/.exec(line))
        .map(parts => [parts[1], Buffer.from(parts[2], 'base64')])
        .filter(([by, bytes]) => by === name && bytes.subarray(0, 4).equals(idOf(name, typed)))
        .some(([, bytes]) => verify(null, Buffer.from(text), publicKey, bytes.subarray(4)))
}

// `logs`: verifier keys by origin; `seen`: the last checkpoint cosigned of each. `answer`, if set, is given
// instead; `spoil` changes what is signed.
export async function witness(t, name) {
    const { privateKey, publicKey } = generateKeyPairSync('ed25519')
    const typed = Buffer.concat([
        Buffer.from([4]),
        publicKey.export({ format: 'der', type: 'spki' }).subarray(-32)
    ])
    const state = {
        name,
        verifier: verifierOf(name, typed),
        logs: new Map(),
        seen: new Map(),
        requests: [],
        answer: null,
        spoil: text => text
    }
    const cosign = text => {
        const time = Math.floor(Date.now() / 1000)
        const stamp = Buffer.alloc(8)
        stamp.writeBigUInt64BE(BigInt(time))
        const message = state.spoil(`cosignature/v1\ntime ${time}\n${text}`)
        const signature = sign(null, Buffer.from(message), privateKey)
        return `— ${name} ${Buffer.concat([idOf(name, typed), stamp, signature]).toString('base64')}\n`
    }
    const judge = body => {
        const [head, ...note] = body.split('\n\n')
        const [first, ...proof] = head.split('\n')
        const old = /^old (0|[1-9][0-9]*)$/.exec(first)
        if (!old || note.length < 2 || proof.length > 63) return [400]
        const text = `${note.slice(0, -1).join('\n\n')}\n`
        const [origin, size, root] = text.split('\n')
        if (!state.logs.has(origin)) return [404]
        if (!isSigned(text, note.at(-1).trimEnd().split('\n'), state.logs.get(origin))) return [403]
        const [from, to] = [Number(old[1]), Number(size)]
        const last = state.seen.get(origin) ?? { size: 0 }
        if (from > to) return [400]
        if (from !== last.size) return [409, `${last.size}\n`, 'text/x.tlog.size']
        const path = proof.map(line => Buffer.from(line, 'base64'))
        const next = Buffer.from(root, 'base64')
        if (from === 0 ? path.length > 0 : !hasGrown(from, to, path, last.root, next)) return [422]
        state.seen.set(origin, { size: to, root: next })
        // Others may have signed, too, by algorithms that are not known here.
        return [200, `— other.example/w ${Buffer.alloc(2432, 1).toString('base64')}\n${cosign(text)}`]
    }
    const server = http.createServer(async (request, response) => {
        let body = ''
        for await (const part of request) body += part
        state.requests.push(body.split('\n', 1)[0])
        const known = request.method === 'POST' && request.url === '/add-checkpoint'
        const [status, text = '', type = 'text/plain'] = state.answer ?? (known ? judge(body) : [404])
        response.writeHead(status, { 'content-type': type }).end(text)
    })
    await new Promise(resolve => server.listen(0, '127.0.0.1', resolve))
    state.url = `http://127.0.0.1:${server.address().port}`
    state.close = () => {
        server.closeAllConnections?.()
        return new Promise(resolve => server.close(resolve))
    }
    t.after(state.close)
    return state
}
