// Compares what clients saw with what the ledger holds, in the style of Jepsen's set test.
//
// A history is a list of attempts, in the order in which they ended, each
//     { id, agent, url, amount, outcome, status?, code?, timestamp?, charged? }
// `outcome` is 'receipt' (200 with a receipt), 'again' (503 with Retry-After), 'cut' (no whole answer came),
// 'refused' (any other answer), or 'hung' (no answer while the client's patience lasted). Every payment is
// tried until it is decided, by a receipt or a refusal.
import assert from 'node:assert/strict'

// The database's key of a payment id: its first 16 bytes.
export const keyOf = id => Buffer.from(id, 'base64url').subarray(0, 16).toString('hex')

function payments(history) {
    const found = new Map()
    for (const attempt of history) {
        const key = keyOf(attempt.id)
        if (!found.has(key)) found.set(key, [])
        found.get(key).push(attempt)
    }
    return found
}

const sameCharge = (attempt, entry) =>
    attempt.agent === entry.agent && attempt.url === entry.url && attempt.amount === entry.amount

function* paymentProblems(key, attempts, entries) {
    const receipts = attempts.filter(attempt => attempt.outcome === 'receipt')
    const last = attempts.at(-1)
    if (attempts.some(attempt => attempt.outcome === 'hung')) yield `${key}: a request was not answered`
    if (last.outcome === 'again' || last.outcome === 'cut') yield `${key}: was given up undecided`
    if (receipts.length > 0 && entries.length === 0) yield `${key}: lost: a receipt, and no entry`
    if (attempts.every(attempt => attempt.outcome === 'refused') && entries.length > 0)
        yield `${key}: refused, and yet in the ledger`
    for (const entry of entries) {
        if (!attempts.some(attempt => sameCharge(attempt, entry)))
            yield `${key}: the entry is not what was asked for: ${JSON.stringify(entry)}`
        for (const { timestamp } of receipts)
            if (timestamp !== entry.timestamp)
                yield `${key}: the receipt says ${timestamp}, the entry ${entry.timestamp}`
        for (const receipt of receipts) {
            if (!sameCharge(receipt, entry)) yield `${key}: a receipt for what the entry does not say`
            if (receipt.charged !== undefined && receipt.charged !== entry.amount)
                yield `${key}: the receipt charges ${receipt.charged}, the entry ${entry.amount}`
        }
    }
}

// What is wrong, as a list of sentences; empty if the ledger is what the clients may conclude. An entry is
// { id, agent, url, amount, timestamp }, its id as the 32 hexadecimal digits of the database's key.
export function problems(history, entries) {
    const found = []
    const byId = new Map()
    for (const entry of entries) {
        if (byId.has(entry.id)) found.push(`${entry.id}: doubled`)
        byId.set(entry.id, [...(byId.get(entry.id) ?? []), entry])
    }
    const asked = payments(history)
    for (const [key, attempts] of asked) found.push(...paymentProblems(key, attempts, byId.get(key) ?? []))
    for (const key of byId.keys()) if (!asked.has(key)) found.push(`${key}: nobody asked for this entry`)
    return found
}

// Who pays has the page, and who has the page pays: an entry that nobody takes back belongs to a payment that
// got its page, and one that is taken back (`undelivered`: keys) to one that did not.
export function deliveryProblems(history, entries, undelivered) {
    const found = []
    const had = new Set(history.filter(one => one.outcome === 'receipt').map(one => keyOf(one.id)))
    const lost = new Set(undelivered)
    for (const { id } of entries)
        if (!lost.has(id) && !had.has(id)) found.push(`${id}: charged, and the page never came whole`)
    for (const id of lost) if (had.has(id)) found.push(`${id}: taken back, and the page came whole`)
    return found
}

// P4: per crawler, what its entries come to = what it was billed + what is carried forward.
export function sumProblems(entries, billed) {
    const sums = new Map()
    for (const { agent, amount } of entries) sums.set(agent, (sums.get(agent) ?? 0) + amount)
    const found = []
    for (const { agent, invoiced, carried } of billed) {
        if (invoiced + carried !== (sums.get(agent) ?? 0))
            found.push(
                `${agent}: entries of ${sums.get(agent) ?? 0}, billed ${invoiced} + carried ${carried}`
            )
        sums.delete(agent)
    }
    for (const [agent, sum] of sums) found.push(`${agent}: entries of ${sum} were never billed`)
    return found
}

// What the credit limits are counted from must come to the entries too.
export function spendProblems(entries, spent) {
    const counted = spent.map(({ agent, amount }) => ({ agent, invoiced: amount, carried: 0 }))
    return sumProblems(entries, counted).map(problem => `counters: ${problem}`)
}

const rows = text => (text === '' ? [] : text.split('\n').map(line => line.split('|')))

export function readEntries(ledger) {
    const found = ledger.query(
        `SELECT replace(payment_id::text, '-', ''), agent, amount_micros, instant_ms(recorded_at) / 1000,
                resource
           FROM charge JOIN crawler USING (crawler_id)`
    )
    return rows(found).map(([id, agent, amount, timestamp, ...url]) => ({
        id,
        agent,
        amount: Number(amount),
        timestamp: Number(timestamp),
        url: url.join('|')
    }))
}

function readBilled(ledger) {
    const found = ledger.query(
        `SELECT agent, (SELECT coalesce(sum(net_micros), 0) FROM invoice i
                         WHERE i.crawler_id = c.crawler_id),
                (SELECT d.carried_out_micros FROM crawler_day d WHERE d.crawler_id = c.crawler_id
                  ORDER BY close_number DESC LIMIT 1)
           FROM crawler c WHERE EXISTS (SELECT FROM crawler_day d WHERE d.crawler_id = c.crawler_id)`
    )
    return rows(found).map(([agent, invoiced, carried]) => ({
        agent,
        invoiced: Number(invoiced),
        carried: Number(carried)
    }))
}

const readUndelivered = ledger =>
    rows(ledger.query(`SELECT replace(payment_id::text, '-', '') FROM undelivered`)).flat()

function readSpent(ledger) {
    const found = ledger.query(
        'SELECT agent, sum(amount_micros) FROM spend JOIN crawler USING (crawler_id) GROUP BY agent'
    )
    return rows(found).map(([agent, amount]) => ({ agent, amount: Number(amount) }))
}

function assertNone(found, what) {
    assert.equal(found.length, 0, `${what}: ${found.length} problems\n${found.slice(0, 20).join('\n')}`)
}

// The history against the ledger, and then the night: every day of the entries is closed and billed.
// `close: false` where the clock of the gate is such that its day is not over. `delivery`: each payment was
// tried until its page came whole, or could not any more. Gives back figures.
export async function check(world, history, { close = true, delivery = false } = {}) {
    const entries = readEntries(world.ledger)
    const undelivered = readUndelivered(world.ledger)
    const billable = entries.filter(entry => !undelivered.includes(entry.id))
    assertNone(problems(history, entries), 'the ledger against the history')
    assertNone(spendProblems(billable, readSpent(world.ledger)), 'the counters against the entries')
    if (delivery) assertNone(deliveryProblems(history, entries, undelivered), 'what came against the entries')
    if (close) {
        await world.crawltab('nightly')
        assertNone(sumProblems(billable, readBilled(world.ledger)), 'the invoices against the entries')
    }
    const count = outcome => history.filter(attempt => attempt.outcome === outcome).length
    return {
        entries: entries.length,
        undelivered: undelivered.length,
        attempts: history.length,
        again: count('again'),
        cut: count('cut'),
        refused: count('refused')
    }
}
