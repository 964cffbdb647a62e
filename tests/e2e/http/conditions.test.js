// Conditional and range requests against a computation of their answers that shares nothing with the gate: it
// is written from the grammar of RFC 9110, sections 13 and 14, and meets the gate on the wire.
//
//   SEED=7 REQUESTS=10000 node --test tests/e2e/http/conditions.test.js
import assert from 'node:assert/strict'
import fs from 'node:fs'
import path from 'node:path'
import { test } from 'node:test'
import { generator } from '../random.js'
import { answers, ask, head, talk } from '../raw.js'
import { stage, temporaryFolder } from '../support.js'
import { scene, withWebBotAuth } from '../signers.js'

const seed = Number(process.env.SEED ?? 20261128)
const requests = Number(process.env.REQUESTS ?? 1500)

// ---- the computation ----

const months = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec']
const month = months.join('|')
const dates = [
    [/^(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun), (\d\d) (MONTH) (\d{4}) (\d\d):(\d\d):(\d\d) GMT$/, 1, 2, 3],
    [/^(?:Mon|Tues|Wednes|Thurs|Fri|Satur|Sun)day, (\d\d)-(MONTH)-(\d\d) (\d\d):(\d\d):(\d\d) GMT$/, 1, 2, 3],
    [/^(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun) (MONTH) ([ \d]\d) (\d\d):(\d\d):(\d\d) (\d{4})$/, 2, 1, 6]
].map(([form, ...at]) => [new RegExp(form.source.replace('MONTH', month)), ...at])

// Seconds since 1970, or undefined for what is no HTTP-date.
function httpDate(text) {
    for (const [form, day, mon, year] of dates) {
        const found = form.exec(text)
        if (!found) continue
        const clock = found.slice(1).filter((_, i) => ![day, mon, year].includes(i + 1))
        let y = Number(found[year])
        if (found[year].length === 2) {
            y += 2000
            if (y > new Date().getUTCFullYear() + 50) y -= 100
        }
        const [h, m, s] = clock.map(Number)
        const at = new Date(Date.UTC(y, months.indexOf(found[mon]), Number(found[day]), h, m, s))
        if (h > 23 || m > 59 || s > 60 || at.getUTCMonth() !== months.indexOf(found[mon])) return undefined
        return at.getTime() / 1000
    }
    return undefined
}

const opaque = '"[\\x21\\x23-\\x7e\\x80-\\xff]*"'
const tagList = new RegExp(`^(?:[ \\t]*(?:(?:W/)?${opaque})?[ \\t]*(?:,|$))*$`)

// Whether a list of entity tags, combined from its lines, has the tag.
function hasTag(lines, etag, weak) {
    const value = lines.join(', ').trim()
    if (value === '*') return true
    assert.match(value, tagList, 'the pools hold well-formed lists alone')
    const tags = value.match(new RegExp(`(?:W/)?${opaque}`, 'g')) ?? []
    return tags.some(tag => tag === etag || (weak && tag === `W/${etag}`))
}

const date = lines => (lines?.length === 1 ? httpDate(lines[0].trim()) : undefined)

