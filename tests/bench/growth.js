// make bench-growth: what becomes of a ledger, its gate and its night as one thing grows: entries (in
// partitions of 100 days), crawlers, sites, rules, agreements, each alone and the others small. Past days are
// filled by SQL and closed by real nights, the last of which is measured; then a gate is, at its start, while
// nothing happens, and while payments are taken. `node growth.js crawlers=10,100 sites` measures these two,
// the first with these sizes. --smoke makes two small ledgers, to see that it works.
import assert from 'node:assert/strict'
import { execFile, spawn } from 'node:child_process'
import path from 'node:path'
import { promisify } from 'node:util'
import { build, Gate, root, stage, until } from '../e2e/support.js'
import * as bench from './measure.js'

const run = promisify(execFile)
const words = process.argv.slice(2)
const smoke = words.includes('--smoke')
const size = smoke
    ? { starts: 1, reads: 1, payments: 100, rounds: 1, lookups: 100, chunk: 1000 }
    : { starts: 3, reads: 3, payments: 5000, rounds: 3, lookups: 2000, chunk: 500_000 }
const small = smoke
    ? { days: 2, crawlers: 12, sites: 3, rules: 20, agreements: 5 }
    : { days: 3, entries: 100_000, crawlers: 10, sites: 1, rules: 10, agreements: 1 }
// What grows, by which steps, and what else is then not small.
const grows = smoke
    ? { entries: { steps: [400, 800] } }
    : {
          entries: { steps: [100_000, 1_000_000, 10_000_000], with: () => ({ days: 100 }) },
          crawlers: { steps: [10, 1000, 100_000] },
          // The night of each site is one of its own.
          sites: { steps: [1, 30, 1000], with: () => ({ days: 1 }) },
          rules: { steps: [10, 300, 10_000] },
          // Whoever has an agreement is a crawler.
          agreements: { steps: [1, 300, 100_000], with: n => ({ crawlers: Math.max(10, n) }) }
      }
const asked = words.filter(word => !word.startsWith('--')).map(word => word.split('='))
const cores = bench.useTwoCores()

// What is measured: the member, the column's name, digits behind the point.
const columns = [
    ['per_second', 'payments/s', 0],
    ['gate_us', 'gate µs', 0],
    ['postgres_us', 'PostgreSQL µs', 0],
    ['id_ms', 'p99 by id, ms', 2],
    ['url_ms', 'p99 by URL and hour, ms', 2],
    ['start_ms', 'start to ready, ms', 0],
    ['round_ms', 'a round of reading, ms', 0],
    ['night_s', 'a night, s', 2],
    ['rss_mib', 'gate, MiB', 1],
    ['bytes', 'bytes an entry', 0]
]

// Where the days that are filled end: they are over for a night, which takes a day an hour after its end.
const endOfDays = () => `timestamptz '${new Date(Date.now() - 7_200_000).toISOString().slice(0, 10)} 00:00Z'`

const siteName = n => (n === 0 ? 'example' : `site${n}`)

function configuredSites({ sites, rules }) {
    const address = n => (n === 0 ? bench.site : `${siteName(n)}.example`)
    const articles = { name: 'articles', paths: ['/articles/**'], action: 'charge', price: '0.05' }
    const others = Array.from({ length: rules - 1 }, (_, n) => ({
        name: `shelf ${n}`,
        paths: [`/shelf-${n}/**`],
        action: 'charge',
        price: '0.01'
    }))
    return Array.from({ length: sites }, (_, n) => ({
        name: siteName(n),
        hosts: [address(n)],
        root: path.join(root, 'tools/demo/site'),
        network: `${siteName(n)}:402`,
        terms_url: `https://${address(n)}/terms`,
        // The last of them is the one that payments are for.
        rules: n === 0 ? [...others, articles] : [articles]
    }))
}

const makeParties = ({ sites, crawlers, agreements, days, end }) => `
    INSERT INTO site (name, currency, currency_decimals, time_zone, network, seller, registered_at)
    SELECT name, 'USD', 2, 'UTC', name || ':402', name, ${end} - ${days} * interval '1 day'
      FROM generate_series(0, ${sites - 1}) AS n,
           LATERAL (SELECT CASE n WHEN 0 THEN 'example' ELSE 'site' || n END AS name) AS named ORDER BY n;
    INSERT INTO crawler (agent, first_seen_at)
    SELECT 'https://crawler' || n || '.example', now() FROM generate_series(1, ${crawlers}) AS n ORDER BY n;
    INSERT INTO day (site_id, local_date, starts_at, ends_at, time_zone)
    SELECT site_id, (at AT TIME ZONE 'UTC')::date, at, at + interval '1 day', 'UTC'
      FROM site, generate_series(${end} - ${days} * interval '1 day', ${end} + interval '3 days',
                                 interval '1 day') AS at;
    SELECT count(charge_partitions(last - n, last - n))
      FROM generate_series(0, ${days}) AS n, LATERAL (SELECT (${end} AT TIME ZONE 'UTC')::date) AS d (last);
    INSERT INTO agreement (site_id, crawler_id, version, valid_from, recorded_at, actor, reason, status,
                           day_limit_micros, cadence, subscription, fee_micros, included_crawls,
                           minimum_fee_micros, minimum_invoice_micros, tax_treatment, tax_rate_ppm, due_days,
                           buyer, settlement)
    SELECT 1, n, 1, ${end} - ${days} * interval '1 day', now(), 'bench', 'bench', 'active', 1000000000000,
           'daily', false, 0, 0, 0, 0, 'none', 0, 30, '{}', '{}' FROM generate_series(1, ${agreements}) AS n;
    INSERT INTO agreement_price (agreement_id, position, rule, paths, price_micros)
    SELECT agreement_id, 1, NULL, ARRAY['/agreed/**'], 1000 FROM agreement`

