// The console in Chromium, as people see it: every page, on a phone and on a desk, light and dark, with and
// without script; axe-core finds nothing. `make test` looks at half of it (`ways`), `make console-pages`
// at all of it, and keeps pictures in build/screens.
import assert from 'node:assert/strict'
import fs from 'node:fs'
import path from 'node:path'
import { createRequire } from 'node:module'
import { test } from 'node:test'
import { chromium } from 'playwright-core'
import { desk } from '../console.js'

const program = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'].find(
    fs.existsSync
)
const axe = fs.readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8')

const pagesOf = set => {
    const crawler = encodeURIComponent(set.agent.origin)
    const some = set.number
        ? [
              `/crawler?crawler=${crawler}`,
              `/invoice?number=${set.number}`,
              `/lookup?q=${set.payment}`,
              `/agreement?crawler=${crawler}`,
              '/dispute?id=' + set.dispute
          ]
        : []
    return [
        '/today',
        '/traffic',
        '/crawlers',
        '/rules?try=articles%3D0.10',
        '/invoices',
        '/entries',
        '/disputes',
        '/lookup',
        '/ledger',
        '/deeds',
        '/settings',
        '/nothing',
        ...some
    ]
}

async function open(browser, set, options) {
    const context = await browser.newContext({ bypassCSP: false, ...options })
    const page = await context.newPage()
    const wrong = []
    page.on('console', message => {
        // That a page is not there is what one of them is about.
        if (message.type() === 'error' && !/status of 404/.test(message.text())) wrong.push(message.text())
    })
    page.on('pageerror', error => wrong.push(String(error)))
    await page.goto(`${set.desk.origin}/login`)
    await page.getByLabel('Key').fill(set.keys.owner)
    await page.getByRole('button', { name: 'Log in' }).click()
    await page.waitForURL('**/today')
    return { context, page, wrong }
}

// What axe-core finds, by rule and place; it is put into the page by the debugger, which no policy stops.
async function findings(page) {
    await page.evaluate(axe)
    const { violations } = await page.evaluate(() => window.axe.run(document))
    return violations.map(({ id, nodes }) => `${id}: ${nodes.map(node => node.target.join(' ')).slice(0, 3)}`)
}

const light = [320, 1440].map(width => ({ colorScheme: 'light', width }))
const dark = [320, 1440].map(width => ({ colorScheme: 'dark', width }))
const all = Boolean(process.env.SCREENS)
const ways = all ? [...light, ...dark] : [light[1], dark[0]]

async function look(browser, set, name) {
    for (const [n, { colorScheme, width }] of ways.entries()) {
        const viewport = { width, height: 900 }
        const { context, page, wrong } = await open(browser, set, { colorScheme, viewport })
        const shift = name === 'none' ? 1 : 0
        for (const target of pagesOf(set).filter((_, i) => all || (i + n + shift) % 2 === 0)) {
            await page.goto(set.desk.origin + target, { waitUntil: 'load' })
            const where = `${target} at ${width}, ${colorScheme}`
            const size = await page.evaluate(() => document.documentElement.scrollWidth)
            assert.ok(size <= width, `${where} is ${size} wide`)
            assert.deepEqual(await findings(page), [], where)
            if (process.env.SCREENS)
                await page.screenshot({
                    path: path.join(
                        process.env.SCREENS,
                        `${name}-${target.split('?')[0].slice(1)}-${width}-${colorScheme}.png`
                    ),
                    fullPage: true
                })
        }
        assert.deepEqual(wrong, [])
        await context.close()
    }
}

// A container may have a browser and not let it run; its shared memory is often too small for one.
async function launch(t) {
    const args = ['--no-sandbox', '--disable-dev-shm-usage', '--disable-gpu']
    try {
        const browser = await chromium.launch({ executablePath: program, args, timeout: 90_000 })
        t.after(() => browser.close())
        return browser
    } catch (error) {
        t.skip(`Chromium does not start here: ${error.message.split('\n')[0]}`)
        return undefined
    }
}