// Section 14.1.2; ranges that can be given, or undefined for what is no set of ranges of bytes.
function ranges(value, size) {
    const [, unit, set] = /^([!#$%&'*+.^_`|~\w-]+)=(.*)$/.exec(value.trim()) ?? []
    if (unit?.toLowerCase() !== 'bytes') return undefined
    const specs = set.split(',').map(spec => spec.trim())
    const given = []
    for (const spec of specs.filter(Boolean)) {
        const [, first, last] = /^(\d*)-(\d*)$/.exec(spec) ?? []
        if (first === undefined || (first === '' && last === '')) return undefined
        if (first === '') {
            const length = BigInt(last) < BigInt(size) ? Number(last) : size
            if (BigInt(last) > 0n) given.push([size - length, length])
        } else {
            if (last !== '' && BigInt(last) < BigInt(first)) return undefined
            if (BigInt(first) >= BigInt(size)) continue
            const end = last === '' || BigInt(last) >= BigInt(size) ? size - 1 : Number(last)
            given.push([Number(first), end - Number(first) + 1])
        }
    }
    return specs.some(Boolean) ? given : undefined
}

// Section 13.2.2, for GET and HEAD of a page that is there.
function expected(method, fields, page) {
    const unmodifiedSince = date(fields['If-Unmodified-Since'])
    const modifiedSince = date(fields['If-Modified-Since'])
    if (fields['If-Match']) {
        if (!hasTag(fields['If-Match'], page.etag, false)) return { status: 412 }
    } else if (unmodifiedSince !== undefined && page.modified > unmodifiedSince) return { status: 412 }
    if (fields['If-None-Match']) {
        if (hasTag(fields['If-None-Match'], page.etag, true)) return { status: 304 }
    } else if (modifiedSince !== undefined && page.modified <= modifiedSince) return { status: 304 }
    const whole = { status: 200, offset: 0, length: page.size }
    if (method !== 'GET' || fields.Range?.length !== 1) return whole
    if (fields['If-Range']) {
        const one = fields['If-Range'].length === 1 ? fields['If-Range'][0] : ''
        if (one !== page.etag && date([one]) !== page.modified) return whole
    }
    const given = ranges(fields.Range[0], page.size)
    if (!given) return whole
    if (given.length === 0) return { status: 416 }
    if (given.length > 1 || given[0][1] === 0) return whole
    return { status: 206, offset: given[0][0], length: given[0][1] }
}

// ---- the requests ----

const names = ['Sunday', 'Monday', 'Tuesday', 'Wednesday', 'Thursday', 'Friday', 'Saturday']
const two = n => String(n).padStart(2, '0')

// The three forms of a date.
function forms(seconds) {
    const d = new Date(seconds * 1000)
    const clock = d.toUTCString().slice(17, 25)
    const day = names[d.getUTCDay()]
    const mon = months[d.getUTCMonth()]
    return [
        d.toUTCString(),
        `${day}, ${two(d.getUTCDate())}-${mon}-${two(d.getUTCFullYear() % 100)} ${clock} GMT`,
        `${day.slice(0, 3)} ${mon} ${String(d.getUTCDate()).padStart(2)} ${clock} ${d.getUTCFullYear()}`
    ]
}

// Values of each field, a list of lines each.
function pools(page) {
    const offsets = [0, -1, 1, -86400, 86400, 40 * 365 * 86400, -40 * 365 * 86400]
    const valid = offsets.flatMap(offset => forms(page.modified + offset))
    const [imf, rfc850, asctime] = forms(page.modified + 86400)
    const broken = [
        '',
        '*',
        page.etag,
        'yesterday',
        imf.replace('GMT', 'UTC'),
        imf.replace('GMT', '+0000'),
        imf.toLowerCase(),
        imf.replace(' GMT', ''),
        imf.replace(/ \d\d:/, ' 24:'),
        imf.replace(/^\w+, \d\d \w+/, 'Mon, 31 Feb'),
        imf.replace(', ', ','),
        rfc850.replace('day,', ','),
        asctime.replace(/\d{4}$/, '26'),
        `${imf}, ${imf}`,
        String(page.modified)
    ]
    const tags = [
        [page.etag],
        [`W/${page.etag}`],
        ['*'],
        ['"x"'],
        ['W/"x"'],
        [''],
        ['""'],
        [`"x", ${page.etag}`],
        [`"x"`, page.etag],
        [`"x"`, `W/${page.etag}, "y"`],
        [`"a,b",,W/"c" , ${page.etag}`],
        [`"x, ${page.etag.slice(1)}`.replace(' ', '')],
        [page.etag.toUpperCase() === page.etag ? '"z"' : page.etag.toUpperCase()],
        [`"${page.etag.slice(1, -1)}-gzip"`],
        ['"\x80\xff"', ' , ']
    ]
    const dateLines = [...valid, ...broken].map(text => [text])
    const n = page.size
    const sets = [
        ...['0-0', '0-3', `${n - 1}-`, `${n}-`, `0-${n - 1}`, `0-${n}`, `0-${n + 5}`, '-1', '-0', `-${n}`],
        ...[`-${n + 7}`, '2-1', '0-', '-', '', ',', 'a-b', '0-1x', '0 - 1', '0-1,3-4', '-0,2-3'],
        '0-1, , 99999-',
        ...['99999-,88888-', '99999999999999999999-', '0-99999999999999999999', '-99999999999999999999'],
        ...['18446744073709551615-', '18446744073709551616-18446744073709551615', '000-0002', '-000', '+1-2']
    ]
    const units = ['bytes', 'bytes', 'Bytes', 'BYTES', 'lines', 'byte', 'bytes ']
    return {
        'If-Match': tags,
        'If-None-Match': tags,
        'If-Unmodified-Since': [...dateLines, [imf, imf]],
        'If-Modified-Since': [...dateLines, [imf, imf]],
        'If-Range': [...tags.filter(lines => lines.length === 1), ...dateLines, [page.etag, page.etag]],
        Range: [
            ...sets.flatMap(set => units.map(unit => [`${unit}=${set}`])),
            ['0-1'],
            ['bytes=0-1', 'bytes=2-3']
        ]
    }
}

const likelihood = {
    'If-Match': 3,
    'If-None-Match': 3,
    'If-Unmodified-Since': 3,
    'If-Modified-Since': 3,
    'If-Range': 4,
    Range: 6
}

// Some of the fields, each with one of its values.
function draw(random, pool) {
    const fields = {}
    for (const [name, values] of Object.entries(pool))
        if (random.chance(likelihood[name], 10)) fields[name] = random.pick(values)
    return fields
}

function check(answer, wanted, page, what) {
    assert.equal(answer.status, wanted.status, what)
    if (wanted.status === 304) {
        assert.equal(answer.headers.etag, page.etag, what)
        assert.notEqual(answer.headers['content-length'], page.size === 0 ? undefined : '0', what)
        assert.equal(answer.headers['content-range'], undefined)
    } else if (wanted.status === 412) {
        assert.equal(answer.headers['crawler-error'], 'precondition_failed')
    } else if (wanted.status === 416) {
        assert.equal(answer.headers['content-range'], `bytes */${page.size}`)
        assert.equal(answer.headers['crawler-error'], 'range_not_satisfiable')
    } else {
        const { offset, length } = wanted
        assert.equal(answer.headers['content-length'], String(length), what)
        const range = `bytes ${offset}-${offset + length - 1}/${page.size}`
        assert.equal(answer.headers['content-range'], wanted.status === 206 ? range : undefined, what)
        assert.equal(answer.headers.etag, page.etag)
    }
}

// Two pages: one that is sent from memory and one that is sent as a file. `at` is when they were changed.
async function pages(t, port, folder, at) {
    const sizes = { '/articles/small.txt': 10, '/articles/large.bin': 100_000, '/articles/none.txt': 0 }
    const made = []
    for (const [target, size] of Object.entries(sizes)) {
        const file = path.join(folder, target)
        fs.writeFileSync(file, Buffer.from(Array.from({ length: size }, (_, i) => i % 251)))
        fs.utimesSync(file, at, at)
        const { headers } = await ask(port, target)
        assert.equal(headers['last-modified'], new Date(Math.floor(at) * 1000).toUTCString())
        const bytes = fs.readFileSync(file)
        made.push({ target, size, modified: Math.floor(at), etag: headers.etag, bytes })
    }
    return made
}

const describe = (method, page, fields) => `${method} ${page.target} ${JSON.stringify(fields)}`

// A counterexample is easiest to read with the seed at hand.
test(`${requests} requests with conditions (seed ${seed})`, { timeout: 600_000 }, async t => {
    const folder = temporaryFolder(t)
    fs.mkdirSync(path.join(folder, 'articles'))
    const { gate } = await stage(t, { root: folder, logLevel: 'info' })
    const random = generator(seed)
    const seen = {}
    const made = await pages(t, gate.port, folder, Date.now() / 1000 - 100.5)
    const all = made.map(page => [page, pools(page)])
    for (let i = 0; i < requests; i += 20) {
        const batch = Array.from({ length: 20 }, () => {
            const [page, pool] = random.pick(all)
            const method = random.chance(1, 5) ? 'HEAD' : 'GET'
            return { page, method, fields: draw(random, pool) }
        })
        await Promise.all(
            batch.map(async ({ page, method, fields }) => {
                const what = describe(method, page, fields)
                const answer = await ask(gate.port, page.target, fields, method)
                const wanted = expected(method, fields, page)
                check(answer, wanted, page, what)
                if (method === 'GET' && wanted.length !== undefined)
                    assert.ok(
                        answer.body.equals(page.bytes.subarray(wanted.offset, wanted.offset + wanted.length)),
                        what
                    )
                seen[wanted.status] = (seen[wanted.status] ?? 0) + 1
            })
        )
    }
    t.diagnostic(JSON.stringify(seen))
    for (const status of [200, 206, 304, 412, 416]) assert.ok(seen[status] > 0, `a ${status}`)
})

test('every value of each field by itself', { timeout: 600_000 }, async t => {
    const folder = temporaryFolder(t)
    fs.mkdirSync(path.join(folder, 'articles'))
    const { gate } = await stage(t, { root: folder, logLevel: 'info' })
    for (const page of await pages(t, gate.port, folder, Date.now() / 1000 - 100.5))
        for (const [name, values] of Object.entries(pools(page)))
            for (const value of values) {
                const fields = { [name]: value }
                if (name === 'If-Range') fields.Range = ['bytes=1-2']
                const what = describe('GET', page, fields)
                check(await ask(gate.port, page.target, fields), expected('GET', fields, page), page, what)
            }
})

test('what the conditions of a commitment give nothing for is free', { timeout: 120_000 }, async t => {
    const folder = temporaryFolder(t)
    fs.mkdirSync(path.join(folder, 'articles'))
    const { gate, ledger, key, agent } = await scene(t, { root: folder, logLevel: 'info' })
    const random = generator(seed)
    const made = await pages(t, gate.port, folder, Date.now() / 1000 - 100.5)
    const all = made.map(page => [page, pools(page)])
    const seen = {}
    let charged = 0
    for (let i = 0; i < 150; i++) {
        const [page, pool] = random.pick(all)
        const fields = draw(random, pool)
        const id = await gate.offer(page.target)
        const signed = await withWebBotAuth(key, agent.origin, `https://shop.example${page.target}`, id)
        const what = describe('GET', page, fields)
        const answer = await ask(gate.port, page.target, { ...signed, ...fields })
        const wanted = expected('GET', fields, page)
        check(answer, wanted, page, what)
        assert.equal('payment-response' in answer.headers, wanted.length > 0, what)
        if (wanted.length > 0) charged++
        seen[wanted.status] = (seen[wanted.status] ?? 0) + 1
    }
    t.diagnostic(JSON.stringify(seen))
    for (const status of [200, 206, 304, 412, 416]) assert.ok(seen[status] > 0, `a ${status}`)
    assert.equal(ledger.count('charge'), charged)
})

test('a date counts as a range validator once its second is over', async t => {
    const folder = temporaryFolder(t)
    const { gate } = await stage(t, { root: folder })
    const part = async at => {
        fs.writeFileSync(path.join(folder, 'page.txt'), '0123456789')
        fs.utimesSync(path.join(folder, 'page.txt'), at, at)
        const { headers } = await ask(gate.port, '/page.txt')
        const fields = { Range: 'bytes=0-1', 'If-Range': headers['last-modified'] }
        return (await ask(gate.port, '/page.txt', fields)).status
    }
    assert.equal(await part(Math.floor(Date.now() / 1000) - 2), 206)
    // Changed in the future: it may have changed twice in the second that Last-Modified tells.
    assert.equal(await part(Math.floor(Date.now() / 1000) + 100), 200)
})

test('a file from the future was not changed later than now', async t => {
    const folder = temporaryFolder(t)
    fs.writeFileSync(path.join(folder, 'page.txt'), '0123456789')
    fs.utimesSync(path.join(folder, 'page.txt'), Date.now() / 1000 + 1000, Date.now() / 1000 + 1000)
    const { gate } = await stage(t, { root: folder })
    const { headers } = await ask(gate.port, '/page.txt')
    assert.ok(Date.parse(headers['last-modified']) <= Date.parse(headers.date))
})

test('a 304 is an end: the next request on the connection is answered', async t => {
    const { gate } = await stage(t)
    const { headers } = await ask(gate.port, '/about.html')
    const again = head('/about.html', { 'If-None-Match': headers.etag })
    const last = head('/about.html', { Connection: 'close' })
    const found = answers(await talk(gate.port, again + again + last))
    assert.deepEqual(
        found.map(answer => answer.status),
        [304, 304, 200]
    )
})
