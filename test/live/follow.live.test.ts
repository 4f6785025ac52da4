// What already runs, followed by the kernel: a process, a cgroup, the host. Nobody waits for tracefp, so what is done about a miss is
// done after it.
import { execFileSync, spawn, spawnSync } from 'node:child_process'
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmdirSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { attach, type CheckSession, learn } from '../../src/index.ts'
import { learnWatched } from '../../src/session/learn-program.ts'
import { whyNoEbpf } from './record.ts'
import { killServices, learnService, Service } from './service.ts'

const whyNot = await whyNoEbpf()
if (whyNot !== null) console.log(`skipped: ${whyNot}`)
const folder = mkdtempSync(join(tmpdir(), 'follow-'))
const marker = join(folder, 'evil')
const home = join(folder, 'home')
const fingerprint = join(folder, 'service.tfp')
const cgroup = cgroupFolder()
let program = ''

beforeAll(async () => {
  if (whyNot === null) program = await learnService(folder, fingerprint, home)
})
afterEach(() => {
  killServices()
  rmSync(marker, { recursive: true, force: true })
})
afterAll(() => rmSync(folder, { recursive: true }))

/** A cgroup of this test's own; null: none can be made. */
function cgroupFolder(): string | null {
  const mount = /^\S+ \S+ \S+ \S+ (\S+) .* - cgroup2 /m.exec(readFileSync('/proc/self/mountinfo', 'utf8'))?.[1]
  if (mount === undefined) return null
  const path = join(mount, `tracefp-test-${process.pid}`)
  try {
    mkdirSync(path)
    rmdirSync(path)
    return path
  } catch {
    return null
  }
}

async function begun(): Promise<Service> {
  return await new Service(program, marker).ready()
}

/** Everything of it is followed once this resolves. */
async function watch(
  what: Parameters<typeof attach>[0],
  options: Parameters<typeof attach>[1] = {},
): Promise<CheckSession> {
  const session = attach(what, { engine: 'ebpf', fingerprint, home, ...options })
  await session.pid
  return session
}

async function until(what: () => boolean): Promise<void> {
  for (let i = 0; i < 500 && !what(); i++) await sleep(20)
  expect(what()).toBe(true)
}

