// A folder of files as publishers keep it: switched by a deploy, with links in it, of many types.
// Tests server/content/content_type.c
import assert from 'node:assert/strict'
import fs from 'node:fs'
import path from 'node:path'
import { test } from 'node:test'
import { stage, temporaryFolder } from '../support.js'

const crawler = { headers: { 'user-agent': 'GPTBot/1.2' } }

// A version of the site: a folder with one file of each name.
function version(folder, name, files) {
    for (const [file, text] of Object.entries(files)) {
        fs.mkdirSync(path.dirname(path.join(folder, name, file)), { recursive: true })
        fs.writeFileSync(path.join(folder, name, file), text)
    }
}

// As `ln -sfn` does: the new link takes the old one's place in one step.
function switchTo(folder, name) {
    fs.symlinkSync(name, path.join(folder, 'next'))
    fs.renameSync(path.join(folder, 'next'), path.join(folder, 'current'))
}

test('a root that a deploy switches is followed without a reload', async t => {
    const folder = temporaryFolder(t)
    version(folder, 'one', { 'page.html': 'one', 'old.html': 'gone soon' })
    version(folder, 'two', { 'page.html': 'two', 'new.html': 'just come' })
    switchTo(folder, 'one')
    const { gate } = await stage(t, { root: path.join(folder, 'current'), rules: [{ action: 'allow' }] })
    const text = async target => {
        const { status, text } = await gate.request(target)
        return status === 200 ? text : status
    }
    assert.deepEqual([await text('/page.html'), await text('/new.html')], ['one', 404])
    switchTo(folder, 'two')
    assert.deepEqual([await text('/page.html'), await text('/old.html')], ['two', 404])
    assert.equal(await text('/new.html'), 'just come')
    switchTo(folder, 'one')
    fs.rmSync(path.join(folder, 'two'), { recursive: true })
    assert.equal(await text('/page.html'), 'one')
    fs.rmSync(path.join(folder, 'current'))
    assert.equal(await text('/page.html'), 500)
    await gate.logged(/event=root_refused root=\S+current detail="No such file or directory"/)
    fs.symlinkSync('one', path.join(folder, 'current'))
    assert.equal(await text('/page.html'), 'one')
})

test('absolute links are followed as far as they stay inside', async t => {
    const folder = temporaryFolder(t)
    version(folder, 'one', {
        'paid/page.html': 'paid',
        'free/page.html': 'free',
        'sub/index.html': 'sub'
    })
    version(folder, 'one-more', { 'page.html': 'a neighbour' })
    fs.writeFileSync(path.join(folder, 'secret.html'), 'secret')
    fs.symlinkSync('one', path.join(folder, 'current'))
    const link = (name, to) => fs.symlinkSync(to, path.join(folder, 'one', name))
    link('inside.html', path.join(folder, 'one/free/page.html'))
    link('by-current.html', path.join(folder, 'current/free/page.html'))
    link('folder', path.join(folder, 'one/sub'))
    link('dear.html', path.join(folder, 'one/paid/page.html'))
    link('outside.html', path.join(folder, 'secret.html'))
    link('neighbour.html', path.join(folder, 'one-more/page.html'))
    link('up', '/')
    link('loop', path.join(folder, 'one/loop'))
    link('self', '/proc/self/fd')
    const { gate } = await stage(t, {
        root: path.join(folder, 'current'),
        rules: [
            { paths: ['/paid/**'], action: 'charge', price: '0.05' },
            { paths: ['/folder', '/folder/**'], action: 'allow' },
            { action: 'allow' }
        ]
    })
    for (const [target, text] of Object.entries({
        '/inside.html': 'free',
        '/by-current.html': 'free',
        '/folder/': 'sub',
        '/dear.html': 'paid'
    }))
        assert.equal((await gate.request(target)).text, text, target)
    assert.equal((await gate.request('/folder')).status, 301)
    // Where a link leads is what a crawler pays for.
    assert.equal((await gate.request('/dear.html', crawler)).status, 402)
    assert.equal((await gate.request('/inside.html', crawler)).status, 200)
    for (const target of [
        '/outside.html',
        '/neighbour.html',
        '/up/etc/passwd',
        '/up',
        '/loop',
        '/self/0',
        '/folder/../secret.html'
    ])
        assert.equal((await gate.request(target)).status, 404, target)
})

test("types are told by the list, by the system's, or not at all", async t => {
    const folder = temporaryFolder(t)
    const types = {
        'a.html': 'text/html; charset=utf-8',
        'a.JS': 'text/javascript; charset=utf-8',
        'a.docx': 'application/vnd.openxmlformats-officedocument.wordprocessingml.document',
        'a.ODT': 'application/vnd.oasis.opendocument.text',
        'a.ogg': 'audio/ogg',
        'a.tar.xz': 'application/x-xz',
        'a.no-such-type': 'application/octet-stream',
        none: 'application/octet-stream',
        'a.': 'application/octet-stream'
    }
    version(folder, 'one', Object.fromEntries(Object.keys(types).map(name => [name, name])))
    const { gate } = await stage(t, { root: path.join(folder, 'one'), rules: [{ action: 'allow' }] })
    for (const [name, type] of Object.entries(types))
        assert.equal((await gate.request(`/${name}`)).headers['content-type'], type, name)
})

test('a page that is free may be kept by caches, for people and crawlers apart', async t => {
    const folder = temporaryFolder(t)
    version(folder, 'one', { 'page.html': 'page' })
    const { gate } = await stage(t, {
        root: path.join(folder, 'one'),
        rules: [{ action: 'charge', price: '0.05' }]
    })
    const free = await gate.request('/page.html')
    assert.equal(free.headers['cache-control'], undefined)
    assert.equal(free.headers.vary, 'User-Agent, Signature-Agent, Payment')
    assert.ok(free.headers.etag && free.headers['last-modified'])
    const again = await gate.request('/page.html', { headers: { 'if-none-match': free.headers.etag } })
    assert.deepEqual([again.status, again.headers.vary], [304, free.headers.vary])
    assert.equal((await gate.request('/page.html', crawler)).headers['cache-control'], 'no-store')
})
