// What invoices must say, computed from the exported entries, the agreements and the adjustments alone: an
// independent second opinion on the night. Whole numbers only, BigInt throughout.

const floorTo = (value, unit) => value - (((value % unit) + unit) % unit)

// "2026-03-01" and the next: local dates of the site's days, in order.
const endsPeriod = (cadence, date, next) => {
    if (cadence === 'daily') return true
    if (cadence === 'monthly') return date.slice(0, 7) !== next.slice(0, 7)
    const week = text => Math.floor((Date.parse(text) / 86400000 + 3) / 7) // Monday to Sunday
    return week(date) !== week(next)
}

const none = {
    cadence: 'daily',
    fee: 0n,
    minimumFee: 0n,
    minimumInvoice: 0n,
    included: 0n,
    subscription: false,
    tiers: [],
    taxPpm: 0n
}

// What is taken off the nth crawl of a period (from 1) at this price.
function discount(terms, nth, price) {
    if (terms.subscription || nth <= terms.included) return price
    let ppm = 0n
    for (const tier of terms.tiers) if (nth - terms.included >= tier.from) ppm = tier.ppm
    return (price * ppm) / 1000000n
}

class Account {
    constructor(minor) {
        this.minor = minor
        this.carried = 0n
        this.crawls = 0n
        this.period = 0n
        this.lines = 0n // what the lines of the next invoice come to so far
        this.open = [] // payment ids that stand on no invoice yet
        this.invoiceOf = new Map() // payment id → invoice
        this.started = false
    }
    credit(adjustments, date, out) {
        const groups = new Map()
        for (const adjustment of adjustments) {
            const invoice = adjustment.invoice ?? this.invoiceOf.get(adjustment.paymentId)
            this.carried -= adjustment.amount
            this.lines -= adjustment.amount
            if (!invoice) continue
            groups.set(invoice, (groups.get(invoice) ?? 0n) + adjustment.amount)
            invoice.taken += adjustment.amount
            if (adjustment.voids) invoice.void = true
        }
        for (const [invoice, taken] of groups) {
            const left = invoice.net - invoice.credited
            // The last of an invoice takes all that is left of it.
            const whole = invoice.void || invoice.taken >= invoice.subtotal
            const net = whole ? left : floorTo(taken < left ? taken : left, this.minor)
            if (net <= 0n) continue
            this.lines += taken
            const tax = value => ((value / this.minor) * invoice.taxPpm + 500000n) / 1000000n
            out.push({ kind: 'credit-note', date, corrects: invoice, net, tax: tax(left) - tax(left - net) })
            invoice.credited += net
            this.carried += net
        }
    }
    close(day, entries, adjustments, terms, out) {
        for (const entry of entries) {
            this.crawls++
            const due = entry.amount - discount(terms, this.crawls, entry.amount)
            this.period += due
            this.carried += due
            this.lines += due
            this.open.push(entry.id)
        }
        this.credit(adjustments, day.date, out)
        if (entries.length > 0) this.inPeriod = true
        if (!endsPeriod(terms.cadence, day.date, day.next)) return
        let due = terms.fee
        if (this.period + due < terms.minimumFee) due = terms.minimumFee - this.period
        this.carried += due
        this.lines += due
        this.crawls = 0n
        this.period = 0n
        const net = floorTo(this.carried, this.minor)
        if (this.lines <= 0n || net < this.minor || this.carried < terms.minimumInvoice) return
        const tax = ((net / this.minor) * terms.taxPpm + 500000n) / 1000000n
        const invoice = { kind: 'invoice', date: day.date, net, tax, taxPpm: terms.taxPpm, credited: 0n }
        Object.assign(invoice, { subtotal: this.lines, taken: 0n, void: false })
        this.lines = 0n
        this.carried -= net
        for (const id of this.open) this.invoiceOf.set(id, invoice)
        this.open = []
        out.push(invoice)
    }
}

// One site's invoices and credit notes, per crawler in the order in which they are made.
//   days         [{date, next, endsAt}]: closed days in order, endsAt in ms
//   entries      [{id, at, crawler, amount}] in the order of their ids, at in ms
//   agreements   [{crawler, validFrom, terms}] in the order of versions
//   adjustments  [{crawler, at, paymentId, amount}] or {crawler, at, voids: {date}, amount}
export function bill({ minor, days, entries, agreements, adjustments }) {
    const accounts = new Map()
    const documents = new Map()
    let entry = 0
    for (const day of days) {
        const today = new Map()
        for (; entry < entries.length && entries[entry].at < day.endsAt; entry++) {
            const { crawler } = entries[entry]
            if (!today.has(crawler)) today.set(crawler, [])
            today.get(crawler).push(entries[entry])
        }
        const fresh = adjustments.filter(a => a.at < day.endsAt && !a.done)
        for (const a of fresh) a.done = true
        const crawlers = new Set([...accounts.keys(), ...today.keys(), ...agreements.map(a => a.crawler)])
        for (const crawler of crawlers) {
            const terms = agreements
                .filter(a => a.crawler === crawler && a.validFrom < day.endsAt)
                .reduce((_, a) => a.terms, none)
            if (!accounts.has(crawler)) accounts.set(crawler, new Account(minor))
            if (!documents.has(crawler)) documents.set(crawler, [])
            const mine = fresh.filter(a => a.crawler === crawler)
            for (const a of mine)
                if (a.voids)
                    a.invoice = documents.get(crawler).find(d => d.kind === 'invoice' && d.date === a.voids)
            accounts.get(crawler).close(day, today.get(crawler) ?? [], mine, terms, documents.get(crawler))
        }
    }
    return { documents, accounts }
}
