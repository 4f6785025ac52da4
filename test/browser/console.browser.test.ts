// The console in a real browser: log in, see a session appear while it runs, open its alert, read why, decide, reload; by keys, in
// light, dark and narrow; what it may not do, and what others may not do to it.
import { execFile } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { request } from 'node:http'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Browser, type BrowserContextOptions, chromium, type Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type Console, type ConsoleOptions, serveConsole } from '../../src/console/server.ts'
import { PACKAGE_ROOT } from '../../src/package.ts'
import { Inbox } from '../../src/store/inbox.ts'
import { SessionStore } from '../../src/store/session-store.ts'
import { MAIN } from '../cli/cli.ts'
import { missOf, resultOf } from '../store/reports.ts'

const BROWSER = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'].find(existsSync)
const AXE = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8')
const SHOTS = join(PACKAGE_ROOT, 'build/screenshots')
const HOSTILE = '/tmp/</script><img src=x onerror=alert(1)>\u202e\u001b]0;x\u0007&"\'`'
const folder = mkdtempSync(join(tmpdir(), 'tracefp-console-'))
const home = join(folder, 'home')
const troubles: unknown[] = []
let store: SessionStore
let served: Console
let browser: Browser

function tracefp(...args: readonly string[]): Promise<number> {
  return new Promise((resolve) => {
    execFile(process.execPath, [MAIN, ...args], { env: { ...process.env, TRACEFP_HOME: home } }, (error) =>
      resolve(error === null ? 0 : Number(error.code)),
    )
  })
}

interface Opened {
  readonly page: Page
  readonly complaints: string[]
}

async function open(options: BrowserContextOptions = {}, link: string = served.link): Promise<Opened> {
  const context = await browser.newContext({ viewport: { width: 1200, height: 900 }, ...options })
  const page = await context.newPage()
  const complaints: string[] = []
  const { origin } = new URL(served.link)
  page.on('console', (message) => complaints.push(`console: ${message.text()}`))
  page.on('pageerror', (error) => complaints.push(`error: ${error.message}`))
  page.on('dialog', (dialog) => complaints.push(`dialog: ${dialog.message()}`))
  page.on('request', (asked) => {
    const url = asked.url()
    if (new URL(url).origin !== origin && !url.startsWith('data:')) complaints.push(`request: ${url}`)
  })
  await page.goto(link)
  await page.waitForSelector('html.ready')
  return { page, complaints }
}

interface Asked {
  readonly method?: string
  readonly path: string
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: string
}

/** As somebody without a browser would ask. */
function ask({
  method = 'GET',
  path,
  headers = {},
  body = '',
}: Asked): Promise<{ status: number; cookie: string; body: string }> {
  const { hostname, port, host } = new URL(served.link)
  return new Promise((resolve, reject) => {
    const asked = request({ hostname, port, method, path, headers: { host, ...headers } }, (response) => {
      const chunks: Buffer[] = []
      response.on('data', (chunk: Buffer) => chunks.push(chunk))
      response.on('end', () =>
        resolve({
          status: response.statusCode ?? 0,
          cookie: response.headers['set-cookie']?.[0] ?? '',
          body: Buffer.concat(chunks).toString(),
        }),
      )
    })
    asked.on('error', reject)
    asked.end(body)
  })
}

const token = (): string => new URL(served.link).hash.replace('#token=', '')
const origin = (): string => new URL(served.link).origin
const JSON_TYPE = { 'content-type': 'application/json' }

beforeAll(async () => {
  mkdirSync(SHOTS, { recursive: true })
  store = await SessionStore.open(home)
  const options: ConsoleOptions = {
    store,
    address: '127.0.0.1',
    port: 0,
    tls: null,
    names: [],
    actor: 'admin',
    onTrouble: (error) => troubles.push(error),
  }
  served = await serveConsole(options)
})

afterAll(async () => {
  await served.close()
  store.close()
  rmSync(folder, { recursive: true, force: true })
  expect(troubles).toEqual([])
})

