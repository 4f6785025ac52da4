// A session as its host sees it. The worker runs from lib/, so it must be built.
import { spawn } from 'node:child_process'
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { performance } from 'node:perf_hooks'
import { setTimeout as sleep } from 'node:timers/promises'
import { Worker } from 'node:worker_threads'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { check, EngineError, learn, openFingerprint } from '../../src/index.ts'

const folder = mkdtempSync(join(tmpdir(), 'session-'))
const home = join(folder, 'home')
const shell = join(folder, 'shell.tfp')
afterAll(() => rmSync(folder, { recursive: true }))

const SCRIPT = 'read -r line; echo "got $line"; exit 7'
const quiet = { stdio: 'ignore', home } as const

/** An argument that no process of another run of these tests has, and that sleep(1) takes. */
function markOf(count: number): string {
  return `${count}.${process.pid}`
}

/** Processes whose command line holds `mark`. */
function alive(mark: string): string[] {
  return readdirSync('/proc').filter((pid) => {
    try {
      return /^\d+$/.test(pid) && readFileSync(`/proc/${pid}/cmdline`, 'latin1').split('\0').includes(mark)
    } catch {
      return false
    }
  })
}

async function until(what: () => boolean): Promise<void> {
  for (let i = 0; i < 750 && !what(); i++) await sleep(20)
  expect(what()).toBe(true)
}

beforeAll(async () => {
  for (let i = 0; i < 3; i++) await learn(['sh', '-c', SCRIPT], { ...quiet, file: shell })
})

test('streams, exit code and report reach the host', async () => {
  const child = check(['sh', '-c', SCRIPT], { fingerprint: shell, stdio: 'pipe', home })
  let output = ''
  child.stdout?.on('data', (chunk: Buffer) => {
    output += chunk.toString()
  })
  child.stdin?.end('hello\n')
  const report = await child.report
  expect(output).toBe('got hello\n')
  expect(report.exit).toEqual({ code: 7, signal: null })
  expect(report.programs[0]?.recordCount).toBe(report.recordCount)
  expect(report.programs[0]?.fingerprint).toBe((await openFingerprint(shell)).sha256)
})

test('a program that does what was learned is authentic, and one that does more is abnormal and says what', async () => {
  const normal = check(['sh', '-c', SCRIPT], { ...quiet, fingerprint: shell })
  expect(await normal.outcome).toBe('authentic')
  const other = check(['sh', '-c', 'read -r line; cd /; ulimit -n 100; umask 077; exit 7'], {
    ...quiet,
    fingerprint: shell,
  })
  const told = []
  for await (const miss of other.misses()) told.push(miss)
  expect(await other.outcome).toBe('abnormal')
  expect(told).toEqual((await other.report).misses)
  expect(told.map((miss) => miss.to)).toContain('chdir')
})

test('an exec of a program that was never seen to be executed is a critical miss', async () => {
  const child = check(['sh', '-c', 'read -r line; exec /bin/true'], { ...quiet, fingerprint: shell })
  const { misses } = await child.report
  const exec = misses.find((miss) => miss.kind === 'exec')
  expect(exec).toMatchObject({ to: 'exec:/usr/bin/true', severity: 'critical' })
})

test('a program without a fingerprint is not authentic', async () => {
  expect(await check(['/bin/true'], { ...quiet, fingerprint: shell }).outcome).toBe('no_fingerprint')
  expect(await check(['/bin/true'], quiet).outcome).toBe('no_fingerprint')
})

test('without a file, the fingerprint is kept in the store and found there by the program that runs', async () => {
  const learned = await learn(['date'], quiet)
  expect(learned.file.startsWith(home)).toBe(true)
  expect((await learn(['date'], quiet)).runCount).toBe(2)
  expect(await check(['date'], quiet).outcome).toBe('authentic')
})

test('a command that does not exist is an error at once', () => {
  expect(() => check(['/no/such/command'])).toThrow(EngineError)
  expect(() => check([])).toThrow(/no command/)
})

test('what the launch itself cannot do is told by the promises', async () => {
  const child = check(['/bin/true'], { ...quiet, cwd: '/no/such/folder' })
  await expect(child.report).rejects.toMatchObject({ code: 'TFP_ERR_ENGINE_FAILED' })
  await expect(child.pid).rejects.toMatchObject({ code: 'TFP_ERR_ENGINE_FAILED' })
})

test('a damaged fingerprint is told before the program starts', async () => {
  const marker = join(folder, 'started')
  const child = check(['touch', marker], { ...quiet, fingerprint: '/etc/hostname' })
  await expect(child.report).rejects.toMatchObject({ code: 'TFP_ERR_MODEL_FORMAT' })
  expect(existsSync(marker)).toBe(false)
})

test('an aborted session leaves nothing of its program behind', async () => {
  const controller = new AbortController()
  const mark = markOf(81)
  const child = check(['sh', '-c', `sleep ${mark} & sleep ${mark}`], { ...quiet, signal: controller.signal })
  await until(() => alive(mark).length === 2)
  controller.abort()
  expect((await child.report).exit).toEqual({ code: null, signal: 'SIGKILL' })
  expect(alive(mark)).toEqual([])
})

test('a session that goes out of scope is killed', async () => {
  const mark = markOf(82)
  {
    await using child = check(['sleep', mark], quiet)
    await child.pid
    expect(alive(mark)).toHaveLength(1)
  }
  expect(alive(mark)).toEqual([])
})

