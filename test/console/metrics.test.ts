// What is answered without a login: nothing, or sums where that is wanted.

import { execFileSync, spawnSync } from 'node:child_process'
import { expect, onTestFinished, test } from 'vitest'
import { serveConsole } from '../../src/console/server.ts'
import { Spool } from '../../src/outbox/spool.ts'
import { SessionStore } from '../../src/store/session-store.ts'
import { newFolder } from '../store/folder.ts'

async function serve(
  hasMetrics: boolean,
): Promise<(path: string, headers?: Record<string, string>) => Promise<Response>> {
  const store = await SessionStore.open(newFolder())
  store.countSinks([{ name: 'web', sentCount: 2, failedCount: 3, droppedCount: 0 }])
  new Spool(store.home, 'web').put('01KVRM5W3C1R8YH6Z4N2T7Q9XA', '{}')
  new Spool(store.home, 'new').put('01KVRM5W3C1R8YH6Z4N2T7Q9XA', '{}')
  const options = { store, address: '127.0.0.1', port: 0, tls: null, names: [], actor: 'a', onTrouble: () => {} }
  const { link, close } = await serveConsole({ ...options, hasMetrics })
  onTestFinished(async () => {
    await close()
    store.close()
  })
  return async (path, headers = {}) => await fetch(new URL(path, link), { headers })
}

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
