// Processes that the native scanner follows by itself, from their birth to their end: the report of a log is, byte by byte, that of the
// reader and the checker alone, with the same misses at the same places. The logs are made up: processes that fork, execute, are
// interrupted and end, in any order, with something in between that only the reader understands.

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterAll, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest'
import { checkLogs } from '../../src/check-logs.ts'
import { learnLogs } from '../../src/learn-logs.ts'
import { Walker } from '../../src/match/walker.ts'
import type { LentProgram, PassedTracks } from '../../src/model/stream.ts'

const way = vi.hoisted(() => ({ isPlain: false, chunkBytes: 0 }))

vi.mock('../../src/source/log/strace-scan.ts', async (importOriginal) => {
  const original = await importOriginal<typeof import('../../src/source/log/strace-scan.ts')>()
  const openScan: typeof original.openScan = (reader) => (way.isPlain ? null : original.openScan(reader))
  return { ...original, openScan }
})

vi.mock('../../src/source/log/strace-filter.ts', async (importOriginal) => {
  const original = await importOriginal<typeof import('../../src/source/log/strace-filter.ts')>()
  class NoSigns extends original.FilterSigns {
    override isWatching = false
  }
  return { ...original, FilterSigns: NoSigns }
})

/** Files in smaller chunks. */
vi.mock('../../src/source/log/log-bytes.ts', async (importOriginal) => {
  const original = await importOriginal<typeof import('../../src/source/log/log-bytes.ts')>()
  const openLogBytes: typeof original.openLogBytes = async (path, name) => {
    const bytes = await original.openLogBytes(path, name)
    async function* cut(): AsyncGenerator<Uint8Array> {
      for await (const chunk of bytes.chunks)
        for (let at = 0; at < chunk.length; at += way.chunkBytes) yield chunk.slice(at, at + way.chunkBytes)
    }
    return way.chunkBytes === 0 ? bytes : { ...bytes, chunks: cut() }
  }
  return { ...original, openLogBytes }
})

let passedCount = 0
const onPassed = Walker.prototype.onPassed
Walker.prototype.onPassed = function (program: LentProgram, passed: PassedTracks): void {
  passedCount += passed.trackCount
  onPassed.call(this, program, passed)
}

beforeEach(() => {
  passedCount = 0
  way.chunkBytes = 0
})

const folder = mkdtempSync(join(tmpdir(), 'tracefp-lives-'))
const learned = join(folder, 'known.tfp')
afterAll(() => rmSync(folder, { recursive: true }))

const CALLS = ['read(3, "a", 1) = 1', 'write(1, "a", 1) = -1 EAGAIN (Resource temporarily unavailable)', 'close(3) = 0']
const FLAGS = 'flags=CLONE_CHILD_CLEARTID|CLONE_CHILD_SETTID|SIGCHLD'
/** What a process may do next, where nothing is open. */
type Act = (process: Process, world: World) => void

interface Process {
  readonly tid: number
  /** Lines that must come next. */
  readonly due: string[]
  isHandled: boolean
}

/** Processes that live, and the lines that they have written. */
class World {
  readonly lines: string[] = []
  readonly all: Process[] = []
  #nextTid = 100

  begin(tid: number, ...due: string[]): Process {
    const process = { tid, due, isHandled: false }
    this.all.push(process)
    return process
  }

  newTid(): number {
    // Now and then in the slot of another one.
    this.#nextTid += this.lines.length % 29 === 0 ? 256 : 1
    return this.#nextTid
  }

  say({ tid }: Process, line: string): void {
    this.lines.push(`${tid} 03:12:48.112836 ${line}`)
  }

  end(process: Process): void {
    this.all.splice(this.all.indexOf(process), 1)
    for (const root of this.all.slice(0, 1)) interrupt(root)
  }
}

function interrupt({ due, isHandled }: Process): void {
  due.push('--- SIGCHLD {si_signo=SIGCHLD, si_code=CLD_EXITED, si_pid=5} ---')
  if (isHandled) due.push(CALLS[0] as string, 'rt_sigreturn({mask=[]}) = 0')
}

function execLine(path: string, tail: string): string {
  return `execve("/bin/${path}", ["${path}", "-x"], 0x7ffd83542860 /* 35 vars */${tail}`
}

const call =
  (text: string): Act =>
  (process, world) =>
    world.say(process, text)

const execute =
  (path: string): Act =>
  (process, world) => {
    world.say(process, execLine(path, ') = 0'))
    process.due.push('brk(NULL) = 0x55f470d92000')
    process.isHandled = false
  }

