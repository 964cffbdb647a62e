// Caddy in front of the gate and the site, as `crawltab front caddy` says.
// Tests tools/crawltab/front/caddy.c
import fs from 'node:fs'
import path from 'node:path'
import { test } from 'node:test'
import { change, examine } from '../front_exam.js'
import { frontFolder, startFront } from '../fronts.js'

test('Caddy in front', { timeout: 400_000 }, t =>
    examine(t, 'caddy', {
        start: (printed, port) => {
            const folder = frontFolder(t)
            const file = path.join(folder, 'Caddyfile')
            fs.writeFileSync(file, `{\n\tadmin off\n\tauto_https off\n}\n${printed}`)
            return startFront(t, 'caddy', ['run', '--adapter', 'caddyfile', '--config', file], {
                port,
                folder,
                env: { XDG_DATA_HOME: folder, XDG_CONFIG_HOME: folder }
            })
        },
        open: printed => change(printed, 'import crawltab_closed', 'import crawltab_open_example')
    })
)