describe.skipIf(whyNot !== null)('a process that the kernel follows', () => {
  test('is joined with its threads and children of before and of since, and nothing of it is interrupted', async () => {
    const service = await begun()
    await service.ask('g')
    const session = await watch(service.pid)
    expect(await service.ask('ggtfscxi')).toEqual(['g', 'g', 't', 'f', 's', 'c', 'x', 'i 0'])
    session.stop()
    const report = await session.report
    expect(report.misses.map(({ context, to }) => [...context, to].join(' '))).toEqual([])
    expect(report.verdict).toBe('authentic')
    expect(report.source).toMatchObject({ kind: 'live', engine: 'ebpf' })
    // 200 of the main thread, 50 of a new thread, 50 of a new child, 20 of the child that was there before.
    expect(report.recordCount).toBeGreaterThan(320)
    // The main thread, the sleeping one, the waiting child; a thread and two children of since.
    expect(report.trackCount).toBe(6)
    expect(report.gapCount).toBe(0)
    expect(await service.ask('gi')).toEqual(['g', 'i 0'])
  })

  test('has every call counted, also those of tracks that still live when it is let go', async () => {
    const counts: number[] = []
    const service = await begun()
    for (const letters of ['', 'g'.repeat(20)]) {
      const session = await watch(service.pid)
      await service.ask(`i${letters}`)
      session.stop()
      counts.push((await session.report).recordCount)
    }
    // The main thread makes 102 calls a letter; the sleeping thread one every 20 ms.
    expect((counts[1] as number) - (counts[0] as number)).toBeGreaterThanOrEqual(20 * 102)
    expect((counts[1] as number) - (counts[0] as number)).toBeLessThan(20 * 102 + 2000)
  })

  test('is killed at a miss, after its call has run', async () => {
    const service = await begun()
    const session = await watch(service.pid, { onMiss: 'kill' })
    await service.ask('g')
    service.process.stdin.write('e')
    const report = await session.report
    expect(report.misses.map(({ from, to, action }) => [from, to, action])).toEqual([['read', 'mkdir', 'late-kill']])
    expect(report.exit).toEqual({ code: null, signal: 'SIGKILL' })
    expect(existsSync(marker)).toBe(true)
  })

  test('stands still with all its processes at a miss that freezes it, until it is released', async () => {
    const service = await begun()
    let frozen = 0
    const session = await watch(service.pid, { onMiss: 'freeze', onFreeze: () => frozen++ })
    const { pid } = service
    await service.ask('g')
    service.process.stdin.write('e')
    await until(() => frozen === 1)
    await until(() => familyOf(pid).every((process) => stateOf(process) === 'T'))
    expect(familyOf(pid).length).toBe(2)
    expect(await session.release('allow')).toBe(true)
    expect((await service.ask('g')).join()).toMatch(/g$/)
    session.stop()
    expect((await session.report).misses.map(({ to, action }) => [to, action])).toContainEqual(['mkdir', 'allow'])
  })

  test('goes on when it is let go while it is frozen', async () => {
    const service = await begun()
    const { pid } = service
    const session = await watch(pid, { onMiss: 'freeze' })
    await service.ask('g')
    service.process.stdin.write('e')
    await until(() => stateOf(pid) === 'T')
    session.stop()
    expect((await session.report).verdict).toBe('abnormal')
    expect((await service.ask('g')).join()).toMatch(/g$/)
  })

  test('is not denied anything, and a process that is not there is told apart', async () => {
    const session = attach(process.ppid, { engine: 'ebpf', home, onMiss: 'deny' })
    await expect(session.report).rejects.toThrow(/can no longer be stopped/)
    await expect(attach(4_194_000, { engine: 'ebpf', home }).report).rejects.toThrow(
      /pid 4194000: there is no such process/,
    )
  })

  test('is learned slice by slice while it runs', async () => {
    const service = await begun()
    const file = join(folder, 'learned.tfp')
    const learned = learnWatched(service.pid, { file, home, slices: { ms: 300, limit: 4, below: null } })
    let isOver = false
    const over = learned.finally(() => {
      isOver = true
    })
    while (!isOver) await service.ask('ggt')
    expect((await over).runCount).toBe(4)
    const session = await watch(service.pid, { fingerprint: file })
    await service.ask('ggtggt')
    await service.ask('e')
    session.stop()
    const report = await session.report
    expect(report.misses.filter(({ tid }) => tid === service.pid).map(({ from, to }) => [from, to])[0]).toEqual([
      'read',
      'mkdir',
    ])
  })
})

describe.skipIf(whyNot !== null)('a process that does nothing', () => {
  test('is not learned: a slice without a call is no run', async () => {
    const sleeper = spawn('sleep', ['60'], { stdio: 'ignore' })
    try {
      await sleep(300)
      const file = join(folder, 'idle.tfp')
      const pid = sleeper.pid as number
      const learned = await learnWatched(pid, { file, home, slices: { ms: 100, limit: 3, below: null } })
      expect(learned).toMatchObject({ isLearned: false, runCount: 0 })
      expect(learned.notes).toContain('3 of 3 slices were idle: they are no runs')
      expect(existsSync(file)).toBe(false)
    } finally {
      sleeper.kill('SIGKILL')
    }
  })
})

function familyOf(pid: number): number[] {
  const children = readFileSync(`/proc/${pid}/task/${pid}/children`, 'latin1').trim()
  return [pid, ...children.split(' ').filter(Boolean).map(Number)]
}

function stateOf(pid: number): string {
  return /\) (\S)/.exec(readFileSync(`/proc/${pid}/stat`, 'latin1'))?.[1] ?? ''
}

describe.skipIf(whyNot !== null || cgroup === null)('a cgroup', () => {
  test('is what runs in it, and what begins there', async () => {
    const group = cgroup as string
    mkdirSync(group)
    try {
      const before = await begun()
      for (const pid of familyOf(before.pid)) writeFileSync(join(group, 'cgroup.procs'), `${pid}`)
      const outside = await begun()
      const session = await watch({ cgroup: group }, { fingerprint })
      await before.ask('ge')
      await outside.ask('ge')
      const command = `echo $$ > ${group}/cgroup.procs; echo gfq | ${program} ${marker}-2 > ${folder}/out`
      expect(spawnSync('sh', ['-c', command]).status).toBe(5)
      session.stop()
      const report = await session.report
      expect(report.misses.map(({ to, tid }) => [to, tid])).toContainEqual(['mkdir', before.pid])
      expect(report.misses.map(({ tid }) => tid)).not.toContain(outside.pid)
      expect(report.misses.find(({ to }) => to === 'mkdir')?.ancestors.length).toBeGreaterThan(0)
      expect(report.trackCount).toBeGreaterThanOrEqual(6)
      killServices()
    } finally {
      for (let i = 0; i < 100 && existsSync(group); i++) {
        try {
          rmdirSync(group)
        } catch {
          await sleep(20)
        }
      }
    }
  })

  test('that is not there is told apart', () => {
    expect(() => attach({ cgroup: 'no/such.slice' }, { home })).toThrow(/there is no such cgroup/)
  })
})