const ACTS: readonly Act[] = [
  ...CALLS.map(call),
  (process, world) => {
    world.say(process, 'read(3,  <unfinished ...>')
    process.due.push('<... read resumed>"a", 1) = 1')
  },
  (process, world) => {
    const child = world.newTid()
    world.say(process, `clone(child_stack=NULL, ${FLAGS}, child_tidptr=0x7f917f48da10) = ${child}`)
    world.begin(child).isHandled = process.isHandled
  },
  (process, world) => {
    const child = world.newTid()
    world.say(process, 'vfork( <unfinished ...>')
    process.due.push(`<... vfork resumed>) = ${child}`)
    world.begin(child, 'close(3) = 0').isHandled = process.isHandled
  },
  (process, world) => {
    const child = world.newTid()
    world.say(process, `clone(child_stack=NULL, ${FLAGS} <unfinished ...>`)
    process.due.push(`<... clone resumed>, child_tidptr=0x7f917f48da10) = ${child}`)
    world.begin(child).isHandled = process.isHandled
  },
  execute('a'),
  execute('b'),
  (process, world) => {
    world.say(process, execLine('b', ' <unfinished ...>'))
    process.due.push('<... execve resumed>) = 0', 'brk(NULL) = 0x394df000', CALLS[0] as string)
    process.isHandled = false
  },
  interrupt,
  (process, world) => {
    world.say(process, 'rt_sigaction(SIGCHLD, {sa_handler=0x562c9f76ddc0, sa_mask=[], sa_flags=0}, NULL, 8) = 0')
    process.isHandled = true
  },
  (process, world) => {
    world.say(process, 'exit_group(0) = ?')
    process.due.push('+++ exited with 0 +++')
  },
]
const USUAL_COUNT = ACTS.length
const EXIT = USUAL_COUNT - 1
const ACTION = USUAL_COUNT - 2
const FORKS = [4, 5, 6]
/** Most lines are calls, and most programs set their handlers once. */
const USUAL = Array.from({ length: 160 }, (_, at) => (at < 100 ? at % 4 : at < 101 ? ACTION : at))
  .map((act) => (act < USUAL_COUNT ? act : 4 + (act % (USUAL_COUNT - 4))))
  .filter((act, at) => act !== ACTION || at === 100)
/** Few live at once, as in most logs: then those that fork end. */
const MANY = 6
const ODD: readonly Act[] = [
  ...[
    'socket(AF_INET, SOCK_STREAM, 0) = 5',
    'read(3, "", 1) = ? ERESTARTSYS (To be restarted if SA_RESTART is set)',
    'rt_sigreturn({mask=[]}) = 0',
    '--- SIGUSR1 {si_signo=SIGUSR1, si_code=SI_USER} ---',
    'rt_sigaction(SIGCHLD, {sa_handler=0x5, sa_mask=[], sa_flags=SA_RESETHAND}, NULL, 8) = 0',
    'execve("/bin/none", ["none"], 0x7ffd83542860 /* 35 vars */) = -1 ENOENT (No such file or directory)',
    'execve("/bin/c", ["c", "in [\\"], 0x1 /* 2 vars */) = 0"], 0x7ffd83542860 /* 35 vars */) = 0',
    'execve("/proc/self/exe", ["x"], 0x7ffd83542860 /* 35 vars */) = 0',
    'clone3({flags=CLONE_VM|CLONE_SIGHAND|CLONE_THREAD, exit_signal=0}, 88) = 4321',
    'clone(child_stack=NULL, flags=CLONE_VM|CLONE_SIGHAND|SIGCHLD) = 4322',
    `clone(child_stack=NULL, ${FLAGS}) = -1 EAGAIN (Resource temporarily unavailable)`,
    `clone(child_stack=NULL, ${FLAGS}) = 100`,
    'vfork( <unfinished ...>',
    'kill(100, SIGKILL) = 0',
    '???( <unfinished ...>',
    'brk(NULL) = 0x7',
    '+++ killed by SIGKILL +++',
    '+++ exited with 3 +++',
    'exit_group(1 <unfinished ...>',
    'these are words',
  ].map(call),
  // Nobody said that this one was born.
  (_, world) => world.lines.push('4242 03:12:48.112836 read(3, "a", 1) = 1'),
]

