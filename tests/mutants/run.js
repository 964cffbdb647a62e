// Makes one small mistake at a time in a copy of the checkout and runs the suite that should notice. What
// stays unnoticed is printed: a test is missing there, or the line does not matter.
//
//   node tests/mutants/run.js [--check] [WORD...]    only mistakes whose file or suite contains a word
//
// --check only looks whether each mistake of the list can still be made. Lists are tests/mutants/*.list:
//
//   @ ledger/proof/merkle.c            the file, and the suites that should notice, as test.sh takes
//   = unit/proof                       them; both hold until the next of their kind
//   - return left + right;             a line of the file, as it stands there but for its indentation
//   + return left - right;             what is put in its place
//   ? why nobody can notice            after a pair: a mistake that is known to survive, and why
import { execFile } from 'node:child_process'
import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { fileURLToPath } from 'node:url'

const folder = path.dirname(fileURLToPath(import.meta.url))
const root = path.resolve(folder, '../..')
const limitMs = 300_000

function readList(name) {
    const mutants = []
    let file, suites
    fs.readFileSync(path.join(folder, name), 'utf8')
        .split('\n')
        .forEach((line, i) => {
            const [kind, text] = [line[0], line.slice(2)]
            const at = `${name}:${i + 1}`
            if (kind === '@') file = text
            else if (kind === '=') suites = text.split(' ')
            else if (kind === '-') mutants.push({ at, file, suites, before: text })
            else if (kind === '+') mutants.at(-1).after = text
            else if (kind === '?') mutants.at(-1).excuse = text
            else if (line !== '' && kind !== '#') throw new Error(`${at}: no line of a list: ${line}`)
        })
    return mutants
}

// The file with the mistake in it; the line must stand there once.
function mutate(text, { at, file, before, after }) {
    const lines = text.split('\n')
    const places = lines.flatMap((line, i) => (line.trim() === before.trim() ? [i] : []))
    if (after === undefined || after.trim() === before.trim()) throw new Error(`${at}: nothing is changed`)
    if (places.length !== 1) throw new Error(`${at}: ${places.length} lines of ${file} are: ${before}`)
    lines[places[0]] = lines[places[0]].replace(before.trim(), () => after.trim())
    return lines.join('\n')
}

const call = (program, words, options) =>
    new Promise(resolve =>
        execFile(program, words, { ...options, maxBuffer: 1e9 }, (error, out) => resolve({ error, out }))
    )

// A copy with what git knows and what was built, in which a worker makes its mistakes.
async function copyOf(number) {
    const place = path.join(root, 'build-mutants', String(number))
    fs.mkdirSync(place, { recursive: true })
    const words = ['ls-files', '--cached', '--others', '--exclude-standard']
    const listed = (await call('git', words, { cwd: root })).out.trim().split('\n')
    for (const name of [...listed, 'build', 'tests/e2e/node_modules']) {
        if (!fs.existsSync(path.join(root, name))) continue
        fs.mkdirSync(path.dirname(path.join(place, name)), { recursive: true })
        fs.rmSync(path.join(place, name), { recursive: true, force: true })
        await call('cp', ['-a', path.join(root, name), path.join(place, name)])
    }
    return place
}

// What has to be built for the suites: one program for those in C, and the programs that they start.
function targets(suites) {
    const programs = suites.map(suite => (/^(unit|pg)\//.test(suite) ? `build/tests/${suite}_test` : 'all'))
    return suites.some(suite => suite.startsWith('pg/')) ? [...programs, 'build/crawltab'] : programs
}

// killed, survived, or refused by the compiler, which is no mistake that people could make.
async function judge(place, mutant) {
    const file = path.join(place, mutant.file)
    const text = fs.readFileSync(file, 'utf8')
    const options = { cwd: place, timeout: limitMs, env: { ...process.env, BUILD: 'build' } }
    try {
        fs.writeFileSync(file, mutate(text, mutant))
        if ((await call('make', ['-s', ...targets(mutant.suites)], options)).error) return 'refused'
        return (await call('tools/dev/test.sh', mutant.suites, options)).error ? 'killed' : 'survived'
    } finally {
        fs.writeFileSync(file, text)
    }
}

async function run(mutants) {
    const count = { killed: 0, survived: 0, refused: 0, known: 0 }
    const queue = [...mutants]
    const work = async number => {
        const place = await copyOf(number)
        for (let mutant; (mutant = queue.shift()); ) {
            const verdict = await judge(place, mutant)
            const known = verdict === 'survived' && mutant.excuse
            count[known ? 'known' : verdict]++
            if (verdict === 'killed') continue
            console.log(`${mutant.at}: ${verdict}${known ? `, as is known: ${mutant.excuse}` : ''}`)
            console.log(`    ${mutant.file}\n  - ${mutant.before}\n  + ${mutant.after}`)
        }
    }
    await Promise.all(Array.from({ length: Math.min(2, os.availableParallelism()) }, (_, i) => work(i)))
    console.log(
        `${count.killed} of ${mutants.length} killed, ${count.survived} survived, ` +
            `${count.known} are known to survive, ${count.refused} do not compile`
    )
    return count.survived + count.refused === 0
}

const words = process.argv.slice(2).filter(word => word !== '--check')
const all = fs
    .readdirSync(folder)
    .filter(name => name.endsWith('.list'))
    .flatMap(readList)
for (const mutant of all) mutate(fs.readFileSync(path.join(root, mutant.file), 'utf8'), mutant)
const chosen = all.filter(({ file, suites }) =>
    words.every(word => file.includes(word) || suites.join(' ').includes(word))
)
if (process.argv.includes('--check')) console.log(`${all.length} mistakes can be made`)
else process.exit((await run(chosen)) ? 0 : 1)
