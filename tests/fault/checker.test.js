// The checker can fail: each broken history is told apart from the whole one, by what is wrong with it.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { deliveryProblems, keyOf, problems, spendProblems, sumProblems } from './checker.js'

const idOf = n => Buffer.alloc(48, n).toString('base64url')
const asked = { agent: 'https://a.example', url: 'https://shop.example/', amount: 2500 }
const attempt = (n, outcome, more) => ({ id: idOf(n), ...asked, outcome, ...more })
const entry = (n, more) => ({ id: keyOf(idOf(n)), ...asked, timestamp: 100 + n, ...more })

const history = () => [
    attempt(1, 'receipt', { timestamp: 101, charged: 2500 }),
    attempt(2, 'cut'),
    attempt(2, 'again'),
    attempt(2, 'receipt', { timestamp: 102, charged: 2500 }),
    attempt(3, 'refused'),
    attempt(4, 'cut'),
    attempt(4, 'refused')
]
const ledger = () => [entry(1), entry(2)]

function assertFound(found, pattern) {
    assert.equal(found.length, 1, found.join('\n'))
    assert.match(found[0], pattern)
}

test('a whole history has no problems, whether what was cut and then refused is there or not', () => {
    assert.deepEqual(problems(history(), ledger()), [])
    assert.deepEqual(problems(history(), [...ledger(), entry(4)]), [])
})
test('an entry that was lost', () => assertFound(problems(history(), [entry(1)]), /lost/))
test('an entry that is there twice', () =>
    assertFound(problems(history(), [...ledger(), entry(2)]), /doubled/))
test('an entry that nobody asked for', () =>
    assertFound(problems(history(), [...ledger(), entry(5)]), /nobody asked/))
test('an entry for a refusal', () =>
    assertFound(problems(history(), [...ledger(), entry(3)]), /refused, and yet in the ledger/))
test('a receipt with another timestamp than the entry', () =>
    assertFound(problems(history(), [entry(1), entry(2, { timestamp: 103 })]), /says 102, the entry 103/))
test('two receipts with two timestamps', () => {
    const twice = [...history(), attempt(1, 'receipt', { timestamp: 105 })]
    assertFound(problems(twice, ledger()), /says 105, the entry 101/)
})
test('a receipt for another amount than the entry', () => {
    const found = problems([attempt(1, 'receipt', { timestamp: 101, charged: 50000 })], [entry(1)])
    assertFound(found, /charges 50000, the entry 2500/)
})
for (const more of [{ agent: 'https://b.example' }, { url: 'https://shop.example/b' }, { amount: 50000 }])
    test(`an entry with another ${Object.keys(more)[0]}`, () => {
        const found = problems(
            history().filter(({ outcome }) => outcome !== 'receipt'),
            [entry(2, more)]
        )
        assert.ok(
            found.some(problem => /not what was asked for/.test(problem)),
            found.join('\n')
        )
    })
test('a payment that was given up undecided', () => {
    assertFound(problems([attempt(1, 'cut')], []), /undecided/)
    assertFound(problems([attempt(1, 'again')], [entry(1)]), /undecided/)
})
test('a request without an answer', () =>
    assertFound(problems([attempt(1, 'hung'), attempt(1, 'refused')], []), /not answered/))

test('entries and invoices that do not come to the same', () => {
    const billed = (invoiced, carried) => [{ agent: asked.agent, invoiced, carried }]
    assert.deepEqual(sumProblems(ledger(), billed(0, 5000)), [])
    assert.deepEqual(sumProblems([], []), [])
    assertFound(sumProblems(ledger(), billed(0, 4999)), /entries of 5000, billed 0 \+ carried 4999/)
    assertFound(sumProblems(ledger(), []), /never billed/)
    assertFound(sumProblems([], billed(10000, 0)), /entries of 0, billed 10000/)
})

test('a page that is charged and did not come, or came and is not charged', () => {
    const found = (entries, lost) => deliveryProblems(history(), entries, lost)
    assert.deepEqual(found(ledger(), []), [])
    assert.deepEqual(found([...ledger(), entry(4)], [entry(4).id]), [])
    assertFound(found([...ledger(), entry(4)], []), /charged, and the page never came whole/)
    assertFound(found(ledger(), [entry(2).id]), /taken back, and the page came whole/)
})

test('counters that a batch sent again has counted twice', () => {
    assert.deepEqual(spendProblems(ledger(), [{ agent: asked.agent, amount: 5000 }]), [])
    assertFound(spendProblems(ledger(), [{ agent: asked.agent, amount: 7500 }]), /counters: .* of 5000/)
})
