// A ledger on a Citus cluster: a coordinator and two workers, each a private PostgreSQL. Where the server
// that PGBIN names, or the system's, has no Citus, `noCitus` says so, for the tests to be skipped.
import { execFileSync } from 'node:child_process'
import fs from 'node:fs'
import path from 'node:path'
import { Ledger } from './ledger.js'

const programs = process.env.PGBIN ?? '/usr/lib/postgresql/15/bin'

function find() {
    try {
        const shared = execFileSync(path.join(programs, 'pg_config'), ['--sharedir'], { encoding: 'utf8' })
        return fs.existsSync(path.join(shared.trim(), 'extension/citus.control'))
    } catch {
        return false
    }
}

export const noCitus = !find() && `Citus is not installed in ${programs} (PGBIN names another folder)`

const settings = {
    shared_preload_libraries: 'citus',
    max_prepared_transactions: 100,
    // As the operator's page says: connections that stay, and who ends what was cut off soon.
    'citus.max_cached_conns_per_worker': 16,
    'citus.recover_2pc_interval': '1s',
    'citus.node_conninfo': 'sslmode=disable'
}

class Server extends Ledger {
    start() {
        super.start()
        if (this.set) return
        for (const [name, value] of Object.entries(settings).slice(0, 2)) this.alter(name, value)
        super.stop()
        super.start()
        for (const [name, value] of Object.entries(settings).slice(2)) this.alter(name, value)
        this.query('SELECT pg_reload_conf()', 'postgres', 'postgres')
        this.set = true
    }
    alter(name, value) {
        this.query(`ALTER SYSTEM SET ${name} = '${value}'`, 'postgres', 'postgres')
    }
    // All its processes at once, as when the machine goes.
    kill() {
        const [main] = fs.readFileSync(path.join(this.sockets, 'data/postmaster.pid'), 'utf8').split('\n')
        const children = fs.readFileSync(`/proc/${main}/task/${main}/children`, 'utf8').trim().split(' ')
        process.kill(Number(main), 'SIGKILL')
        for (const child of children) {
            try {
                process.kill(Number(child), 'SIGKILL')
            } catch {
                // It has ended by itself.
            }
        }
        this.leave()
    }
}

export class Cluster extends Server {
    // `like` is of one server: what Citus needs is not in it.
    constructor(folder, { like: _, ...options } = {}) {
        super(folder, options)
        this.workers = [1, 2].map(number => new Server(path.join(folder, `w${number}`), options))
    }
    start() {
        for (const worker of this.workers) worker.start()
        super.start()
    }
    stop() {
        super.stop()
        for (const worker of this.workers) worker.stop()
    }
    leave() {
        super.leave()
        for (const worker of this.workers) worker.leave()
    }
    // Citus looks at all databases of its servers.
    putAside() {
        this.administer('DROP DATABASE IF EXISTS crawltab WITH (FORCE)')
    }
    // On each server. Citus keeps a process in each database that it has seen, which comes back in seconds
    // and looks at those of other servers: the coordinator's goes first, and where one came between it is
    // tried again. What `migrate --citus` sets for a database is not copied with it.
    administer(sql) {
        const end = `SELECT count(pg_terminate_backend(pid, 5000)) FROM pg_stat_activity
                      WHERE datname IN ('original', 'crawltab')`
        for (const server of [this, ...this.workers]) server.query(end, 'postgres', 'postgres')
        for (const server of [this, ...this.workers])
            for (let tries = 1; ; tries++)
                try {
                    server.query(`${end}; ${sql}`, 'postgres', 'postgres')
                    break
                } catch (error) {
                    if (tries === 5 || !/being accessed/.test(error.message)) throw error
                }
        if (sql.startsWith('CREATE'))
            this.query(
                'ALTER DATABASE crawltab SET citus.enable_unsafe_triggers = on',
                'postgres',
                'postgres'
            )
    }
    spread(crawltab) {
        this.join()
        crawltab('migrate', '--citus')
    }
    // What an operator does before `crawltab migrate --citus`.
    join() {
        for (const worker of this.workers) {
            worker.query('CREATE DATABASE crawltab', 'postgres', 'postgres')
            worker.query('CREATE EXTENSION citus')
        }
        this.query('CREATE EXTENSION citus')
        this.query(`SELECT citus_set_coordinator_host('${this.sockets}', 5432)`)
        for (const worker of this.workers) this.query(`SELECT citus_add_node('${worker.sockets}', 5432)`)
    }
}
