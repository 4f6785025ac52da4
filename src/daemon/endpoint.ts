// How the daemon is, over HTTP: for supervisors and Prometheus. It answers two questions, takes nothing, and names no program that
// was not named in the configuration.

import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { type AddressInfo, isIP } from 'node:net'
import { ascii, METRICS_TYPE } from '../alert/formats.ts'
import { TracefpError } from '../errors.ts'
import type { Listen } from './config.ts'

export interface Answers {
  readonly health: () => { readonly isWell: boolean; readonly body: unknown }
  /** Prometheus' text format. @throws whatever keeps it from being read. */
  readonly metrics: () => string
}

export interface Endpoint {
  readonly url: string
  close(): Promise<void>
}

/** @throws TracefpError TFP_ERR_FILE: it cannot listen there. */
export async function openEndpoint({ address, port }: Listen, answers: Answers): Promise<Endpoint> {
  const server = createServer((request, response) => answer(request, response, answers))
  server.headersTimeout = 5_000
  server.requestTimeout = 5_000
  server.maxConnections = 100
  await new Promise<void>((resolve, reject) => {
    server.once('error', (cause) => {
      reject(new TracefpError('TFP_ERR_FILE', `${address} port ${port}: ${cause.message}`, { cause }))
    })
    server.listen(port, address, resolve)
  })
  const host = isIP(address) === 6 ? `[${address}]` : address
  return { url: `http://${host}:${(server.address() as AddressInfo).port}`, close: () => close(server) }
}

function answer(request: IncomingMessage, response: ServerResponse, { health, metrics }: Answers): void {
  response.setHeader('cache-control', 'no-store')
  response.setHeader('x-content-type-options', 'nosniff')
  // A page of a browser that calls this machine by a name of its own (DNS rebinding) learns nothing.
  if (!isNamedByAddress(request.headers.host ?? '')) return send(response, 421, 'text/plain', 'ask by address\n')
  if (request.method !== 'GET' && request.method !== 'HEAD') return send(response, 405, 'text/plain', 'only GET\n')
  switch ((request.url ?? '').split('?', 1)[0]) {
    case '/healthz': {
      const { isWell, body } = health()
      return send(response, isWell ? 200 : 503, 'application/json', `${ascii(JSON.stringify(body))}\n`)
    }
    case '/metrics':
      try {
        return send(response, 200, METRICS_TYPE, metrics())
      } catch {
        return send(response, 503, 'text/plain', 'the store cannot be read\n')
      }
    default:
      return send(response, 404, 'text/plain', '/healthz and /metrics\n')
  }
}

function isNamedByAddress(host: string): boolean {
  const name = host.replace(/:\d+$/, '')
  return name === 'localhost' || isIP(name.replace(/^\[|\]$/g, '')) !== 0
}

function send(response: ServerResponse, status: number, type: string, body: string): void {
  response.writeHead(status, { 'content-type': type }).end(body)
}

async function close(server: Server): Promise<void> {
  server.closeAllConnections()
  await new Promise<void>((resolve) => server.close(() => resolve()))
}
