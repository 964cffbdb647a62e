// A server of tools that can be killed: each call of a tool is a line of a file before it is made.
import fs from 'node:fs'
import { toolServer } from '../e2e/mcp.js'

const [port, file] = process.argv.slice(2)
const calls = { push: line => fs.appendFileSync(file, `${line}\n`) }
await toolServer({ after() {} }, { json: true, sessions: false, port: Number(port), calls })
process.stdout.write('ready\n')
