// The web server of the console: its own page, data of the store, and decisions. Listens on loopback, or with TLS; everybody
// needs the token. What it sends may load nothing from anywhere and stand in no other page.

import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { createServer as createSecureServer } from 'node:https'
import { type AddressInfo, isIP } from 'node:net'
import { METRICS_TYPE, metricsText } from '../alert/formats.ts'
import { UsageError } from '../errors.ts'
import { VERSION } from '../package.ts'
import { metricsOf } from '../store/metrics.ts'
import type { SessionStore } from '../store/session-store.ts'
import { Access } from './access.ts'
import { Api } from './api.ts'
import { Fingerprints } from './fingerprints.ts'
import { Live } from './live.ts'
import { CONSOLE_SCRIPT, CONSOLE_STYLE } from './page.gen.ts'
import { CONSOLE_HTML } from './shell.ts'

export interface ConsoleOptions {
  readonly store: SessionStore
  /** An address of loopback, unless there is a certificate. */
  readonly address: string
  /** 0: any that is free. */
  readonly port: number
  /** PEM. */
  readonly tls: { readonly key: string; readonly cert: string } | null
  /** Further names that it is called by: what stands in Host. */
  readonly names: readonly string[]
  /** Whether `/healthz` and `/metrics` are answered without a login: sums only. */
  readonly hasMetrics?: boolean
  /** Who decides, for the record. */
  readonly actor: string
  /** What failed while nobody waited for it. */
  readonly onTrouble: (error: unknown) => void
}

export interface Console {
  /** With the token in its fragment, which browsers never send. */
  readonly link: string
  close(): Promise<void>
}

const MAX_BODY_BYTES = 16 * 1024
const LOOPBACK = /^(?:127\.\d{1,3}\.\d{1,3}\.\d{1,3}|::1)$/
const POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "connect-src 'self'",
  'img-src data:',
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
  "require-trusted-types-for 'script'",
  "trusted-types 'none'",
].join('; ')
const HEADERS: Readonly<Record<string, string>> = {
  'cache-control': 'no-store',
  'content-security-policy': POLICY,
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-resource-policy': 'same-origin',
  'referrer-policy': 'no-referrer',
  'x-content-type-options': 'nosniff',
  'x-frame-options': 'DENY',
}
const FILES: Readonly<Record<string, readonly [type: string, text: string]>> = {
  '/': ['text/html; charset=utf-8', CONSOLE_HTML],
  '/console.js': ['text/javascript; charset=utf-8', CONSOLE_SCRIPT],
  '/console.css': ['text/css; charset=utf-8', CONSOLE_STYLE],
}

/** @throws UsageError: not loopback and no certificate. */
export async function serveConsole(options: ConsoleOptions): Promise<Console> {
  const { store, address, tls } = options
  if (isIP(address) === 0)
    throw new UsageError(`${address} is no address: give 127.0.0.1, ::1 or another one in numbers`)
  if (tls === null && !LOOPBACK.test(address)) {
    throw new UsageError(
      `${address} can be reached from elsewhere: give --tls-cert and --tls-key, or a tunnel to loopback`,
    )
  }
  const hosts: string[] = []
  const access = new Access({ hosts, isSecure: tls !== null })
  const api = new Api(store, new Fingerprints(store.home), options.actor)
  const live = new Live(store, options.onTrouble)
  const metrics = options.hasMetrics === true ? (): string => metricsText(metricsOf(store)) : null
  const answer = (request: IncomingMessage, response: ServerResponse): void => {
    handle({ access, api, live, metrics }, request, response).catch((error: unknown) => {
      options.onTrouble(error)
      if (response.headersSent) response.destroy()
      else send(response, 500, { error: 'the console could not do it; its terminal says why' })
    })
  }
  const server = tls === null ? createServer(answer) : createSecureServer({ ...tls, minVersion: 'TLSv1.2' }, answer)
  server.headersTimeout = 10_000
  server.requestTimeout = 20_000
  server.maxConnections = 500
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(options.port, address, resolve)
  })
  const { port } = server.address() as AddressInfo
  const own = isIP(address) === 6 ? `[${address}]` : address
  for (const name of [own, ...(LOOPBACK.test(address) ? ['localhost'] : []), ...options.names]) {
    const host = name.toLowerCase()
    hosts.push(`${host}:${port}`, ...(port === (tls === null ? 80 : 443) ? [host] : []))
  }
  return {
    link: `${tls === null ? 'http' : 'https'}://${options.names[0] ?? own}:${port}/#token=${access.token}`,
    close: async () => {
      live.close()
      server.closeAllConnections()
      await new Promise<void>((resolve) => server.close(() => resolve()))
    },
  }
}

