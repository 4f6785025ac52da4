// The page of `show --html` in a real browser: what it shows, by keys alone, in light, dark and narrow; what it may not do.
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { type Browser, type BrowserContextOptions, chromium, type Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { makeSettings } from '../../src/model/fingerprint.ts'
import { PACKAGE_ROOT } from '../../src/package.ts'
import { toHtml } from '../../src/review/html.ts'
import { image, ledgerOf, mapping, runInfo, runOf } from '../model/making.ts'

const BROWSER = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'].find(existsSync)
const AXE = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8')
const SHOTS = join(PACKAGE_ROOT, 'build/screenshots')
const HOSTILE = '/tmp/</script><img src=x onerror=alert(1)>&"\'`'
const folder = mkdtempSync(join(tmpdir(), 'html-'))
const file = join(folder, 'page.html')
let browser: Browser

function html(): string {
  const settings = makeSettings(mapping, { depth: 3 })
  const id = (run: number): string => `01ARZ3NDEKTSV4RRFFQ69G5F${run.toString().padStart(2, '0')}`
  const usual = '<exec> brk mmap openat read close mprotect write exit_group <end>'
  const ledger = ledgerOf(runOf(id(1), [usual], { settings, execs: [HOSTILE] }))
  for (let run = 2; run <= 9; run += 1) {
    const odd = ['getpid', 'getuid', 'fstat', 'lseek'][run % 4]
    ledger.addRun(runOf(id(run), [usual, ...(run > 5 ? [`<exec> brk ${odd} read execve`] : [])], { settings }))
  }
  ledger.addRun(runOf(id(10), ['<exec> read socket connect <end>'], { settings, image: image(HOSTILE) }))
  const info = { ...runInfo(id(11)), layer: 'fault' as const }
  ledger.addRun(runOf(id(11), ['<exec> brk mmap openat futex <end>'], { settings, info }))
  return toHtml(ledger.fingerprint(mapping), { file: `${HOSTILE}.tfp`, block: null, version: '0' })
}

interface Opened {
  readonly page: Page
  /** What it asked for, complained of, or was forbidden. */
  readonly troubles: string[]
}

async function open(options: BrowserContextOptions = {}): Promise<Opened> {
  const context = await browser.newContext({ viewport: { width: 1200, height: 900 }, ...options })
  const page = await context.newPage()
  const troubles: string[] = []
  page.on('console', (message) => troubles.push(`console: ${message.text()}`))
  page.on('pageerror', (error) => troubles.push(`error: ${error.message}`))
  page.on('dialog', (dialog) => troubles.push(`dialog: ${dialog.message()}`))
  page.on(
    'request',
    (request) => request.url() !== pathToFileURL(file).href && troubles.push(`request: ${request.url()}`),
  )
  await page.goto(pathToFileURL(file).href)
  await page.waitForSelector('html.ready')
  return { page, troubles }
}

test.runIf(process.env['CI'])('there is a browser where everything should be tried', () => {
  expect(BROWSER).toBeDefined()
})

describe.skipIf(BROWSER === undefined)(`the page${BROWSER === undefined ? ' (skipped: no chromium)' : ''}`, () => {
  beforeAll(async () => {
    mkdirSync(SHOTS, { recursive: true })
    writeFileSync(file, html())
    browser = await chromium.launch({ executablePath: BROWSER as string, args: ['--no-sandbox'] })
  }, 60_000)

  afterAll(async () => {
    await browser?.close()
    rmSync(folder, { recursive: true })
  })

  test('asks for nothing and complains of nothing, whatever the names in it look like', async () => {
    const { page, troubles } = await open()
    expect(await page.locator('h1').textContent()).toBe(`Fingerprint ${HOSTILE}.tfp`)
    expect(await page.locator('img').count()).toBe(0)
    expect(await page.locator('#program-facts').textContent()).toContain(HOSTILE)
    await page.selectOption('#program', '1')
    expect(await page.locator('#program option:checked').textContent()).toBe(HOSTILE)
    expect(troubles).toEqual([])
  })

  test('could run no other script, and send nothing', async () => {
    const { page } = await open()
    const told = await page.evaluate(async () => {
      const violations: string[] = []
      document.addEventListener('securitypolicyviolation', (event) => violations.push(event.effectiveDirective))
      const script = document.createElement('script')
      script.textContent = 'window.ran = true'
      document.body.append(script)
      const style = document.createElement('style')
      style.textContent = 'body { display: none }'
      document.body.append(style)
      const picture = document.createElement('img')
      picture.src = 'http://127.0.0.1:9/x.png'
      document.body.append(picture)
      await fetch('http://127.0.0.1:9/').catch(() => {})
      await new Promise((resolve) => setTimeout(resolve, 200))
      return { violations: violations.sort(), ran: 'ran' in window, display: getComputedStyle(document.body).display }
    })
    expect(told.violations).toEqual(['connect-src', 'img-src', 'script-src-elem', 'style-src-elem'])
    expect(told).toMatchObject({ ran: false, display: 'block' })
  })

  test('can be used by keys alone: matrix, chosen call, graph, table', async () => {
    const { page } = await open()
    const label = await page.locator('#matrix').getAttribute('aria-label')
    expect(label).toMatch(/^Matrix of \d+ by \d+ calls, \d+ of the cells filled$/)
    await page.locator('#matrix').focus()
    const said = () => page.locator('#cell').textContent()
    const first = await said()
    await page.keyboard.press('ArrowDown')
    await page.keyboard.press('Control+ArrowRight')
    expect(await said()).not.toBe(first)
    // Over every row, until one has a filled cell.
    for (let row = 0; row < 30 && !/of 10 runs/.test((await said()) ?? ''); row += 1) {
      await page.keyboard.press('ArrowDown')
      await page.keyboard.press('Home')
      await page.keyboard.press('Control+ArrowRight')
    }
    expect(await said()).toMatch(/^\S+ -> \S+: \d+ of 10 runs$/)
    const from = ((await said()) ?? '').split(' ')[0]
    await page.keyboard.press('Enter')
    expect(await page.evaluate(() => document.activeElement?.id)).toBe('call')
    expect(await page.locator('#call option:checked').textContent()).toBe(from)

    await page.selectOption('#call', { label: 'read' })
    const button = page.getByRole('button', { name: /^execve \d+ runs, after read$/ })
    await button.focus()
    await page.keyboard.press('Enter')
    expect(await page.locator('#call option:checked').textContent()).toBe('execve')
    expect(await page.evaluate(() => document.activeElement?.id)).toBe('call')

    await page.locator('#filter').focus()
    await page.keyboard.type('-> execve')
    expect(await page.locator('#rows tr').count()).toBe(4)
    expect(await page.locator('#shown').textContent()).toBe('4 of 4 transitions')
    expect(await page.locator('#rows tr').first().getAttribute('class')).toBe('target')
    await page.getByRole('button', { name: 'Runs', exact: true }).focus()
    await page.keyboard.press('Enter')
    expect(await page.locator('#transitions th').nth(2).getAttribute('aria-sort')).toBe('ascending')
  })

  test('tells what was only seen while calls failed, in the matrix, the graph and the table', async () => {
    const { page } = await open()
    await page.locator('#call').selectOption({ label: 'openat' })
    const label = 'futex 1 runs, after openat, only while calls fail'
    expect(await page.getByRole('button', { name: label, exact: true }).count()).toBe(1)
    await page.locator('#filter').fill('only while')
    expect(await page.locator('#shown').textContent()).toBe('2 of 2 transitions')
    expect(await page.locator('#rows').textContent()).toContain('openatfutex1')
    await page.locator('#matrix').focus()
    for (const key of ['Home', 'PageUp']) await page.keyboard.press(key)
    const cell = page.locator('#cell')
    for (let row = 0; row < 30 && !(await cell.textContent())?.startsWith('openat ->'); row += 1)
      await page.keyboard.press('ArrowDown')
    for (let column = 0; column < 30 && !(await cell.textContent())?.includes('-> futex'); column += 1)
      await page.keyboard.press('ArrowRight')
    expect(await cell.textContent()).toBe('openat -> futex: 1 of 1 runs with faults, and no other')
  })

  test('shows the curve and the mimicry budget in words too', async () => {
    const { page } = await open()
    expect(await page.locator('#curve p').textContent()).toMatch(
      /all 10 have \d+; the last one added [\d.]+ on average/,
    )
    expect(await page.locator('#budget-rows').textContent()).toContain('read -> execve')
    expect(await page.locator('section', { has: page.locator('#budget-rows') }).textContent()).toMatch(/lower bound/)
  })

  test.each<[string, BrowserContextOptions]>([
    ['light', { colorScheme: 'light' }],
    ['dark', { colorScheme: 'dark' }],
    ['narrow', { colorScheme: 'light', viewport: { width: 360, height: 800 } }],
  ])('axe finds no violation, and nothing is wider than the window: %s', async (name, options) => {
    const { page, troubles } = await open(options)
    await page.screenshot({ path: join(SHOTS, `show-${name}.png`), fullPage: true })
    expect(await page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth)).toBeLessThanOrEqual(0)
    await page.evaluate(AXE)
    const violations = await page.evaluate(async () => {
      const axe = (
        window as unknown as { axe: { run(): Promise<{ violations: { id: string; nodes: { html: string }[] }[] }> } }
      ).axe
      return (await axe.run()).violations.map(({ id, nodes }) => `${id}: ${nodes.map((node) => node.html).join(' ')}`)
    })
    expect(violations).toEqual([])
    expect(troubles).toEqual([])
  })
})
