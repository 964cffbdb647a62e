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
    constructor(folder, options) {
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
