// A second verifier of proofs, written from ledger/PROOF.md alone. `verifyProof(text, options)` returns what
// is proven as an object, or throws what is wrong. The sections in comments are of that document.
import { createHash, createPublicKey, verify as verifySignature, constants } from 'node:crypto'

const demand = (holds, what) => {
    if (!holds) throw new Error(what)
}
const sha256 = (...parts) =>
    createHash('sha256')
        .update(Buffer.concat(parts.map(part => Buffer.from(part))))
        .digest()

// --- 1. The file ---

function members(object, ...names) {
    demand(object && typeof object === 'object' && !Array.isArray(object), 'an object')
    demand(Object.keys(object).sort().join() === names.sort().join(), `the members ${names}`)
    return object
}

const text = value => {
    demand(typeof value === 'string', 'a text')
    return value
}
const number = (value, max = Number.MAX_SAFE_INTEGER) => {
    demand(Number.isSafeInteger(value) && value >= 0 && value <= max, 'a number')
    return value
}
// Node takes what is no base64, too: so it is written again and compared.
const decode = (value, encoding = 'base64') => {
    const bytes = Buffer.from(text(value), encoding)
    demand(bytes.toString(encoding) === value, encoding)
    return bytes
}
const hash = value => {
    const bytes = decode(value)
    demand(bytes.length === 32, 'a hash')
    return bytes
}
const uuid = value => {
    demand(/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/.test(text(value)), 'a UUID')
    return Buffer.from(value.replaceAll('-', ''), 'hex')
}
const list = value => {
    demand(Array.isArray(value), 'a list')
    return value
}

const once = values => demand(new Set(values).size === values.length, 'each once')

const leafHash = leaf => sha256([0], leaf)
const nodeHash = (left, right) => sha256([1], left, right)

// RFC 6962 section 2.1.
function rootOf(hashes) {
    if (hashes.length === 0) return sha256()
    if (hashes.length === 1) return hashes[0]
    let split = 1
    while (split * 2 < hashes.length) split *= 2
    return nodeHash(rootOf(hashes.slice(0, split)), rootOf(hashes.slice(split)))
}

// RFC 9162 section 2.1.3.2, in arithmetic that does not end at 32 bits.
function leadsTo(leaf, index, count, path, root) {
    if (index >= count) return false
    let [fn, sn, sum] = [BigInt(index), BigInt(count - 1), leaf]
    for (const step of path) {
        if (sn === 0n) return false
        if (fn & 1n || fn === sn) {
            sum = nodeHash(step, sum)
            while (!(fn & 1n) && fn !== 0n) [fn, sn] = [fn >> 1n, sn >> 1n]
        } else sum = nodeHash(sum, step)
        ;[fn, sn] = [fn >> 1n, sn >> 1n]
    }
    return sn === 0n && sum.equals(root)
}

// --- 2. Logs ---

function verifierKey(verifier, name, type = 1) {
    const parts = /^([^+\s]+)\+([0-9a-f]{8})\+(.+)$/.exec(text(verifier))
    demand(parts && (name === undefined || parts[1] === name), 'a key of the log')
    name = parts[1]
    const typed = decode(parts[3])
    demand(typed.length === 33 && typed[0] === type, 'an Ed25519 key')
    demand(sha256(`${name}\n`, typed).toString('hex', 0, 4) === parts[2], 'the ID of the key')
    const der = Buffer.concat([Buffer.from('302a300506032b6570032100', 'hex'), typed.subarray(1)])
    return {
        name,
        id: parts[2],
        typed: parts[3],
        key: createPublicKey({ key: der, format: 'der', type: 'spki' })
    }
}

// What is below a witness's signature, behind its time.
function witnessed(signed, bytes) {
    demand(bytes.length === 8 + 64 && bytes.readBigUInt64BE() > 0n, 'a cosignature')
    return [`cosignature/v1\ntime ${bytes.readBigUInt64BE()}\n${signed}`, bytes.subarray(8)]
}

