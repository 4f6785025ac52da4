// What open pages are told: what they missed while they were away, what changes while they are there, and nothing after logging out.
import { request } from 'node:http'
import { expect, onTestFinished, test, vi } from 'vitest'
import { serveConsole } from '../../src/console/server.ts'
import { Inbox } from '../../src/store/inbox.ts'
import { SessionStore } from '../../src/store/session-store.ts'
import { newFolder } from '../store/folder.ts'
import { missOf, resultOf } from '../store/reports.ts'

const JSON_TYPE = { 'content-type': 'application/json' }

async function started() {
  const home = newFolder()
  const store = await SessionStore.open(home)
  const troubles: unknown[] = []
  const options = { store, address: '127.0.0.1', port: 0, tls: null, names: [], actor: 'admin' }
  const served = await serveConsole({ ...options, onTrouble: (error) => troubles.push(error) })
  onTestFinished(async () => {
    await served.close()
    store.close()
    expect(troubles).toEqual([])
  })
  const { origin, hash } = new URL(served.link)
  const login = await fetch(`${origin}/api/login`, {
    method: 'POST',
    headers: { ...JSON_TYPE, origin },
    body: JSON.stringify({ token: hash.slice('#token='.length) }),
  })
  const cookie = (login.headers.get('set-cookie') as string).split(';')[0] as string
  const told = (name: string): string => {
    const result = resultOf([missOf()], { name })
    new Inbox(home).put(result.report.session, { kind: 'end', ...result, evidence: null }, false)
    return result.report.session
  }
  return { store, origin, cookie, told }
}

function listen(
  origin: string,
  headers: Readonly<Record<string, string>>,
): { text: () => string; isOver: () => boolean } {
  let [text, isOver] = ['', false]
  const asked = request(`${origin}/api/live`, { headers }, (response) => {
    response.on('data', (chunk: Buffer) => {
      text += chunk.toString()
    })
    response.on('close', () => {
      isOver = true
    })
    response.on('error', () => {})
  })
  asked.on('error', () => {})
  asked.end()
  return { text: () => text, isOver: () => isOver }
}

const WAIT = { timeout: 20_000, interval: 20 }

test('a page is told what it missed and what comes, cleaned, and nothing once its login is over', async () => {
  const { store, origin, cookie, told } = await started()
  const missed = told('while it was away')
  store.takeIn()
  const page = listen(origin, { cookie, 'last-event-id': '0' })
  await vi.waitFor(() => expect(page.text()).toContain(missed), WAIT)
  const next = told('\u202e\u001b[31m</script>')
  await vi.waitFor(() => expect(page.text()).toContain(next), WAIT)
  expect(page.text()).toContain('"name":"??[31m</script>"')
  const ids = [...page.text().matchAll(/^id: (\d+)$/gm)].map(([, id]) => Number(id))
  expect(ids).toEqual([...ids].sort((a, b) => a - b))
  expect(new Set(ids).size).toBe(ids.length)
  const { csrf } = (await (await fetch(`${origin}/api/me`, { headers: { cookie } })).json()) as { csrf: string }
  const headers = { ...JSON_TYPE, cookie, origin, 'x-tracefp-csrf': csrf }
  expect((await fetch(`${origin}/api/logout`, { method: 'POST', headers, body: '{}' })).status).toBe(200)
  const late = told('after it was over')
  await vi.waitFor(() => expect(page.isOver()).toBe(true), WAIT)
  expect(page.text()).not.toContain(late)
}, 60_000)

test('a page that knows all is greeted with the number of the last change, and told nothing twice', async () => {
  const { store, origin, cookie, told } = await started()
  const old = told('old')
  store.takeIn()
  const changed = store.sessions()[0]?.changed as number
  const page = listen(origin, { cookie, 'last-event-id': `${changed}` })
  await vi.waitFor(() => expect(page.text()).toContain('event: hello'), WAIT)
  const next = told('next')
  await vi.waitFor(() => expect(page.text()).toContain(next), WAIT)
  expect(page.text()).not.toContain(old)
}, 60_000)

test('a page that comes takes nothing away from one that is there', async () => {
  const { store, origin, cookie, told } = await started()
  const first = listen(origin, { cookie })
  await vi.waitFor(() => expect(first.text()).toContain('event: hello'), WAIT)
  const session = told('seen by both')
  store.takeIn()
  const second = listen(origin, { cookie, 'last-event-id': '0' })
  for (const page of [second, first]) await vi.waitFor(() => expect(page.text()).toContain(session), WAIT)
}, 60_000)
