// Attaching to what already runs: joined in the middle, followed exactly, and let go as it was.
import { spawn, spawnSync } from 'node:child_process'
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { attach, type CheckSession } from '../../src/index.ts'
import { PACKAGE_ROOT } from '../../src/package.ts'
import { LiveSource } from '../../src/source/live.ts'
import type { StreamEvent } from './events.ts'
import { collectInto } from './record.ts'
import { killServices, learnService, Service } from './service.ts'

const folder = mkdtempSync(join(tmpdir(), 'attach-'))
const program = join(folder, 'service')
const marker = join(folder, 'evil')
const fingerprint = join(folder, 'service.tfp')
const home = join(folder, 'home')
const cli = join(PACKAGE_ROOT, 'lib', 'tracefp.cjs')

afterEach(() => {
  killServices()
  rmSync(marker, { recursive: true, force: true })
})
afterAll(() => rmSync(folder, { recursive: true }))

const NANOSLEEP: readonly number[] = [35, 230] // and clock_nanosleep
const GETPPID: readonly number[] = [110]

function countOf(events: readonly StreamEvent[], tid: number, numbers: readonly number[]): number {
  return events.filter((event) => event.type === 'call' && event.tid === tid && numbers.includes(event.nr)).length
}

function childrenOf(pid: number): number[] {
  return readFileSync(`/proc/${pid}/task/${pid}/children`, 'latin1').trim().split(' ').map(Number)
}

function field(pid: number, name: string): string {
  return new RegExp(`^${name}:\\t(.*)$`, 'm').exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? ''
}

async function until(what: () => boolean): Promise<void> {
  for (let i = 0; i < 300 && !what(); i++) await sleep(20)
  expect(what()).toBe(true)
}

/** Attached, all tasks of it. */
async function watch(service: Service, options: Parameters<typeof attach>[1] = {}): Promise<CheckSession> {
  const session = attach(service.pid, { fingerprint, home, ...options })
  await session.pid
  await sleep(100)
  return session
}

beforeAll(async () => {
  await learnService(folder, fingerprint, home)
})