// The note's text, or null if this key has not signed it.
function openNote(note, { name, id, key }, below = (signed, bytes) => [signed, bytes]) {
    const at = text(note).lastIndexOf('\n\n')
    demand(at > 0 && note.endsWith('\n'), 'a signed note')
    const signed = note.slice(0, at + 1)
    let good = false
    for (const line of note.slice(at + 2, -1).split('\n')) {
        const parts = /^— ([^ +]+) (\S+)$/.exec(line)
        demand(parts, 'a signature of a note')
        const bytes = decode(parts[2])
        demand(bytes.length > 4, 'a signature of a note')
        if (parts[1] !== name || bytes.toString('hex', 0, 4) !== id) continue
        const [message, signature] = below(signed, bytes.subarray(4))
        demand(verifySignature(null, Buffer.from(message), key, signature), 'a good signature')
        good = true
    }
    return good ? signed : null
}

const DAY = new RegExp(
    '^crawltab-day/([12])\nlog (?<log>.+)\ndate (?<date>.+)\nstarts (?<starts>.+)\nends (?<ends>.+)\n' +
        'zone .+\ncurrency (?<currency>.+)\nentries (?<entries>0|[1-9][0-9]*)\nsum .+\nroot (?<root>.+)\n' +
        '(?:facts (?<facts>0|[1-9][0-9]*)\nfacts-root (?<factsRoot>.+)\n)?$'
)

function readDay({ index, leaf }, log) {
    const parts = DAY.exec(text(leaf))
    demand(parts && (parts[1] === '2') === (parts.groups.facts !== undefined), 'the leaf of a day')
    demand(leafHash(leaf).equals(log.leaves[number(index)] ?? Buffer.alloc(0)), 'a day of the log')
    const { root, factsRoot, entries, facts, starts, ends, ...day } = parts.groups
    demand(day.log === log.origin, 'a day of this log')
    return {
        ...day,
        index,
        starts: Date.parse(starts),
        ends: Date.parse(ends),
        entries: { root: hash(root), count: Number(entries) },
        facts: factsRoot
            ? { root: hash(factsRoot), count: Number(facts) }
            : { root: Buffer.alloc(0), count: 0 }
    }
}

const CHANGE = new RegExp(
    '^crawltab-key-change/1\\nlog (?<log>.+)\\nsize (?<size>[1-9][0-9]*)\\nroot (?<root>.+)\\n' +
        'old (?<old>.+)\\nnew (?<new>.+)\\n$'
)

function readLog(json) {
    const more = 'witnesses' in json ? ['witnesses'] : []
    members(json, 'origin', 'signed_by', 'checkpoint', 'leaves', 'days', 'key_changes', ...more)
    const log = { origin: text(json.origin), leaves: list(json.leaves).map(hash) }
    const signer = verifierKey(json.signed_by, log.origin)
    const [origin, size, root, ...rest] = (openNote(json.checkpoint, signer) ?? '').split('\n')
    demand(
        origin === log.origin && size === String(log.leaves.length) && rest.length >= 1,
        'the log that was signed'
    )
    demand(log.leaves.length > 0 && hash(root).equals(rootOf(log.leaves)), 'the days that were signed')
    let before
    log.changes = list(json.key_changes).map(note => {
        const change = CHANGE.exec(text(note).slice(0, note.lastIndexOf('\n\n') + 1))?.groups
        demand(change && change.log === log.origin && change.size <= log.leaves.length, 'a change of the key')
        demand(hash(change.root).equals(rootOf(log.leaves.slice(0, change.size))), 'the log as it was')
        demand(before === undefined || before === change.old, 'each change of the key')
        demand(openNote(note, verifierKey(change.new, log.origin)), 'a change that the new key has signed')
        before = change.new
        const old = verifierKey(change.old, log.origin)
        return { old, agreed: openNote(note, old) !== null }
    })
    demand(before === undefined || before === json.signed_by, 'a change that leads to the key')
    log.keys = [...log.changes.map(change => change.old), signer]
    log.days = list(json.days).map(day => readDay(members(day, 'index', 'leaf'), log))
    once(log.days.map(day => day.date))
    log.witnesses = more.length > 0 ? list(json.witnesses).map(one => readWitness(one, log)) : []
    demand(log.witnesses.length <= 16 && log.witnesses.length >= more.length, 'witnesses')
    once(log.witnesses.map(one => one.key))
    return log
}

