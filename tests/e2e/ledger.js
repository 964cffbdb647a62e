// A private PostgreSQL with the ledger's database in it. A new server costs more than most tests: those of a
// file, which come one after another, have one, and each finds a new database in it.
import { execFileSync } from 'node:child_process'
import crypto from 'node:crypto'
import fs from 'node:fs'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { Psql } from './psql.js'

export const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '../..')
export const build = path.resolve(root, process.env.BUILD ?? 'build')

// A folder below var/, short because unix sockets live in it.
export function workFolder() {
    fs.mkdirSync(path.join(root, 'var'), { recursive: true })
    return fs.mkdtempSync(path.join(root, 'var', 'e2e-'))
}

// The name of what is kept for the files that come after: a server with the database that this build makes
// today, for a new ledger has partitions for the days ahead.
const kept = () => {
    const program = crypto.createHash('sha256').update(fs.readFileSync(path.join(build, 'crawltab')))
    return `${new Date().toISOString().slice(0, 10)}-${program.digest('hex').slice(0, 16)}`
}

export class Ledger {
    // `like`: the name of a kept server to begin with. `asUsed`: with the settings that PostgreSQL has of its
    // own, not those that make tests start fast.
    constructor(folder, { asUsed = false, like } = {}) {
        this.folder = folder
        this.sockets = path.join(folder, 'pg')
        this.sessions = new Map() // of psql, by role and database
        this.how = asUsed ? [] : ['--fast', ...(like ? ['--like', like] : [])]
    }
    server(...words) {
        execFileSync(path.join(root, 'tools/dev/postgres.sh'), [...words, this.sockets], { stdio: 'pipe' })
    }
    start() {
        this.server('start', ...this.how)
    }
    stop() {
        this.leave()
        this.server('stop')
    }
    // As a superuser. Rows of facts that it adds are named by the audit: they are added by own().
    query(sql, role = 'postgres', database = 'crawltab') {
        const name = `${role} ${database}`
        const kept = this.sessions.get(name)
        const session = kept ?? new Psql(this.sockets, role, database)
        this.sessions.delete(name)
        try {
            const out = session.query(sql)
            this.sessions.set(name, session)
            return out
        } catch (error) {
            session.close()
            // The server has been another one meanwhile.
            if (!kept || !/connection/.test(error.message)) throw error
        }
        return this.query(sql, role, database)
    }
    // Ends what it asks by: nobody else could rename or remove the database, or stop the server.
    leave() {
        for (const session of this.sessions.values()) session.close()
        this.sessions.clear()
    }
    own(sql) {
        return this.query(sql, 'crawltab_owner')
    }
    count(table) {
        return Number(this.query(`SELECT count(*) FROM ${table}`))
    }
    // What is said about databases, of which nobody may be using the original.
    administer(sql) {
        this.query(sql, 'postgres', 'postgres')
    }
    // A database of no more use goes with the server: to remove it costs nearly as much as to make it.
    putAside(number) {
        this.administer(`SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity
                          WHERE datname = 'crawltab';
                         ALTER DATABASE crawltab RENAME TO left${number}`)
    }
    // What it takes, once its database has been migrated, to be one of its kind. `crawltab` runs a command.
    spread(_crawltab) {}
}

// What a test that changes the server itself would leave to the next: other databases, roles, their rights,
// settings, slots.
const traits = ledger =>
    ledger.query(
        `SELECT (SELECT string_agg(datname, ',' ORDER BY 1) FROM pg_database
                  WHERE datname <> 'crawltab' AND datname NOT LIKE 'left%'),
                (SELECT string_agg(a::text, ',' ORDER BY oid) FROM pg_authid a),
                (SELECT string_agg(m::text, ',' ORDER BY m::text) FROM pg_auth_members m),
                (SELECT string_agg(s::text, ',' ORDER BY s::text) FROM pg_db_role_setting s),
                (SELECT count(*) FROM pg_replication_slots),
                (SELECT count(*) FROM pg_prepared_xacts),
                (SELECT string_agg(name || '=' || setting, ',' ORDER BY name) FROM pg_settings
                  WHERE source NOT IN ('session', 'client') AND context <> 'internal'),
                pg_read_file('postgresql.auto.conf'), pg_read_file('pg_hba.conf')`,
        'postgres',
        'postgres'
    )

const idle = []
let left = 0

function remove(ledger) {
    if (!fs.existsSync(ledger.folder)) return
    ledger.stop()
    fs.rmSync(ledger.folder, { recursive: true, force: true })
}

// A new server, whose database `original` has been migrated.
function make(Kind) {
    const folder = workFolder()
    const like = kept()
    const ledger = new Kind(folder, { like })
    // Whatever comes of it: it is ended with the program.
    process.on('exit', () => remove(ledger))
    const config = path.join(folder, 'config.yaml')
    const rules = [{ name: 'all', action: 'allow' }]
    const address = { hosts: ['any.example'], terms_url: 'https://any.example/terms' }
    const site = { name: 'any', ...address, root: folder, network: 'any:402', rules }
    const ledgerIs = { connection: `host=${ledger.sockets} dbname=crawltab` }
    fs.writeFileSync(config, JSON.stringify({ ledger: ledgerIs, sites: [site] }))
    ledger.start()
    const crawltab = (...words) =>
        execFileSync(path.join(build, 'crawltab'), ['--config', config, ...words], {
            encoding: 'utf8',
            stdio: 'pipe'
        })
    const told = crawltab('migrate', '--bootstrap', '--superuser', 'postgres')
    if (Kind === Ledger && !told.startsWith('nothing to do')) {
        // As the gate that runs for long finds them. To make them costs each start more than all else.
        ledger.query('SELECT charge_partitions(current_date - 1, current_date + 3)')
        ledger.stop()
        ledger.server('keep', like)
        ledger.start()
    }
    ledger.query('SELECT keep_traffic()')
    ledger.spread(crawltab)
    ledger.leave()
    ledger.administer('ALTER DATABASE crawltab RENAME TO original')
    ledger.traits = traits(ledger)
    return ledger
}

// A server with a new database, until it is given back. All that a file is lent are of one kind.
export function lend(Kind) {
    const ledger = idle.pop() ?? make(Kind)
    const copy = 'CREATE DATABASE crawltab OWNER crawltab_owner TEMPLATE original STRATEGY file_copy'
    ledger.administer(copy)
    return ledger
}

export function giveBack(ledger) {
    try {
        ledger.leave()
        ledger.putAside(++left)
        if (traits(ledger) === ledger.traits) {
            idle.push(ledger)
            return
        }
    } catch {
        // It does not answer, or keeps the database: it is of no more use.
    }
    remove(ledger)
}