/** Each number is whose turn it is, and what is done. */
function logOf(choices: readonly (readonly [number, number])[]): string {
  const world = new World()
  const root = world.begin(100)
  execute('a')(root, world)
  for (const [turn, choice] of choices) {
    const process = world.all[turn % world.all.length]
    if (process === undefined) break
    const due = process.due.shift()
    const isFull = world.all.length > MANY && FORKS.includes(choice)
    const act = isFull ? EXIT : choice === EXIT && process === root ? 0 : choice
    if (due !== undefined) world.say(process, due)
    else if (act !== EXIT || process !== root)
      (act < USUAL_COUNT ? ACTS[act] : ODD[act - USUAL_COUNT])?.(process, world)
    if (due?.startsWith('+++') === true) world.end(process)
  }
  return `${world.lines.join('\n')}\n`
}

/** Made up of a number. */
function usual(count: number, seed: number): [number, number][] {
  let state = seed
  const random = (): number => {
    state = (Math.imul(state, 1103515245) + 12345) >>> 0
    return state >>> 16
  }
  return Array.from({ length: count }, () => [random() % 64, USUAL[random() % USUAL.length] as number])
}

beforeAll(async () => {
  const path = join(folder, 'learned.log')
  const none = (): void => {}
  const logs = Array.from({ length: 30 }, (_, seed) => {
    const log = `${path}.${seed}`
    writeFileSync(log, logOf(usual(3000, seed + 1)))
    return log
  })
  await learnLogs({
    logs,
    format: 'strace',
    mapping: null,
    file: learned,
    name: null,
    scenario: 'default',
    settings: { transparent: [], depth: 3 },
    home: folder,
    onSession: none,
    onWritten: none,
    onFailure: (error) => {
      throw error
    },
  })
})

async function told(log: string, isPlain: boolean, depth: number): Promise<unknown[]> {
  const path = join(folder, 'checked.log')
  writeFileSync(path, log)
  const events: unknown[] = []
  way.isPlain = isPlain
  await checkLogs({
    logs: [path],
    format: 'strace',
    mapping: null,
    files: [learned],
    home: folder,
    depth,
    burst: { threshold: 2 },
    follow: null,
    onMiss: (miss) => events.push(miss),
    onResult: ({ report, outcome }) => events.push({ ...report, session: '', startedAt: '', endedAt: '', outcome }),
    onFailure: (error) => events.push({ error: String(error) }),
  })
  return events
}

async function compare(log: string, depth = 2): Promise<unknown[]> {
  const events = await told(log, true, depth)
  expect(JSON.stringify(await told(log, false, depth))).toBe(JSON.stringify(events))
  return events
}

describe('processes that the scanner follows', () => {
  test.each([2, 3])('give the same report, whatever comes in between, depth %i', async (depth) => {
    const choices = fc.array(
      fc.tuple(
        fc.nat(63),
        fc.oneof(
          { weight: 200, arbitrary: fc.constantFrom(...USUAL) },
          { weight: 1, arbitrary: fc.integer({ min: USUAL_COUNT, max: USUAL_COUNT + ODD.length - 1 }) },
        ),
      ),
      { minLength: 100, maxLength: 1500, size: 'max' },
    )
    let missCount = 0
    const chunks = fc.constantFrom(0, 0, 300, 5000)
    await fc.assert(
      fc.asyncProperty(choices, chunks, async (some, chunkBytes) => {
        way.chunkBytes = chunkBytes
        missCount += (await compare(logOf(some), depth)).length - 1
      }),
      { numRuns: Number(process.env['LIVES_RUNS'] ?? 60) },
    )
    expect(missCount).toBeGreaterThan(20)
    expect(passedCount).toBeGreaterThan(50)
  })

  test('most of those that do nothing unusual are told as counts', async () => {
    const log = logOf(usual(20_000, 99))
    const [report] = await compare(log)
    const { trackCount } = report as { trackCount: number }
    expect(trackCount).toBeGreaterThan(300)
    expect(passedCount).toBeGreaterThan(trackCount / 20)
  })

  test('what a line opens is not forgotten when lines that waited are read behind it', async () => {
    const log = `389 03:12:48.112836 exit_group(0) = ?
393 03:12:48.112836 ${execLine('a', ') = 0')}
393 03:12:48.112836 brk(NULL) = 0x55f470d92000
391 03:12:48.112836 ${CALLS[1]}
393 03:12:48.112836 ${CALLS[1]}
393 03:12:48.112836 vfork( <unfinished ...>
391 03:12:48.112836 vfork( <unfinished ...>
395 03:12:48.112836 close(3) = 0
393 03:12:48.112836 ${execLine('b', ' <unfinished ...>')}
393 03:12:48.112836 <... execve resumed>) = 0
`
    const [report] = await compare(log)
    expect(report).toMatchObject({ missCount: 0, programs: [{ image: '/bin/a' }, { image: '/bin/b' }] })
  })
})