function readWitness(json, log) {
    const { key, checkpoint } = members(json, 'key', 'checkpoint')
    const note = openNote(checkpoint, verifierKey(key, undefined, 4), witnessed) ?? ''
    const [origin, size, root] = note.split('\n')
    demand(
        origin === log.origin && log.keys.some(one => openNote(checkpoint, one)),
        'a checkpoint of this log'
    )
    demand(/^[1-9][0-9]*$/.test(size) && Number(size) <= log.leaves.length, 'a log as it was')
    demand(hash(root).equals(rootOf(log.leaves.slice(0, Number(size)))), 'the days that were cosigned')
    return { key, size: Number(size) }
}

function isWitnessed(log, key) {
    const witness = log.witnesses.find(one => one.key === key)
    demand(witness, 'a cosignature of the witness')
    demand(
        log.days.every(day => day.index < witness.size),
        'days that the witness has seen'
    )
}

// The key that signs now, and those before it that have signed for what came after them.
function trusts(log, verifier) {
    const typed = verifier.split('+').slice(2).join('+')
    if (log.keys.at(-1).typed === typed) return true
    for (const change of [...log.changes].reverse()) {
        if (!change.agreed) return false
        if (change.old.typed === typed) return true
    }
    return false
}

function hasGrown(logs, note) {
    const [origin, size, root] = note.split('\n')
    const log = logs.find(one => one.origin === origin)
    demand(
        log?.keys.some(key => openNote(note, key)),
        'a checkpoint of this log'
    )
    demand(/^[1-9][0-9]*$/.test(size) && Number(size) <= log.leaves.length, 'a checkpoint that is not newer')
    demand(hash(root).equals(rootOf(log.leaves.slice(0, Number(size)))), 'the days of the checkpoint')
}

const dayOf = (logs, { log, day }) => {
    const found = logs.find(one => one.origin === log)?.days.find(one => one.date === day)
    demand(found, 'a day of a log')
    return found
}

function placed(logs, place, leaf, tree) {
    const day = dayOf(logs, place)
    const path = list(place.path).map(hash)
    demand(path.length <= 64, 'a path')
    demand(
        leadsTo(leafHash(leaf), number(place.index), day[tree].count, path, day[tree].root),
        `a place among the ${tree}`
    )
    return day
}

const isOfDay = (id, day) => {
    const ms = id.readUIntBE(0, 6)
    return ms >= day.starts && ms < day.ends
}

// --- 3. An entry ---

const big = (value, size) => {
    const bytes = Buffer.alloc(8)
    bytes.writeBigUInt64BE(BigInt(value))
    return bytes.subarray(8 - size)
}
const field = value => {
    const bytes = Buffer.from(value)
    return bytes.length > 8192
        ? Buffer.concat([Buffer.from([255, 255]), sha256(bytes)])
        : Buffer.concat([big(bytes.length, 2), bytes])
}

function entryLeaf(entry) {
    return Buffer.concat([
        Buffer.from([1]),
        uuid(entry.payment_id),
        big(number(entry.recorded_ms), 8),
        big(number(entry.amount_micros), 8),
        big(number(entry.agreement_version, 0xffffffff), 4),
        decode(entry.thumbprint, 'base64url'),
        sha256(decode(entry.signature_base)),
        ...[entry.site, entry.agent, entry.rule, entry.resource].map(value => field(text(value))),
        field(decode(entry.signature))
    ])
}

const escapeName = value =>
    [...Buffer.from(value)]
        .map(byte =>
            /[A-Za-z0-9\-._~:]/.test(String.fromCharCode(byte))
                ? String.fromCharCode(byte)
                : `%${byte.toString(16).toUpperCase().padStart(2, '0')}`
        )
        .join('')

function keyOf(entry) {
    demand(
        sha256(text(entry.public_key)).toString('base64url') === entry.thumbprint,
        'the key of the thumbprint'
    )
    const jwk = JSON.parse(entry.public_key)
    return { jwk, key: createPublicKey({ key: jwk, format: 'jwk' }) }
}

