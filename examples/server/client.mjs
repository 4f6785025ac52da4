// What normal clients of the server do, and how it must answer. Requests come in another order in every run, so that a
// fingerprint learns what the server does and not what one client does.
//
//   node client.mjs PORT [SEED]

import { connect } from 'node:net'
import { argv, stdout } from 'node:process'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'

/** Sends the parts one after the other and resolves to the whole answer. The server closes first. */
export function send(port, ...parts) {
  return new Promise((resolve, reject) => {
    const chunks = []
    const socket = connect({ port, host: '127.0.0.1', noDelay: true }, async () => {
      for (const [index, part] of parts.entries()) {
        if (index > 0) await sleep(30)
        socket.write(part)
      }
    })
    socket.on('data', (chunk) => chunks.push(chunk))
    socket.on('error', reject)
    socket.on('end', () => resolve(Buffer.concat(chunks).toString('latin1')))
    socket.setTimeout(10_000, () => socket.destroy(new Error('the server does not answer')))
  })
}

const head = (line, headers = '') => `${line} HTTP/1.0\r\nHost: localhost\r\n${headers}\r\n`
const put = (name, body) => head(`PUT /${name}`, `Content-Length: ${body.length}\r\n`)

const SMALL = 'a small file\n'
const LARGE = 'x'.repeat(200_000)

// Each: what is sent, the status it must get.
const CONVERSATIONS = [
  [[[head('GET /')], 200]],
  [
    [[put('small.txt', SMALL) + SMALL], 201],
    [[head('GET /small.txt')], 200],
    [[head('HEAD /small.txt')], 200],
    [[head('DELETE /small.txt')], 204],
    [[head('GET /small.txt')], 404],
  ],
  [
    [[put('large.bin', LARGE) + LARGE], 201],
    [[head('GET /large.bin')], 200],
  ],
  [
    [[put('late.txt', SMALL), SMALL], 201],
    [[head('GET /late.txt')], 200],
  ],
  [
    [[put('empty', '')], 201],
    [[head('GET /empty')], 200],
  ],
  [[['GET /missing HTT', 'P/1.0\r\n\r\n'], 404]],
  [[[head('DELETE /missing')], 404]],
  [[[head('HEAD /missing')], 404]],
  [[[head('GET /ping-1')], 404]],
  [[[head('GET /../passwd')], 404]],
  [[[head('POST /small.txt')], 405]],
]

function* shuffled(items, seed) {
  const left = [...items]
  let state = seed >>> 0
  while (left.length > 0) {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0
    yield left.splice((state >>> 8) % left.length, 1)[0]
  }
}

/** One run of normal requests. Throws when an answer is not the expected one. Resolves to the number of requests. */
export async function drive(port, seed = 1) {
  let count = 0
  for (const conversation of shuffled(CONVERSATIONS, seed)) {
    for (const [parts, status] of conversation) {
      const answer = await send(port, ...parts)
      if (!answer.startsWith(`HTTP/1.0 ${status} `)) {
        throw new Error(`${parts[0].split('\r\n')[0]}: expected ${status}, got ${answer.slice(0, 40)}`)
      }
      count += 1
    }
  }
  return count
}

if (argv[1] === fileURLToPath(import.meta.url)) {
  const count = await drive(Number(argv[2]), Number(argv[3] ?? 1))
  stdout.write(`${count} requests answered as expected\n`)
}
