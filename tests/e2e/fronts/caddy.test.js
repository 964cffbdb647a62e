// Caddy in front of the gate and the site, as `crawltab front caddy` says, in both styles.
// Tests tools/crawltab/front/caddy.c
import fs from 'node:fs'
import path from 'node:path'
import { test } from 'node:test'
import { change, examine } from '../front_exam.js'
import { frontFolder, startFront } from '../fronts.js'

const open = printed => change(printed, 'import crawltab_closed', 'import crawltab_open_example')

test('Caddy in front', { timeout: 400_000 }, t => {
    const start = (printed, port) => {
        const folder = frontFolder(t)
        const file = path.join(folder, 'Caddyfile')
        fs.writeFileSync(file, `{\n\tadmin off\n\tauto_https off\n}\n${printed}`)
        return startFront(t, 'caddy', ['run', '--adapter', 'caddyfile', '--config', file], {
            port,
            folder,
            env: { XDG_DATA_HOME: folder, XDG_CONFIG_HOME: folder }
        })
    }
    const asking = {
        asks: true,
        open,
        start: async (printed, port) => {
            const waits = '\t\t\t\ttransport http {\n\t\t\t\t\tresponse_header_timeout 1s\n\t\t\t\t}\n'
            const hasty = printed.replaceAll('\t\t\t\theader_up -X-Crawltab-Receipt\n', `$&${waits}`)
            const logs = '\tlog\n\timport crawltab_people\n'
            asking.front = await start(change(hasty, '\timport crawltab_people\n', logs), port)
            return asking.front
        },
        accessLog: () => asking.front.log
    }
    return examine(t, 'caddy', [{ open, start }, asking])
})