// Entries from one number to before another of so many, in the order of time, and what the batches of 32
// that they came in say of them. Nobody has signed them.
const makeEntries = ({ entries, crawlers, sites, days, end }, from, to) => `
    CREATE TEMPORARY TABLE made ON COMMIT DROP AS
    SELECT n, 1 + n / ${crawlers} % ${sites} AS site_id, 1 + n % ${crawlers} AS crawler_id, ms,
           (lpad(to_hex(ms), 12, '0') || '7' || substr(hash, 1, 3) || '8' || substr(hash, 4, 15))::uuid AS id
      FROM (SELECT n, md5(n::text) AS hash,
                   instant_ms(${end}) - ${days} * 86400000::bigint
                   + n * (${days} * 86400000::bigint / ${entries}) AS ms
              FROM generate_series(${from}::bigint, ${to - 1}) AS n) AS numbered;
    INSERT INTO charge (payment_id, lane, site_id, crawler_id, amount_micros, rule, resource, recorded_at,
                        thumbprint, signature, signature_base)
    SELECT id, get_byte(uuid_send(id), 15), site_id, crawler_id, 50000, 'articles',
           'https://shop.example/articles/' || n % 10007 || '.html', instant(ms),
           sha256(int8send(crawler_id)), sha512(uuid_send(id)),
           convert_to(rpad(n || ' ', 369, 'signature base '), 'UTF8')
      FROM made ORDER BY id;
    INSERT INTO spend (writer_id, sequence, site_id, crawler_id, quarter, entries, amount_micros)
    SELECT md5('growth')::uuid, 1 + n / 32, site_id, crawler_id, ms / quarter_ms(), count(*), count(*) * 50000
      FROM made GROUP BY 2, 3, 4, 5`

function fill(ledger, point) {
    ledger.query(makeParties(point))
    for (let from = 0; from < point.entries; from += size.chunk)
        ledger.query(
            `BEGIN; ${makeEntries(point, from, Math.min(from + size.chunk, point.entries))}; COMMIT`
        )
    // Not what nights write: of a table that was seen empty PostgreSQL believes that it is.
    ledger.query('VACUUM ANALYZE charge, spend, crawler, site, day, agreement, agreement_price')
}

// Closes all days but the last with all its sites, and then this one, whose seconds come back.
async function nights({ ledger, config }, { days, entries, end }) {
    const words = ['--config', config, 'nightly', '--day']
    let seconds
    for (let back = days; back > 0; back--) {
        const date = ledger.query(`SELECT (${end} AT TIME ZONE 'UTC')::date - ${back}`)
        if (back === 1) ledger.query('VACUUM ANALYZE')
        const begun = performance.now()
        await run(path.join(build, 'crawltab'), [...words, date], { maxBuffer: 1 << 28 })
        seconds = (performance.now() - begun) / 1000
    }
    assert.equal(Number(ledger.query('SELECT sum(entries) FROM day_close')), entries)
    return seconds
}

// Milliseconds from the start of the process to the moment at which payments are taken.
async function startGate(t, scene) {
    const gate = new Gate(scene.config)
    t.after(() => gate.stop())
    const begun = performance.now()
    await gate.start()
    const ready = () => /event=ledger_ready/.test(gate.log) && /event=accounts_ready/.test(gate.log)
    await until(ready, 'the gate is ready', 5)
    return { gate, ms: performance.now() - begun }
}

async function starts(t, scene) {
    const took = []
    let found
    for (let i = 0; i < size.starts; i++) {
        const { gate, ms } = await startGate(t, scene)
        took.push(ms)
        const rounds = () => [...gate.log.matchAll(/event=accounts_read ms=(\d+)/g)].slice(1)
        await until(() => rounds().length >= size.reads, 'rounds of reading')
        found = { round_ms: bench.median(rounds().map(round => Number(round[1]))) }
        found.rss_mib = bench.memory(gate.process.pid)
        await gate.stop()
    }
    return { ...found, start_ms: bench.median(took) }
}

