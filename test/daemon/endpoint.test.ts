// What the daemon answers over HTTP, and to whom.

import { request } from 'node:http'
import { expect, onTestFinished, test } from 'vitest'
import { openEndpoint } from '../../src/daemon/endpoint.ts'

interface Answered {
  readonly status: number
  readonly body: string
}

async function open(isWell: boolean): Promise<(path: string, host?: string, method?: string) => Promise<Answered>> {
  const health = () => ({ isWell, body: { trouble: 'a\u001b[31m\u202e' } })
  const metrics = (): string => {
    if (!isWell) throw new Error('no store')
    return 'x 1\n'
  }
  const { url, close } = await openEndpoint({ address: '127.0.0.1', port: 0 }, { health, metrics })
  onTestFinished(close)
  const { port, host: own } = new URL(url)
  return (path, host = own, method = 'GET') =>
    new Promise((resolve, reject) => {
      const asked = request({ host: '127.0.0.1', port, path, method, headers: { host } }, (response) => {
        let body = ''
        response.setEncoding('utf8').on('data', (text: string) => {
          body += text
        })
        response.on('end', () => resolve({ status: response.statusCode ?? 0, body }))
      })
      asked.once('error', reject).end()
    })
}

test('health is 200 or 503, and its texts steer no terminal', async () => {
  const body = '{"trouble":"a\\u001b[31m\\u202e"}\n'
  expect(await (await open(true))('/healthz')).toEqual({ status: 200, body })
  const ill = await open(false)
  expect(await ill('/healthz?verbose')).toEqual({ status: 503, body })
  expect((await ill('/metrics')).status).toBe(503)
})

test('it answers those who ask by address, nothing else and no other way', async () => {
  const get = await open(true)
  expect(await get('/metrics')).toEqual({ status: 200, body: 'x 1\n' })
  expect([(await get('/metrics', 'localhost:1')).status, (await get('/metrics', '[::1]:1')).status]).toEqual([200, 200])
  expect((await get('/metrics', 'evil.example')).status).toBe(421)
  expect([(await get('/')).status, (await get('/healthz', undefined, 'POST')).status]).toEqual([404, 405])
})

test('an address that is taken is said', async () => {
  const { url, close } = await openEndpoint(
    { address: '127.0.0.1', port: 0 },
    { health: () => ({ isWell: true, body: {} }), metrics: () => '' },
  )
  onTestFinished(close)
  const port = Number(new URL(url).port)
  const again = openEndpoint(
    { address: '127.0.0.1', port },
    { health: () => ({ isWell: true, body: {} }), metrics: () => '' },
  )
  await expect(again).rejects.toMatchObject({ code: 'TFP_ERR_FILE', message: expect.stringMatching(/EADDRINUSE/) })
})
