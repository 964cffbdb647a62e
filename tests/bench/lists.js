// make bench-lists: what a page of each list of the console takes, the first one and the thousandth, with ten
// thousand rows and with a million. The rows are copies of one, made without triggers. --smoke makes few.
import assert from 'node:assert/strict'
import { desk } from '../e2e/console.js'
import * as bench from './measure.js'

const smoke = process.argv.includes('--smoke')
const steps = smoke ? [300] : [10_000, 1_000_000]
const rounds = smoke ? 1 : 9
const [limit, far] = smoke ? [50, 200] : [50, 50 * 999]
const cores = bench.useTwoCores()
const cleanUps = []
const t = { after: f => cleanUps.unshift(f) }

// So many seconds ago: a hundred rows a minute, in yesterday and today.
const ago = 'n * 0.08'
const id = `(substr(uuid_floor(now() - ${ago} * interval '1 second')::text, 1, 14) || '7'
             || substr(md5(n::text), 1, 3) || '-8' || substr(md5(n::text), 4, 3) || '-'
             || lpad(to_hex(n), 12, '0'))::uuid`
const columns = `SELECT string_agg(attname, ', ' ORDER BY attnum) FROM pg_attribute
    WHERE attrelid = 'invoice'::regclass AND attnum > 0 AND NOT attisdropped AND attgenerated = ''`
// Every hundredth dispute is open.
const made = [
    `ALTER TABLE charge DISABLE TRIGGER ALL; ALTER TABLE invoice DISABLE TRIGGER ALL;
     ALTER TABLE invoice_event DISABLE TRIGGER ALL; ALTER TABLE outbox DISABLE TRIGGER ALL;
     ALTER TABLE dispute DISABLE TRIGGER ALL; ALTER TABLE dispute_event DISABLE TRIGGER ALL;
     ALTER TABLE operator_action DISABLE TRIGGER ALL`,
    `INSERT INTO charge (payment_id, lane, site_id, crawler_id, amount_micros, rule, resource, recorded_at,
                         thumbprint, signature, signature_base)
     SELECT id, get_byte(uuid_send(id), 15), site_id, crawler_id, amount_micros, rule, resource, now(),
            thumbprint, signature, signature_base
       FROM (SELECT * FROM charge LIMIT 1) AS w, generate_series($1, $2) AS n,
            LATERAL (SELECT ${id} AS id) AS i`,
    `INSERT INTO invoice ($columns)
     SELECT $columns FROM (SELECT one FROM invoice AS one LIMIT 1) AS w, generate_series($1, $2) AS n,
            LATERAL jsonb_populate_record(w.one, jsonb_build_object(
                'number', 'B-' || n, 'sequence', 1000 + n, 'crawler_id', 1000 + n,
                'local_date', date '2020-01-01' + n / 1000)) AS made`,
    `INSERT INTO invoice_event (site_id, number, step, event, happened_at, actor)
     SELECT site_id, 'B-' || n, 1, 'issued', now(), 'bench' FROM site, generate_series($1, $2) AS n`,
    `INSERT INTO outbox (message_id, site_id, type, body, made_at)
     SELECT 'bench' || n, site_id, 'bench', '{}', now() - ${ago} * interval '1 second'
       FROM site, generate_series($1, $2) AS n`,
    `INSERT INTO dispute (dispute_id, site_id, crawler_id, opened_by, reason, statement, opened_at, due_at,
                          actor)
     SELECT ${id}, site_id, crawler_id, 'publisher', 'other', 'bench', now(),
            now() + (n % 14) * interval '1 day', 'bench'
       FROM site, (SELECT min(crawler_id) AS crawler_id FROM crawler) AS c, generate_series($1, $2) AS n`,
    `INSERT INTO dispute_event (dispute_id, step, site_id, event, happened_at, actor)
     SELECT d.dispute_id, step, d.site_id, CASE step WHEN 1 THEN 'opened' ELSE 'rejected' END, now(), 'bench'
       FROM dispute d, LATERAL (SELECT ('x' || right(d.dispute_id::text, 12))::bit(48)::bigint AS n) AS made,
            generate_series(1, 2) AS step
      WHERE d.statement = 'bench' AND n BETWEEN $1 AND $2 AND (step = 1 OR n % 100 > 0)`,
    `INSERT INTO operator_action (happened_at, actor, action, detail)
     SELECT now(), 'bench', 'bench', 'row ' || n FROM generate_series($1, $2) AS n`
]

function fill({ ledger }, first, last) {
    const names = ledger.query(columns)
    for (const sql of made)
        ledger.query(sql.replaceAll('$columns', names).replaceAll('$1', first).replaceAll('$2', last))
    ledger.query('VACUUM ANALYZE')
}

const lists = {
    payments: ['/api/v1/entries?', 'entries'],
    invoices: ['/api/v1/invoices?view=invoices&', 'invoices'],
    'disputes, the open ones first': ['/api/v1/disputes?', 'disputes'],
    'disputes that are open': ['/api/v1/disputes?status=open&', 'disputes'],
    messages: ['/api/v1/messages?', 'messages'],
    deeds: ['/api/v1/deeds?', 'deeds']
}

async function page({ ask }, [address, view], limit, after) {
    const begun = performance.now()
    const behind = after ? `&after=${encodeURIComponent(after)}` : ''
    const { status, json, text } = await ask(`${address}limit=${limit}${behind}`)
    assert.equal(status, 200, text)
    return { ...json.views[view], ms: performance.now() - begun }
}

async function measure(set, list) {
    const places = [null]
    let at = null
    for (let left = far; left > 0; left -= Math.min(left, 1000)) {
        const { next } = await page(set, list, Math.min(left, 1000), at)
        if (next === null) break
        at = next
    }
    if (at) places.push(at)
    const medians = []
    for (const place of places) {
        const times = []
        for (let round = 0; round < rounds; round++) times.push((await page(set, list, limit, place)).ms)
        medians.push(bench.median(times).toFixed(1))
    }
    return medians
}

try {
    const set = await desk(t, { asUsed: true })
    const { ledger } = set
    ledger.query(`SELECT charge_partitions(today - 1, today)
                    FROM (SELECT (now() AT TIME ZONE 'UTC')::date AS today) AS d`)
    const rows = Object.keys(lists).map(name => [name])
    let there = 0
    for (const step of steps) {
        console.log(`making ${step.toLocaleString('en')} rows of each`)
        fill(set, there + 1, step)
        // Connections that were idle meanwhile are closed: let fetch notice.
        await new Promise(resolve => setTimeout(resolve, 1000))
        there = step
        for (const [i, list] of Object.values(lists).entries()) {
            const [first, other] = await measure(set, list)
            rows[i].push(first, other ?? '')
        }
    }
    console.log(`\n${bench.heading(rounds, cores)}\n`)
    const heads = steps.flatMap(step => [`page 1 of ${step.toLocaleString('en')}, ms`, 'page 1,000, ms'])
    console.log(bench.table(['list', ...heads], rows))
} finally {
    for (const cleanUp of cleanUps) await cleanUp()
}
