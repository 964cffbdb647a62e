// make bench-export: how fast `crawltab export` writes the entries of a closed day, with invoice, line and
// key in each row, beside PostgreSQL's own COPY of the same columns as CSV, and of the bare table, in the
// same run. Medians of five rounds in which each is measured in turn; a million entries, or what the command
// line says.
import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { command, crawltab, date, end, folder, make, psql, start, timed } from './day.js'
import { heading, median, table } from './measure.js'

const entries = Number(process.argv[2] ?? 1_000_000)
const rounds = 5
const next = new Date(Date.parse(date) + 86_400_000).toISOString().slice(0, 10)
const range = ['--from', date, '--to', next]

// The same joins and texts, without what it takes to find each entry's invoice.
const columns = `SELECT c.payment_id, instant_text(c.recorded_at), s.name, k.agent,
        encode(c.thumbprint, 'base64'), c.resource, c.rule, c.amount_micros / 1000000.0, s.currency,
        c.amount_micros, encode(c.signature, 'base64'), convert_from(c.signature_base, 'UTF8'),
        coalesce(a.version, 0), y.public_key
   FROM charge c JOIN site s USING (site_id) JOIN crawler k USING (crawler_id)
   LEFT JOIN crawler_key y USING (crawler_id, thumbprint) LEFT JOIN agreement a USING (agreement_id)
  ORDER BY c.payment_id`
const bare = 'COPY (SELECT * FROM charge) TO STDOUT (FORMAT csv)'
const exported = (...words) => [crawltab, command('export', ...range, ...words)]
const out = path.join(folder, 'out')
const ways = {
    'COPY of the same columns, CSV': ['psql', psql('-c', `COPY (${columns}) TO STDOUT (FORMAT csv)`)],
    'COPY of the bare table, CSV': ['psql', psql('-c', bare)],
    'export, CSV': exported(),
    'export, JSON lines': exported('--format', 'jsonl'),
    'export --out, with index and manifest': exported('--out', out),
    'export --out --zstd': exported('--out', `${out}.zst`, '--zstd'),
    'export --out --gzip': exported('--out', `${out}.gz`, '--gzip'),
    verify: [crawltab, ['verify', out]]
}

try {
    start()
    make(entries)
    await timed(crawltab, command('nightly', '--day', date))
    const taken = new Map(Object.keys(ways).map(name => [name, []]))
    for (let round = 0; round < rounds; round++)
        for (const [name, [program, words]] of Object.entries(ways))
            taken.get(name).push(await timed(program, words))
    const of = (name, member) => median(taken.get(name).map(one => one[member]))
    const rows = [...taken.keys()].map(name => [
        name,
        of(name, 'seconds').toFixed(2),
        Math.round(entries / of(name, 'seconds')),
        (of('COPY of the same columns, CSV', 'seconds') / of(name, 'seconds')).toFixed(2),
        (of('COPY of the bare table, CSV', 'seconds') / of(name, 'seconds')).toFixed(2),
        of(name, 'peak').toFixed(0)
    ])
    console.log(`${heading(rounds, os.availableParallelism?.() ?? os.cpus().length)}, ${entries} entries\n`)
    console.log(table(['what', 's', 'entries/s', 'of COPY', 'of COPY, bare', 'MiB'], rows))
    const sizes = ['', '.index', '.zst', '.zst.index', '.gz', '.gz.index'].map(
        suffix => `${suffix || 'CSV'}: ${Math.round(fs.statSync(out + suffix).size / entries)}`
    )
    console.log(`\nbytes of a row: ${sizes.join(', ')}`)
} finally {
    end()
}
