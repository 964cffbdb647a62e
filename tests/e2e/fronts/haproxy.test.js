// HAProxy in front of the gate and the site, as `crawltab front haproxy` says.
// Tests tools/crawltab/front/haproxy.c
import fs from 'node:fs'
import path from 'node:path'
import { test } from 'node:test'
import { change, examine } from '../front_exam.js'
import { frontFolder, startFront } from '../fronts.js'

const defaults = `global
    maxconn 200
defaults
    timeout client 30s
    timeout connect 2s
    timeout server 30s
`

test('HAProxy in front', { timeout: 400_000 }, t =>
    examine(t, 'haproxy', {
        start: (printed, port) => {
            const folder = frontFolder(t)
            const file = path.join(folder, 'haproxy.cfg')
            fs.writeFileSync(file, defaults + printed)
            return startFront(t, 'haproxy', ['-db', '-f', file], { port, folder })
        },
        open: printed =>
            change(
                printed,
                'use_backend crawltab_gate if crawltab\n',
                'use_backend crawltab_gate if crawltab { nbsrv(crawltab_gate) gt 0 }\n'
            )
    })
)