function isSigned(entry, { jwk, key }) {
    const [base, signature] = [decode(entry.signature_base), decode(entry.signature)]
    if (jwk.kty === 'OKP') return verifySignature(null, base, key, signature)
    if (jwk.kty === 'EC')
        return verifySignature('sha256', base, { key, dsaEncoding: 'ieee-p1363' }, signature)
    return verifySignature(
        'sha512',
        base,
        { key, padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: 64 },
        signature
    )
}

const FIELDS = ['payment', 'payment-signature', 'crawler-exact-price', 'crawler-max-price']

// What was signed: id, key, time, and what it says of the URL.
function readSigned(base) {
    if (base.startsWith('eyJ')) {
        const [head, claims] = base.split('.').map(part => JSON.parse(Buffer.from(part, 'base64url')))
        return {
            id: claims.id,
            keyid: head.kid,
            created: claims.iat,
            authority: claims.aud,
            url: claims.resource
        }
    }
    const lines = base.split('\n').map(line => /^("([^"]+)"[^:]*): (.*)$/.exec(line))
    demand(lines.every(Boolean) && lines.at(-1)[2] === '@signature-params', 'a signature base')
    const parameters = lines.at(-1)[3]
    const covered = [...parameters.slice(0, parameters.indexOf(')')).matchAll(/"[^"]+"(;[^ )]+)?/g)].map(
        match => match[0]
    )
    demand(
        covered.join() ===
            lines
                .slice(0, -1)
                .map(line => line[1])
                .join(),
        'the lines that are covered'
    )
    const value = name => lines.find(line => line[2] === name && !line[1].includes(';'))?.[3]
    const paid = lines.filter(line => FIELDS.includes(line[2]))
    demand(paid.length === 1, 'one field that pays')
    const [, identifier, name, raw] = paid[0]
    const bytes = identifier.includes(';bs')
        ? Buffer.from(raw.replace(/^:|:$/g, ''), 'base64').toString()
        : raw
    let id
    if (name === 'payment')
        id = (identifier.includes(';key="id"') ? /^"([^"]*)"/ : /(?:^|[ ,])id="([^"]*)"/).exec(bytes)?.[1]
    if (name === 'payment-signature') id = JSON.parse(Buffer.from(bytes, 'base64')).accepted?.extra?.id
    return {
        id,
        keyid: /;keyid="([^"]*)"/.exec(parameters)?.[1],
        created: Number(/;created=([0-9]+)/.exec(parameters)?.[1]),
        authority: value('@authority'),
        url: value('@target-uri'),
        path: value('@path')
    }
}

function derivedId(signed, entry, jwk) {
    const signature = decode(entry.signature)
    const chance = sha256(jwk.kty === 'EC' ? signature.subarray(0, 32) : signature)
    const id = Buffer.alloc(16)
    id.writeUIntBE(signed.created * 1000, 0, 6)
    chance.copy(id, 6, 0, 10)
    id[6] = (id[6] & 0x0f) | 0x70
    id[8] = (id[8] & 0x3f) | 0x80
    return id
}

function checkEntry(proof, logs) {
    const entry = members(
        proof.entry,
        'payment_id',
        'site',
        'network',
        'agent',
        'rule',
        'resource',
        'amount_micros',
        'recorded_ms',
        'agreement_version',
        'thumbprint',
        'signature',
        'signature_base',
        'public_key'
    )
    const day = placed(logs, members(proof.place, 'log', 'day', 'index', 'path'), entryLeaf(entry), 'entries')
    demand(day.log === `${escapeName(text(entry.network))}/${escapeName(entry.site)}`, 'the log of the site')
    demand(isOfDay(uuid(entry.payment_id), day), 'a day that the id is of')
    const key = keyOf(entry)
    demand(isSigned(entry, key), 'the signature of the key')
    const signed = readSigned(decode(entry.signature_base).toString())
    const [, authority, target] = /^[a-z]+:\/\/([^/?]+)(.*)$/s.exec(entry.resource)
    demand(signed.keyid === entry.thumbprint, 'a signature that names the key')
    demand(
        (signed.authority ?? authority) === authority && (signed.url ?? entry.resource) === entry.resource,
        'the URL'
    )
    demand((signed.path ?? target.split('?')[0]) === target.split('?')[0], 'the path')
    if (signed.id === undefined) {
        demand(
            derivedId(signed, entry, key.jwk).equals(uuid(entry.payment_id)),
            'an id that comes from the signature'
        )
        return { entry, day }
    }
    const id = decode(signed.id, 'base64url')
    demand(id.length === 48 && id.subarray(0, 16).equals(uuid(entry.payment_id)), 'the id that was signed')
    demand(id.readUIntBE(16, 6) >= entry.amount_micros, 'a price that was agreed to')
    const bound = sha256(entry.site, [0], authority, [0], target).subarray(0, 10)
    demand(id.subarray(22, 32).equals(bound), 'the URL that was offered')
    return { entry, day, id: signed.id, offered: id.readUIntBE(16, 6) }
}

