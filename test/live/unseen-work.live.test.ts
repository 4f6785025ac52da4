// Work that engine ebpf cannot see is counted or noted: requests to io_uring, and calls that a filter of seccomp refuses.
import { type ChildProcess, execFileSync, spawn, spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { attach, check, learn, type Report } from '../../src/index.ts'
import { whyNoEbpf } from './record.ts'

const whyNot = await whyNoEbpf()
if (whyNot !== null) console.log(`skipped: ${whyNot}`)
const folder = mkdtempSync(join(tmpdir(), 'unseen-'))
const home = join(folder, 'home')
const program = join(folder, 'uring')
const file = join(folder, 'uring.tfp')
const letters = join(folder, 'letters')
let running: ChildProcess[] = []
execFileSync('cc', ['-O1', '-o', program, join(import.meta.dirname, 'uring.c')])
const hasRing = spawnSync(program, ['ring'], { input: 'u', timeout: 10_000 }).status === 0
if (!hasRing) console.log('skipped: io_uring cannot be used here (kernel.io_uring_disabled, or a kernel without it)')

beforeAll(async () => {
  if (whyNot !== null) return
  writeFileSync(letters, 'ggggg')
  for (let i = 0; i < 2; i++) {
    await learn(['sh', '-c', `exec ${program} < ${letters}`], { stdio: 'ignore', file, home })
  }
})
afterEach(() => {
  for (const child of running) child.kill('SIGKILL')
  running = []
})
afterAll(() => rmSync(folder, { recursive: true }))

interface Told {
  say(text: string): Promise<void>
  readonly pid: number
}

/** It has answered to `first` letters. */
async function begun(first: string, ...args: string[]): Promise<Told> {
  const child = spawn(program, args, { stdio: ['pipe', 'pipe', 'ignore'] })
  running.push(child)
  const say = async (text: string): Promise<void> => {
    let missing = text.length
    const answered = new Promise<void>((resolve) => {
      child.stdout.on('data', (chunk: Buffer) => {
        missing -= chunk.length
        if (missing === 0) resolve()
      })
    })
    child.stdin.write(text)
    await answered
    child.stdout.removeAllListeners('data')
  }
  await say(first)
  return { say, pid: child.pid as number }
}

async function watched({ pid, say }: Told, text: string): Promise<Report> {
  const session = attach(pid, { engine: 'ebpf', fingerprint: file, home })
  await session.pid
  await say(text)
  session.stop()
  return await session.report
}

function notes({ notes: all }: Report, code: string): string[] {
  return all.filter((note) => note.code === code).map(({ message }) => message)
}

describe.skipIf(whyNot !== null)('under engine ebpf', () => {
  test.skipIf(!hasRing)('requests to io_uring are counted, though no call is made for them', async () => {
    const service = await begun('gu', 'ring')
    const report = await watched(service, 'guugu')
    expect(notes(report, 'io_uring').join()).toContain('(24 of them)')
    expect(report.verdict).not.toBe('authentic')
    const none = await watched(service, 'gg')
    expect([none.verdict, notes(none, 'io_uring')]).toEqual(['authentic', []])
  })

  test.skipIf(!hasRing)('they are counted in a run, too', async () => {
    writeFileSync(letters, 'uguu')
    const run = check(['sh', '-c', `exec ${program} ring < ${letters}`], {
      engine: 'ebpf',
      stdio: 'ignore',
      fingerprint: file,
      home,
    })
    const report = await run.report
    expect(notes(report, 'io_uring').some((message) => message.includes('(24 of them)'))).toBe(true)
    // Its set-up is a call.
    expect(report.misses.map(({ to }) => to)).toContain('io_uring_setup')
  })

  test('a filter that a program installs while it is watched is noted', async () => {
    const report = await watched(await begun('g'), 'gng')
    expect(notes(report, 'own_filter').join()).toMatch(/seccomp filter of its own: .*\(tid \d+\)/)
  })

  test('a filter that it had before is noted, too', async () => {
    const report = await watched(await begun('gn'), 'gg')
    expect([report.verdict, notes(report, 'own_filter').length]).toEqual(['authentic', 1])
    expect(notes(await watched(await begun('g'), 'gg'), 'own_filter')).toEqual([])
  })
})