describe('a process that is attached to', () => {
  test('is authentic while it does what was learned, and every call is counted', async () => {
    const service = await new Service(program, marker).ready()
    await service.ask('g')
    const session = await watch(service)
    await service.ask('ggtfscx')
    await service.ask('i')
    session.stop()
    const report = await session.report
    expect(report.misses).toEqual([])
    expect(report.verdict).toBe('authentic')
    expect(report.source).toMatchObject({ kind: 'live', engine: 'trace', order: 'entry' })
    // 200 of the main thread, 50 of a new thread, 50 of a new child, 20 of the child that was there before.
    expect(report.recordCount).toBeGreaterThan(320)
    expect(report.trackCount).toBeGreaterThanOrEqual(6)
    expect(report.argv[0]).toBe(program)
    expect(report.exit).toEqual({ code: null, signal: null })
  })

  test('is seen in its threads and children of before and of since, call by call', async () => {
    const service = await new Service(program, marker).ready()
    const { pid } = service
    const events: StreamEvent[] = []
    let tellBegun: (value?: undefined) => void = () => {}
    const begun = new Promise<void>((resolve) => {
      tellBegun = resolve
    })
    const options = { engine: 'attach', imageCache: new Map(), attach: { pid }, onStart: () => tellBegun() } as const
    const source = new LiveSource(options, () => collectInto(events))
    const ended = source.run()
    await begun
    const [sleeper] = readdirSync(`/proc/${pid}/task`)
      .map(Number)
      .filter((tid) => tid !== pid)
    const [child] = childrenOf(pid)
    const isJoined = (tid: unknown): boolean => events.some((event) => event.type === 'birth' && event.tid === tid)
    await until(() => [pid, sleeper, child].every(isJoined))
    const joined = events.length
    await service.ask('gggctfi')
    // Until the sleeping thread has called, too: how often it does is chance.
    const sleeps = (): number => countOf(events, sleeper as number, NANOSLEEP)
    await until(() => sleeps() > 0)
    service.process.stdin.write('q')
    await service.ended
    await ended
    expect(countOf(events, pid, GETPPID)).toBe(300)
    expect(countOf(events, child as number, GETPPID)).toBe(20)
    const since = events.slice(joined).flatMap((event) => (event.type === 'birth' ? [event] : []))
    expect(since.map(({ kind, tid, parentTid }) => [kind, parentTid, countOf(events, tid, GETPPID)])).toEqual([
      ['thread', pid, 50],
      ['fork', pid, 50],
    ])
  })

  test('is told apart when it does what was never learned', async () => {
    const service = await new Service(program, marker).ready()
    const session = await watch(service)
    await service.ask('ge')
    session.stop()
    const report = await session.report
    expect(report.verdict).toBe('abnormal')
    expect(report.misses.map(({ from, to, tid }) => [from, to, tid])).toEqual([['read', 'mkdir', service.pid]])
    expect(existsSync(marker)).toBe(true)
  })

  test('goes on as before when it is let go: no call was interrupted, no tracer is left', async () => {
    const service = await new Service(program, marker).ready()
    for (let i = 0; i < 5; i++) {
      const session = await watch(service)
      await service.ask('gc')
      session.stop()
      await session.report
      expect(field(service.pid, 'TracerPid')).toBe('0')
    }
    expect(await service.ask('gtfscxi')).toEqual(['g', 't', 'f', 's', 'c', 'x', 'i 0'])
    service.process.stdin.write('q')
    expect(await service.ended).toBe(5)
  })

  test('ends as it would, and the session with it', async () => {
    const service = await new Service(program, marker).ready()
    const session = await watch(service)
    service.process.stdin.write('q')
    expect(await service.ended).toBe(5)
    const report = await session.report
    expect(report.exit).toEqual({ code: 5, signal: null })
    expect(report.verdict).toBe('authentic')
  })

  test('stays stopped when it was stopped, and goes on at SIGCONT', async () => {
    const service = await new Service(program, marker).ready()
    service.kill('SIGSTOP')
    await until(() => field(service.pid, 'State').startsWith('T'))
    const session = await watch(service)
    expect(field(service.pid, 'State')).toMatch(/^[tT]/)
    service.kill('SIGCONT')
    expect(await service.ask('gi')).toEqual(['g', 'i 0'])
    session.stop()
    expect((await session.report).misses).toEqual([])
    expect(await service.ask('g')).toEqual(['g'])
  })

  test('lives on when the host that watches it is killed', async () => {
    const service = await new Service(program, marker).ready()
    const host = spawn(
      process.execPath,
      [cli, 'attach', '--engine', 'trace', '-f', fingerprint, '--pid', `${service.pid}`],
      {
        env: { ...process.env, TRACEFP_HOME: home },
        stdio: 'ignore',
      },
    )
    await until(() => field(service.pid, 'TracerPid') !== '0')
    await service.ask('gc')
    host.kill('SIGKILL')
    await until(() => field(service.pid, 'TracerPid') === '0')
    expect(await service.ask('gtci')).toEqual(['g', 't', 'c', 'i 0'])
  })

  test('does not make the call that is a miss when the miss is killed', async () => {
    const service = await new Service(program, marker).ready()
    const session = await watch(service, { onMiss: 'kill' })
    await service.ask('g')
    service.process.stdin.write('e')
    const report = await session.report
    expect(report.misses.map(({ to, action }) => [to, action])).toEqual([['mkdir', 'kill']])
    expect(report.exit).toEqual({ code: null, signal: 'SIGKILL' })
    expect(existsSync(marker)).toBe(false)
  })

  test('waits with everything it has at a miss that freezes it, until it is released', async () => {
    const service = await new Service(program, marker).ready()
    let frozen = 0
    const session = await watch(service, { onMiss: 'freeze', onFreeze: () => frozen++ })
    service.process.stdin.write('e')
    await until(() => frozen === 1)
    await sleep(200)
    expect(existsSync(marker)).toBe(false)
    expect(await session.release('allow')).toBe(true)
    await until(() => existsSync(marker))
    session.stop()
    expect((await session.report).misses.map(({ action }) => action)).toEqual(['allow'])
    expect(await service.ask('g')).toEqual(['g'])
  })

  test('is left alone at once when there is no fingerprint of it', async () => {
    const service = await new Service(program, marker).ready()
    const session = attach(service.pid, { home, onMiss: 'kill' })
    expect(await session.outcome).toBe('no_fingerprint')
    expect(await service.ask('gi')).toEqual(['g', 'i 0'])
  })
})

describe('attaching says clearly why it cannot', () => {
  test('to a child of its own process, whose stops Node would take for its end', async () => {
    const child = spawn('sleep', ['77.1'])
    await expect(attach(child.pid as number, { home }).report).rejects.toThrow(/is a child of this process/)
    child.kill()
  })

  test('to a process that is not there, to itself, to one that has a tracer', async () => {
    await expect(attach(4_194_000, { home }).report).rejects.toThrow(/pid 4194000: .*there is no such process/)
    expect(() => attach(process.pid)).toThrow(/cannot watch itself/)
    expect(() => attach(-1)).toThrow(/whole number/)
    const service = await new Service(program, marker).ready()
    const first = await watch(service)
    await expect(attach(service.pid, { home }).report).rejects.toThrow(/already has a tracer/)
    first.stop()
    await first.report
  })
})

describe('the command line', () => {
  const run = (...args: string[]) => {
    const env = { ...process.env, TRACEFP_HOME: home }
    return spawnSync(process.execPath, [cli, 'attach', ...args], { encoding: 'utf8', env })
  }

  test('watches for a while and ends with the verdict', async () => {
    const service = await new Service(program, marker).ready()
    await service.ask('g')
    const { status, stderr } = run('-f', fingerprint, '--pid', `${service.pid}`, '--for', '2s')
    expect(stderr).toMatch(/authentic: service/)
    expect(status).toBe(0)
    expect(run('--pid', `${service.pid}`).status).toBe(102)
    expect(run('--pid', '4194000').status).toBe(125)
    expect(run('--pid', `${service.pid}`, '--for', 'ever').status).toBe(125)
    expect(run('--pid', 'x').status).toBe(125)
  })
})