// --- 4. Facts ---

function checkFacts(proof, logs, entry) {
    const read = sealed => fact => {
        members(fact, 'table', 'key', 'row', ...(sealed ? ['log', 'day', 'index', 'path'] : []))
        if (sealed) placed(logs, fact, `${text(fact.table)}\n${text(fact.key)}\n${text(fact.row)}\n`, 'facts')
        return { ...JSON.parse(fact.row), table: fact.table, sealed: sealed && `${fact.log} ${fact.day}` }
    }
    const facts = [...list(proof.facts).map(read(true)), ...list(proof.unsealed).map(read(false))]
    const all = table => facts.filter(fact => fact.table === table)
    const { place } = proof
    const [site, crawler, source, snapshot, invoice] = [
        'site',
        'crawler',
        'crawler_key_source',
        'directory_snapshot',
        'invoice',
        'day_delivery'
    ].map((table, at) => {
        demand(all(table).length <= 1 && (at >= 4 || all(table).length === 1), `one row of ${table}`)
        return all(table)[0]
    })
    const thumbprint = `\\x${decode(entry.thumbprint, 'base64url').toString('hex')}`
    const ofPayment = fact => fact.site_id === site.site_id && fact.payment_id === entry.payment_id
    const rules = {
        site: fact => fact.name === entry.site && fact.network === entry.network,
        crawler: fact => fact.agent === entry.agent,
        crawler_key: fact =>
            fact.crawler_id === crawler.crawler_id &&
            fact.public_key === entry.public_key &&
            fact.thumbprint === thumbprint,
        crawler_key_source: fact => fact.crawler_id === crawler.crawler_id && fact.thumbprint === thumbprint,
        directory_snapshot: fact => fact.url === source.url && fact.body_digest === source.body_digest,
        adjustment: ofPayment,
        undelivered: ofPayment,
        unproven: ofPayment,
        day_delivery: fact => fact.site_id === site.site_id && fact.local_date === place.day,
        invoice: fact => fact.site_id === site.site_id && fact.crawler_id === crawler.crawler_id,
        invoice_line: fact =>
            fact.site_id === invoice.site_id &&
            fact.number === invoice.number &&
            fact.description === entry.rule &&
            fact.unit_price_micros === entry.amount_micros
    }
    for (const fact of facts)
        demand(rules[fact.table]?.(fact), `a row of ${fact.table} that belongs to the entry`)
    const body = Buffer.from(snapshot.body.slice(2), 'hex')
    demand(`\\x${sha256(body).toString('hex')}` === snapshot.body_digest, 'the answer of the directory')
    const { keys } = JSON.parse(body)
    const thumbprints = keys.map(({ kty, crv, x, y, n, e }) =>
        sha256(
            JSON.stringify(
                kty === 'RSA' ? { e, kty, n } : kty === 'EC' ? { crv, kty, x, y } : { crv, kty, x }
            )
        ).toString('base64url')
    )
    demand(thumbprints.includes(entry.thumbprint), 'a directory that lists the key')
    return facts
}