interface Parts {
  readonly access: Access
  readonly api: Api
  readonly live: Live
  readonly metrics: (() => string) | null
}

async function handle(
  { access, api, live, metrics }: Parts,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  for (const [name, value] of Object.entries(HEADERS)) response.setHeader(name, value)
  if (!access.isOwnHost(request)) return send(response, 421, { error: 'this is not a name of this console' })
  const [path, base] = [request.url ?? '/', 'http://console.invalid']
  if (!URL.canParse(path, base)) return send(response, 400, { error: 'this is no address' })
  const url = new URL(path, base)
  const { pathname } = url
  if (request.method === 'GET') {
    const file = Object.hasOwn(FILES, pathname) ? FILES[pathname] : undefined
    if (file !== undefined) return void response.writeHead(200, { 'content-type': file[0] }).end(file[1])
    if (metrics !== null && pathname === '/healthz') return send(response, 200, { status: 'ok', tracefp: VERSION })
    if (metrics !== null && pathname === '/metrics')
      return void response.writeHead(200, { 'content-type': METRICS_TYPE }).end(metrics())
    const login = access.login(request)
    if (login === undefined) return send(response, 401, { error: 'log in' })
    if (pathname === '/api/me') return send(response, 200, { csrf: login.csrf })
    if (pathname === '/api/live') {
      const since = Number(request.headers['last-event-id'] ?? Number.NaN)
      if (!live.add(response, since, () => access.login(request) !== undefined))
        send(response, 503, { error: 'too many pages are open' })
      return
    }
    const { status, body } = api.get(pathname, url.searchParams)
    return send(response, status, body)
  }
  if (request.method !== 'POST') return send(response, 405, { error: 'only GET and POST' })
  if (!access.isOwnOrigin(request))
    return send(response, 403, { error: 'this does not come from a page of the console' })
  const body = await bodyOf(request)
  if (body === undefined) return send(response, 400, { error: 'expected JSON' })
  if (pathname === '/api/login') {
    const made = access.logIn(String((body as { token?: unknown } | null)?.token ?? ''))
    if (made === 'wait') return send(response, 429, { error: 'too many wrong tokens: wait a minute' })
    if (made === 'wrong') return send(response, 401, { error: 'this is not the token' })
    response.setHeader('set-cookie', made.cookie)
    return send(response, 200, {})
  }
  const login = access.login(request)
  if (login === undefined) return send(response, 401, { error: 'log in' })
  if (!access.isOwnWrite(request, login))
    return send(response, 403, { error: 'this does not come from a page of the console' })
  if (pathname === '/api/logout') {
    response.setHeader('set-cookie', access.logOut(request))
    return send(response, 200, {})
  }
  const answer = api.decide(pathname, body)
  return send(response, answer.status, answer.body)
}

function send(response: ServerResponse, status: number, body: unknown): void {
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body))
}

/** Undefined: no JSON, or too much of it. */
async function bodyOf(request: IncomingMessage): Promise<unknown> {
  if (!/^application\/json(?:;|$)/.test(request.headers['content-type'] ?? '')) return undefined
  const chunks: Buffer[] = []
  let size = 0
  for await (const chunk of request as AsyncIterable<Buffer>) {
    size += chunk.length
    if (size > MAX_BODY_BYTES) return undefined
    chunks.push(chunk)
  }
  try {
    return JSON.parse(Buffer.concat(chunks).toString()) as unknown
  } catch {
    return undefined
  }
}
