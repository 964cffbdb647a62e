// Nights of random histories: crawls, agreements that change, corrections, and runs that are killed, at two
// sites in different time zones across a change to summer time. Afterwards the audit finds nothing, and a
// computation of our own (bill.js), from the exported entries, the agreements and the adjustments, finds
// every invoice to the minor unit. SEED and NIGHTS choose another history; `make nights` runs many.
import assert from 'node:assert/strict'
import { execFileSync, spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import fs from 'node:fs'
import path from 'node:path'
import test from 'node:test'
import { bill } from '../bill.js'
import { generator } from '../random.js'
import { build, root, stage } from '../support.js'

const nights = Number(process.env.NIGHTS ?? 13)
const seed = Number(process.env.SEED ?? 20260320)
const firstDay = nights > 13 ? '2026-03-01' : '2026-03-20'
const dayMs = 86400000

const places = [
    { name: 'berlin', zone: 'Europe/Berlin', currency: 'EUR', decimals: 2 },
    { name: 'newyork', zone: 'America/New_York', currency: 'JPY', decimals: 0 }
]

const quote = text => (text === null ? 'NULL' : `'${String(text).replaceAll("'", "''")}'`)

// A UUID of version 7.
function uuid(ms) {
    const bytes = randomBytes(16)
    bytes.writeUIntBE(ms, 0, 6)
    bytes[6] = 0x70 | (bytes[6] & 15)
    bytes[8] = 0x80 | (bytes[8] & 63)
    return bytes.toString('hex').replace(/^(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-')
}

function insertCharges(ledger, charges) {
    const rows = charges.map(c => `('${c.id}', ${c.siteId}, ${c.crawlerId}, ${c.amount}, ${quote(c.rule)})`)
    for (let i = 0; i < rows.length; i += 500)
        ledger.query(`WITH made AS (
            INSERT INTO charge (payment_id, lane, site_id, crawler_id, amount_micros, rule, resource,
                                recorded_at, thumbprint, signature, signature_base)
            SELECT id::uuid, get_byte(uuid_send(id::uuid), 15), site_id, crawler_id, amount, rule,
                   'https://shop.example/', uuid_instant(id::uuid), decode(repeat('5a', 32), 'hex'), 'x', 'y'
              FROM (VALUES ${rows.slice(i, i + 500).join(',')})
                   AS v (id, site_id, crawler_id, amount, rule) RETURNING *)
            INSERT INTO spend SELECT gen_random_uuid(), 1, site_id, crawler_id, uuid_quarter(payment_id),
                count(*), sum(amount_micros) FROM made GROUP BY 3, 4, 5`)
}

const randomTerms = random => ({
    cadence: random.pick(['daily', 'weekly', 'monthly']),
    fee: BigInt(random.pick([0, 0, 2500000, 9999999])),
    minimumFee: BigInt(random.pick([0, 0, 0, 4000000])),
    minimumInvoice: BigInt(random.pick([0, 0, 1000000])),
    included: BigInt(random.pick([0, 0, 5, 30])),
    subscription: random.chance(1, 6),
    tiers: random.pick([
        [],
        [],
        [{ from: 1n, ppm: 50000n }],
        [
            { from: 7n, ppm: 100000n },
            { from: 40n, ppm: 333333n }
        ]
    ]),
    taxPpm: BigInt(random.pick([0, 190000, 77500]))
})

// What records one version of an agreement.
function agreed(site, crawlerId, { version, validFrom, terms }) {
    const tax = terms.taxPpm > 0n ? 'standard' : 'reverse-charge'
    const tiers = terms.tiers.map(
        tier =>
            `INSERT INTO agreement_tier SELECT max(agreement_id), ${tier.from}, ${tier.ppm} FROM agreement;`
    )
    return `INSERT INTO agreement (site_id, crawler_id, version, valid_from, recorded_at, actor,
            reason, status, cadence, subscription, fee_micros, included_crawls, minimum_fee_micros,
            minimum_invoice_micros, tax_treatment, tax_rate_ppm, due_days, buyer, settlement)
        VALUES (${site.id}, ${crawlerId}, ${version}, instant(${validFrom}), instant(${validFrom}), 'test',
            'test', 'active', '${terms.cadence}', ${terms.subscription}, ${terms.fee}, ${terms.included},
            ${terms.minimumFee}, ${terms.minimumInvoice}, '${tax}', ${terms.taxPpm}, 14,
            '{"name": "Crawler & Sons"}', '{}'); ${tiers.join('')}`
}

// Sites, crawlers, agreements and charges of the whole time, before the first night.
function makeHistory(ledger, random, site) {
    const history = { site, agreements: [], adjustments: [], charges: [] }
    const crawlers = Array.from({ length: 5 }, (_, i) => `https://crawler${i}.example`)
    const start = site.days[0].startsAt
    const end = site.days[nights - 1].endsAt
    const rows = ledger.own(`INSERT INTO crawler (agent, first_seen_at) VALUES
        ${crawlers.map(agent => `(${quote(agent)}, instant(${start}))`).join(',')} ON CONFLICT DO NOTHING;
        SELECT agent, crawler_id FROM crawler`)
    history.crawlerId = new Map(rows.split('\n').map(row => [row.split('|')[0], Number(row.split('|')[1])]))
    for (const agent of crawlers) {
        for (let version = 1; version <= random.below(4); version++) {
            const validFrom = start + random.below(end - start)
            history.agreements.push({ crawler: agent, version, validFrom, terms: randomTerms(random) })
        }
    }
    // A version that is in force earlier than one before it replaces that: the highest version counts.
    ledger.own(history.agreements.map(a => agreed(site, history.crawlerId.get(a.crawler), a)).join(''))
    const prices = [2500, 50000, 333333, 1, 120000]
    for (let i = 0; i < nights * 60; i++) {
        const at = start + random.below(end - start)
        const amount = random.pick(prices) * (site.decimals === 0 ? 7 : 1)
        history.charges.push({
            id: uuid(at),
            at,
            crawler: random.pick(crawlers),
            amount,
            rule: amount % 10 === 0 ? 'articles' : 'rest'
        })
    }
    // Around the midnights: to the millisecond on either side.
    for (const day of site.days.slice(0, nights))
        for (const at of [day.startsAt, day.endsAt - 1])
            history.charges.push({ id: uuid(at), at, crawler: crawlers[0], amount: 50000, rule: 'articles' })
    for (const c of history.charges) {
        c.siteId = site.id
        c.crawlerId = history.crawlerId.get(c.crawler)
    }
    insertCharges(ledger, history.charges)
    return history
}

// Corrections made in the course of the day: of charges of this day and of days before, and now and then of
// a whole invoice.
function correct(ledger, random, history, day) {
    const known = history.charges.filter(c => c.at < day.endsAt - 3600000)
    const made = []
    for (let i = random.below(6); i > 0; i--) {
        const charge = random.pick(known)
        const left = charge.amount - (charge.taken ?? 0)
        if (left <= 0 || charge.void) continue
        const kind = random.pick(['reversal', 'refund', 'credit'])
        const amount = kind === 'reversal' ? left : 1 + random.below(left)
        charge.taken = (charge.taken ?? 0) + amount
        const at = Math.max(charge.at + 1000, day.startsAt) + random.below(600000)
        made.push(`INSERT INTO adjustment VALUES ('${uuid(at)}', ${history.site.id}, ${charge.crawlerId},
            '${kind}', '${charge.id}', NULL, ${amount}, 'test', 'test', instant(${at}));`)
        history.adjustments.push({
            crawler: charge.crawler,
            at,
            paymentId: charge.id,
            amount: BigInt(amount)
        })
    }
    if (made.length > 0) ledger.own(made.join(''))
}

function voidOne(ledger, random, history, day) {
    const invoices = ledger
        .query(
            `SELECT i.number, i.local_date, i.crawler_id, k.agent,
                i.net_micros - coalesce((SELECT sum(a.amount_micros) FROM adjustment a
                    WHERE a.site_id = i.site_id AND coalesce(a.number, billing_invoice(a.site_id,
                        a.crawler_id, a.payment_id, 9223372036854775807)) = i.number
                      AND NOT EXISTS (SELECT FROM crawler_day_line l WHERE l.adjustment_id = a.adjustment_id
                                         AND l.local_date <= i.local_date)), 0)
               FROM invoice i JOIN crawler k USING (crawler_id)
              WHERE i.site_id = ${history.site.id} AND i.kind = 'invoice' ORDER BY i.sequence`
        )
        .split('\n')
        .filter(line => line)
        .map(line => line.split('|'))
        .filter(([, , , , left]) => BigInt(left) > 0n)
    if (invoices.length === 0) return
    const [number, date, crawlerId, agent, left] = random.pick(invoices)
    const at = day.startsAt + random.below(600000)
    ledger.own(`INSERT INTO adjustment VALUES ('${uuid(at)}', ${history.site.id}, ${crawlerId}, 'void',
        NULL, '${number}', ${left}, 'test', 'test', instant(${at}));
        INSERT INTO invoice_event SELECT ${history.site.id}, '${number}', max(step) + 1, 'void',
            instant(${at}), 'test', 'test' FROM invoice_event
          WHERE site_id = ${history.site.id} AND number = '${number}'`)
    history.adjustments.push({ crawler: agent, at, voids: date, amount: BigInt(left) })
}

// Runs the night; now and then it is killed, once or several times, and run again.
async function night(set, random, words) {
    const run = () =>
        new Promise(resolve => {
            const child = spawn(path.join(build, 'crawltab'), ['--config', set.config, 'nightly', ...words], {
                stdio: ['ignore', 'pipe', 'pipe']
            })
            let output = ''
            for (const stream of [child.stdout, child.stderr]) stream.on('data', data => (output += data))
            const timer = random.chance(1, 3)
                ? setTimeout(() => child.kill('SIGKILL'), random.below(150))
                : null
            child.on('close', code => {
                clearTimeout(timer)
                resolve({ code, output })
            })
        })
    for (let tries = 0; tries < 100; tries++) {
        const { code, output } = await run()
        if (code === 0) return
        assert.ok(code === null || code === 75, output) // killed, or the killed one's session is still at it
    }
    assert.fail('the night does not end')
}

// The exported entries of a site: only columns without commas are looked at.
function exported(set, site, to) {
    const out = execFileSync(
        path.join(build, 'crawltab'),
        ['--config', set.config, 'export', '--from', '2026-02-01', '--to', to, '--site', site.name],
        { encoding: 'utf8', maxBuffer: 1 << 28 }
    )
    const [, ...lines] = out.split('\r\n').filter(line => line)
    return lines.map(line => {
        const field = line.replaceAll('"', '').split(',')
        return {
            id: field[0],
            at: parseInt(field[0].replace('-', '').slice(0, 12), 16),
            crawler: field[3],
            amount: BigInt(field[9])
        }
    })
}

function readDays(ledger, site) {
    const rows = ledger.query(`SELECT local_date, instant_ms(starts_at), instant_ms(ends_at) FROM day
        WHERE site_id = ${site.id} AND local_date >= '${firstDay}' ORDER BY local_date LIMIT ${nights + 2}`)
    const days = rows.split('\n').map(row => row.split('|'))
    return days.map(([date, startsAt, endsAt], i) => ({
        date,
        startsAt: Number(startsAt),
        endsAt: Number(endsAt),
        next: days[i + 1]?.[0]
    }))
}

async function compare(set, history) {
    const { site } = history
    const json = async (...words) => JSON.parse((await set.crawltab(...words, '--json')).stdout)
    const expected = bill({
        minor: BigInt(10 ** (6 - site.decimals)),
        days: site.days.slice(0, nights),
        entries: exported(set, site, '2026-05-01'),
        agreements: history.agreements,
        adjustments: history.adjustments
    })
    const list = await json('invoice', 'list', '--site', site.name)
    const folder = path.join(set.folder, `invoices-${site.name}`)
    await set.crawltab('invoice', 'export', '--format', 'json', '--out', folder, '--site', site.name)
    let compared = 0
    for (const [crawler, documents] of expected.documents) {
        const shown = []
        for (const item of list.filter(i => i.agent === crawler).reverse()) {
            const file = path.join(folder, `${site.name}-${item.number}.json`)
            const document = JSON.parse(fs.readFileSync(file, 'utf8'))
            const { kind, period, net_micros: net, tax } = document
            shown.push([kind, period.last_date, net, tax.amount_minor].join(' '))
        }
        const own = documents.map(d => [d.kind, d.date, d.net, d.tax].join(' '))
        assert.deepEqual(shown.sort(), own.sort(), `${site.name} ${crawler}, seed ${seed}`)
        compared += own.length
        const carried = set.ledger.query(`SELECT carried_out_micros FROM crawler_day
            WHERE site_id = ${site.id} AND crawler_id = ${history.crawlerId.get(crawler)}
            ORDER BY close_number DESC LIMIT 1`)
        assert.equal(BigInt(carried || 0), expected.accounts.get(crawler).carried, `${site.name} ${crawler}`)
    }
    assert.equal(compared, list.length)
    return compared
}

// The position of a column in the rows of a statement, which says what they consist of.
function columnOf(statement, name) {
    const [, list] = statement.match(/^-- columns: ([^]*?)\n(?!--)/m)
    return list.split(',').findIndex(column => column.replace('--', '').trim().split(' ')[0] === name)
}

// What an adjustment finds taken off the charges of a crawler is what the nights took off them.
function discountsAgree(ledger, { site, charges }) {
    ledger.query('ANALYZE') // as a server does by itself in the time that has passed here
    const file = 'sql/statements/bill/adjustment/adjustment_subject.sql'
    const text = fs.readFileSync(path.join(root, file), 'utf8')
    const [crawlerId, billed] = ledger
        .query(
            `SELECT crawler_id, -sum(amount_micros) FROM crawler_day_line WHERE site_id = ${site.id}
                AND kind IN ('included', 'tier', 'subscription') GROUP BY 1 ORDER BY count(*) DESC LIMIT 1`
        )
        .split('|')
    const asked = charges
        .filter(c => c.crawlerId === Number(crawlerId))
        .map(c => `EXECUTE subject('${c.id}', 0)`)
    const rows = ledger.query(`PREPARE subject AS ${text}; ${asked.join(';')}`).split('\n')
    const column = columnOf(text, 'discount_micros')
    const found = rows.filter(row => row.includes('|')).map(row => BigInt(row.split('|')[column]))
    assert.equal(
        found.reduce((sum, one) => sum + one, 0n),
        BigInt(billed ?? 0)
    )
}

test(`${nights} nights of random histories, seed ${seed}`, async t => {
    const random = generator(seed)
    const set = await stage(t, {
        gate: false,
        logLevel: 'info',
        nightly: { verify: 'none' }, // entries come by SQL: this is about what is billed for them
        sites: places.map(place => ({
            name: place.name,
            hosts: [`${place.name}.example`],
            root: path.join(root, 'tools'),
            network: 'example:402',
            currency: place.currency,
            time_zone: place.zone,
            terms_url: 'https://shop.example/terms',
            rules: [{ action: 'charge', price: '1' }]
        }))
    })
    const offset = Math.floor((Date.parse(`${firstDay}T12:00:00Z`) - Date.now()) / 1000)
    const gate = await set.startGate('--clock-offset', String(offset))
    await gate.logged(/event=ledger_ready/)
    await gate.stop('SIGKILL')
    const { ledger } = set
    // Days up to the present, and the partitions of the time that is played through.
    await night(set, generator(1), ['--day', firstDay])
    ledger.query(`SELECT charge_partitions('2026-02-26', '2026-04-06')`)
    const histories = []
    for (const place of places) {
        const site = {
            ...place,
            id: Number(ledger.query(`SELECT site_id FROM site WHERE name = '${place.name}'`))
        }
        // The first day is closed: history begins with the next.
        site.days = readDays(ledger, site).slice(1)
        histories.push(makeHistory(ledger, random, site))
    }
    assert.ok(fs.existsSync(set.config))
    for (let i = 0; i < nights; i++) {
        for (const history of histories) {
            correct(ledger, random, history, history.site.days[i])
            if (random.chance(1, 3)) voidOne(ledger, random, history, history.site.days[i])
        }
        if (random.chance(1, 5) && i + 1 < nights) continue // nobody ran it: the next night catches up
        await night(set, random, ['--day', histories[0].site.days[i].date])
    }
    const audited = await set.crawltab('audit')
    assert.match(audited.stdout, /everything adds up/)
    let compared = 0
    for (const history of histories) {
        compared += await compare(set, history)
        discountsAgree(ledger, history)
    }
    assert.ok(compared > nights, `${compared} invoices and credit notes`)
})
