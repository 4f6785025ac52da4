// What others see of the supervisor, over HTTP on the loopback:
//
//   GET  /health              200 while the program runs and nothing waits to be decided, else 503; facts as JSON
//   GET  /misses              misses that wait for an operator
//   POST /misses/ID DECISION  allow, deny or kill; needs the token, since the program itself may reach this port

import { timingSafeEqual } from 'node:crypto'
import { createServer } from 'node:http'
import { DECISIONS } from './decide.mjs'

const BODY_LIMIT = 64

export function createHealthServer(supervisor, decisions, token) {
  return createServer(async (request, response) => {
    const send = (status, value) => {
      response.writeHead(status, { 'content-type': 'application/json' }).end(`${JSON.stringify(value)}\n`)
    }
    const { method, url } = request
    if (method === 'GET' && url === '/health') {
      const facts = supervisor.facts
      const waitCount = decisions.list().length
      return send(facts.state === 'running' && waitCount === 0 ? 200 : 503, { ...facts, waitCount })
    }
    if (method === 'GET' && url === '/misses') return send(200, decisions.list())
    const id = /^\/misses\/(\d+)$/.exec(url)?.[1]
    if (method !== 'POST' || id === undefined) return send(404, { error: 'there is nothing here' })
    if (!isToken(request.headers.authorization, token)) return send(401, { error: 'the token is missing or wrong' })
    const decision = await readBody(request)
    if (!DECISIONS.includes(decision)) return send(400, { error: `expected one of ${DECISIONS.join(', ')}` })
    return decisions.settle(id, decision) ? send(200, { id, decision }) : send(409, { error: 'nobody waits for it' })
  })
}

function isToken(header = '', token) {
  const [given, wanted] = [Buffer.from(header), Buffer.from(`Bearer ${token}`)]
  return given.length === wanted.length && timingSafeEqual(given, wanted)
}

async function readBody(request) {
  let text = ''
  for await (const piece of request) {
    text += piece
    if (text.length > BODY_LIMIT) break
  }
  return text.trim()
}
