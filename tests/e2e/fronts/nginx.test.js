// nginx in front of the gate and the site, as `crawltab front nginx` says, in both styles.
// Tests tools/crawltab/front/front.c, tools/crawltab/front/nginx.c, tools/crawltab/front/check.c,
// tools/crawltab/front/ask.c
import fs from 'node:fs'
import path from 'node:path'
import { test } from 'node:test'
import { change, examine } from '../front_exam.js'
import { frontFolder, nginx } from '../fronts.js'

const open = printed => change(printed, '= @crawltab_closed;', '= @crawltab_open;')

test('nginx in front', { timeout: 400_000 }, t => {
    const folder = frontFolder(t)
    const log = path.join(folder, 'access.log')
    const asking = {
        asks: true,
        open,
        start: (printed, port) => {
            const logged = change(printed, 'server {\n', `server {\n    access_log ${log} crawltab;\n`)
            return nginx(t, `proxy_read_timeout 1s;\n${logged}`, port, folder)
        },
        accessLog: () => fs.readFileSync(log)
    }
    return examine(t, 'nginx', [{ open, start: (printed, port) => nginx(t, printed, port) }, asking], {
        accel_redirect: '@paid'
    })
})
