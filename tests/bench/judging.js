// make bench-night, its second part: how fast a night judges entries by what their crawlers signed, beside
// OpenSSL's own verification on as many cores in the same run. Each night closes a ledger of its own, of
// payments that a crawler has really made; the night without a look is taken off. --smoke makes a few.
import assert from 'node:assert/strict'
import { stage } from '../e2e/support.js'
import * as bench from './measure.js'

const smoke = process.argv.includes('--smoke')
const size = smoke ? { rounds: 1, payments: 300, seconds: 1 } : { rounds: 5, payments: 40_000, seconds: 3 }
const WANTED = 0.9
const cores = bench.useTwoCores()

// Seconds of a night that judges all, or none.
async function night(verify) {
    const cleanUps = []
    const t = { after: f => cleanUps.unshift(f) }
    try {
        const scene = await stage(t, {
            insecureHosts: [`127.0.0.1:${bench.directoryPort}`],
            log: { decisions: false },
            nightly: { verify },
            asUsed: !smoke,
            sites: bench.sites
        })
        const { gate, ledger } = scene
        await gate.ready()
        const paid = await bench.load(['payments', `127.0.0.1:${gate.port}`, bench.site, size.payments, 64])
        assert.equal(paid.good, size.payments)
        await gate.stop()
        ledger.query('VACUUM ANALYZE')
        const over = ledger.query(`SELECT ceil(extract(epoch FROM min(ends_at) - now())) + 3720 FROM day
                                    WHERE ends_at > (SELECT max(recorded_at) FROM charge)`)
        const begun = performance.now()
        await scene.crawltab(`--clock-offset=${over}`, 'nightly')
        const seconds = (performance.now() - begun) / 1000
        // Each was judged, and holds: what does not would not be billed.
        assert.equal(Number(ledger.query('SELECT sum(entries) FROM day_close')), size.payments)
        assert.equal(ledger.count('unproven'), 0)
        return seconds
    } finally {
        for (const cleanUp of cleanUps) await cleanUp()
    }
}

const found = { raw: [], all: [], none: [] }
for (let round = 0; round < size.rounds; round++) {
    found.raw.push((await bench.load(['ed25519', size.seconds, cores])).per_second)
    found.none.push(await night('none'))
    found.all.push(await night('all'))
}
const ratios = found.all.map((all, i) => size.payments / Math.max(all - found.none[i], 0.001) / found.raw[i])
const ratio = bench.median(ratios)
const verdict = ratio >= WANTED ? 'met' : 'missed'
console.log(`${bench.heading(size.rounds, cores)}, ${size.payments} entries\n`)
console.log(
    bench.table(
        ['what', 'median', 'wanted', ''],
        [
            ['Ed25519 verify, all cores, per second', bench.median(found.raw)],
            ['a night without a look, s', bench.median(found.none).toFixed(2)],
            ['a night that judges each entry, s', bench.median(found.all).toFixed(2)],
            ['judged per second, of Ed25519', ratio.toFixed(2), `≥ ${WANTED}`, verdict]
        ]
    )
)