async function pay(t, scene) {
    scene.configure({ logLevel: 'info', log: { decisions: false } })
    const { gate } = await startGate(t, scene)
    const groups = { gate: [gate.process.pid], postgres: bench.postgres(scene.ledger) }
    const words = ['payments', `127.0.0.1:${gate.port}`, bench.site, size.payments, 64]
    const results = []
    for (let i = 0; i < size.rounds; i++) results.push(await bench.load(words, groups))
    await gate.stop()
    const of = member => bench.median(results.map(result => result[member]))
    return { per_second: of('per_second'), gate_us: of('gate_us'), postgres_us: of('postgres_us') }
}

// p99 in milliseconds of entries drawn at random; what each line asks for is there.
async function lookUps({ ledger, config }, { end }, line) {
    const sample = ledger.query(`SELECT ${line} FROM charge TABLESAMPLE SYSTEM_ROWS(${size.lookups})
        WHERE recorded_at < ${end} ORDER BY random() LIMIT ${size.lookups}`)
    assert.equal(sample.split('\n').length, size.lookups)
    const child = spawn(bench.program('lookup'), [config], { stdio: ['pipe', 'pipe', 'inherit'] })
    let out = ''
    child.stdout.on('data', data => (out += data))
    const ended = new Promise(resolve => child.on('exit', resolve))
    child.stdin.end(sample + '\n')
    assert.equal(await ended, 0)
    const { p50_us, p99_us } = JSON.parse(out)
    console.log(`  look-ups by ${line.split(' ')[0]}: p50 ${bench.ms(p50_us)} ms, p99 ${bench.ms(p99_us)} ms`)
    return p99_us / 1000
}

async function measure(point) {
    const cleanUps = []
    const t = { after: f => cleanUps.unshift(f) }
    try {
        const options = {
            insecureHosts: [`127.0.0.1:${bench.directoryPort}`],
            ledger: { refresh_seconds: 1 },
            nightly: { verify: 'none' }, // nobody has signed these entries
            sites: configuredSites(point),
            asUsed: !smoke,
            gate: false
        }
        const scene = await stage(t, options)
        const { ledger } = scene
        fill(ledger, point)
        const bytes = ledger.query(`SELECT sum(pg_total_relation_size(inhrelid)) FROM pg_inherits
                                     WHERE inhparent = 'charge'::regclass`)
        const found = { night_s: await nights(scene, point), bytes: Number(bytes) / point.entries }
        Object.assign(found, await starts(t, scene), await pay(t, scene))
        ledger.query('CREATE EXTENSION tsm_system_rows')
        found.id_ms = await lookUps(scene, point, 'payment_id')
        const about = "site_id || ' ' || instant_ms(uuid_instant(payment_id)) || ' ' || resource"
        found.url_ms = await lookUps(scene, point, about)
        assert.equal(ledger.count('charge'), point.entries + size.rounds * size.payments)
        return found
    } finally {
        for (const cleanUp of cleanUps) await cleanUp()
    }
}

// The slope of least squares through the logarithms: y grows as x to this.
function exponent(xs, ys) {
    const points = xs.map((x, i) => [Math.log(x), Math.log(Math.max(ys[i], 0.001))])
    const mean = axis => points.reduce((sum, point) => sum + point[axis], 0) / points.length
    const [x, y] = [mean(0), mean(1)]
    const sum = f => points.reduce((total, point) => total + f(point), 0)
    return sum(p => (p[0] - x) * (p[1] - y)) / sum(p => (p[0] - x) ** 2)
}

const rows = []
for (const [name, steps] of asked.length ? asked : Object.keys(grows).map(key => [key])) {
    assert.ok(grows[name], `"${name}" is none of ${Object.keys(grows).join(', ')}`)
    const { with: also = () => ({}) } = grows[name]
    const xs = steps ? steps.split(',').map(Number) : grows[name].steps
    const found = []
    for (const x of xs) {
        console.log(`${name}: ${x.toLocaleString('en')}`)
        found.push(await measure({ ...small, ...also(x), [name]: x, end: endOfDays() }))
        const cells = columns.map(([member, , digits]) => found.at(-1)[member].toFixed(digits))
        rows.push([`${x.toLocaleString('en')} ${name}`, ...cells])
        console.log(`  ${columns.map(([, text], i) => `${text} ${cells[i]}`).join('; ')}`)
    }
    if (xs.length === 1) continue
    const slopes = columns.map(([member]) => exponent(xs, found.map(one => one[member])))
    assert.ok(slopes.every(Number.isFinite))
    rows.push([`**exponent of ${name}**`, ...slopes.map(slope => slope.toFixed(2))])
}
console.log(`\n${bench.heading(size.rounds, cores)}\n`)
console.log(bench.table(['', ...columns.map(column => column[1])], rows))
