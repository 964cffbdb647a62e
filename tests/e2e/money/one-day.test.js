// Years of days have tables of their own. What is read by an id opens those of its day alone, however a
// statement is planned. Tests sql/functions/entry/charge_of.sql and its like
import assert from 'node:assert/strict'
import fs from 'node:fs'
import path from 'node:path'
import { test } from 'node:test'
import { root, stage } from '../support.js'

const day = 'current_date'
const id = `uuid_floor((${day})::timestamp + interval '12 hours')`
const ids = `ARRAY[${id}]::uuid[]`
const from = `uuid_floor((${day})::timestamp)`
const to = `uuid_floor((${day} + 1)::timestamp)`
const digest = "ARRAY[sha256('')]::bytea[]"

// Parameters of the statements that gates run for payments and for crawlers that ask, and of look-ups.
const statements = {
    'entry/charge/charge_compare': [ids],
    'entry/charge/charge_lookup': [id],
    'entry/identifier/payment_identifier_insert': [ids, ids, "ARRAY['x']::bytea[]", ids, ids],
    'entry/identifier/payment_identifier_read': [ids, ids, "ARRAY['y']::bytea[]"],
    'entry/copy/page_copy_insert': [ids, 'ARRAY[1]', 'ARRAY[1]', digest, 'ARRAY[3600000]', 'ARRAY[0]'],
    'entry/copy/page_copy_read': [ids, 'ARRAY[1]', digest],
    'delivery/delivery_read': [id],
    'bundle/bundle_facts': [id, "'INV-1'"],
    'account/own_entries': ['1', '1', from, to, '100'],
    'bill/adjustment/adjustment_subject': [id, '0'],
    'bill/entries/invoice_entries_page': ['1', '1', from, 'false', to, '0', '0'],
    'dispute/dispute_crawls': [id, from]
}
const calls = {
    note_undelivered: `SELECT note_undelivered(${id}, 500, 1, 2, 'gate', gen_random_uuid(), 1)`,
    disputed_amount: `SELECT disputed_amount(1, 'INV-1')`
}

test('what is read by an id opens the tables of its day', async t => {
    const { ledger } = await stage(t)
    ledger.query('SELECT charge_partitions(current_date - 40, current_date - 1)')
    ledger.own(
        `INSERT INTO crawler (crawler_id, agent, first_seen_at) OVERRIDING SYSTEM VALUE
             VALUES (1, 'https://a.example', now());
         INSERT INTO charge (payment_id, lane, site_id, crawler_id, amount_micros, rule, resource,
                             recorded_at, thumbprint, signature, signature_base)
         SELECT ${id}, get_byte(uuid_send(${id}), 15), site_id, 1, 12500, 'rest', 'https://any.example/',
                now(), sha256(''), sha512(''), 'x' FROM site LIMIT 1`
    )
    // What is read is locked until the transaction ends.
    const opened = `SELECT count(*) FROM pg_locks l JOIN pg_class c ON c.oid = l.relation
                     WHERE l.pid = pg_backend_pid() AND c.relispartition AND c.relkind = 'r'`
    // The first times it is planned for its parameters, from the sixth on perhaps once for all.
    const count = (once, before = '') => {
        const told = ledger.query(`${before} ${once.repeat(7)} BEGIN; ${once} ${opened}; ROLLBACK`)
        return Number(told.split('\n').at(-1))
    }
    assert.ok(count('SELECT count(*) FROM charge;') >= 40, 'each day has a table')
    for (const [name, words] of Object.entries(statements)) {
        const text = fs.readFileSync(path.join(root, 'sql/statements', `${name}.sql`), 'utf8')
        const once = `DO $$ BEGIN EXECUTE 'EXECUTE one(${words.join(', ').replaceAll("'", "''")})'; END $$;`
        const found = count(once, `PREPARE one AS ${text};`)
        assert.ok(found < 20, `${name} opens ${found} tables`)
    }
    for (const [name, text] of Object.entries(calls)) {
        const found = count(`${text};`)
        assert.ok(found < 20, `${name} opens ${found} tables`)
    }
})
