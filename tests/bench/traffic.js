// make bench-scale, its third part: what `crawltab today` and `crawltab traffic` take beside 200 days of
// traffic of ten sites, of which one is big: 200 crawlers, forty of them all day and the others now and
// then, each at two rules with three outcomes. --smoke makes a few days.
import assert from 'node:assert/strict'
import path from 'node:path'
import { stage } from '../e2e/support.js'
import * as bench from './measure.js'

const smoke = process.argv.includes('--smoke')
const size = smoke
    ? { days: 4, sites: 2, crawlers: 6, steady: 3, rounds: 1 }
    : { days: 200, sites: 10, crawlers: 200, steady: 40, rounds: 15 }
const span = smoke ? 3 : 90
const cores = bench.useTwoCores()
const WANTED_MS = 200
const day = date => date.toISOString().slice(0, 10)
const cleanUps = []
const t = { after: f => cleanUps.unshift(f) }

const makeSites = `
    INSERT INTO site (name, currency, currency_decimals, time_zone, network, seller, registered_at)
    SELECT name, 'EUR', 2, 'Europe/Berlin', name || ':402', name, now() - ${size.days} * interval '1 day'
      FROM generate_series(1, ${size.sites}) AS n,
           LATERAL (SELECT CASE n WHEN 1 THEN 'example' ELSE 'site' || n END AS name) AS named`

// A month of hours, added up as add_up_traffic does. Small sites have a crawler in ten, now and then.
const makeMonth = `
    CREATE PROCEDURE make_month(first timestamptz, last timestamptz) LANGUAGE plpgsql AS $$
    BEGIN
        PERFORM make_traffic_partition('traffic_hour', 'traffic_hour_' || to_char(first AT TIME ZONE 'UTC',
                                                                                  'YYYYMM'), first, last);
        INSERT INTO traffic_hour
        SELECT s.site_id, h, 'https://crawler' || c || '.example', true, 'rule' || (c + k) % 5, o.outcome,
               o.reason, 20 + (hash & 63), 100000 + (hash & 1048575),
               CASE WHEN o.outcome = 'paid' THEN 2500 * 20 ELSE 0 END,
               (B'1'::bit(24) || repeat('0', 3048)::bit(3048))::bit(3072) >> (hash & 1023)::int
          FROM site s, generate_series(first, least(last, date_trunc('hour', now())) - interval '1 hour',
                                       interval '1 hour') AS h,
               generate_series(1, ${size.crawlers}) AS c, generate_series(0, 1) AS k,
               (VALUES ('offered', ''), ('paid', ''), ('refused', 'signature_invalid'))
                   AS o (outcome, reason),
               LATERAL (SELECT abs(hashtextextended(h::text, c * 10 + k)) AS hash) AS hashed
         WHERE s.site_id = 1 AND c <= ${size.steady} OR hash % 8 = 0 AND (s.site_id = 1 OR c % 10 = 0);
    END $$`

// In the order in which a ledger would have written them: a day's rows lie together.
const sumUp = `
    INSERT INTO traffic_day
    SELECT site_id, (hour AT TIME ZONE 'Europe/Berlin')::date, crawler, verified, rule, outcome, reason,
           sum(requests), sum(bytes), sum(amount_micros), bit_or(pages)
      FROM traffic_hour GROUP BY 1, 2, 3, 4, 5, 6, 7 ORDER BY 2, 1;
    INSERT INTO traffic_stretch
    SELECT site_id, stretch_of(day), crawler, verified, rule, outcome, reason, sum(requests), sum(bytes),
           sum(amount_micros), bit_or(pages)
      FROM traffic_day GROUP BY 1, 2, 3, 4, 5, 6, 7 ORDER BY 2, 1;
    INSERT INTO traffic_month
    SELECT site_id, date_trunc('month', day::timestamp), crawler, verified, rule, outcome, reason,
           sum(requests), sum(bytes), sum(amount_micros), bit_or(pages)
      FROM traffic_day GROUP BY 1, 2, 3, 4, 5, 6, 7 ORDER BY 2, 1;
    INSERT INTO traffic_total
    SELECT site_id, hour, outcome, reason, sum(requests), sum(bytes), sum(amount_micros), bit_or(pages)
      FROM traffic_hour GROUP BY 1, 2, 3, 4 ORDER BY 2, 1;`

const makeHistory = `DO $$
    DECLARE
        at timestamptz := date_trunc('month', now() - ${size.days} * interval '1 day', 'UTC');
        next timestamptz;
    BEGIN
        WHILE at < now() LOOP
            next := (at AT TIME ZONE 'UTC' + interval '1 month') AT TIME ZONE 'UTC';
            CALL make_month(at, next);
            COMMIT;
            at := next;
        END LOOP;
    END $$`

try {
    const scene = await stage(t, { gate: false, asUsed: true })
    const { ledger, crawltab } = scene
    console.log(`making the traffic of ${size.days} days at ${size.sites} sites`)
    ledger.query(makeSites)
    ledger.query(makeMonth)
    ledger.query(makeHistory)
    ledger.query(sumUp)
    ledger.query('VACUUM ANALYZE')
    const tables = ['traffic_hour', 'traffic_day', 'traffic_stretch', 'traffic_month', 'traffic_total']
    for (const table of tables)
        console.log(`  ${table.padEnd(16)} ${ledger.count(table).toLocaleString('en')}`)
    // Each hour once, however it is added up.
    const sums = tables.map(table =>
        ledger.query(`SELECT sum(requests), sum(bytes), sum(amount_micros) FROM ${table}`)
    )
    assert.deepEqual(sums, tables.map(() => sums[0]))
    assert.doesNotMatch(sums[0], /^0|\|$/)

    const last = new Date(Date.now() - 86_400_000)
    const dates = ['--from', day(new Date(last - (span - 1) * 86_400_000)), '--to', day(last)]
    const site = ['--site', 'example']
    const html = path.join(scene.folder, 'page.html')
    const commands = {
        'crawltab site list, which asks for little': ['site', 'list'],
        'crawltab today': ['today', ...site],
        [`crawltab traffic, ${span} days`]: ['traffic', ...site, ...dates],
        [`crawltab traffic --by day, ${span} days`]: ['traffic', ...site, ...dates, '--by', 'day'],
        [`crawltab traffic --by rule, ${span} days`]: ['traffic', ...site, ...dates, '--by', 'rule'],
        [`crawltab traffic --by outcome, ${span} days`]: ['traffic', ...site, ...dates, '--by', 'outcome'],
        [`crawltab traffic --by hour, ${span} days`]: ['traffic', ...site, ...dates, '--by', 'hour'],
        [`crawltab traffic --html, ${span} days`]: ['traffic', ...site, ...dates, '--html', html]
    }
    const times = new Map(Object.keys(commands).map(name => [name, []]))
    for (let round = 0; round < size.rounds; round++)
        for (const [name, words] of Object.entries(commands)) {
            const begun = performance.now()
            await crawltab(...words)
            times.get(name).push(performance.now() - begun)
        }
    const rows = [...times].map(([name, values]) => {
        const median = bench.median(values)
        const verdict = median <= WANTED_MS ? 'met' : 'missed'
        return [name, median.toFixed(0), Math.max(...values).toFixed(0), `≤ ${WANTED_MS}`, verdict]
    })
    console.log(`\n${bench.heading(size.rounds, cores)}\n`)
    console.log(bench.table(['what', 'median ms', 'worst ms', 'wanted', ''], rows))
} finally {
    for (const cleanUp of cleanUps) await cleanUp()
}
