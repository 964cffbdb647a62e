// Web servers in front of the gate, from Debian's packages, each on a free port of loopback with a folder of
// its own and never as root: what the tests of the fronts share.
import { spawn, spawnSync } from 'node:child_process'
import fs from 'node:fs'
import net from 'node:net'
import os from 'node:os'
import path from 'node:path'
import { until } from './support.js'

const nobody = 65534

// A folder that the front may write to; not below the checkout, which others may not be able to enter.
export function frontFolder(t) {
    const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'crawltab-front-'))
    if (process.getuid() === 0) fs.chownSync(folder, nobody, nobody)
    t.after(() => fs.rmSync(folder, { recursive: true, force: true }))
    return folder
}

const accepts = port =>
    new Promise(resolve => {
        const socket = net.connect({ port, host: '127.0.0.1' })
        socket.on('connect', () => {
            socket.destroy() // else it may stay for as long as the front leaves it
            resolve(true)
        })
        socket.on('error', () => resolve(false))
        socket.on('close', () => resolve(false))
    })

// Starts a server and waits until it accepts connections on the port; it ends with the test.
export async function startFront(t, program, words, { port, folder, env = {} }) {
    const user = process.getuid() === 0 ? { uid: nobody, gid: nobody } : {}
    const where = spawnSync('sh', ['-c', `PATH=$PATH:/usr/sbin:/sbin command -v ${program}`]).stdout
    const child = spawn(where.toString().trim() || program, words, {
        stdio: ['ignore', 'pipe', 'pipe'],
        env: { ...process.env, HOME: folder, ...env },
        cwd: folder,
        ...user
    })
    const front = { port, folder, log: '', process: child }
    child.stdout.on('data', data => (front.log += data))
    child.stderr.on('data', data => (front.log += data))
    front.ended = new Promise(resolve => {
        child.on('exit', resolve)
        child.on('error', error => resolve((front.log += error)))
    })
    let over = false
    front.ended.then(() => (over = true))
    front.stop = async () => {
        if (!over) child.kill('SIGTERM')
        await front.ended
    }
    t.after(front.stop)
    await until(async () => {
        if (over) throw new Error(`${program} ended: ${front.log}`)
        return accepts(port)
    }, `${program} listens: ${front.log}`)
    return front
}

// nginx with what is said inside `http { }`.
export async function nginx(t, http, port, folder = frontFolder(t)) {
    const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi']
    fs.writeFileSync(
        path.join(folder, 'nginx.conf'),
        `daemon off; worker_processes 1; pid ${folder}/nginx.pid; error_log stderr warn;
events { worker_connections 512; }
http {
    access_log off;
    ${temporary.map(name => `${name}_temp_path ${folder}/${name};`).join(' ')}
${http}
}
`
    )
    const words = ['-e', 'stderr', '-p', folder, '-c', `${folder}/nginx.conf`]
    return startFront(t, 'nginx', words, { port, folder })
}