test('the console in a browser', { skip: !program && 'no Chromium is here' }, async t => {
    const browser = await launch(t)
    if (!browser) return
    const set = await desk(t)
    const { ledger, crawltab } = set
    await crawltab('dispute', 'open', set.payment, '--reason', 'other', '--text', 'we never fetched that')
    set.dispute = ledger.query('SELECT dispute_id FROM dispute')
    ledger.query(`INSERT INTO traffic (batch, site_id, period, crawler, verified, rule, outcome, reason,
                                       requests, bytes, amount_micros, pages)
        SELECT gen_random_uuid(), site_id, now() - days * interval '1 day', crawler, verified, 'articles',
               outcome, reason, requests, requests * 4812, amount, repeat('0', 3072)::bit(3072)
          FROM site, (VALUES ('GPTBot', false, 'offered', '', 88310, 0),
                             ('https://crawler.example', true, 'paid', '', 1204, 61200000),
                             ('https://crawler.example', true, 'offered', '', 1300, 0),
                             ('https://other-crawler.with-a-long-name.example', true, 'refused',
                              'signature_invalid', 41, 0)) AS v (crawler, verified, outcome, reason, requests,
                                                                 amount),
               (VALUES (0), (7)) AS w (days)`)

    await t.test('every page with some data', () => look(browser, set, 'some'))

    await t.test('a payment is recorded by the form of its invoice', async () => {
        const { context, page, wrong } = await open(browser, set, { viewport: { width: 1440, height: 900 } })
        await page.getByRole('searchbox', { name: 'Look up' }).fill(set.number)
        await page.keyboard.press('Enter')
        await page.waitForURL(`**/invoice?number=${set.number}**`)
        await page.getByText('Record a payment').first().click()
        await page.getByLabel('Amount').fill('0.05')
        await page.getByLabel('Reference of the payment').fill('bank 17')
        await page.getByRole('button', { name: 'Record a payment' }).click()
        await page.getByText('0.00 USD are open').waitFor()
        assert.equal(ledger.query('SELECT reference FROM invoice_payment'), 'bank 17')
        assert.deepEqual(wrong, [])
        await context.close()
    })

    await t.test('a file is put to a dispute', async () => {
        const { context, page, wrong } = await open(browser, set, { viewport: { width: 1440, height: 900 } })
        await page.goto(`${set.desk.origin}/dispute?id=${set.dispute}`)
        await page.getByText('Put evidence to it').first().click()
        await page.getByLabel('File').setInputFiles({
            name: 'Zugriffe.log',
            mimeType: 'text/plain',
            buffer: Buffer.from('GET /articles/harbour-bell.html 200 4812\n')
        })
        await page.getByRole('button', { name: 'Put evidence to it' }).click()
        const link = page.getByRole('link', { name: 'Zugriffe.log' })
        const file = await page.request.get(set.desk.origin + (await link.getAttribute('href')))
        assert.equal(file.headers()['content-disposition'], 'attachment; filename="Zugriffe.log"')
        assert.match(await file.text(), /harbour-bell.html 200 4812/)
        assert.deepEqual(wrong, [])
        await context.close()
    })

    await t.test('a change of an agreement is tried, and then made', async () => {
        const { context, page } = await open(browser, set, { viewport: { width: 1440, height: 900 } })
        await page.goto(`${set.desk.origin}/agreement?crawler=${encodeURIComponent(set.agent.origin)}`)
        await page.getByText('Record a new version').first().click()
        const change = async button => {
            await page.getByLabel('Terms').fill('cadence: weekly')
            await page.getByLabel('Why').fill('as agreed')
            await page.getByRole('button', { name: button }).click()
        }
        await change('Show what would change')
        await page.getByText('weekly').first().waitFor()
        assert.equal(ledger.count('agreement'), 0)
        await page.goBack()
        await page.getByText('Record a new version').first().click()
        await change('Record a new version')
        await page.getByText('Version 1 is in force').waitFor()
        await context.close()
    })

    await t.test('numbers move, and charts are drawn, with script; without it all is there', async () => {
        const { context, page } = await open(browser, set, { viewport: { width: 1440, height: 900 } })
        await page.locator('body[data-live=yes]').waitFor()
        const paid = page.locator('[data-live=paid]')
        const before = Number((await paid.textContent()).replaceAll(',', ''))
        ledger.query(`INSERT INTO traffic (batch, site_id, period, crawler, verified, rule, outcome, reason,
                                           requests, bytes, amount_micros, pages)
            SELECT gen_random_uuid(), site_id, now(), 'x', false, 'articles', 'paid', '', 5, 0, 0,
                   repeat('0', 3072)::bit(3072) FROM site`)
        const after = (before + 5).toLocaleString('en')
        await page.locator('[data-live=paid]', { hasText: after }).waitFor({ timeout: 30_000 })
        const drawn = fs.existsSync('/usr/share/javascript/chart.js/chart.min.js') ? 'canvas' : 'svg'
        assert.equal(await page.locator(`figure.chart ${drawn}`).count(), 1)
        await context.close()
        const plain = await open(browser, set, { javaScriptEnabled: false })
        assert.equal(await plain.page.locator('figure.chart svg').count(), 1)
        assert.match(
            await plain.page.locator('.lead').first().textContent(),
            /pages were sold to \d+ crawlers/
        )
        await plain.context.close()
    })

    await t.test('by the keyboard alone', async () => {
        const { context, page } = await open(browser, set, { viewport: { width: 1440, height: 900 } })
        await page.keyboard.press('Tab')
        assert.equal(await page.evaluate(() => document.activeElement.textContent), 'To the content')
        await page.keyboard.press('Enter')
        assert.equal(await page.evaluate(() => location.hash), '#main')
        // A slash goes to the search box, and is written there.
        await page.keyboard.press('/')
        await page.keyboard.press('/')
        assert.equal(await page.getByRole('searchbox', { name: 'Look up' }).inputValue(), '/')
        // Tab goes through all that can be used, in the order of the page, and each can be seen to have it.
        await page.goto(`${set.desk.origin}/invoice?number=${set.number}`)
        const there = await page.evaluate(() => {
            const kinds = 'a[href], button, input:not([type=hidden]), select, textarea, summary, .wide'
            window.usable = [...document.querySelectorAll(kinds)].filter(one => one.checkVisibility())
            return window.usable.length
        })
        const reached = []
        for (let i = 0; i < there; i++) {
            await page.keyboard.press('Tab')
            reached.push(
                await page.evaluate(() => {
                    const { outlineStyle, outlineWidth } = getComputedStyle(document.activeElement)
                    const seen = outlineStyle !== 'none' && parseFloat(outlineWidth) >= 2
                    return seen && window.usable.indexOf(document.activeElement)
                })
            )
        }
        assert.ok(there > 25, String(there))
        assert.deepEqual(reached, [...reached.keys()])
        await context.close()
    })
})

test('the console with no data', { skip: !program && 'no Chromium is here' }, async t => {
    const browser = await launch(t)
    if (!browser) return
    const set = await desk(t, { paid: false })
    await look(browser, set, 'none')
})
