// What the pages for readers say: their examples run, what they name is there. Tests README.md and tools/doc.
import assert from 'node:assert/strict'
import { execFile, execFileSync } from 'node:child_process'
import { createPrivateKey } from 'node:crypto'
import fs from 'node:fs'
import http from 'node:http'
import os from 'node:os'
import path from 'node:path'
import { test } from 'node:test'
import { promisify } from 'node:util'
import { build, freePort, root, stage } from '../support.js'
import { makeKey, scene, withWebBotAuth } from '../signers.js'

const run = promisify(execFile)
const folder = path.join(root, 'tools/doc')
const pages = [
    path.join(root, 'README.md'),
    ...fs.readdirSync(folder).map(name => path.join(folder, name))
].filter(file => file.endsWith('.md'))
const textOf = file => fs.readFileSync(file, 'utf8')
const page = name => textOf(path.join(folder, `${name}.md`))

// Blocks of lines that are indented or fenced, with what they are in.
const fenced = (text, language) =>
    [...text.matchAll(/^```(\w+)\n([^]*?)^```$/gm)]
        .filter(([, of]) => of === language)
        .map(([, , code]) => code)
const indented = text =>
    [...text.matchAll(/(?:^ {4}.*\n|^\n(?= {4}))+/gm)].map(([block]) => block.replace(/^ {4}/gm, ''))

test('links lead somewhere', () => {
    const anchors = text =>
        [...text.replace(/^```[^]*?^```$/gm, '').matchAll(/^#+ (.*)$/gm)].map(([, heading]) =>
            heading
                .toLowerCase()
                .replace(/[^\w\- ]/g, '')
                .replaceAll(' ', '-')
        )
    let count = 0
    for (const file of pages)
        for (const [, link] of textOf(file).matchAll(/\]\(([^)]+)\)/g)) {
            if (/^https?:/.test(link)) continue
            const [name, anchor] = link.split('#')
            const target = name ? path.join(path.dirname(file), name) : file
            assert.ok(fs.existsSync(target), `${file}: ${link}`)
            if (anchor) assert.ok(anchors(textOf(target)).includes(anchor), `${file}: ${link}`)
            count++
        }
    assert.ok(count > 8)
})

test('files that are named are there', () => {
    for (const file of pages)
        for (const [, name] of textOf(file).matchAll(/`((?:server|ledger|tests|tools|sql)\/[\w./-]+)`/g))
            assert.ok(fs.existsSync(path.join(root, name)), `${file}: ${name}`)
})

// The command line of each program in an example, as far as a shell's words can be told by spaces.
function* commands() {
    for (const file of pages) {
        const text = textOf(file)
        const code = [...indented(text), ...fenced(text, 'sh')].join('\n').replaceAll('\\\n', ' ')
        const inline = [...text.matchAll(/`((?:crawltab|crawltabd|crawler) [^`]+)`/g)].map(([, one]) => one)
        for (const line of [...code.split('\n'), ...inline]) {
            const words = line.replace(/(^|\s)#.*/, '').trim().split(/\s+/)
            if (['crawltab', 'crawltabd', 'crawler'].includes(words[0])) yield { file, line, words }
        }
    }
}

test('commands and options of the examples are there', async () => {
    const helps = new Map()
    const help = async (...words) => {
        const key = words.join(' ')
        if (!helps.has(key))
            helps.set(key, (await run(path.join(build, words[0]), [...words.slice(1), '--help'])).stdout)
        return helps.get(key)
    }
    let count = 0
    for (const { file, line, words } of commands()) {
        const plain = /^[a-z][\w-]*$/
        const [program] = words
        // Before the command there may be options for all of them.
        const at = words.findIndex((word, i) => plain.test(word) && i > 0 && !/^--config$/.test(words[i - 1]))
        const [command, ...rest] = at > 0 ? [...words.slice(at), ...words.slice(1, at)] : words.slice(1)
        const whole = await help(program)
        const named = plain.test(command ?? '') && program !== 'crawltabd'
        const text = named ? await help(program, command) : whole
        if (plain.test(rest[0] ?? '') && text.includes(`${program} ${command} `) && command !== 'help')
            assert.match(text, new RegExp(`\\b${rest[0]}\\b`), `${file}: ${line}`)
        for (const word of [command ?? '', ...rest]) {
            const [, option] = /^(--[a-z][\w-]*)/.exec(word) ?? []
            if (option) assert.ok(`${text}${whole}`.includes(option), `${file}: ${option}: ${line}`)
        }
        count++
    }
    assert.ok(count > 60, `${count} commands`)
})

test('keys of the configuration that are named are there', () => {
    const example = textOf(path.join(root, 'config.yaml.example'))
    const sections = [...example.matchAll(/^#? ?([a-z_]+):$/gm)].map(([, name]) => name)
    assert.ok(sections.length > 8)
    for (const file of pages)
        for (const [, section, key] of textOf(file).matchAll(/`([a-z_]+)\.([a-z_]+)(?:: [^`]*)?`/g))
            if (sections.includes(section))
                assert.match(example, new RegExp(`^[ #]*${key}:`, 'm'), `${file}: ${section}.${key}`)
})

