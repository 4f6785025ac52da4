// What the command line gives up under engine ebpf, in all its threads, and that it still does what it is asked.
import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { chmodSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import type { Report } from '../../src/index.ts'
import { PACKAGE_ROOT } from '../../src/package.ts'
import { neededByEbpf } from '../../src/source/privileges.ts'
import { whyNoEbpf } from './record.ts'
import { killServices, learnService } from './service.ts'

const NOBODY = 65_534
const whyNot = (await whyNoEbpf()) ?? (process.geteuid?.() === 0 ? null : 'only root has something to give up')
if (whyNot !== null) console.log(`skipped: ${whyNot}`)
const folder = mkdtempSync(join(tmpdir(), 'privileges-'))
const home = join(folder, 'home')
const fingerprint = join(folder, 'service.tfp')
const report = join(folder, 'report.json')
const environment = { ...process.env, TRACEFP_HOME: home }
const cli = join(PACKAGE_ROOT, 'lib/tracefp.cjs')
let program = ''
let started: ChildProcess[] = []

beforeAll(async () => {
  if (whyNot === null) program = await learnService(folder, fingerprint, home)
  chmodSync(folder, 0o755)
})
afterEach(() => {
  for (const child of started) child.kill('SIGKILL')
  started = []
  killServices()
})
afterAll(() => rmSync(folder, { recursive: true }))

/** Of another user. */
function service(): ChildProcess {
  const child = spawn(program, [join(tmpdir(), 'nobody-makes-this', 'evil')], {
    uid: NOBODY,
    stdio: ['pipe', 'pipe', 'ignore'],
  })
  started.push(child)
  return child
}

function attach(...args: string[]): ChildProcess {
  rmSync(report, { force: true })
  const child = spawn(
    process.execPath,
    [cli, 'attach', '--engine', 'ebpf', '-f', fingerprint, '--report', report, ...args],
    {
      env: environment,
      stdio: 'ignore',
    },
  )
  started.push(child)
  return child
}

async function ended(child: ChildProcess): Promise<Report> {
  if (child.exitCode === null) await new Promise((resolve) => child.once('exit', resolve))
  return JSON.parse(readFileSync(report, 'utf8')) as Report
}

/** A field of each of its threads, each value once. */
function inAllThreads(pid: number, field: string): string[] {
  const values = readdirSync(`/proc/${pid}/task`).map((tid) => {
    const status = readFileSync(`/proc/${pid}/task/${tid}/status`, 'latin1')
    return new RegExp(`^${field}:\t(.*)$`, 'm').exec(status)?.[1] ?? ''
  })
  return [...new Set(values)]
}

/** It follows: its name in the kernel is that of the thread that does. */
async function isWatching(pid: number): Promise<void> {
  const names = (): string[] => readdirSync(`/proc/${pid}/fd`).map((fd) => readLinkOf(`/proc/${pid}/fd/${fd}`))
  for (let i = 0; i < 500 && !names().some((name) => name.includes('bpf')); i++) await sleep(20)
}

function readLinkOf(path: string): string {
  return spawnSync('readlink', [path], { encoding: 'utf8' }).stdout
}

describe.skipIf(whyNot !== null)('the command line under engine ebpf', () => {
  test('has only the capabilities it needs, in all its threads and for good', async () => {
    const { pid } = service()
    const watch = attach('--pid', `${pid}`, '--for', '3s')
    await isWatching(watch.pid as number)
    const needed = neededByEbpf(false).toString(16).padStart(16, '0')
    for (const field of ['CapPrm', 'CapEff', 'CapBnd'])
      expect(inAllThreads(watch.pid as number, field)).toEqual([needed])
    expect(inAllThreads(watch.pid as number, 'NoNewPrivs')).toEqual(['1'])
    expect(inAllThreads(watch.pid as number, 'CapBnd')).toHaveLength(1)
    const told = await ended(watch)
    expect([told.verdict, told.programs[0]?.sha256?.length]).toEqual(['authentic', 64])
  })

  test('kills a process of another user at a miss', async () => {
    const child = service()
    const watch = attach('--pid', `${child.pid}`, '--on-miss', 'kill')
    await isWatching(watch.pid as number)
    expect(inAllThreads(watch.pid as number, 'CapPrm')).toEqual([neededByEbpf(true).toString(16).padStart(16, '0')])
    // Whether it is followed by then is seen by what becomes of it.
    for (let i = 0; i < 500 && child.exitCode === null && child.signalCode === null; i++) {
      child.stdin?.write('e')
      await sleep(20)
    }
    expect(child.signalCode).toBe('SIGKILL')
    expect((await ended(watch)).misses.map(({ to }) => to)).toContain('mkdir')
  })

  test('says before it begins which file it could not use any more', async () => {
    const { pid } = service()
    const theirs = join(folder, 'theirs.tfp')
    writeFileSync(theirs, readFileSync(fingerprint))
    chmodSync(theirs, 0o600)
    spawnSync('chown', [`${NOBODY}`, theirs])
    const run = (...args: string[]): { status: number | null; stderr: string } =>
      spawnSync(
        process.execPath,
        [cli, 'attach', '--no-store', '--engine', 'ebpf', '-f', theirs, '--pid', `${pid}`, ...args],
        {
          env: environment,
          encoding: 'utf8',
        },
      )
    const refused = run()
    expect([refused.status, refused.stderr]).toEqual([125, expect.stringContaining('--keep-privileges')])
    expect(run('--keep-privileges', '--for', '1s').status).toBe(0)
    expect(existsSync(theirs)).toBe(true)
  })
})