test('a signal reaches the program', async () => {
  const child = check(['sleep', '83.1'], quiet)
  expect(await child.kill('SIGTERM')).toBe(true)
  expect((await child.report).exit).toEqual({ code: null, signal: 'SIGTERM' })
  expect(await child.kill('SIGTERM')).toBe(false)
})

test('a program that is gone is never signalled, even while what it started lives on', async () => {
  const mark = markOf(87)
  const child = check(['sh', '-c', `sleep ${mark} &`], quiet)
  await child.rootExited
  expect(alive(mark)).toHaveLength(1)
  expect(await child.kill('SIGTERM')).toBe(false)
  child.stop()
  await child.report
  expect(alive(mark)).toEqual([])
})

test('a host whose working directory is gone can check', async () => {
  const source = `
    import { mkdtempSync, rmdirSync } from 'node:fs'
    import { check } from ${JSON.stringify(new URL('../../lib/index.js', import.meta.url).href)}
    const gone = mkdtempSync(${JSON.stringify(join(folder, 'gone-'))})
    process.chdir(gone)
    rmdirSync(gone)
    process.exitCode = (await check(['sh', '-c', 'exit 4'], { stdio: 'ignore' }).report).exit.code
  `
  const host = spawn(process.execPath, ['--input-type=module', '-e', source], { stdio: 'ignore' })
  expect(await new Promise((resolve) => host.on('exit', resolve))).toBe(4)
})

test('sessions that end and launches that fail leave no descriptor open', async () => {
  const openCount = (): number => readdirSync('/proc/self/fd').length
  await check(['true'], quiet).report
  const before = openCount()
  for (let i = 0; i < 50; i++) {
    const failed = check(['true'], { stdio: 'pipe', home, cwd: '/no/such/folder' })
    await expect(failed.report).rejects.toThrow(/chdir/)
  }
  await until(() => openCount() <= before)
  const ended = check(['true'], { stdio: ['pipe', 'ignore', 'ignore'], home })
  await ended.report
  await until(() => openCount() <= before)
  expect(ended.stdin?.destroyed).toBe(true)
})

test("the host's own children are never taken from it, and several sessions run at once", async () => {
  const own = Array.from({ length: 20 }, (_, i) => {
    const child = spawn('sh', ['-c', `exit ${i}`], { stdio: 'ignore' })
    return new Promise((resolve) => child.on('exit', resolve))
  })
  const sessions = Array.from({ length: 6 }, (_, i) => check(['sh', '-c', `true; true; exit ${i}`], quiet).report)
  expect(await Promise.all(own)).toEqual(own.map((_, i) => i))
  expect((await Promise.all(sessions)).map((report) => report.exit.code)).toEqual([0, 1, 2, 3, 4, 5])
})

test('the event loop of the host is not woken by stops', async () => {
  // A child of the host's own makes libuv listen to SIGCHLD, which every ptrace stop sends.
  const own = spawn('sleep', ['84.1'], { stdio: 'ignore' })
  const before = performance.nodeTiming.uvMetricsInfo.loopCount
  const child = check(['dd', 'if=/dev/zero', 'of=/dev/null', 'bs=1', 'count=20000'], quiet)
  const report = await child.report
  const loops = performance.nodeTiming.uvMetricsInfo.loopCount - before
  own.kill()
  expect(report.recordCount).toBeGreaterThan(40_000)
  expect(loops).toBeLessThan(1000)
})

test.each(['trace', 'notify'])(
  'a worker that is terminated at any moment takes its tracees with it: %s',
  async (engine) => {
    const mark = markOf(85)
    const source = `
    const { LiveSource } = await import(${JSON.stringify(new URL('../../lib/source/live.js', import.meta.url).href)})
    const nothing = new Proxy({}, { get: () => () => {} })
    const script = 'while :; do :; sleep 0.001; done'
    const launch = { path: '/bin/sh', argv: ['sh', '-c', script, '${mark}'], env: [], cwd: '', stdio: [-1, -1, -1], uid: null,
      gid: null, pin: 'auto', stopsWithRoot: false }
    new LiveSource({ engine: '${engine}', launch, imageCache: new Map() }, () => nothing).run()
  `
    for (let i = 0; i < 12; i++) {
      const worker = new Worker(new URL(`data:text/javascript,${encodeURIComponent(source)}`))
      if (i === 0) await until(() => alive(mark).length > 0)
      else await sleep(Math.random() * 150)
      await worker.terminate()
      expect(alive(mark)).toEqual([])
    }
  },
)

test.each(['process.exit(3)', 'process.kill(process.pid, "SIGKILL")'])(
  'a host that ends by %s leaves no tracee',
  async (end) => {
    const index = new URL('../../lib/index.js', import.meta.url).href
    const mark = markOf(86)
    const source = `
    import { check } from ${JSON.stringify(index)}
    const child = check(['sh', '-c', 'sleep ${mark} & sleep ${mark}'], { stdio: 'ignore' })
    await child.pid
    setTimeout(() => { ${end} }, 200)
  `
    const host = spawn(process.execPath, ['--input-type=module', '-e', source], { stdio: 'ignore' })
    await until(() => alive(mark).length === 2)
    await new Promise((resolve) => host.on('exit', resolve))
    await until(() => alive(mark).length === 0)
  },
)
