// A psql that stays, for questions that are asked and answered in one call: a new one for each costs more
// than what most questions ask. It is fed through one named pipe and read through another, and knows by a
// line of its own where an answer ends.
import { execFileSync, spawn } from 'node:child_process'
import fs from 'node:fs'
import path from 'node:path'

// Debian's psql is a script that looks for one of these, which takes longer than most questions.
const programs = ['18', '17', '16', '15'].map(version => `/usr/lib/postgresql/${version}/bin/psql`)
export const psql = programs.find(program => fs.existsSync(program)) ?? 'psql'

const end = '----- end of the answer -----\n'
const longest = 60_000 // bytes that a pipe takes, while psql waits until its own answer is read

let made = 0

export class Psql {
    constructor(sockets, role, database) {
        // Pipes of its own: one that is ending would read what is asked of the next.
        const file = name => path.join(sockets, `psql-${made}.${name}`)
        made++
        const files = ['in', 'out', 'err'].map(file)
        execFileSync('mkfifo', files.slice(0, 2))
        const words = ['-X', '-q', '-At', '-h', sockets, '-U', role, '-d', database, '-v', 'ON_ERROR_STOP=1']
        const opens = 'exec "$0" "${@:4}" <"$1" >"$2" 2>"$3"'
        this.process = spawn('bash', ['-c', opens, psql, ...files, ...words], { stdio: 'ignore' })
        this.process.unref()
        this.in = fs.openSync(files[0], 'w')
        this.out = fs.openSync(files[1], 'r')
        this.errors = files[2]
        this.buffer = Buffer.alloc(1 << 16)
    }
    // What it writes, without the last newline. Fails with what PostgreSQL says, and is of no more use then.
    query(sql) {
        const chunks = []
        let whole = ''
        try {
            if (sql.length > longest) throw new Error(`more than ${longest} characters`)
            fs.writeSync(this.in, `${sql}\n;DISCARD ALL;\n\\echo '${end.trimEnd()}'\n`)
            while (!whole.endsWith(end)) {
                const bytes = fs.readSync(this.out, this.buffer)
                if (bytes === 0) break
                chunks.push(Buffer.from(this.buffer.subarray(0, bytes)))
                whole = Buffer.concat(chunks.slice(-2)).toString()
            }
        } catch (error) {
            if (error.code !== 'EPIPE') throw error
        }
        const said = fs.readFileSync(this.errors, 'utf8')
        if (!whole.endsWith(end)) throw new Error(`psql: ${said || 'it ended'}`)
        return Buffer.concat(chunks).toString().slice(0, -end.length).trimEnd()
    }
    close() {
        fs.closeSync(this.in)
        fs.closeSync(this.out)
    }
}
