// make bench-scale, its second half: a gate that starts and reads in a ledger of three years, 1,000 crawlers
// and 10 sites, with entries, invoices and payments. Of the sites one is never billed, and one is given up.
// The ledger is made in SQL, night by night, through the triggers of the real tables. --smoke makes a short
// one.
import assert from 'node:assert/strict'
import { Gate, stage, until } from '../e2e/support.js'
import * as bench from './measure.js'

const smoke = process.argv.includes('--smoke')
const size = smoke
    ? { days: 45, sites: 4, crawlers: 30, starts: 2, seconds: 3, payments: 100 }
    : { days: 1095, sites: 10, crawlers: 1000, starts: 7, seconds: 60, payments: 20000 }
const cores = bench.useTwoCores()
const cleanUps = []
const t = { after: f => cleanUps.unshift(f) }

// Days before today, in UTC. The last site but one is given up half way; the last one is open for ever.
const makeSites = `
    INSERT INTO site (name, currency, currency_decimals, time_zone, network, seller, registered_at)
    SELECT name, 'USD', 2, 'UTC', name || ':402', name, now() - ${size.days} * interval '1 day'
      FROM generate_series(1, ${size.sites}) AS n,
           LATERAL (SELECT CASE n WHEN 1 THEN 'example' ELSE 'site' || n END AS name) AS named;
    INSERT INTO crawler (agent, first_seen_at)
    SELECT 'https://crawler' || n || '.example', now() FROM generate_series(1, ${size.crawlers}) AS n;
    INSERT INTO day (site_id, local_date, starts_at, ends_at, time_zone)
    SELECT site_id, at::date, at, at + interval '1 day', 'UTC'
      FROM site, generate_series(date_trunc('day', now()) - ${size.days} * interval '1 day',
                                 date_trunc('day', now()) + interval '2 days', interval '1 day') AS at
     WHERE site_id <> ${size.sites - 1} OR at < now() - ${size.days / 2} * interval '1 day';
    INSERT INTO number_series (site_id, series) SELECT site_id, 'day' FROM site`

