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
//
// A mistake in sql/functions/ROOM/NAME.sql is made where a new database takes the function from, too.
import { spawn } from 'node:child_process'
import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { fileURLToPath } from 'node:url'

const folder = path.dirname(fileURLToPath(import.meta.url))
const root = path.resolve(folder, '../..')
const limitMs = 240_000

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

// The text with the mistake in it; the line must stand there once.
function mutate(text, { at, file, before, after }) {
    const lines = text.split('\n')
    const places = lines.flatMap((line, i) => (line.trim() === before.trim() ? [i] : []))
    if (after === undefined || after.trim() === before.trim()) throw new Error(`${at}: nothing is changed`)
    if (places.length !== 1) throw new Error(`${at}: ${places.length} lines of ${file} are: ${before}`)
    lines[places[0]] = lines[places[0]].replace(before.trim(), () => after.trim())
    return lines.join('\n')
}

const texts = new Map()
function read(file) {
    if (!texts.has(file)) texts.set(file, fs.readFileSync(path.join(root, file), 'utf8'))
    return texts.get(file)
}

const sqlFiles = folder =>
    fs.readdirSync(path.join(root, 'sql', folder)).sort().map(file => `sql/${folder}/${file}`)

// Where a new database takes a function or view from: the newest migration that makes it, or else the
// baseline.
function source(name) {
    const baseline = Number(/SCHEMA_BASELINE (\d+)/.exec(read('ledger/pg/schema.h'))[1])
    const files = [...sqlFiles('baseline'), ...sqlFiles('migrations').slice(baseline)]
    const start = new RegExp(`^CREATE (OR REPLACE )?(FUNCTION ${name}\\(|VIEW ${name} )`, 'm')
    const end = new RegExp(`\nCOMMENT ON (FUNCTION|VIEW) ${name} `)
    const file = files.findLast(file => start.test(read(file)))
    if (!file) throw new Error(`no migration makes ${name}`)
    const from = start.exec(read(file)).index
    return { file, from, to: from + read(file).slice(from).search(end) }
}

// The files to write for a mistake, with their texts: [{file, text}].
function edits(mutant) {
    const own = { file: mutant.file, text: mutate(read(mutant.file), mutant) }
    const [, name] = /^sql\/(?:functions\/\w+|views)\/(\w+)\.sql$/.exec(mutant.file) ?? []
    if (!name) return [own]
    const { file, from, to } = source(name)
    const whole = read(file)
    const changed = mutate(whole.slice(from, to), { ...mutant, file })
    return [own, { file, text: whole.slice(0, from) + changed + whole.slice(to) }]
}

// Whether it succeeds in time; afterwards nothing that it started goes on.
const succeeds = (program, words, options) =>
    new Promise(resolve => {
        const child = spawn(program, words, { ...options, stdio: 'ignore', detached: true })
        const timer = setTimeout(() => process.kill(-child.pid, 'SIGKILL'), limitMs)
        child.on('close', code => {
            clearTimeout(timer)
            resolve(code === 0)
        })
    })

// A copy with what git knows and what was built, in which a worker makes its mistakes.
async function copyOf(number) {
    const place = path.join(root, 'build-mutants', String(number))
    const script = `git ls-files -z --cached --others --exclude-standard ':!tests/fuzz/corpus' |
        xargs -0 sh -c 'cp -a --parents "$@" "$0" 2>/dev/null' "$1"
        cp -a build "$1" || exit 1
        if [ -d tests/e2e/node_modules ]; then cp -a --parents tests/e2e/node_modules "$1"; fi`
    fs.rmSync(place, { recursive: true, force: true })
    fs.mkdirSync(place, { recursive: true })
    const made = await succeeds('sh', ['-c', script, 'sh', place], { cwd: root })
    if (!made) throw new Error(`no copy in ${place}`)
    return place
}

// What has to be built for the suites: one program for those in C, and the programs that they start.
function targets(suites) {
    const programs = suites.map(suite => (/^(unit|pg)\//.test(suite) ? `build/tests/${suite}_test` : 'all'))
    return suites.some(suite => suite.startsWith('pg/')) ? [...programs, 'build/crawltab'] : programs
}

const optionsIn = place => ({ cwd: place, env: { ...process.env, BUILD: 'build' } })
const builds = (place, suites) => succeeds('make', ['-s', ...targets(suites)], optionsIn(place))
const passes = (place, suites) => succeeds('tools/dev/test.sh', suites, optionsIn(place))

// killed, survived, or refused by the compiler, which is no mistake that people could make.
async function judge(place, mutant) {
    const changed = edits(mutant)
    try {
        for (const { file, text } of changed) fs.writeFileSync(path.join(place, file), text)
        if (!(await builds(place, mutant.suites))) return 'refused'
        for (const suite of mutant.suites) if (!(await passes(place, [suite]))) return 'killed'
        return 'survived'
    } finally {
        for (const { file } of changed) fs.writeFileSync(path.join(place, file), read(file))
    }
}

// A suite that fails by itself would pass for one that notices everything.
async function checkSuites(place, mutants) {
    for (const suite of new Set(mutants.flatMap(mutant => mutant.suites)))
        if (!(await builds(place, [suite])) || !(await passes(place, [suite])))
            throw new Error(`${suite} fails without a mistake`)
}

async function run(mutants) {
    const count = { killed: 0, survived: 0, refused: 0, known: 0 }
    const queue = [...mutants]
    await checkSuites(await copyOf(0), mutants)
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
all.forEach(edits)
const chosen = all.filter(({ file, suites }) =>
    words.every(word => file.includes(word) || suites.join(' ').includes(word))
)
if (process.argv.includes('--check')) console.log(`${all.length} mistakes can be made`)
else process.exit((await run(chosen)) ? 0 : 1)
