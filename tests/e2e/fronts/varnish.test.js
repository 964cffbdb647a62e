// Varnish in front of the gate and the site, as `crawltab front varnish` says.
// Tests tools/crawltab/front/varnish.c
import fs from 'node:fs'
import path from 'node:path'
import { test } from 'node:test'
import { change, examine } from '../front_exam.js'
import { frontFolder, startFront } from '../fronts.js'

test('Varnish in front', { timeout: 400_000 }, t =>
    examine(t, 'varnish', [{
        start: (printed, port) => {
            const folder = frontFolder(t)
            const file = path.join(folder, 'crawltab.vcl')
            const words = ['-F', '-j', 'none', '-n', path.join(folder, 'work'), '-s', 'malloc,16m']
            fs.writeFileSync(file, printed)
            return startFront(t, 'varnishd', [...words, '-a', `127.0.0.1:${port}`, '-f', file], {
                port,
                folder
            })
        },
        open: printed =>
            change(
                printed,
                'if (req.http.X-Crawltab-Route) {',
                'if (req.http.X-Crawltab-Route && std.healthy(crawltab_gate)) {'
            )
    }])
)