// Who crawled where on a date: each crawler comes to each site every two weeks, and to one of them every
// third day. Two entries each, which are billed daily, with half a cent carried every other time, and paid a
// month later. What a night does is in the order in which it does it.
const makeNight = `
    CREATE PROCEDURE make_night(of_date date) LANGUAGE plpgsql AS $$
    DECLARE
        start_ms bigint := instant_ms(of_date::timestamp AT TIME ZONE 'UTC');
    BEGIN
        CREATE TEMPORARY TABLE visit ON COMMIT DROP AS
        SELECT d.site_id, c.crawler_id, s.network, s.name, c.agent,
               coalesce(b.carried_out_micros, 0) AS carried_micros
          FROM day d JOIN site s USING (site_id) CROSS JOIN crawler c
          LEFT JOIN LATERAL (SELECT t.carried_out_micros FROM crawler_day t
                              WHERE t.site_id = d.site_id AND t.crawler_id = c.crawler_id
                              ORDER BY t.close_number DESC LIMIT 1) AS b ON true
         WHERE d.local_date = of_date
           AND ((c.crawler_id * 5 + d.site_id + (of_date - date '2000-01-01')) % 14 = 0
                OR (c.crawler_id % ${size.sites} = d.site_id - 1
                    AND (c.crawler_id + (of_date - date '2000-01-01')) % 3 = 0));
        CREATE TEMPORARY TABLE entry ON COMMIT DROP AS
        SELECT v.*, (lpad(to_hex(ms), 12, '0') || '7' || substr(hash, 1, 3) || '8' ||
                         substr(hash, 4, 15))::uuid AS id
          FROM (SELECT v.*, md5(v.site_id || ' ' || v.crawler_id || ' ' || n || of_date) AS hash,
                       start_ms + (v.crawler_id * 7919 + v.site_id * 104729 + n * 43200000) % 86400000 AS ms
                  FROM visit v CROSS JOIN generate_series(0, 1) AS n) AS v;
        INSERT INTO charge (payment_id, lane, site_id, crawler_id, amount_micros, rule, resource, recorded_at,
                            thumbprint, signature, signature_base)
        SELECT id, get_byte(uuid_send(id), 15), site_id, crawler_id, 12500, 'rest',
               'https://shop.example/articles/' || crawler_id || '.html', instant(ms),
               sha256(int8send(crawler_id)), sha512(uuid_send(id)), convert_to(repeat('b', 200), 'UTF8')
          FROM entry;
        INSERT INTO spend (writer_id, sequence, site_id, crawler_id, quarter, entries, amount_micros)
        SELECT md5(of_date::text)::uuid, row_number() OVER (ORDER BY id), site_id, crawler_id,
               ms / quarter_ms(), 1, 12500 FROM entry;
        IF of_date >= (now() AT TIME ZONE 'UTC')::date THEN
            RETURN;
        END IF;
        INSERT INTO day_seal (site_id, local_date, end_id, due_at)
        SELECT site_id, local_date, uuid_floor(ends_at), ends_at + interval '1 hour' FROM day
         WHERE local_date = of_date AND site_id < ${size.sites};
        INSERT INTO crawler_day (site_id, local_date, crawler_id, close_number, entries, sum_micros,
                                 carried_in_micros, invoiced_micros, carried_out_micros)
        SELECT site_id, of_date, crawler_id, start_ms / 86400000, 2, 25000, carried_micros,
               25000 + carried_micros - (25000 + carried_micros) % 10000,
               (25000 + carried_micros) % 10000
          FROM visit WHERE site_id < ${size.sites};
        INSERT INTO invoice (site_id, number, series, sequence, kind, crawler_id, local_date, first_date,
                             issue_date, due_date, site_name, seller_party, buyer_party, agent, network,
                             currency, currency_decimals, time_zone, starts_at, ends_at, entries,
                             carried_in_micros, subtotal_micros, carried_out_micros, net_micros,
                             total_minor, rounding)
        SELECT c.site_id, of_date || '-' || c.crawler_id, of_date::text, c.crawler_id, 'invoice',
               c.crawler_id, of_date, of_date, of_date + 1, of_date + 31, v.name, '{}',
               jsonb_build_object('name', v.agent), v.agent, v.network, 'USD', 2, 'UTC', instant(start_ms),
               instant(start_ms + 86400000), 2, c.carried_in_micros, 25000, c.carried_out_micros,
               c.invoiced_micros, c.invoiced_micros / 10000, ''
          FROM crawler_day c JOIN visit v USING (site_id, crawler_id) WHERE c.local_date = of_date;
        INSERT INTO day_close (site_id, local_date, close_number, entries, sum_micros, due_at)
        SELECT d.site_id, of_date, start_ms / 86400000, 2 * count(v.site_id), 25000 * count(v.site_id),
               d.ends_at + interval '1 hour'
          FROM day d LEFT JOIN visit v USING (site_id)
         WHERE d.local_date = of_date AND d.site_id < ${size.sites} GROUP BY d.site_id, d.ends_at;
        INSERT INTO invoice_payment (site_id, number, reference, amount_minor, received_on, recorded_at,
                                     actor)
        SELECT site_id, number, 'bank ' || number, total_minor, of_date, now(), 'bench'
          FROM invoice WHERE local_date = of_date - 30;
        PERFORM accrue_days(start_ms + 2 * 86400000); -- as gates do for what is not closed
    END $$`

const makeHistory = `DO $$
    DECLARE
        today date := (now() AT TIME ZONE 'UTC')::date;
    BEGIN
        FOR i IN REVERSE ${size.days} .. 0 LOOP
            PERFORM charge_partitions(today - i, today - i);
            CALL make_night(today - i);
            COMMIT;
        END LOOP;
    END $$`

