// make bench-migrations: for how long each migration keeps entries out, on a ledger of 10 million of them, or
// what the command line says, in 30 days: from version 17 to today's. One session asks for the locks that an
// entry needs, over and over; its longest wait while a migration ran is that migration's.
import { execFileSync, spawn } from 'node:child_process'
import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { Ledger, build, root, workFolder } from '../e2e/ledger.js'

const entries = Number(process.argv[2] ?? 10_000_000)
const days = 30
const day = 86_400_000
const oldest = 16
const fromMs = (Math.floor(Date.now() / day) - days) * day

const folder = workFolder()
const ledger = new Ledger(folder, { asUsed: true })
const config = path.join(folder, 'config.yaml')
const site = { name: 'bench', hosts: ['bench.example'], root: '.', network: 'bench:402' }
fs.writeFileSync(
    config,
    JSON.stringify({
        ledger: { connection: `host=${ledger.sockets} dbname=crawltab` },
        sites: [{ ...site, terms_url: 'https://bench.example/' }]
    })
)

const files = (room, pattern) =>
    fs
        .readdirSync(path.join(root, 'sql', room))
        .filter(name => pattern.test(name))
        .sort()
        .map(name => path.join(root, 'sql', room, name))
const names = `SELECT ${['owner', 'gate', 'operator', 'auditor']
    .map(role => `set_config('crawltab.${role}_role', 'crawltab_${role}', false)`)
    .join(', ')};`
const run = (role, database, words) =>
    execFileSync('psql', [
        ...['-X', '-q', '-At', '-h', ledger.sockets, '-U', role, '-d', database, '-v', 'ON_ERROR_STOP=1'],
        ...words
    ])

// The ledger as it was with its first migrations.
function make() {
    run('postgres', 'postgres', ['-c', names, '-f', path.join(root, 'sql/roles.sql')])
    run('postgres', 'postgres', ['-c', 'CREATE DATABASE crawltab OWNER crawltab_owner'])
    const table = fs.readFileSync(path.join(root, 'sql/statements/pg/schema/schema_table_create.sql'), 'utf8')
    const first = files('migrations', /^\d/).slice(0, oldest)
    const applied = first.map(
        (file, i) => `INSERT INTO schema_version VALUES (${i + 1}, '${path.basename(file, '.sql')}', now());`
    )
    const scripts = first.flatMap(file => ['-f', file])
    run('crawltab_owner', 'crawltab', ['-c', names, '-c', table, ...scripts, '-c', applied.join('')])
}

// Entries in the order of time, with bases as long as signers make them.
function fill() {
    const last = new Date(fromMs + (days + 2) * day).toISOString().slice(0, 10)
    ledger.own(`SELECT charge_partitions('${new Date(fromMs).toISOString().slice(0, 10)}', '${last}');
        INSERT INTO crawler (agent, first_seen_at)
        SELECT 'https://crawler-' || n || '.example', instant(0) FROM generate_series(1, 1000) n;
        INSERT INTO site (name, currency, currency_decimals, time_zone, network, seller, registered_at)
        VALUES ('bench', 'USD', 2, 'UTC', 'bench:402', 'Bench', instant(0))`)
    const batch = 100_000
    for (let from = 0; from < entries; from += batch)
        ledger.own(`INSERT INTO charge (payment_id, lane, site_id, crawler_id, amount_micros, rule, resource,
                                        recorded_at, thumbprint, signature, signature_base)
            SELECT id, get_byte(uuid_send(id), 15), 1, 1 + n % 1000, 2500, 'rule ' || n % 3,
                   'https://bench.example/articles/' || n, instant(ms), sha256(n::text::bytea),
                   sha512(n::text::bytea), convert_to(rpad(n::text, 400, 'signature base '), 'UTF8')
              FROM (SELECT n, ms, (lpad(to_hex(ms), 12, '0') || '7' || substr(md5(n::text), 1, 3) || '8'
                                   || substr(md5(n::text), 4, 15))::uuid AS id
                      FROM (SELECT n, ${fromMs}::bigint + n * ${days * day}::bigint / ${entries} AS ms
                              FROM generate_series(${from}, ${Math.min(from + batch, entries) - 1}) n) a) b`)
    ledger.query('VACUUM ANALYZE charge')
}

// As gates do: an entry in one transaction, and what has to be there before it in others.
const needs = ['site', 'day', 'crawler', 'crawler_key, directory_snapshot', 'charge, spend']
    .map(tables => `BEGIN; LOCK TABLE ${tables} IN ROW EXCLUSIVE MODE; COMMIT;\n`)
    .join('')

// Asks for what an entry needs, again and again; what it gives back tells the longest wait since then.
function probe() {
    const words = ['-X', '-q', '-At', '-h', ledger.sockets, '-U', 'postgres', '-d', 'crawltab']
    const child = spawn('psql', words, { stdio: ['pipe', 'pipe', 'inherit'] })
    let asked = performance.now()
    let longest = 0
    const ask = () => {
        asked = performance.now()
        child.stdin.write(`${needs}\\echo done\n`)
    }
    child.stdout.on('data', () => {
        longest = Math.max(longest, performance.now() - asked)
        setTimeout(ask, 2)
    })
    ask()
    return {
        longest() {
            const wait = Math.max(longest, performance.now() - asked)
            longest = 0
            return wait
        },
        end: () => child.kill()
    }
}

const rows = []
try {
    ledger.start()
    make()
    fill()
    const size = ledger.query(`SELECT pg_size_pretty(pg_database_size('crawltab'))`)
    console.log(`${entries.toLocaleString('en')} entries, ${size}`)
    const watch = probe()
    await new Promise(resolve => setTimeout(resolve, 3000))
    const idle = watch.longest()
    const child = spawn(path.join(build, 'crawltab'), ['--config', config, 'migrate'], {
        stdio: ['ignore', 'pipe', 'inherit']
    })
    let begun = performance.now()
    child.stdout.on('data', data => {
        const applied = /applied migration (\S+)/.exec(data)
        if (!applied) return
        rows.push([applied[1], (performance.now() - begun).toFixed(0), watch.longest().toFixed(0)])
        console.log(`| ${rows.at(-1).join(' | ')} |`)
        begun = performance.now()
    })
    const status = await new Promise(resolve => child.on('close', resolve))
    watch.end()
    if (status !== 0) throw new Error(`crawltab migrate ended with ${status}`)
    const found = ledger.count('charge')
    if (found !== entries) throw new Error(`${found} of ${entries} entries are there`)
    const longest = Math.max(...rows.map(row => row[2]))
    console.log(
        `\n${new Date().toISOString().slice(0, 10)}, ${os.cpus()[0].model}: ` +
            `the longest wait for an entry was ${longest} ms (without a migration ${idle.toFixed(0)} ms); ` +
            `wanted are 1,000: ${longest <= 1000 ? 'met' : 'missed'}`
    )
    if (longest > 1000) process.exitCode = 1
} finally {
    ledger.stop()
    fs.rmSync(folder, { recursive: true, force: true })
}
