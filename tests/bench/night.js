// make bench-night: how long closing a day takes, with totals, invoices, tree, tiles and checkpoint, beside
// what PostgreSQL itself needs to sum the same entries up and to copy them out, in the same run. One thousand
// crawlers; 100 thousand, 1 and 10 million entries, or what the command line says. All share the cores.
import { execFileSync, spawn } from 'node:child_process'
import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { build, root } from '../e2e/support.js'

const words = process.argv.slice(2).filter(word => !word.startsWith('--'))
const sizes = words.length ? words.map(Number) : [100_000, 1_000_000, 10_000_000]
const crawlers = 1000
const batch = 100_000
const cores = os.availableParallelism?.() ?? os.cpus().length

fs.mkdirSync(path.join(root, 'var'), { recursive: true })
const folder = fs.mkdtempSync(path.join(root, 'var', 'night-'))
const sockets = path.join(folder, 'pg')
const config = path.join(folder, 'config.yaml')
const postgres = verb =>
    execFileSync(path.join(root, 'tools/dev/postgres.sh'), [verb, sockets], { stdio: 'pipe' })

// Two days before today, in UTC.
const start = Math.floor(Date.now() / 86_400_000 - 2) * 86_400_000
const date = new Date(start).toISOString().slice(0, 10)

const psql = (...extra) => ['-X', '-q', '-At', '-h', sockets, '-U', 'postgres', '-d', 'crawltab', ...extra]
const query = sql =>
    execFileSync('psql', psql('-v', 'ON_ERROR_STOP=1', '-c', sql), { encoding: 'utf8' }).trim()

// Seconds that a program takes, what it printed, and the most memory it had.
function timed(program, args, keep = false) {
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
                         FROM (SELECT n, ${start}::bigint + n * 86400000::bigint / ${count} AS ms
                                 FROM generate_series(${from}, ${Math.min(from + batch, count) - 1}) n) a
                      ) b`)
    query(`VACUUM ANALYZE charge`)
}

const rows = []
try {
    postgres('start')
    fs.writeFileSync(
        config,
        JSON.stringify({
            ledger: { connection: `host=${sockets} dbname=crawltab` },
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
    const crawltab = path.join(build, 'crawltab')
    const superuser = ['migrate', '--bootstrap', '--superuser', 'postgres']
    for (const size of sizes) {
        execFileSync(crawltab, ['--config', config, ...superuser])
        fill(prepare('bench'), size)
        const summed = 'SELECT crawler_id, count(*), sum(amount_micros) FROM charge GROUP BY crawler_id'
        const copied = 'COPY (SELECT * FROM charge) TO STDOUT'
        const group = await timed('psql', psql('-c', summed))
        const copy = await timed('psql', psql('-c', copied))
        const night = await timed(crawltab, ['--config', config, 'nightly', '--json', '--day', date], true)
        const check = await timed(crawltab, ['--config', config, 'checkpoint', 'check'], true)
        const day = JSON.parse(night.output.slice(night.output.indexOf('{'))).days[0]
        if (day.entries !== size) throw new Error(`${day.entries} of ${size} entries were closed`)
        const reference = group.seconds + copy.seconds
        rows.push(
            `| ${size.toLocaleString('en')} | ${day.invoices.length} | ${group.seconds.toFixed(1)} | ` +
                `${copy.seconds.toFixed(1)} | ${night.seconds.toFixed(1)} | ` +
                `${(night.seconds / reference).toFixed(2)} | ${night.peak.toFixed(0)} | ` +
                `${check.seconds.toFixed(1)} |`
        )
        console.log(rows.at(-1))
        execFileSync('psql', ['-X', '-q', '-h', sockets, '-U', 'postgres', '-c', 'DROP DATABASE crawltab'])
    }
    const commit = execFileSync('git', ['-C', root, 'rev-parse', '--short', 'HEAD'], {
        encoding: 'utf8'
    }).trim()
    console.log(
        `\n${new Date().toISOString().slice(0, 10)}, commit ${commit}, ${cores} cores, ` +
            `${os.cpus()[0].model}\n\n` +
            '| entries | invoices | GROUP BY s | COPY s | night s | night / both | its MiB | check s |\n' +
            '|---|---|---|---|---|---|---|---|\n' +
            rows.join('\n')
    )
} finally {
    postgres('stop')
    fs.rmSync(folder, { recursive: true, force: true })
}
