// The `root` delivery style: files as a browser and a cache expect them, and no way out of the folder.
// Tests server/content/content_type.c
import assert from 'node:assert/strict'
import fs from 'node:fs'
import path from 'node:path'
import { test } from 'node:test'
import { stage, temporaryFolder } from '../support.js'

function makeSite(t) {
    const folder = temporaryFolder(t)
    const site = path.join(folder, 'site')
    fs.mkdirSync(path.join(site, 'sub'), { recursive: true })
    fs.writeFileSync(path.join(folder, 'secret.txt'), 'secret')
    fs.writeFileSync(path.join(site, 'index.html'), '<h1>front</h1>')
    fs.writeFileSync(path.join(site, 'sub', 'index.html'), '<h1>sub</h1>')
    fs.writeFileSync(path.join(site, 'ten.txt'), '0123456789')
    fs.writeFileSync(path.join(site, 'empty.css'), '')
    fs.writeFileSync(path.join(site, 'a b.json'), '{}')
    fs.writeFileSync(path.join(site, 'big.bin'), Buffer.alloc(3_000_000, 'x'))
    fs.symlinkSync('../secret.txt', path.join(site, 'out.txt'))
    fs.symlinkSync('/etc/passwd', path.join(site, 'absolute.txt'))
    fs.symlinkSync('ten.txt', path.join(site, 'inside.txt'))
    fs.mkdirSync(path.join(site, 'bare'))
    return site
}

test('files', async t => {
    const { gate } = await stage(t, { root: makeSite(t) })
    const get = (target, headers, method) => gate.request(target, { headers, method })

    await t.test('have their types', async () => {
        const types = {
            '/': 'text/html; charset=utf-8',
            '/ten.txt': 'text/plain; charset=utf-8',
            '/empty.css': 'text/css; charset=utf-8',
            '/a%20b.json': 'application/json',
            '/big.bin': 'application/octet-stream',
            '/inside.txt': 'text/plain; charset=utf-8'
        }
        for (const [target, type] of Object.entries(types)) {
            const response = await get(target)
            assert.equal(response.status, 200, target)
            assert.equal(response.headers['content-type'], type)
        }
        assert.equal((await get('/big.bin')).body.length, 3_000_000)
        assert.equal((await get('/empty.css')).body.length, 0)
        assert.equal((await get('/sub/')).text, '<h1>sub</h1>')
        assert.equal((await get('/sub/index.html')).text, '<h1>sub</h1>')
    })
    await t.test('come in ranges', async () => {
        const cases = {
            'bytes=0-3': '0123',
            'bytes=7-': '789',
            'bytes=-2': '89',
            'bytes=8-100': '89',
            'bytes=-100': '0123456789'
        }
        for (const [range, text] of Object.entries(cases)) {
            const response = await get('/ten.txt', { range })
            assert.equal(response.status, 206, range)
            assert.equal(response.text, text)
        }
        assert.equal((await get('/ten.txt', { range: 'bytes=2-4' })).headers['content-range'], 'bytes 2-4/10')
        for (const range of ['bytes=10-', 'bytes=-0', 'bytes=99999999999999999999-']) {
            const outside = await get('/ten.txt', { range })
            assert.equal(outside.status, 416)
            assert.equal(outside.headers['content-range'], 'bytes */10')
        }
        for (const range of [
            'bytes=4-2',
            'bytes=a-b',
            'lines=1-2',
            'bytes=0-1,3-4',
            'bytes=-'
        ])
            assert.equal((await get('/ten.txt', { range })).status, 200, range)
    })
    await t.test('are sent again only when they changed', async () => {
        const first = await get('/ten.txt')
        const { etag, 'last-modified': modified } = first.headers
        assert.equal((await get('/ten.txt', { 'if-none-match': etag })).status, 304)
        assert.equal((await get('/ten.txt', { 'if-none-match': `"x", W/${etag}` })).status, 304)
        assert.equal((await get('/ten.txt', { 'if-none-match': '*' })).status, 304)
        assert.equal((await get('/ten.txt', { 'if-none-match': '"x"' })).status, 200)
        assert.equal((await get('/ten.txt', { 'if-modified-since': modified })).status, 304)
        assert.equal(
            (await get('/ten.txt', { 'if-none-match': '"x"', 'if-modified-since': modified })).status,
            200
        )
        assert.equal((await get('/ten.txt', { range: 'bytes=0-1', 'if-range': etag })).status, 206)
        assert.equal((await get('/ten.txt', { range: 'bytes=0-1', 'if-range': '"x"' })).status, 200)
        const none = await get('/ten.txt', { 'if-none-match': etag })
        assert.equal(none.body.length, 0)
        assert.equal(none.headers.etag, etag)
    })
    await t.test('answer HEAD without a body', async () => {
        const response = await get('/ten.txt', {}, 'HEAD')
        assert.equal(response.status, 200)
        assert.equal(response.headers['content-length'], '10')
        assert.equal(response.body.length, 0)
    })
    await t.test('in a folder are found by its slash', async () => {
        const response = await get('/sub?x=1')
        assert.equal(response.status, 301)
        assert.equal(response.headers.location, '/sub/?x=1')
        assert.equal((await get('//sub')).headers.location, '/sub/')
    })
    await t.test('outside the folder are out of reach', async () => {
        const ways = [
            '/../secret.txt',
            '/sub/../../secret.txt',
            '/%2e%2e/secret.txt',
            '/..%2fsecret.txt',
            '/out.txt',
            '/absolute.txt',
            '/bare/',
            '/nothing',
            '/ten.txt/',
            '/ten.txt%00.html',
            '/./ten.txt'
        ]
        for (const target of ways) {
            const response = await get(target)
            assert.equal(response.status, 404, target)
            assert.doesNotMatch(response.text, /secret|root:/)
        }
    })
})

test('who pays and who does not', async t => {
    const { gate } = await stage(t)
    const status = async (target, headers) => (await gate.request(target, { headers })).status
    const bot = { 'user-agent': 'Mozilla/5.0 (compatible; GPTBot/1.2; +https://openai.com/gptbot)' }
    const person = { 'user-agent': 'Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0' }
    assert.equal(await status('/', person), 200)
    assert.equal(await status('/', {}), 200)
    assert.equal(await status('/', bot), 402)
    assert.equal(await status('/about.html', bot), 200)
    assert.equal(await status('/robots.txt', bot), 200)
    assert.equal(await status('/sitemap.xml', bot), 200)
    assert.equal(await status('/.well-known/nothing', bot), 404)
    assert.equal(await status('/drafts/lighthouse.html', bot), 403)
    assert.equal(await status('/drafts/lighthouse.html', person), 200)
    assert.equal(await status('/%64rafts//lighthouse.html', bot), 403)
    assert.equal(
        (await gate.request('/', { method: 'HEAD', headers: bot })).headers['crawler-price'],
        'USD 0.0025'
    )
})
