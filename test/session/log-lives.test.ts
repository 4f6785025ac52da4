// Processes that the native scanner follows by itself, from their birth to their end: the report of a log is, byte by byte, that of the
// reader and the checker alone, with the same misses at the same places. The logs are made up: processes that fork, execute, are
// interrupted and end, in any order, with something in between that only the reader understands.

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterAll, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest'
import { learnLogs } from '../../src/learn-logs.ts'
import { Walker } from '../../src/match/walker.ts'
import type { JudgedCalls, LentProgram, PassedTracks } from '../../src/model/stream.ts'
import { toldOfLogs } from './told-of-logs.ts'

const USUAL_LIMIT = 0x20000000
const LF = 10
const way = vi.hoisted(() => ({ isPlain: false, chunkBytes: 0, hasWholeLines: false, countLimit: 0x20000000 }))

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

vi.mock('../../src/addon/log-scanner.ts', async (importOriginal) => {
  const original = await importOriginal<typeof import('../../src/addon/log-scanner.ts')>()
  return Object.defineProperty({ ...original }, 'COUNT_LIMIT', { enumerable: true, get: () => way.countLimit })
})

/** Files in smaller chunks. */
vi.mock('../../src/source/log/log-bytes.ts', async (importOriginal) => {
  const original = await importOriginal<typeof import('../../src/source/log/log-bytes.ts')>()
  const openLogBytes: typeof original.openLogBytes = async (path, name) => {
    const bytes = await original.openLogBytes(path, name)
    async function* cut(): AsyncGenerator<Uint8Array> {
      for await (const chunk of bytes.chunks)
        for (let at = 0, end = 0; at < chunk.length; at = end) {
          end = at + way.chunkBytes
          if (way.hasWholeLines) end = chunk.indexOf(LF, end) + 1 || chunk.length
          yield chunk.slice(at, end)
        }
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

let mostJudged = 0
const giveBack = Walker.prototype.giveBack
Walker.prototype.giveBack = function (tid: number, judged: JudgedCalls): void {
  mostJudged = Math.max(mostJudged, judged.callCount, judged.transparentCount)
  giveBack.call(this, tid, judged)
}

beforeEach(() => {
  passedCount = 0
  mostJudged = 0
  way.chunkBytes = 0
  way.hasWholeLines = false
  way.countLimit = USUAL_LIMIT
})

const folder = mkdtempSync(join(tmpdir(), 'tracefp-lives-'))
const learned = join(folder, 'known.tfp')
afterAll(() => rmSync(folder, { recursive: true }))

const CALLS = ['read(3, "a", 1) = 1', 'write(1, "a", 1) = -1 EAGAIN (Resource temporarily unavailable)', 'close(3) = 0']
const READ = CALLS[0] as string
const FLAGS = 'flags=CLONE_CHILD_CLEARTID|CLONE_CHILD_SETTID|SIGCHLD'
/** What a thread may do next, where nothing is open. */
type Act = (thread: Thread, world: World) => void

interface Thread {
  readonly tid: number
  /** Lines that must come next, and what must be done next. */
  readonly due: (string | Act)[]
  readonly process: Process
}

interface Process {
  readonly threads: Thread[]
  /** Signals that have a handler. */
  handled: ReadonlySet<Signal>
}

const SIGNALS = ['SIGCHLD', 'SIGINT'] as const
type Signal = (typeof SIGNALS)[number]

/** Threads that live, and the lines that they have written. */
class World {
  readonly lines: string[] = []
  readonly all: Thread[] = []
  #nextTid = 100
  readonly #ended: number[] = []

  /** A process, as `parent` would make it by a fork. */
  fork(tid: number, parent: Process | null, ...due: string[]): Thread {
    return this.begin(tid, { threads: [], handled: parent?.handled ?? new Set() }, ...due)
  }

  begin(tid: number, process: Process, ...due: (string | Act)[]): Thread {
    const thread = { tid, due, process }
    process.threads.push(thread)
    this.all.push(thread)
    return thread
  }

  newTid(): number {
    // Now and then one that was there before, or in the slot of another one.
    const again = this.lines.length % 11 === 0 ? this.#ended.pop() : undefined
    if (again !== undefined) return again
    this.#nextTid += this.lines.length % 29 === 0 ? 256 : 1
    return this.#nextTid
  }

  say({ tid }: Thread, line: string): void {
    this.lines.push(`${tid} 03:12:48.112836 ${line}`)
  }

  end(thread: Thread): void {
    const { threads } = thread.process
    threads.splice(threads.indexOf(thread), 1)
    this.all.splice(this.all.indexOf(thread), 1)
    this.#ended.push(thread.tid)
    if (threads.length === 0) for (const root of this.all.slice(0, 1)) interrupt(root)
  }
}

function signalLine(signal: Signal): string {
  return `--- ${signal} {si_signo=${signal}, si_code=SI_USER, si_pid=5} ---`
}

/** `inside`: what the handler does, if there is one. */
function interrupt(
  { due, process }: Thread,
  signal: Signal = 'SIGCHLD',
  inside: readonly (string | Act)[] = [READ],
): void {
  due.push(signalLine(signal))
  if (process.handled.has(signal)) due.push(...inside, 'rt_sigreturn({mask=[]}) = 0')
}

/** The threads beside this one end. */
function endOthers({ process }: Thread): void {
  for (const other of process.threads) {
    const open = /^<\.\.\. \w+ resumed>/.exec(String(other.due[0]))
    if (other.due.length === 0 || !String(other.due[0]).startsWith('+++'))
      other.due.splice(0, other.due.length, ...(open === null ? [] : [`${open[0]}) = ?`]), '+++ exited with 0 +++')
  }
}

function execLine(path: string, tail: string): string {
  return `execve("/bin/${path}", ["${path}", "-x"], 0x7ffd83542860 /* 35 vars */${tail}`
}

const call =
  (text: string): Act =>
  (thread, world) =>
    world.say(thread, text)

/** One after the other; of a handler that is set no more is known than that it may be. */
const sequence =
  (...all: readonly (string | Act)[]): Act =>
  ({ due }) => {
    due.push(...all)
  }

const execute =
  (path: string): Act =>
  (thread, world) => {
    if (thread.process.threads.length > 1) return
    world.say(thread, execLine(path, ') = 0'))
    thread.due.unshift('brk(NULL) = 0x55f470d92000')
    thread.process.handled = new Set()
  }

/** Another thread interrupts it. */
const executeOpen =
  (path: string): Act =>
  (thread, world) => {
    const { due, process } = thread
    if (process.threads[0] !== thread) return
    endOthers(thread)
    world.say(thread, execLine(path, ' <unfinished ...>'))
    due.splice(0, due.length, '<... execve resumed>) = 0', 'brk(NULL) = 0x394df000', READ)
    process.handled = new Set()
  }

const failOpen =
  (path: string, why: string): Act =>
  (thread, world) => {
    world.say(thread, execLine(path, ' <unfinished ...>'))
    thread.due.unshift(`<... execve resumed>${why}`)
  }

function withSignal(handled: ReadonlySet<Signal>, signal: Signal, isHandled: boolean): ReadonlySet<Signal> {
  const others = SIGNALS.filter((other) => other !== signal && handled.has(other))
  return new Set(isHandled ? [...others, signal] : others)
}

/** `isHandled`: whether the signal has a handler then; null: as before. Now and then the call is interrupted by another thread. */
const handle =
  (signal: Signal, action: string, isHandled: boolean | null): Act =>
  (thread, world) => {
    const { due, process } = thread
    const isWhole = world.lines.length % 3 > 0
    world.say(thread, `rt_sigaction(${signal}, ${action}, ${isWhole ? 'NULL, 8) = 0' : ' <unfinished ...>'}`)
    if (!isWhole) due.unshift('<... rt_sigaction resumed>NULL, 8) = 0')
    if (isHandled !== null) process.handled = withSignal(process.handled, signal, isHandled)
  }

const fork: Act = ({ process, ...thread }, world) => {
  const child = world.newTid()
  world.say({ process, ...thread }, `clone(child_stack=NULL, ${FLAGS}, child_tidptr=0x7f917f48da10) = ${child}`)
  world.fork(child, process)
}

const endGroup = (line: string, ...due: string[]): Act => {
  return (thread, world) => {
    world.say(thread, line)
    endOthers(thread)
    thread.due.splice(0, thread.due.length, ...due)
  }
}

const THREAD = 'flags=CLONE_VM|CLONE_FS|CLONE_FILES|CLONE_SIGHAND|CLONE_THREAD|CLONE_SYSVSEM'
const NOT_FOUND = ') = -1 ENOENT (No such file or directory)'
const REFUSED = ') = -1 EACCES (Permission denied)'
const CAUGHT = '{sa_handler=0x562c9f76ddc0, sa_mask=[], sa_flags=0}'
const catchChild = handle('SIGCHLD', CAUGHT, true)
const leaveChild = handle(
  'SIGCHLD',
  '{sa_handler=SIG_DFL, sa_mask=[CHLD], sa_flags=SA_RESTORER, sa_restorer=0x7f860f031000}',
  false,
)

/** It soon ends. */
const startThread: Act = (thread, world) => {
  const tid = world.newTid()
  world.say(thread, `clone(child_stack=0x7f917f48cff0, ${THREAD}, child_tidptr=0x7f917f48d9d0) = ${tid}`)
  const acts = [catchChild, leaveChild, fork, handle('SIGINT', CAUGHT, true)]
  world.begin(tid, thread.process, READ, acts[tid % 4] as Act, READ, 'exit(0) = ?', '+++ exited with 0 +++')
}

/** Its handlers are left by an exec. */
const leave: Act = ({ due }) => {
  due.splice(0)
}

/** A handler within a handler, and what else one may do. */
const HANDLING: readonly Act[] = [
  (thread) => interrupt(thread, 'SIGCHLD', [READ, execute('b'), leave]),
  (thread) => interrupt(thread, 'SIGCHLD', [READ, (inner) => interrupt(inner), fork, READ]),
  (thread) => interrupt(thread, 'SIGCHLD', [READ, leaveChild, READ, catchChild]),
  (thread, world) => {
    const isRoot = thread.process === world.all[0]?.process
    interrupt(thread, 'SIGCHLD', [READ, isRoot ? READ : endGroup('exit_group(0) = ?', '+++ exited with 0 +++')])
  },
]

const ACTS: readonly Act[] = [
  ...CALLS.map(call),
  (thread, world) => {
    world.say(thread, 'read(3,  <unfinished ...>')
    thread.due.push('<... read resumed>"a", 1) = 1')
  },
  fork,
  (thread, world) => {
    const child = world.newTid()
    world.say(thread, 'vfork( <unfinished ...>')
    thread.due.push(`<... vfork resumed>) = ${child}`)
    world.fork(child, thread.process, 'close(3) = 0')
  },
  // Its handlers are its own, until it executes something and after.
  (thread, world) => {
    const child = world.newTid()
    world.say(thread, 'vfork( <unfinished ...>')
    thread.due.push(`<... vfork resumed>) = ${child}`)
    const acts = [leaveChild, catchChild, 'close(3) = 0', execute('b'), catchChild]
    world.fork(child, thread.process).due.push(...acts.slice(child % 2))
  },
  (thread, world) => {
    const child = world.newTid()
    world.say(thread, `clone(child_stack=NULL, ${FLAGS} <unfinished ...>`)
    thread.due.push(`<... clone resumed>, child_tidptr=0x7f917f48da10) = ${child}`)
    world.fork(child, thread.process)
  },
  startThread,
  execute('a'),
  execute('b'),
  executeOpen('b'),
  (thread) => interrupt(thread),
  (thread) => interrupt(thread, 'SIGINT'),
  ...HANDLING,
  call(execLine('none', NOT_FOUND)),
  failOpen('a', NOT_FOUND),
  failOpen('none', NOT_FOUND),
  // As a shell looks for a program.
  sequence(
    ...[execLine('none', REFUSED), execLine('none', NOT_FOUND)],
    ...[failOpen('none', REFUSED), failOpen('b', REFUSED), execLine('b', REFUSED), execute('b')],
  ),
  sequence(failOpen('none', REFUSED), failOpen('b', NOT_FOUND), executeOpen('b')),
  catchChild,
  handle(
    'SIGCHLD',
    '{sa_handler=0x55f4c0d3a1e0, sa_mask=~[RTMIN RT_1], sa_flags=SA_RESTORER|SA_RESTART, sa_restorer=0x7f}',
    true,
  ),
  leaveChild,
  // It is not set after all.
  sequence(
    `rt_sigaction(SIGCHLD, ${CAUGHT},  <unfinished ...>`,
    '<... rt_sigaction resumed>0x8, 8) = -1 EFAULT (Bad address)',
    (thread) => interrupt(thread),
  ),
  handle('SIGINT', CAUGHT, true),
  handle('SIGINT', '{sa_handler=SIG_IGN, sa_mask=[], sa_flags=0}', false),
  handle('SIGCHLD', 'NULL', null),
  call('rt_sigaction(SIGKILL, {sa_handler=SIG_IGN, sa_mask=[], sa_flags=0}, NULL, 8) = -1 EINVAL (Invalid argument)'),
  endGroup('exit_group(0 <unfinished ...>', '<... exit_group resumed>) = ?', '+++ exited with 0 +++'),
  endGroup('exit_group(0) = ?', '+++ exited with 0 +++'),
]
const USUAL_COUNT = ACTS.length
const EXIT = USUAL_COUNT - 1
const EXITS = [EXIT - 1, EXIT]
const FORKS = [4, 5, 6, 7, 8]
/** Most lines are calls. */
const USUAL = Array.from({ length: 160 }, (_, at) => (at < 100 ? at % 4 : at)).map((act) =>
  act < USUAL_COUNT ? act : 4 + (act % (USUAL_COUNT - 4)),
)
/** The same without what the scanner follows in no process: then most are followed. */
const CALM = USUAL.filter((act) => ![startThread, ...HANDLING].includes(ACTS[act] as Act))
/** Few live at once, as in most logs: then those that fork end. */
const MANY = 6
const ODD: readonly Act[] = [
  ...[
    'socket(AF_INET, SOCK_STREAM, 0) = 5',
    'read(3, "", 1) = ? ERESTARTSYS (To be restarted if SA_RESTART is set)',
    'rt_sigreturn({mask=[]}) = 0',
    '--- SIGUSR1 {si_signo=SIGUSR1, si_code=SI_USER} ---',
    'rt_sigaction(SIGCHLD, {sa_handler=0x5, sa_mask=[], sa_flags=SA_RESETHAND}, NULL, 8) = 0',
    'rt_sigaction(SIGCHLD, {sa_handler=0x5, sa_mask=[], sa_flags=0}, NULL, 8) = 0',
    'rt_sigaction(SIGCHLD, {sa_handler=0x562c9f76ddc0, sa_mask=[], sa_flags=0x80000000}, NULL, 8) = 0',
    'rt_sigaction(SIGCHLD, {sa_handler=0x562c9f76ddc0, sa_mask=[], sa_flags=SA_RESETHAND <unfinished ...>',
    'rt_sigaction(SIGCHLD, {sa_handler=0x562c9f76ddc0, sa_mask=[], sa_flags=0}, NULL, 8) = -1 EFAULT (Bad address)',
    '<... rt_sigaction resumed>NULL, 8) = -1 EINVAL (Invalid argument)',
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
    'clone( <unfinished ...>',
    'clone(child_stack=NULL, flags=CLONE_VM /* x */|CLONE_THREAD|CLONE_SIGHAND) = 4323',
    '--- read {x} ---',
    '<... ??? resumed>) = ? ERESTARTSYS (To be restarted)',
  ].map(call),
  // The signal comes while the call is open: before it, as the log has it.
  ...['SIGCHLD', 'SIGUSR2'].map((signal): Act => {
    const begin = `rt_sigaction(${signal}, ${CAUGHT},  <unfinished ...>`
    return sequence(begin, signalLine('SIGCHLD'), '<... rt_sigaction resumed>NULL, 8) = 0', READ)
  }),
  sequence(
    'clone( <unfinished ...>',
    signalLine('SIGCHLD'),
    '<... clone resumed>) = ? ERESTARTNOINTR (To be restarted)',
  ),
  sequence(failOpen('none', `) = ? ERESTARTNOINTR (To be restarted)`), signalLine('SIGCHLD'), execute('b')),
  sequence(
    'read(3, "", 1) = ? ERESTARTSYS (To be restarted if SA_RESTART is set)',
    (thread) => interrupt(thread),
    READ,
  ),
  // Killed while it ends, or executes.
  endGroup('exit_group(0 <unfinished ...>', '+++ killed by SIGKILL +++'),
  endGroup('exit_group(0 <unfinished ...>', '<... exit_group resumed>) = ?', '+++ killed by SIGKILL +++'),
  endGroup('exit_group(0) = ?', '+++ killed by SIGKILL +++'),
  endGroup('exit(0 <unfinished ...>', '<... exit resumed>) = ?', '+++ exited with 0 +++'),
  endGroup(execLine('b', ' <unfinished ...>'), '<... execve resumed>) = ?', '+++ killed by SIGKILL +++'),
  endGroup(execLine('b', ' <unfinished ...>'), '+++ killed by SIGKILL +++'),
  // What no fingerprint knows, and what has not begun before.
  executeOpen('unknown'),
  execute('unknown'),
  sequence(failOpen('unknown', NOT_FOUND), executeOpen('unknown')),
  (thread) => interrupt(thread, 'SIGCHLD', [executeOpen('b')]),
  // Nobody said that this one was born.
  (_, world) => world.lines.push('4242 03:12:48.112836 read(3, "a", 1) = 1'),
  // Nor whose this is.
  (_, world) => world.lines.push(CALLS[0] as string),
]

/** Each number is whose turn it is, and what is done. */
function logOf(choices: readonly (readonly [number, number])[]): string {
  const world = new World()
  const root = world.fork(100, null)
  execute('a')(root, world)
  for (const [turn, choice] of choices) {
    const thread = world.all[turn % world.all.length]
    if (thread === undefined) break
    const due = thread.due.shift()
    const isFull = world.all.length > MANY && FORKS.includes(choice)
    const act = isFull ? EXIT : choice
    if (typeof due === 'function') due(thread, world)
    else if (due !== undefined) world.say(thread, due)
    else if (!EXITS.includes(act) || thread.process !== root.process)
      (act < USUAL_COUNT ? ACTS[act] : ODD[act - USUAL_COUNT])?.(thread, world)
    if (typeof due === 'string' && due.startsWith('+++')) world.end(thread)
  }
  return `${world.lines.join('\n')}\n`
}

/** Made up of a number. */
function usual(count: number, seed: number, acts = USUAL): [number, number][] {
  let state = seed
  const random = (): number => {
    state = (Math.imul(state, 1103515245) + 12345) >>> 0
    return state >>> 16
  }
  return Array.from({ length: count }, () => [random() % 64, acts[random() % acts.length] as number])
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
  way.isPlain = isPlain
  return await toldOfLogs([path], { home: folder, file: learned, depth })
}

async function compare(log: string, depth = 2): Promise<unknown[]> {
  const events = await told(log, true, depth)
  const texts = events.map((event) => JSON.stringify(event))
  const scanned = (await told(log, false, depth)).map((event) => JSON.stringify(event))
  const at = texts.findIndex((text, number) => text !== scanned[number])
  expect(scanned[at]).toBe(texts[at])
  expect(scanned.length).toBe(texts.length)
  return events
}

const RETURN = '100 rt_sigreturn({mask=[]}) = 0'
const ACTION_LINE = '100 rt_sigaction(SIGCHLD, {sa_handler=0x562c9f76ddc0, sa_mask=[], sa_flags=0}, NULL, 8) = 0'

function clone(tid: number, child: number): string {
  return `${tid} clone(child_stack=NULL, ${FLAGS}, child_tidptr=0x7f917f48da10) = ${child}`
}

function exit(tid: number): string[] {
  return [`${tid} exit_group(0) = ?`, `${tid} +++ exited with 0 +++`]
}

function textOf(lines: readonly string[]): string {
  return `${lines.join('\n').replaceAll(/^(\d+) /gm, '$1 03:12:48.112836 ')}\n`
}

/** Nobody but the reader knows what is to come of it. */
const READERS = '100 rt_sigaction(SIGUSR2, {sa_handler=0x562c9f76ddc0, sa_mask=[], sa_flags=SA_RESETHAND}, NULL, 8) = 0'

/** All names are met, and all that begins has begun before. */
const USUAL_LINES: readonly string[] = [
  `100 ${execLine('a', ') = 0')}`,
  '100 brk(NULL) = 0x55f470d92000',
  ACTION_LINE,
  ...CALLS.map((line) => `100 ${line}`),
  ...[101, 102].flatMap((child) => [
    clone(100, child),
    `${child} ${CALLS[0]}`,
    `${child} ${execLine('b', ') = 0')}`,
    `${child} brk(NULL) = 0x55f470d92000`,
    `${child} ${CALLS[0]}`,
    ...exit(child),
    '100 --- SIGCHLD {si_signo=SIGCHLD} ---',
    `100 ${CALLS[0]}`,
    RETURN,
    `100 ${CALLS[0]}`,
  ]),
]

describe('processes that the scanner follows', () => {
  test.each([2, 3])('give the same report, whatever comes in between, depth %i', async (depth) => {
    const choicesOf = (acts: readonly number[], weight = 1): fc.Arbitrary<[number, number][]> => {
      const odd = fc.integer({ min: USUAL_COUNT, max: USUAL_COUNT + ODD.length - 1 })
      const some = fc.oneof({ weight: 200, arbitrary: fc.constantFrom(...acts) }, { weight, arbitrary: odd })
      return fc.array(fc.tuple(fc.nat(63), some), { minLength: 100, maxLength: 1500, size: 'max' })
    }
    const choices = fc.oneof(choicesOf(USUAL), choicesOf(CALM), choicesOf(CALM, 8))
    let missCount = 0
    const chunks = fc.constantFrom(0, 0, 300, 5000)
    const limits = fc.constantFrom(USUAL_LIMIT, USUAL_LIMIT, 3)
    // A log may begin in the middle.
    const starts = fc.constantFrom(0, 0, 0, 1, 40, 200)
    await fc.assert(
      fc.asyncProperty(choices, chunks, limits, starts, async (some, chunkBytes, countLimit, start) => {
        way.chunkBytes = chunkBytes
        way.countLimit = countLimit
        const log = logOf(some).split('\n').slice(start).join('\n')
        missCount += (await compare(log, depth)).length - 1
      }),
      { numRuns: Number(process.env['LIVES_RUNS'] ?? 60) },
    )
    expect(missCount).toBeGreaterThan(0)
  })

  test('most of those that do nothing unusual are told as counts', async () => {
    const log = logOf(usual(20_000, 99, CALM))
    const report = (await compare(log)).at(-1)
    const { trackCount } = report as { trackCount: number }
    expect(trackCount).toBeGreaterThan(300)
    expect(passedCount).toBeGreaterThan(trackCount / 20)
  })

  test('a program is followed whose first exec was interrupted', async () => {
    const child = (tid: number): string[] => [
      ...['100 vfork( <unfinished ...>', `${tid} ${CALLS[2]}`, `${tid} ${execLine('b', ' <unfinished ...>')}`],
      ...[`100 <... vfork resumed>) = ${tid}`, `${tid} <... execve resumed>) = 0`, `${tid} brk(NULL) = 0x55f470d92000`],
      ...[`${tid} ${READ}`, ...exit(tid), `100 ${READ}`],
    ]
    const begun = USUAL_LINES.filter((line) => !/^10[12] |= 10[12]$|SIGCHLD|sigreturn/.test(line))
    const fails = `100 ${execLine('none', NOT_FOUND)}`
    const forked = [clone(100, 101), `101 ${READ}`, '100 vfork() = 102', `102 ${READ}`, ...exit(102), ...exit(101)]
    await compare(
      textOf([...begun, fails, ...forked, ...Array.from({ length: 50 }, (_, at) => child(at + 103)).flat()]),
    )
    expect(passedCount).toBeGreaterThan(40)
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

  test('counts of 32 bits are given back before they are full', async () => {
    way.countLimit = 40
    way.chunkBytes = 2000
    way.hasWholeLines = true
    const [report] = await compare(
      textOf([...USUAL_LINES, ...Array<string>(1000).fill(`100 ${CALLS[0]}`), clone(100, 101)]) +
        textOf([...Array<string>(1000).fill(`101 ${CALLS[0]}`), ...exit(101)]) +
        textOf(Array<string>(200).fill(['100 --- SIGCHLD {a} ---', `100 ${CALLS[0]}`, RETURN].join('\n'))),
    )
    expect(report).toMatchObject({ missCount: 0 })
    expect(mostJudged).toBeGreaterThanOrEqual(40)
    expect(mostJudged).toBeLessThan(40 + 2000 / 30)
  })
})

describe('what is unlike most lines is told as the reader tells it:', () => {
  test.each<[string, readonly string[]]>([
    [
      'a tid comes again while its end is not told',
      [clone(100, 201), `201 ${READ}`, clone(201, 202), ...exit(201), clone(100, 201), READERS, `201 ${READ}`],
    ],
    [
      'a tid comes again and passes, and its end was not told',
      [
        ...[clone(100, 201), `201 ${READ}`, clone(201, 202), ...exit(201), `202 ${READ}`, ...exit(202)],
        ...[clone(100, 201), `201 ${READ}`, ...exit(201), `100 ${READ}`],
      ],
    ],
    [
      'a tid that the reader knows comes again and passes',
      [
        ...[clone(100, 201), `201 ${READ}`, READERS, `201 ${READ}`, ...exit(201)],
        ...[clone(100, 201), `201 ${READ}`, ...exit(201), `100 ${READ}`],
      ],
    ],
    [
      'clone without flags',
      ['100 clone( <unfinished ...>', `203 ${READ}`, '100 <... clone resumed>) = 203', `203 ${READ}`],
    ],
    [
      'flags behind a comment',
      [
        `100 clone(child_stack=NULL, flags=CLONE_VM /* x */|CLONE_THREAD|CLONE_SIGHAND, child_tidptr=0x7f) = 204`,
        `204 ${READ}`,
        ...exit(204),
        `100 ${READ}`,
      ],
    ],
    [
      'a failure that is none: the call is repeated',
      [
        `100 ${execLine('none', ') = -1 ERESTARTNOHAND (To be restarted)')}`,
        `100 ${execLine('none', ') = -1 ENOENT (No such file or directory)')}`,
        `100 ${READ}`,
      ],
    ],
    [
      'flags of a handler among the signals that it masks',
      [
        '100 rt_sigaction(SIGCHLD, {sa_handler=0x562c9f76ddc0, sa_mask=[x sa_flags=SA_RESETHAND], sa_flags=0}, NULL, 8) = 0',
        ...Array<string[]>(2)
          .fill(['100 --- SIGCHLD {a} ---', `100 ${READ}`, RETURN])
          .flat(),
      ],
    ],
    ['a call between the marks of a signal', [`100 ${READ}`, '100 --- read {x} ---', `100 ${READ}`]],
    [
      'a line without a tid behind one of a process that only the scanner knows',
      [clone(100, 205), ...exit(100), `205 ${READ}`, '205 exit_group(0) = ?', READ],
    ],
    [
      'a line without a tid behind one of a process in the slot of one that has ended',
      [
        ...[clone(100, 300), `300 ${READ}`, READERS, `300 ${READ}`, ...exit(300)],
        ...[clone(100, 556), ...exit(100), `556 ${READ}`, READ],
      ],
    ],
  ])('%s', async (_, lines) => {
    await compare(textOf([...USUAL_LINES, ...lines]))
    const isGlued = lines.some((line) => !/^\d/.test(line))
    if (!isGlued) await compare(textOf([...USUAL_LINES, ...lines, ...lines, clone(100, 401), `401 ${READ}`]))
  })

  test('a call that a process has open which only the scanner knows', async () => {
    const begun = textOf([...USUAL_LINES, clone(100, 206), '206 read(3,  <unfinished ...>'])
    const cut = '206 03:12:48.112836 <... ??? resu'
    way.chunkBytes = begun.length + cut.length
    const rest = 'med>) = ? ERESTARTSYS (To be restarted)\n'
    const [report] = await compare(begun + cut + rest + textOf([`206 ${READ}`, `206 ${READ}`]))
    expect(report).toMatchObject({ missCount: 0 })
  })
})