describe('without a browser', () => {
  test('nothing is told without the cookie, and nothing under a name that is not its own', async () => {
    for (const path of ['/api/sessions', '/api/alerts', '/api/live', '/api/me', '/api/audit'])
      expect((await ask({ path })).status).toBe(401)
    for (const host of ['evil.example', `evil.example:${new URL(served.link).port}`, '127.0.0.1'])
      expect((await ask({ path: '/', headers: { host } })).status).toBe(421)
    expect((await ask({ path: '/' })).status).toBe(200)
  })

  test('a decision needs the cookie, the origin and the token of its page', async () => {
    const body = JSON.stringify({ token: token() })
    const login = { method: 'POST', path: '/api/login', body }
    expect((await ask({ ...login, headers: JSON_TYPE })).status).toBe(403)
    expect((await ask({ ...login, headers: { ...JSON_TYPE, origin: 'https://evil.example' } })).status).toBe(403)
    expect(
      (await ask({ ...login, headers: { ...JSON_TYPE, origin: origin(), 'sec-fetch-site': 'same-site' } })).status,
    ).toBe(403)
    const { status, cookie } = await ask({ ...login, headers: { ...JSON_TYPE, origin: origin() } })
    expect(status).toBe(200)
    expect(cookie).toMatch(/; Path=\/; HttpOnly; SameSite=Strict; Max-Age=\d+$/)
    const own = { ...JSON_TYPE, origin: origin(), cookie: cookie.split(';')[0] as string }
    const { csrf } = JSON.parse((await ask({ path: '/api/me', headers: own })).body) as { csrf: string }
    const decide = { method: 'POST', path: '/api/alerts/01ARZ3NDEKTSV4RRFFQ69G5FAV', body: '{"state":"allowed"}' }
    expect((await ask({ ...decide, headers: own })).status).toBe(403)
    expect((await ask({ ...decide, headers: { ...own, 'x-tracefp-csrf': 'x' } })).status).toBe(403)
    const right = { ...own, 'x-tracefp-csrf': csrf }
    expect((await ask({ ...decide, headers: { ...right, cookie: '' } })).status).toBe(401)
    expect((await ask({ ...decide, headers: { ...right, 'content-type': 'text/plain' } })).status).toBe(400)
    expect(
      (await ask({ ...decide, headers: right, body: `{"state":"allowed","note":"${'x'.repeat(20_000)}"}` })).status,
    ).toBe(400)
    expect((await ask({ ...decide, headers: right })).status).toBe(404)
    expect((await ask({ method: 'DELETE', path: '/', headers: right })).status).toBe(405)
    expect((await ask({ method: 'POST', path: '/api/logout', headers: right, body: '{}' })).status).toBe(200)
    expect((await ask({ path: '/api/me', headers: own })).status).toBe(401)
  })

  test('listens beyond loopback with a certificate only', async () => {
    const options = { store, port: 0, tls: null, names: [], actor: 'x', onTrouble: () => {} }
    for (const address of ['0.0.0.0', '::', '192.0.2.1', 'localhost'])
      await expect(serveConsole({ ...options, address })).rejects.toThrow(/--tls-cert|no address/)
  })
})

