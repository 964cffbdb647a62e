// make bench-night: how long closing a day takes, with totals, invoices, tree, tiles and checkpoint, beside
// what PostgreSQL itself needs to sum the same entries up and to copy them out, in the same run. One thousand
// crawlers; 100 thousand, 1 and 10 million entries, or what the command line says. All share the cores.
import { execFileSync } from 'node:child_process'
import os from 'node:os'
import { root } from '../e2e/support.js'
import { command, crawltab, date, drop, end, make, psql, start, timed } from './day.js'

const words = process.argv.slice(2).filter(word => !word.startsWith('--'))
const sizes = words.length ? words.map(Number) : [100_000, 1_000_000, 10_000_000]
const cores = os.availableParallelism?.() ?? os.cpus().length

const rows = []
try {
    start()
    for (const size of sizes) {
        make(size)
        const summed = 'SELECT crawler_id, count(*), sum(amount_micros) FROM charge GROUP BY crawler_id'
        const copied = 'COPY (SELECT * FROM charge) TO STDOUT'
        const group = await timed('psql', psql('-c', summed))
        const copy = await timed('psql', psql('-c', copied))
        const night = await timed(crawltab, command('nightly', '--json', '--day', date), true)
        const check = await timed(crawltab, command('checkpoint', 'check'), true)
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
        drop()
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
    end()
}