// The newest balance of each account is what its invoices, payments, carries and open days come to.
const balancesAreRight = `
    WITH part AS (
        SELECT * FROM (SELECT DISTINCT ON (site_id, crawler_id) site_id, crawler_id,
                              carried_out_micros AS micros
                         FROM crawler_day ORDER BY site_id, crawler_id, close_number DESC) AS carried
        UNION ALL SELECT site_id, crawler_id, total_minor * 10000 FROM invoice
        UNION ALL SELECT i.site_id, i.crawler_id, -p.amount_minor * 10000
                    FROM invoice_payment p JOIN invoice i USING (site_id, number)
        UNION ALL SELECT site_id, crawler_id, amount_micros FROM crawler_accrual
    ), due AS (
        SELECT site_id, crawler_id, sum(micros)::bigint AS micros FROM part GROUP BY 1, 2
    ), stands AS (
        SELECT DISTINCT ON (site_id, crawler_id) site_id, crawler_id, owed_micros AS micros
          FROM account_balance ORDER BY site_id, crawler_id, step DESC
    )
    SELECT count(*) FILTER (WHERE d.micros IS DISTINCT FROM s.micros) || ' of ' || count(*)
      FROM due d FULL JOIN stands s USING (site_id, crawler_id)`

// Milliseconds from the start of the process to the moment at which payments are taken.
async function startGate(scene) {
    const gate = new Gate(scene.config)
    t.after(() => gate.stop())
    const begun = performance.now()
    await gate.start()
    const ready = () => /event=ledger_ready/.test(gate.log) && /event=accounts_ready/.test(gate.log)
    await until(ready, 'the gate is ready', 5)
    return { gate, ms: performance.now() - begun }
}

const rounds = log => [...log.matchAll(/event=accounts_read ms=(\d+)/g)].map(found => Number(found[1]))

function judge(results, name, values, most) {
    const worst = Math.max(...values)
    const verdict = worst <= most ? 'met' : 'missed'
    results.push([name, bench.median(values).toFixed(0), worst.toFixed(0), `≤ ${most}`, verdict])
}

try {
    const options = {
        insecureHosts: [`127.0.0.1:${bench.directoryPort}`],
        logLevel: 'debug',
        asUsed: true,
        gate: false,
        ledger: { refresh_seconds: 1 }
    }
    const scene = await stage(t, options)
    const { ledger } = scene
    console.log(`making ${size.days} nights of ${size.sites} sites and ${size.crawlers} crawlers`)
    ledger.query(makeSites)
    ledger.query(makeNight)
    const begun = performance.now()
    ledger.query(makeHistory)
    ledger.query('VACUUM ANALYZE')
    const minutes = ((performance.now() - begun) / 60000).toFixed(1)
    assert.match(ledger.query(balancesAreRight), /^0 of [1-9]/)
    const counts = ['charge', 'spend', 'crawler_day', 'invoice', 'invoice_payment', 'account_balance', 'day']
    for (const table of counts)
        console.log(`  ${table.padEnd(16)} ${ledger.count(table).toLocaleString('en')}`)

    const results = []
    const cold = []
    const warm = []
    for (let i = 0; i < size.starts; i++) {
        ledger.stop()
        ledger.start()
        for (const values of [cold, warm]) {
            const { gate, ms } = await startGate(scene)
            values.push(ms)
            await gate.stop()
        }
    }
    judge(results, 'start to ready, ms, PostgreSQL just started', cold, 2000)
    judge(results, 'start to ready, ms', warm, 2000)
    const { gate } = await startGate(scene)
    const mark = gate.log.length
    await new Promise(resolve => setTimeout(resolve, size.seconds * 1000))
    const idle = rounds(gate.log.slice(mark))
    assert.ok(idle.length >= size.seconds / 2, String(idle))
    judge(results, 'a round, ms', idle, 50)
    const paidFrom = gate.log.length
    await bench.load(['payments', `127.0.0.1:${gate.port}`, bench.site, size.payments, 64])
    const busy = rounds(gate.log.slice(paidFrom))
    if (busy.length > 0) judge(results, 'a round while payments are taken, ms', busy, 50)
    assert.equal(ledger.query(`SELECT count(*) FROM charge WHERE recorded_at > now() - interval '1 hour'
                                  AND agreement_id IS NULL AND octet_length(signature) = 64
                                  AND resource LIKE '%harbour-bell%'`), String(size.payments))
    console.log(`\n${bench.heading(size.starts, cores)}; the ledger was made in ${minutes} minutes\n`)
    console.log(bench.table(['what', 'median', 'worst', 'wanted', ''], results))
} finally {
    for (const cleanUp of cleanUps) await cleanUp()
}