describe.skipIf(BROWSER === undefined)(`the page${BROWSER === undefined ? ' (skipped: no chromium)' : ''}`, () => {
  beforeAll(async () => {
    browser = await chromium.launch({ executablePath: BROWSER as string, args: ['--no-sandbox'] })
  }, 60_000)

  afterAll(async () => {
    await browser?.close()
  })

  test('shows a session while it runs and its alert, which is read, decided about and still decided after a reload', async () => {
    expect(await tracefp('learn', '--runs', '3', '--', 'sh', '-c', 'true')).toBe(0)
    const { page, complaints } = await open()
    // The token does not stay in the address.
    expect(page.url()).toBe(`${origin()}/#alerts`)
    await page.getByRole('link', { name: 'Sessions' }).click()
    await page.getByRole('heading', { name: 'Sessions' }).waitFor()
    const seen = join(folder, 'seen')
    const ended = tracefp('run', '--', 'sh', '-c', `until [ -e ${seen} ]; do sleep 0.2; done; id`)
    await page.getByText('running', { exact: true }).waitFor()
    writeFileSync(seen, '')
    expect(await ended).toBe(100)
    await page.getByRole('cell', { name: 'abnormal' }).first().waitFor()
    await page.getByRole('link', { name: 'Alerts' }).click()
    await page.locator('td a[href^="#alert/"]').first().click()
    await page.getByRole('heading', { name: /^Alert about .*sh$/ }).waitFor()
    expect(await page.locator('.misses').textContent()).toMatch(/which it was never seen to execute/)
    expect(await page.locator('.tree').first().textContent()).toMatch(/node|tracefp/)
    expect(await page.locator('.timeline p').textContent()).toMatch(/misses between/)
    await page.getByLabel('Note').fill('it was me')
    await page.getByRole('button', { name: 'Acknowledge' }).click()
    await page.getByText('Decided: acknowledged.').waitFor()
    await page.reload()
    await page.getByRole('cell', { name: 'it was me' }).waitFor()
    expect(store.alerts()[0]).toMatchObject({ state: 'acknowledged' })
    // Its fingerprint, with the misses boxed.
    await page.locator('dd a[href^="#fingerprint/"]').click()
    await page.locator('#matrix').waitFor()
    await page.screenshot({ path: join(SHOTS, 'console-fingerprint.png'), fullPage: true })
    await page.locator('#matrix').focus()
    await page.keyboard.press('End')
    expect(await page.locator('#cell').textContent()).toMatch(/ -> .*: /)
    expect(complaints).toEqual([])
    await page.context().close()
  }, 90_000)

  test('hostile names are text, and steer nothing', async () => {
    const misses = [missOf({ image: HOSTILE, ancestors: [HOSTILE, 'x'.repeat(65_536)] })]
    const result = resultOf(misses, { name: HOSTILE })
    new Inbox(home).put(result.report.session, { kind: 'end', ...result, evidence: null }, false)
    const { page, complaints } = await open({}, `${served.link.replace(/#.*/, '')}#sessions`)
    await page.getByLabel('Token').fill('wrong')
    await page.keyboard.press('Enter')
    await page.getByText('this is not the token').waitFor()
    await page.getByLabel('Token').fill(token())
    await page.keyboard.press('Enter')
    // Whatever else is listed: a session of an earlier test may be told of first.
    await page.locator(`td a[href="#session/${result.report.session}"]`).click()
    await page.getByRole('heading', { name: /^Session of .*<img src=x/ }).waitFor()
    expect(await page.locator('img').count()).toBe(0)
    expect(await page.locator('body').textContent()).not.toMatch(/[\u202e\u001b\u0007]/)
    // A wrong token is answered with 401, which the browser itself writes down.
    expect(complaints.filter((text) => !text.includes('401'))).toEqual([])
    await page.context().close()
  }, 60_000)

  test.each<[string, BrowserContextOptions]>([
    ['light', { colorScheme: 'light' }],
    ['dark', { colorScheme: 'dark' }],
    ['narrow', { colorScheme: 'light', viewport: { width: 360, height: 800 } }],
  ])(
    'axe finds no violation, and nothing is wider than the window: %s',
    async (name, options) => {
      const { page, complaints } = await open(options)
      const [alert] = store.alerts()
      const [session] = store.sessions()
      const views = ['alerts', `alert/${alert?.id}`, 'sessions', `session/${session?.id}`, 'programs', 'health']
      for (const view of [...views, `fingerprint/${alert && store.alert(alert.id)?.event.fingerprint}`]) {
        await page.evaluate((hash) => {
          document.documentElement.classList.remove('ready')
          location.hash = hash
        }, `${view}`)
        if (view !== 'alerts') await page.waitForSelector('html.ready')
        await page.locator('h1').waitFor()
        await page.screenshot({ path: join(SHOTS, `console-${view.split('/')[0]}-${name}.png`), fullPage: true })
        expect(await page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth)).toBeLessThanOrEqual(
          0,
        )
        await page.evaluate(AXE)
        const violations = await page.evaluate(async () => {
          const axe = (
            window as unknown as {
              axe: { run(): Promise<{ violations: { id: string; nodes: { html: string }[] }[] }> }
            }
          ).axe
          return (await axe.run()).violations.map(
            ({ id, nodes }) => `${id}: ${nodes.map((node) => node.html).join(' ')}`,
          )
        })
        expect([view, violations]).toEqual([view, []])
      }
      expect(complaints).toEqual([])
      await page.context().close()
    },
    60_000,
  )

  test('can be used by keys alone', async () => {
    const { page } = await open()
    await page.locator('td a').first().waitFor()
    for (let at = 0; at < 20; at += 1) {
      await page.keyboard.press('Tab')
      if (await page.evaluate(() => document.activeElement?.matches('td a') === true)) break
    }
    await page.keyboard.press('Enter')
    await page.getByRole('heading', { name: /^Alert about/ }).waitFor()
    for (let at = 0; at < 20; at += 1) {
      await page.keyboard.press('Tab')
      if (await page.evaluate(() => document.activeElement?.textContent === 'Incident')) break
    }
    await page.keyboard.press('Enter')
    await page.getByText('Decided: incident.').waitFor()
    await page.context().close()
  }, 60_000)
})
