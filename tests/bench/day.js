// A ledger of one site with one day of many entries, for benchmarks of what is done with such a day. Ended by
// end(), whatever happens.
import { execFileSync, spawn } from 'node:child_process'
import fs from 'node:fs'
import path from 'node:path'
import { build, root } from '../e2e/support.js'

const crawlers = 1000
const batch = 100_000

fs.mkdirSync(path.join(root, 'var'), { recursive: true })
export const folder = fs.mkdtempSync(path.join(root, 'var', 'day-'))
const sockets = path.join(folder, 'pg')
const config = path.join(folder, 'config.yaml')
const postgres = verb =>
    execFileSync(path.join(root, 'tools/dev/postgres.sh'), [verb, sockets], { stdio: 'pipe' })

// Two days before today, in UTC.
const startMs = Math.floor(Date.now() / 86_400_000 - 2) * 86_400_000
export const date = new Date(startMs).toISOString().slice(0, 10)

const server = ['-X', '-q', '-At', '-h', sockets, '-U', 'postgres']
export const psql = (...extra) => [...server, '-d', 'crawltab', ...extra]
const query = sql =>
    execFileSync('psql', psql('-v', 'ON_ERROR_STOP=1', '-c', sql), { encoding: 'utf8' }).trim()

// Seconds that a program takes, what it printed, and the most memory it had.
export function timed(program, args, keep = false) {
    return new Promise((resolve, reject) => {
        const before = process.hrtime.bigint()
        let output = ''
        let peak = 0
        const child = spawn(program, args, { stdio: ['ignore', keep ? 'pipe' : 'ignore', 'pipe'] })
        const watch = setInterval(() => {
            try {
                const status = fs.readFileSync(`/proc/${child.pid}/status`, 'utf8')
                peak = Math.max(peak, Number(/VmHWM:\s+(\d+)/.exec(status)?.[1] ?? 0) / 1024)
            } catch {
                // It has ended.
            }
        }, 20)
        child.stdout?.on('data', data => (output += data))
        child.stderr.on('data', data => (output += data))
        child.on('close', code => {
            clearInterval(watch)
            const seconds = Number(process.hrtime.bigint() - before) / 1e9
            if (code === 0) resolve({ seconds, output, peak })
            else reject(new Error(`${program} ended with ${code}: ${output}`))
        })
    })
}

function prepare(name) {
    query(`SELECT charge_partitions('${date}', '${date}')`)
    query(`INSERT INTO crawler (agent, first_seen_at)
           SELECT 'https://crawler-' || n || '.example', instant(0) FROM generate_series(1, ${crawlers}) n
           ON CONFLICT DO NOTHING`)
    return query(`INSERT INTO site (name, currency, currency_decimals, time_zone, network, seller,
                                    registered_at)
                  VALUES ('${name}', 'USD', 2, 'UTC', 'bench:402', 'Bench', instant(0)) RETURNING site_id`)
}

// Entries in the order of time, as a gate writes them; a base of 400 bytes is what signers make today.
function fill(site, count) {
    query(`INSERT INTO day VALUES (${site}, '${date}', '${date} 00:00Z', '${date} 24:00Z', 'UTC')`)
    for (let from = 0; from < count; from += batch)
        query(`INSERT INTO charge (payment_id, lane, site_id, crawler_id, amount_micros, rule, resource,
                                   recorded_at, thumbprint, signature, signature_base)
               SELECT id, get_byte(uuid_send(id), 15), ${site}, 1 + n % ${crawlers},
                      CASE n % 3 WHEN 0 THEN 2500 WHEN 1 THEN 50000 ELSE 12345 END, 'rule ' || n % 3,
                      'https://gazette.example/articles/2026/' || n, instant(ms), sha256(n::text::bytea),
                      sha512(n::text::bytea), convert_to(rpad(n::text, 400, 'signature base '), 'UTF8')
                 FROM (SELECT n, ms, (lpad(to_hex(ms), 12, '0') || '7' || substr(md5(n::text), 1, 3) || '8'
                              || substr(md5(n::text), 4, 15))::uuid AS id
                         FROM (SELECT n, ${startMs}::bigint + n * 86400000::bigint / ${count} AS ms
                                 FROM generate_series(${from}, ${Math.min(from + batch, count) - 1}) n) a
                      ) b`)
    query(`VACUUM ANALYZE charge`)
}

export const crawltab = path.join(build, 'crawltab')
export const command = (...words) => ['--config', config, ...words]

export function start() {
    postgres('start')
    fs.writeFileSync(
        config,
        JSON.stringify({
            ledger: { connection: `host=${sockets} dbname=crawltab` },
            nightly: { verify: 'none' }, // nobody has signed these entries
            sites: [
                {
                    name: 'bench',
                    hosts: ['bench.example'],
                    root: '.',
                    network: 'bench:402',
                    terms_url: 'https://bench.example/'
                }
            ]
        })
    )
}

// A new database with a day of so many entries, two days ago.
export function make(count) {
    execFileSync(crawltab, command('migrate', '--bootstrap', '--superuser', 'postgres'))
    fill(prepare('bench'), count)
}

export function drop() {
    execFileSync('psql', [...server, '-c', 'DROP DATABASE crawltab'])
}

export function end() {
    postgres('stop')
    fs.rmSync(folder, { recursive: true, force: true })
}
