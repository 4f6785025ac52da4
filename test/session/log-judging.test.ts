// Calls of logs that are judged by the native scanner: the report is, byte by byte, that of the reader and the checker alone, with the
// same misses at the same places. Logs are checked twice from end to end, with the scanner and without it.

import { copyFileSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import fc from 'fast-check'
import { afterAll, beforeEach, describe, expect, test, vi } from 'vitest'
import { RECENT_CALLS } from '../../src/addon/log-scanner.ts'
import { learnLogs } from '../../src/learn-logs.ts'
import { Walker } from '../../src/match/walker.ts'
import type { Settings } from '../../src/model/fingerprint.ts'
import { type JudgedCalls, RECENT_COUNT } from '../../src/model/stream.ts'
import { toldOfLogs } from './told-of-logs.ts'

const way = vi.hoisted(() => ({ isPlain: false, isWatching: false }))

vi.mock('../../src/source/log/strace-scan.ts', async (importOriginal) => {
  const original = await importOriginal<typeof import('../../src/source/log/strace-scan.ts')>()
  const openScan: typeof original.openScan = (reader) => (way.isPlain ? null : original.openScan(reader))
  return { ...original, openScan }
})

vi.mock('../../src/source/log/strace-filter.ts', async (importOriginal) => {
  const original = await importOriginal<typeof import('../../src/source/log/strace-filter.ts')>()
  class SomeSigns extends original.FilterSigns {
    override isWatching = way.isWatching
  }
  return { ...original, FilterSigns: SomeSigns }
})

const folder = mkdtempSync(join(tmpdir(), 'tracefp-judging-'))
afterAll(() => rmSync(folder, { recursive: true }))

let judgedCount = 0
const giveBack = Walker.prototype.giveBack
Walker.prototype.giveBack = function (tid: number, judged: JudgedCalls): void {
  judgedCount += judged.callCount + judged.transparentCount
  giveBack.call(this, tid, judged)
}

beforeEach(() => {
  judgedCount = 0
  way.isWatching = false
})

async function learn(log: string, settings: Partial<Settings>): Promise<string> {
  const [path, file] = [join(folder, 'learned.log'), join(folder, 'known.tfp')]
  writeFileSync(path, log)
  for (const name of readdirSync(folder)) if (name.startsWith('known.')) rmSync(join(folder, name))
  const none = (): void => {}
  await learnLogs({
    logs: [path],
    format: 'strace',
    mapping: null,
    file,
    name: null,
    scenario: 'default',
    settings,
    home: folder,
    onSession: none,
    onWritten: none,
    onFailure: none,
  })
  return file
}

/** All that is told of a log, but what every session has of its own. */
async function told(log: string, file: string, isPlain: boolean, depth: number | null): Promise<unknown[]> {
  const path = join(folder, 'checked.log')
  writeFileSync(path, log)
  return await toldOf([path], file, isPlain, depth)
}

async function toldOf(paths: string[], file: string, isPlain: boolean, depth: number | null): Promise<unknown[]> {
  way.isPlain = isPlain
  return await toldOfLogs(paths, { home: folder, file, depth })
}

async function compare(log: string, file: string, depth: number | null = null): Promise<unknown[]> {
  const events = await told(log, file, true, depth)
  expect(JSON.stringify(await told(log, file, false, depth))).toBe(JSON.stringify(events))
  return events
}

const BEGINNING = `7 execve("/bin/a", ["a"], 0x7f /* 3 vars */) = 0
7 brk(NULL) = 0x55f470d92000
7 rt_sigaction(SIGALRM, {sa_handler=0x559f9197a289, sa_mask=[], sa_flags=0}, NULL, 8) = 0
7 clone3({flags=CLONE_VM|CLONE_FS|CLONE_SIGHAND|CLONE_THREAD, exit_signal=0}, 88) = 8
7 clone(child_stack=NULL, flags=CLONE_CHILD_SETTID|SIGCHLD, child_tidptr=0x7f) = 263
`
const CALLS = [
  'read(3, "a", 1) = 1',
  'write(1, "a", 1) = -1 EAGAIN (Resource temporarily unavailable)',
  'close(3) = 0',
  'gettimeofday({tv_sec=1, tv_usec=2}, NULL) = 0',
  'futex(0x7f, FUTEX_WAIT, 2, NULL <unfinished ...>',
  '<... futex resumed>) = 0',
]
const LINES = [
  'no_such_call(1, 2) = 0',
  'read(3, "", 1) = ? ERESTARTSYS (To be restarted if SA_RESTART is set)',
  'io_uring_enter(3, 1, 0, 0, NULL, 8) = 1',
  '--- SIGALRM {si_signo=SIGALRM, si_code=SI_KERNEL} ---',
  '--- SIGCHLD {si_signo=SIGCHLD, si_code=CLD_EXITED} ---',
  'rt_sigreturn({mask=[]}) = 0',
  'rt_sigreturn({mask=[]}) = -1 EINTR (Interrupted system call)',
  'execve("/bin/a", ["a"], 0x7fff /* 3 vars */) = 0',
  'execve("/bin/b", ["b"], 0x7fff /* 3 vars */) = 0',
  'clone(child_stack=NULL, flags=CLONE_CHILD_SETTID|SIGCHLD, child_tidptr=0x7f) = 519',
  'kill(263, SIGKILL) = 0',
  '???( <unfinished ...>',
  'exit_group(0) = ?',
  '+++ exited with 0 +++',
  'these are words',
]
const lines = fc.array(
  fc.tuple(
    fc.constantFrom(7, 7, 7, 8, 8, 263, 519),
    fc.oneof({ weight: 12, arbitrary: fc.constantFrom(...CALLS) }, { weight: 1, arbitrary: fc.constantFrom(...LINES) }),
  ),
  { minLength: 30, maxLength: 300 },
)
/** With -o, or as on a terminal: there lines have a pid while there is more than one process, or the one before said nothing. */
const logs = fc.tuple(lines, fc.boolean()).map(([all, hasColumn]) => {
  const some = all.map(([tid, text]) => [hasColumn ? tid : tid === 8 ? 0 : tid === 519 ? 263 : 7, text] as const)
  const pid = (tid: number): string => (hasColumn ? `${tid} ` : tid === 0 ? '' : `[pid ${tid}] `)
  const beginning = hasColumn
    ? BEGINNING
    : `[pid ${BEGINNING.split('\n').slice(0, 3).join('\n[pid ')}\n`.replace(/7 /g, '7] ')
  return beginning + some.map(([tid, text]) => `${pid(tid)}${text}\n`).join('')
})
/** What a program does that has no surprises. */
const learned = fc
  .array(fc.tuple(fc.constantFrom(7, 8, 263), fc.constantFrom(...CALLS.slice(0, 4))), { minLength: 20, maxLength: 90 })
  .map((all) => BEGINNING + all.map(([tid, text]) => `${tid} ${text}\n`).join(''))

describe('calls judged by the scanner', () => {
  test('what is kept of the last calls is as much as a history holds', () => {
    expect(RECENT_CALLS).toBe(RECENT_COUNT)
  })

  test.each([
    { tracks: 'thread', depth: 2 },
    { tracks: 'thread', depth: 4 },
    { tracks: 'log', depth: 2 },
  ] as const)('give the same report, $tracks, depth $depth', async ({ tracks, depth }) => {
    let missCount = 0
    await fc.assert(
      fc.asyncProperty(learned, logs, fc.boolean(), async (usual, log, isWatching) => {
        way.isWatching = false
        const file = await learn(usual, { tracks, depth: Math.max(3, depth), transparent: ['gettimeofday'] })
        way.isWatching = isWatching
        missCount += (await compare(log, file, depth)).length - 1
      }),
      { numRuns: 25 },
    )
    expect(missCount).toBeGreaterThan(20)
    if (tracks === 'thread') expect(judgedCount).toBeGreaterThan(100)
    else expect(judgedCount).toBe(0)
  })

  test('most calls of a long log are judged, in whatever chunks it is read', async () => {
    const body = [0, 1, 2, 3].map((at) => `7 ${CALLS[at] as string}\n`).join('')
    const file = await learn(BEGINNING + body.repeat(2), {})
    const [report] = await compare(BEGINNING + body.repeat(20_000), file)
    expect(report).toMatchObject({ missCount: 0, recordCount: 80_004 })
    expect(judgedCount).toBeGreaterThan(79_900)
    const odd = BEGINNING + `${body.repeat(3000)}7 socket(AF_INET, SOCK_STREAM, 0) = 5\n`.repeat(5)
    expect((await compare(odd, file)).length).toBe(1 + 5)
  })

  test('files of strace -ff have the same report, wherever one waits for another', async () => {
    const body = [0, 1, 2, 3].map((at) => `${CALLS[at] as string}\n`).join('')
    const file = await learn(BEGINNING + body.replace(/^(?=.)/gm, '7 ').repeat(2), {})
    const own = BEGINNING.replace(/^7 /gm, '')
    const exec = 'execve("/bin/a", ["a"], 0x7f /* 3 vars */) = 0\n'
    const odd = 'socket(AF_INET, SOCK_STREAM, 0) = 5\n'
    const files = new Map([
      [7, own + body.repeat(1000) + exec + odd + body.repeat(300) + odd],
      [8, body.repeat(700) + odd + body.repeat(20)],
      [263, body.repeat(400) + odd],
    ])
    const paths = [...files].map(([tid, text]) => {
      const path = join(folder, `set.log.${tid}`)
      writeFileSync(path, text)
      return path
    })
    const events = await toldOf(paths, file, true, null)
    expect(events.length).toBe(9)
    judgedCount = 0
    expect(await toldOf(paths, file, false, null)).toEqual(events)
    expect(judgedCount).toBeGreaterThan(5000)
  })

  const fixtures = fileURLToPath(new URL('../fixtures/strace/', import.meta.url))
  const names = existsSync(fixtures) ? readdirSync(fixtures).filter((name) => /^(?!c\.|ff\.).*\.log/.test(name)) : []
  const learnedOnce = join(folder, 'fixtures.tfp')
  test.each(names)('%s', async (name) => {
    const file = existsSync(learnedOnce)
      ? learnedOnce
      : await learn(readFileSync(join(fixtures, 'f.o.log'), 'latin1'), {})
    if (file !== learnedOnce) copyFileSync(file, learnedOnce)
    const log = readFileSync(join(fixtures, name), 'latin1')
    await compare(log, file)
    await compare(log + log, file)
  })
})
