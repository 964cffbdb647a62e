// HAProxy in front of the gate and the site, as `crawltab front haproxy` says, in both styles.
// Tests tools/crawltab/front/haproxy.c
import fs from 'node:fs'
import path from 'node:path'
import { test } from 'node:test'
import { change, examine } from '../front_exam.js'
import { frontFolder, startFront } from '../fronts.js'
import { root } from '../support.js'

const settings = seconds => `global
    maxconn 200
defaults
    timeout client 30s
    timeout connect 2s
    timeout server ${seconds}s
`

test('HAProxy in front', { timeout: 400_000 }, t => {
    const start = (folder, text, port) => {
        const file = path.join(folder, 'haproxy.cfg')
        fs.writeFileSync(file, text)
        return startFront(t, 'haproxy', ['-db', '-f', file], { port, folder })
    }
    const sends = {
        start: (printed, port) => start(frontFolder(t), settings(30) + printed, port),
        open: printed =>
            change(
                printed,
                'use_backend crawltab_gate if crawltab\n',
                'use_backend crawltab_gate if crawltab { nbsrv(crawltab_gate) gt 0 }\n'
            )
    }
    const asks = {
        asks: true,
        start: async (printed, port) => {
            const folder = frontFolder(t)
            const script = path.join(folder, 'crawltab.lua')
            fs.copyFileSync(path.join(root, 'tools/deploy/fronts/haproxy.lua'), script)
            const logs = '    mode http\n    log stdout len 4096 format raw local0\n    bind '
            const logged = change(printed, '    mode http\n    bind ', logs)
            const placed = change(logged, '/etc/haproxy/crawltab.lua', script)
            return (asks.front = await start(folder, settings(1) + placed, port))
        },
        open: printed => change(printed, /^ {4}http-request return status 503 .*\n/m.exec(printed)[0], ''),
        accessLog: () => asks.front.log
    }
    return examine(t, 'haproxy', [sends, asks])
})
