// Apache in front of the gate and the site, as `crawltab front apache` says.
// Tests tools/crawltab/front/apache.c
import fs from 'node:fs'
import path from 'node:path'
import { test } from 'node:test'
import { change, examine } from '../front_exam.js'
import { frontFolder, startFront } from '../fronts.js'

const modules =
    'mpm_event authz_core headers rewrite setenvif proxy proxy_http proxy_balancer slotmem_shm ' +
    'lbmethod_byrequests'

test('Apache in front', { timeout: 400_000 }, t =>
    examine(t, 'apache', [{
        start: (printed, port) => {
            const folder = frontFolder(t)
            const file = path.join(folder, 'apache.conf')
            const load = modules
                .split(' ')
                .map(name => `LoadModule ${name}_module /usr/lib/apache2/modules/mod_${name}.so`)
            const base = `
ServerName localhost
Listen 127.0.0.1:${port}
PidFile ${folder}/pid
DefaultRuntimeDir ${folder}
Mutex file:${folder}
ErrorLog ${folder}/error.log
StartServers 1
ServerLimit 2
MaxRequestWorkers 50
DocumentRoot ${folder}
`
            fs.writeFileSync(file, load.join('\n') + base + printed)
            return startFront(t, 'apache2', ['-DFOREGROUND', '-d', folder, '-f', file], { port, folder })
        },
        open: printed => change(printed, '#BalancerMember', 'BalancerMember'),
        tells: true
    }])
)
