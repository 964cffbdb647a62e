// A site's own server as a process that can be killed: `node site.js PORT`. Its pages come in pieces with
// pauses, so that a kill finds some under way; but for one, they say their length beforehand.
import http from 'node:http'
import { fileURLToPath } from 'node:url'

const pieces = 12

// What a page is: other words for each target.
export const textOf = target => `${target}: words of the page\n`.repeat(8192)

async function answer(request, response) {
    const text = textOf(request.url)
    if (request.url !== '/') response.setHeader('Content-Length', Buffer.byteLength(text))
    const size = Math.ceil(text.length / pieces)
    for (let at = 0; at < text.length && !response.destroyed; at += size) {
        response.write(text.slice(at, at + size))
        await new Promise(resolve => setTimeout(resolve, 2))
    }
    response.end()
}

if (process.argv[1] === fileURLToPath(import.meta.url))
    http.createServer(answer).listen(Number(process.argv[2]), '127.0.0.1', () => console.log('listening'))
