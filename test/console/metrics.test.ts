// What is answered without a login: nothing, or sums where that is wanted.

import { execFileSync, spawnSync } from 'node:child_process'
import { request } from 'node:http'
import { expect, onTestFinished, test } from 'vitest'
import { type ConsoleOptions, serveConsole } from '../../src/console/server.ts'
import { Spool } from '../../src/outbox/spool.ts'
import { SessionStore } from '../../src/store/session-store.ts'
import { newFolder } from '../store/folder.ts'

type Get = (path: string, headers?: Record<string, string>) => Promise<Response>

async function serve(hasMetrics: boolean, more: Partial<ConsoleOptions> = {}): Promise<Get & { link: string }> {
  const store = await SessionStore.open(newFolder())
  store.countSinks([{ name: 'web', sentCount: 2, failedCount: 3, droppedCount: 0 }])
  new Spool(store.home, 'web').put('01KVRM5W3C1R8YH6Z4N2T7Q9XA', '{}')
  new Spool(store.home, 'new').put('01KVRM5W3C1R8YH6Z4N2T7Q9XA', '{}')
  const options = { store, address: '127.0.0.1', port: 0, tls: null, names: [], actor: 'a', onTrouble: () => {} }
  const { link, close } = await serveConsole({ ...options, hasMetrics, ...more })
  onTestFinished(async () => {
    await close()
    store.close()
  })
  const get: Get = async (path, headers = {}) => await fetch(new URL(path, link), { headers })
  return Object.assign(get, { link })
}

/** Of a request with this path as it stands. */
async function statusOf(link: string, path: string, host = new URL(link).host): Promise<number | undefined> {
  const { hostname, port } = new URL(link)
  return await new Promise((resolve, reject) => {
    const sent = request({ hostname, port, path, headers: { host } }, (answer) => {
      answer.resume()
      resolve(answer.statusCode)
    })
    sent.on('error', reject).end()
  })
}

test('what is no address is refused, and is no trouble of the console', async () => {
  const troubles: unknown[] = []
  const { link } = await serve(true, { onTrouble: (error) => troubles.push(error) })
  expect(await statusOf(link, '//')).toBe(400)
  expect(troubles).toEqual([])
})

test('a name is the same in upper and in lower case', async () => {
  const { link } = await serve(true, { names: ['Console.Example'] })
  const { port } = new URL(link)
  const own = `http://127.0.0.1:${port}`
  expect(await statusOf(own, '/healthz', `console.example:${port}`)).toBe(200)
  expect(await statusOf(own, '/healthz', `CONSOLE.example:${port}`)).toBe(200)
  expect(await statusOf(own, '/healthz', `other.example:${port}`)).toBe(421)
})

test('sums and spools are told where that is wanted, and promtool takes them', async () => {
  const get = await serve(true)
  const text = await (await get('/metrics')).text()
  expect(text).toMatch(/^tracefp_sink_waiting\{sink="web"\} 1$/m)
  expect(text).toMatch(/^tracefp_sink_waiting\{sink="new"\} 1$/m)
  expect(text).toMatch(/^tracefp_sink_failed_total\{sink="web"\} 3$/m)
  if (spawnSync('promtool', ['--version']).error === undefined) {
    execFileSync('promtool', ['check', 'metrics'], { input: text })
  }
  expect(await (await get('/healthz')).json()).toMatchObject({ status: 'ok' })
  // All else still needs a login.
  expect((await get('/api/counts')).status).toBe(401)
})

test('else they need a login like all else', async () => {
  const get = await serve(false)
  expect([(await get('/metrics')).status, (await get('/healthz')).status]).toEqual([401, 401])
})
