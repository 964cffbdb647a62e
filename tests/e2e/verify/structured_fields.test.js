// Structured fields in bulk against npm structured-headers: thousands of generated fields and mutations of
// them, the same verdict and the same values. Seeded: a failure prints what reproduces it.
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import path from 'node:path'
import test from 'node:test'
import { DisplayString, Token, parseDictionary, parseItem, parseList } from 'structured-headers'
import { build } from '../support.js'

const driver = path.join(build, 'sf-driver')
const seed = Number(process.env.CRAWLTAB_SEED ?? 9651)
const generated = 6000
const mutationsOfEach = 4

// mulberry32
function random(state) {
    return () => {
        state = (state + 0x6d2b79f5) | 0
        let t = Math.imul(state ^ (state >>> 15), 1 | state)
        t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
        return ((t ^ (t >>> 14)) >>> 0) / 4294967296
    }
}

class Generator {
    constructor(seed) {
        this.next = random(seed)
    }
    below(n) {
        return Math.floor(this.next() * n)
    }
    one(list) {
        return list[this.below(list.length)]
    }
    many(least, most, make) {
        return Array.from({ length: least + this.below(most - least + 1) }, make)
    }
    chars(alphabet, least, most) {
        return this.many(least, most, () => this.one(alphabet)).join('')
    }
    key() {
        const first = 'abcxyz*'
        return this.one(first) + this.chars('abz019_-.*', 0, this.below(6) ? 2 : 40)
    }
    bare() {
        const digits = '0123456789'
        const printable = Array.from({ length: 95 }, (_, i) => String.fromCharCode(32 + i))
        switch (this.below(8)) {
            case 0:
                return this.one(['', '-']) + this.chars(digits, 1, this.below(4) ? 5 : 15)
            case 1:
                return `${this.one(['', '-'])}${this.chars(digits, 1, 12)}.${this.chars(digits, 1, 3)}`
            case 2:
                return `"${this.chars(printable, 0, 20).replace(/["\\]/g, c => '\\' + c)}"`
            case 3:
                return this.one('aZ*') + this.chars("azAZ09!#$%&'*+-.^_`|~:/", 0, 12)
            case 4: {
                const bytes = Buffer.from(this.many(0, 20, () => this.below(256)))
                const text = bytes.toString('base64')
                return `:${this.below(4) ? text : text.replace(/=/g, '')}:`
            }
            case 5:
                return this.one(['?0', '?1'])
            case 6: // seldom, because of the differences below
                if (this.below(10)) return this.bare()
                return `@${this.one(['', '-'])}${this.chars(digits, 1, 11)}`
            default: {
                const chars = ['a', '%', '"', '\\', 'é', '中', '🦊', '\n', '~']
                const text = this.many(0, 8, () => this.one(chars))
                return `%"${Array.from(Buffer.from(text.join('')), byte =>
                    byte < 0x20 || byte > 0x7e || byte === 0x25 || byte === 0x22
                        ? '%' + byte.toString(16).padStart(2, '0')
                        : String.fromCharCode(byte)
                ).join('')}"`
            }
        }
    }
    parameters() {
        if (this.below(2)) return ''
        return this.many(1, 4, () => {
            const value = this.below(3) ? `=${this.bare()}` : ''
            return `;${this.one(['', '', ' ', '  '])}${this.key()}${value}`
        }).join('')
    }
    item() {
        return this.bare() + this.parameters()
    }
    member() {
        if (this.below(4)) return this.item()
        const gap = () => this.one(['', ' ', '  '])
        const items = this.many(0, 4, () => this.item()).join(this.one([' ', '  ']))
        return `(${gap()}${items}${gap()})${this.parameters()}`
    }
    field(type) {
        const comma = () => this.one([',', ', ', ' ,', '\t,\t', ' , '])
        const join = list =>
            list.reduce((text, member) => (text === '' ? member : text + comma() + member), '')
        const around = this.one(['', '', '', ' ', '  '])
        if (type === 'item') return around + this.item() + around
        const make =
            type === 'list'
                ? () => this.member()
                : () => this.key() + (this.below(4) ? `=${this.member()}` : this.parameters())
        return around + join(this.many(0, this.below(20) ? 5 : 60, make))
    }
    mutate(text) {
        const at = this.below(text.length + 1)
        const bytes = ',;=()"\\:?@%*-. \t0a1A=\x7f\x00\xe9'
        const odd = this.one([...bytes, '%c3', '%ff', '..', '00000', ', ', '=?1'])
        switch (this.below(4)) {
            case 0:
                return text.slice(0, at) + text.slice(at + 1)
            case 1:
                return text.slice(0, at) + odd + text.slice(at)
            case 2:
                return text.slice(0, at) + odd + text.slice(at + 1)
            default: {
                const other = this.below(text.length + 1)
                return text.slice(0, at) + text.slice(other, other + 1 + this.below(6)) + text.slice(at)
            }
        }
    }
}

function base32(bytes) {
    let bits = Array.from(bytes, byte => byte.toString(2).padStart(8, '0')).join('')
    bits = bits.padEnd(Math.ceil(bits.length / 5) * 5, '0')
    const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567'
    const digits = (bits.match(/.{5}/g) ?? []).map(five => alphabet[parseInt(five, 2)])
    return digits.join('').padEnd(Math.ceil(digits.length / 8) * 8, '=')
}

