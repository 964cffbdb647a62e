// nginx in front of the gate and the site, as `crawltab front nginx` says.
// Tests tools/crawltab/front/front.c, tools/crawltab/front/nginx.c, tools/crawltab/front/check.c,
// tools/crawltab/front/ask.c
import { test } from 'node:test'
import { change, examine } from '../front_exam.js'
import { nginx } from '../fronts.js'

test('nginx in front', { timeout: 400_000 }, t =>
    examine(t, 'nginx', {
        start: (printed, port) => nginx(t, printed, port),
        open: printed => change(printed, '= @crawltab_closed;', '= @crawltab_open;')
    })
)