describe.skipIf(whyNot !== null)('the host', () => {
  test('is every program that there is a fingerprint for, whoever starts it, and no other', async () => {
    const file = join(folder, 'only.tfp')
    const first = await begun()
    const learned = learnWatched(first.pid, { file, home, slices: { ms: 400, limit: 1, below: null } })
    await first.ask('ggtfsc')
    await learned
    const before = await begun()
    // The service that runs is met first of all.
    const session = await watch({ host: true }, { fingerprint: file })
    execFileSync('true')
    await before.ask('g')
    const since = await begun()
    await since.ask('gge')
    session.stop()
    const report = await session.report
    expect(report.programs.map(({ image }) => image)).toEqual([program])
    // It was never learned from its beginning.
    expect(report.misses.map(({ to, tid }) => [to, tid])).toContainEqual(['mkdir', since.pid])
    expect(report.misses.every(({ image }) => image === program)).toBe(true)
    expect(report.trackCount).toBeGreaterThanOrEqual(6)
    expect([report.name, report.exit, report.verdict]).toEqual(['host', { code: null, signal: null }, 'abnormal'])
  })

  test('goes on where a fingerprint is damaged, or half copied, and says what was not judged by it', async () => {
    const store = join(folder, 'damaged-store')
    await learn(['true'], { home: store, stdio: 'ignore' })
    const file = join(store, 'fingerprints', 'service.tfp')
    copyFileSync(join(folder, 'only.tfp'), file)
    const session = attach({ host: true }, { engine: 'ebpf', home: store })
    const killed: number[] = []
    const told = (async () => {
      for await (const { tid, to } of session.misses()) if (to === 'mkdir') killed.push(tid)
    })()
    const before = await begun()
    for (let i = 0; i < 500 && !killed.includes(before.pid); i++) await before.ask('ge')
    const text = readFileSync(file, 'utf8')
    writeFileSync(file, text.slice(0, -5))
    let isUnjudged = false
    for (let i = 0; i < 30 && !isUnjudged; i++) {
      const after = await begun()
      await after.ask('gge')
      await sleep(300)
      isUnjudged = !killed.includes(after.pid)
    }
    expect(isUnjudged).toBe(true)
    session.stop()
    await told
    const { notes } = await session.report
    const note = expect.objectContaining({ code: 'fingerprint_damaged', message: expect.stringContaining('truncated') })
    expect(notes).toContainEqual(note)
  })

  test('is what is learned while it is watched, and not what is learned no more', async () => {
    const store = join(folder, 'store')
    await learn(['true'], { home: store, stdio: 'ignore' })
    const late = join(store, 'fingerprints', 'late.tfp')
    const session = attach({ host: true }, { engine: 'ebpf', home: store })
    const killed: number[] = []
    const told = (async () => {
      for await (const { tid, to } of session.misses()) if (to === 'mkdir') killed.push(tid)
    })()
    const before = await begun()
    copyFileSync(join(folder, 'only.tfp'), late)
    for (let i = 0; i < 500 && !killed.includes(before.pid); i++) await before.ask('ge')
    expect(killed).toContain(before.pid)
    const since = await begun()
    await since.ask('gge')
    await until(() => killed.includes(since.pid))

    rmSync(late)
    let isUnwatched = false
    for (let i = 0; i < 30 && !isUnwatched; i++) {
      const after = await begun()
      await after.ask('gge')
      await sleep(300)
      isUnwatched = !killed.includes(after.pid)
    }
    expect(isUnwatched).toBe(true)
    session.stop()
    await told
    expect((await session.report).programs.map(({ image }) => image)).toContain(program)
  })

  test('without a fingerprint is nothing to watch', async () => {
    await expect(attach({ host: true }, { home: join(folder, 'empty') }).report).rejects.toThrow(
      /there is no fingerprint/,
    )
  })
})