// The peer's values in the notation of the driver.
function plain(value) {
    if (value instanceof Token) return { __type: 'token', value: value.toString() }
    if (value instanceof DisplayString) return { __type: 'displaystring', value: value.toString() }
    if (value instanceof Date) return { __type: 'date', value: value.getTime() / 1000 + 0 }
    if (value instanceof ArrayBuffer) return { __type: 'binary', value: base32(new Uint8Array(value)) }
    if (value instanceof Map) return Array.from(value, ([key, member]) => [key, plain(member)])
    if (Array.isArray(value)) return value.map(plain)
    return typeof value === 'number' ? value + 0 : value // -0 becomes 0
}

function peer(type, text) {
    const parse = { item: parseItem, list: parseList, dictionary: parseDictionary }[type]
    try {
        return plain(parse(text))
    } catch {
        return 'FAIL'
    }
}

// What structured-headers 2.1.0 does otherwise than RFC 9651, and we do not:
const differences = [
    // Section 4.2.9 reads a date as an integer. The peer fails if anything follows: `@1;a`, `@1, @2`.
    ['a date with something behind it', text => /@-?[0-9]+[^0-9]/.test(text)],
    // Section 3.3.7 allows 15 digits; ECMAScript's Date ends at 8.64e12 seconds.
    ['a date that Date cannot hold', text => /@-?[0-9]{13,}/.test(text)],
    // Section 4.2.10 decodes UTF-8 and drops nothing; the peer's TextDecoder takes a leading BOM away.
    ['a display string with a BOM', text => /%"%ef%bb%bf/.test(text)]
]

function drive(cases) {
    const hex = text => Buffer.from(text, 'latin1').toString('hex')
    const input = cases.map(([type, text]) => `${type}\t${hex(text)}\n`).join('')
    const run = spawnSync(driver, { input, encoding: 'utf8', maxBuffer: 1 << 28 })
    assert.equal(run.status, 0, run.stderr)
    const lines = run.stdout.split('\n').slice(0, -1)
    assert.equal(lines.length, cases.length)
    return lines.map(line => (line === 'FAIL' ? { value: 'FAIL' } : parseLine(line)))
}

function parseLine(line) {
    const tab = line.lastIndexOf('\t')
    const value = JSON.parse(line.slice(0, tab), (_, v) => (Object.is(v, -0) ? 0 : v))
    return { value, canonical: line.slice(tab + 1) }
}

test('structured fields mean what npm structured-headers makes of them', () => {
    const generator = new Generator(seed)
    const cases = []
    for (let i = 0; i < generated; i++) {
        const type = generator.one(['item', 'list', 'dictionary'])
        let text = generator.field(type)
        cases.push([type, text])
        for (let k = 0; k < mutationsOfEach; k++) {
            text = generator.mutate(text)
            cases.push([type, text])
        }
    }
    const ours = drive(cases)
    const tally = { same: 0, refused: 0, different: 0 }
    cases.forEach(([type, text], i) => {
        if (differences.some(([, applies]) => applies(text))) {
            tally.different++
            return
        }
        const theirs = peer(type, text)
        assert.deepEqual(ours[i].value, theirs, `seed ${seed}, case ${i}: ${type} ${JSON.stringify(text)}`)
        tally[theirs === 'FAIL' ? 'refused' : 'same']++
    })
    assert.ok(tally.same > generated / 2 && tally.refused > generated / 2, JSON.stringify(tally))
    assert.ok(tally.different < cases.length / 3, JSON.stringify(tally))

    // The canonical form means the same and is its own canonical form.
    const parsed = cases.flatMap(([type], i) => ('canonical' in ours[i] ? [[type, ours[i]]] : []))
    const again = drive(parsed.map(([type, result]) => [type, result.canonical]))
    parsed.forEach(([type, result], i) => {
        assert.deepEqual(again[i], result, `seed ${seed}: ${type} ${JSON.stringify(result.canonical)}`)
    })
})

test('the known differences are still there', () => {
    const of = text => [drive([['item', text]])[0].value, peer('item', text)]
    assert.deepEqual(of('@1;a'), [[{ __type: 'date', value: 1 }, [['a', true]]], 'FAIL'])
    assert.deepEqual(of('@999999999999999')[0], [{ __type: 'date', value: 999999999999999 }, []])
    assert.ok(Number.isNaN(of('@999999999999999')[1][0].value))
    assert.equal(of('%"%ef%bb%bfa"')[0][0].value, '\ufeffa')
    assert.equal(of('%"%ef%bb%bfa"')[1][0].value, 'a')
})

test('the driver takes long lines and refuses what is not a case', () => {
    const keys = Array.from({ length: 20000 }, (_, i) => `k${i}`).join(',')
    const [many, long] = drive([
        ['dictionary', `${keys},k0=1`],
        ['item', `"${'x'.repeat(200000)}"`]
    ])
    assert.equal(many.value.length, 20000)
    assert.deepEqual(many.value[0], ['k0', [1, []]])
    assert.equal(long.value[0].length, 200000)
    for (const line of ['item', 'thing\t61', 'item\t6', 'item\tzz', 'Item\t61', '']) {
        const run = spawnSync(driver, { input: `${line}\n`, encoding: 'utf8' })
        assert.equal(run.status, 64, line)
        assert.match(run.stderr, /^sf-driver: line 1: /)
    }
})