function checkDeliveries(proof, facts, { payment_id: payment }) {
    const sealed = facts.find(fact => fact.table === 'day_delivery')
    const site = facts.find(fact => fact.table === 'site')
    const { log, day } = proof.place
    demand(sealed?.sealed === `${log} ${day}`, 'deliveries that the day has sealed')
    const root = Buffer.from(sealed.root.slice(2), 'hex')
    demand([1, 2].includes(list(proof.deliveries).length), 'one or two deliveries')
    const rows = proof.deliveries.map(one => {
        members(one, 'row', 'tile', 'index', 'path')
        const tile = decode(one.tile)
        const path = list(one.path).map(hash)
        demand(tile.length % 48 === 0 && tile.length <= 256 * 48 && path.length <= 64, 'a tile')
        demand(leadsTo(leafHash(tile), number(one.index), sealed.tiles, path, root), 'a tile of the day')
        const wanted = Buffer.concat([uuid(payment), sha256(text(one.row))])
        const lines = Array.from({ length: tile.length / 48 }, (_, i) => tile.subarray(48 * i, 48 * i + 48))
        demand(
            lines.some(line => line.equals(wanted)),
            'a delivery of the tile'
        )
        const row = JSON.parse(one.row)
        demand(row.payment_id === payment && row.site_id === site.site_id, 'a delivery of the payment')
        return row
    })
    once(rows.map(row => row.repeated === true))
    return rows
}

// --- 5. Absence ---

function checkAbsence(proof, logs) {
    const id = uuid(proof.payment_id)
    const day = dayOf(logs, proof)
    demand(isOfDay(id, day), 'a day that the id is of')
    const neighbours = list(proof.neighbours).map(one => {
        const leaf = decode(members(one, 'leaf', 'log', 'day', 'index', 'path').leaf)
        demand(
            placed(logs, one, leaf, 'entries') === day && leaf.length > 16 && leaf[0] === 1,
            'a neighbour of the day'
        )
        return { index: one.index, order: Buffer.compare(leaf.subarray(1, 17), id) }
    })
    const [first, second] = neighbours
    const { count, root } = day.entries
    if (neighbours.length === 2)
        demand(
            first.order < 0 && second.order > 0 && second.index === first.index + 1,
            'two that follow each other'
        )
    else if (neighbours.length === 1)
        demand(
            first.order > 0 ? first.index === 0 : first.order < 0 && first.index === count - 1,
            'the first or the last'
        )
    else demand(neighbours.length === 0 && count === 0 && root.equals(sha256()), 'a day without entries')
    return { day }
}

// `vkey`: the log's key, if it is known; `checkpoint`: one that was kept; `witness`: the key of one that must
// have cosigned.
export function verifyProof(file, { vkey, checkpoint, witness } = {}) {
    const proof = JSON.parse(file)
    demand(proof.format === 'crawltab-proof/1', 'the format')
    const isEntry = proof.claim === 'entry'
    const delivered = isEntry && 'deliveries' in proof ? ['deliveries'] : []
    const ofEntry = ['logs', 'entry', 'place', 'facts', 'unsealed', ...delivered]
    if (isEntry) members(proof, 'format', 'claim', ...ofEntry)
    else members(proof, 'format', 'claim', 'logs', 'payment_id', 'log', 'day', 'neighbours')
    demand(isEntry || proof.claim === 'absence', 'a claim')
    demand(list(proof.logs).length >= 1 && proof.logs.length <= 16, 'logs')
    const logs = proof.logs.map(readLog)
    once(logs.map(log => log.origin))
    for (const log of logs) demand(!vkey || trusts(log, vkey), 'the key that you trust')
    if (checkpoint) hasGrown(logs, checkpoint)
    if (witness) for (const log of logs) isWitnessed(log, witness)
    if (!isEntry) return checkAbsence(proof, logs)
    const found = checkEntry(proof, logs)
    const facts = checkFacts(proof, logs, found.entry)
    const sealed = facts.some(fact => fact.table === 'day_delivery')
    demand(delivered.length > 0 || !sealed, 'the deliveries that were sealed')
    const deliveries = sealed ? checkDeliveries(proof, facts, found.entry) : []
    return { ...found, facts, deliveries }
}