test('the codes of refusals are those of the program', () => {
    const source = textOf(path.join(root, 'ledger/base/err.h'))
    const codes = [...source.matchAll(/X\(ERR_\w+,\s*(\d+),\s*"(\w+)"/g)]
        .filter(([, status, code]) => Number(status) >= 400 && code !== 'internal_error')
        .map(([, status, code]) => `${status} ${code}`)
    assert.ok(codes.length > 30)
    const table = []
    for (const [, statuses, cells] of page('crawler').matchAll(/^\| ([\d, ]+) \| ((?:`\w+` ?)+)\|/gm)) {
        const names = [...cells.matchAll(/`(\w+)`/g)].map(([, name]) => name)
        const of = statuses.split(',').map(Number)
        names.forEach((name, i) => table.push(of.length > 1 ? { of, name, i } : { of, name }))
    }
    const documented = new Set(table.map(({ name }) => name))
    for (const one of codes) {
        const [status, code] = one.split(' ')
        assert.ok(documented.has(code), `${one} is not in the table`)
        const rows = table.filter(({ name }) => name === code)
        assert.ok(rows.some(({ of }) => of.includes(Number(status))), one)
    }
    const known = new Set(codes.map(one => one.split(' ')[1]))
    for (const name of documented) assert.ok(known.has(name), `${name} is no code`)
})

// A site on a port of its own, which its name has, and a crawler's directory beside it.
test('a crawler pays as the examples do', async t => {
    const key = await makeKey()
    const keys = http.createServer((request, response) => {
        response.setHeader('content-type', 'application/http-message-signatures-directory+json')
        response.end(JSON.stringify({ keys: [key.public] }))
    })
    await new Promise(resolve => keys.listen(0, '127.0.0.1', resolve))
    t.after(() => keys.close())
    const port = await freePort()
    const rules = [{ name: 'articles', action: 'charge', price: '1.05' }]
    const site = { name: 'gazette', hosts: [`localhost:${port}`], scheme: 'http', network: 'gazette:402' }
    const terms = { terms_url: 'https://gazette.example/terms', root: path.join(root, 'tools/demo/site') }
    const set = await stage(t, {
        listen: `127.0.0.1:${port}`,
        insecureHosts: [`127.0.0.1:${keys.address().port}`],
        sites: [{ ...site, ...terms, rules }]
    })
    const pem = createPrivateKey({ key: key.private, format: 'jwk' }).export({ type: 'pkcs8', format: 'pem' })
    fs.writeFileSync(path.join(set.folder, 'key.pem'), pem)
    const env = {
        ...process.env,
        PAGE: `http://localhost:${port}/articles/harbour-bell.html`,
        AGENT: `http://127.0.0.1:${keys.address().port}`
    }
    const at = { cwd: set.folder, env }
    const [shell, listed] = fenced(page('crawler'), 'sh')
    const said = await run('bash', ['-euo', 'pipefail', '-c', `${shell}\n${listed}`], at)
    assert.match(said.stdout, /it costs 1050000 of/)
    assert.match(said.stdout, /payment-response: scheme="deferred"/i)
    assert.deepEqual(JSON.parse(said.stdout.split('\n').at(-1)).keys[0].x, key.public.x)
    assert.match(textOf(path.join(set.folder, 'page')), /<html/)
    assert.equal(set.ledger.count('charge'), 1)
    const [script] = fenced(page('crawler'), 'js')
    fs.writeFileSync(path.join(set.folder, 'pay.mjs'), script)
    assert.match((await run('node', ['pay.mjs'], at)).stdout, /^200 scheme="deferred"/)
    assert.equal(set.ledger.count('charge'), 2)
    const [python] = fenced(page('crawler'), 'python')
    fs.writeFileSync(path.join(set.folder, 'pay.py'), python)
    assert.match((await run('python3', ['pay.py'], at)).stdout, /^200 scheme="deferred"/)
    assert.equal(set.ledger.query('SELECT sum(amount_micros) FROM charge'), '3150000')
})

test('a signature is checked with openssl alone', async t => {
    const day = 86_400_000
    // Noon of the day before yesterday: no midnight comes in between.
    const behind = Math.round((Math.floor(Date.now() / day) * day - 1.5 * day - Date.now()) / 1000)
    const set = await scene(t, {}, '--clock-offset', String(behind))
    const { crawltab, gate, agent, key, folder, ledger } = set
    const where = '/articles/harbour-bell.html'
    const id = await gate.offer(where)
    const at = { time: Date.now() + behind * 1000 }
    const headers = await withWebBotAuth(key, agent.origin, `https://shop.example${where}`, id, at)
    assert.equal((await gate.request(where, { headers })).status, 200)
    await gate.stop()
    await crawltab('nightly')
    const paid = ledger.query('SELECT payment_id FROM charge')
    await crawltab('lookup', paid, '--proof', path.join(folder, 'proof.json'))
    const [block] = indented(page('auditor').split('\n## With openssl alone\n')[1])
    const check = () =>
        execFileSync('bash', ['-euo', 'pipefail', '-c', block], { cwd: folder, stdio: 'pipe' })
    assert.match(check().toString(), /Signature Verified Successfully/)
    const bundle = JSON.parse(textOf(path.join(folder, 'proof.json')))
    const base = Buffer.from(bundle.entry.signature_base, 'base64')
    base[3] ^= 1
    bundle.entry.signature_base = base.toString('base64')
    fs.writeFileSync(path.join(folder, 'proof.json'), JSON.stringify(bundle))
    assert.throws(check)
})

test('pg_hba.conf and pg_ident.conf let in whom the page says, and nobody else', async t => {
    const { ledger } = await stage(t, { gate: false, ownServer: true })
    const [, text] = page('operator').split('\n`pg_hba.conf` lets system users')
    const [hba, ident] = indented(text)
    // Who runs this test is both users of the page.
    const me = os.userInfo().username
    const mapped = ident.replace(/^(ledger\s+)\w+/gm, `$1${me}`)
    const write = (name, content) => fs.writeFileSync(path.join(ledger.sockets, 'data', name), content)
    const tryAs = role =>
        new Promise(resolve =>
            execFile(
                'psql',
                ['-X', '-At', '-h', ledger.sockets, '-U', role, '-d', 'crawltab', '-c', 'SELECT user'],
                (error, out, told) => resolve(error ? told : out.trim())
            )
        )
    const load = content => {
        write('pg_ident.conf', content)
        ledger.server('stop')
        ledger.server('start')
    }
    write('pg_hba.conf', `local postgres all trust\n${hba}`)
    load(mapped)
    for (const role of ['crawltab_gate', 'crawltab_operator', 'crawltab_owner'])
        assert.equal(await tryAs(role), role)
    assert.match(await tryAs('crawltab_auditor'), /no pg_hba.conf entry/)
    assert.match(await tryAs('postgres'), /no pg_hba.conf entry/)
    load(mapped.replaceAll(/.*crawltab_owner\n/g, ''))
    assert.match(await tryAs('crawltab_owner'), /Peer authentication failed/)
})
