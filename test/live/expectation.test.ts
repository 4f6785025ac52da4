// The notation of tracees and the comparison with it, on hand-written sessions: what must pass, and what must fail.
import { constants } from 'node:os'
import { describe, expect, it } from 'vitest'
import { compareRun, readTracks, withoutFloating } from './comparison.ts'
import type { RecordedRun, StreamEvent } from './events.ts'
import { parseExpectation } from './expectation.ts'
import { listTracees } from './tracees.ts'

const NAMES = [
  'sys_5001',
  'sys_5002',
  'sys_5003',
  'getppid',
  'getpid',
  'read',
  'rt_sigreturn',
  'clone',
  'execve',
  'exit',
]
const symbolOf = (abi: number, nr: number): string => `${abi === 2 ? 'i386:' : ''}${NAMES[nr] ?? `sys_${nr}`}`

type Word = string | StreamEvent

/** The events of one track, written as words: call names, `restart:read`, signal names, `exec`. */
function track(
  tid: number,
  words: readonly Word[],
  end: { code?: number; signal?: number } | null = {},
): StreamEvent[] {
  const events = words.map((word): StreamEvent => {
    if (typeof word !== 'string') return word
    const signal = constants.signals[word as NodeJS.Signals]
    if (signal !== undefined) return { type: 'signal', tid, signal }
    if (word === 'exec') {
      const image = { path: '/bin/again', sha256: null, buildId: null, script: null, argv0: null }
      return { type: 'exec', tid, formerTid: tid, image }
    }
    const isRestart = word.startsWith('restart:')
    const nr = NAMES.indexOf(word.replace('restart:', ''))
    return { type: 'call', tid, abi: 1, nr: nr === -1 ? 9999 : nr, isRestart }
  })
  if (end !== null) events.push({ type: 'exit', tid, code: end.code ?? 0, signal: end.signal ?? 0 })
  return events
}

const ROOT: StreamEvent = { type: 'birth', tid: 10, parentTid: 0, tgid: 10, kind: 'exec' }
const BEGIN = 'sys_5001'
const END = 'sys_5002'

function run(...events: (StreamEvent | StreamEvent[])[]): RecordedRun {
  return { events: [ROOT, ...events.flat()], exit: { code: 0, signal: null } }
}

function problemsOf(lines: string, recorded: RecordedRun): string[] {
  const directives = lines === '' ? '' : lines.replaceAll(/^/gm, '//= ')
  const source = `// A sentence.\n${directives}\n#include "tracee.h"\n`
  return compareRun(parseExpectation(source), recorded, symbolOf)
}

const times = (count: number, ...words: string[]): string[] => Array.from({ length: count }, () => words).flat()

describe('one track', () => {
  const thousand = (count: number): RecordedRun => run(track(10, [BEGIN, ...times(count, 'getppid'), END]))

  it('passes when the count is right, and neither one less nor one more', () => {
    expect(problemsOf('main: getppid*1000', thousand(1000))).toEqual([])
    expect(problemsOf('main: getppid*1000', thousand(999))[0]).toMatch(
      'expected getppid number 1000 of 1000, saw the end',
    )
    expect(problemsOf('main: getppid*1000', thousand(1001))[0]).toMatch('expected the end, saw getppid')
  })

  it('fails on a missing, a swapped and an extra record', () => {
    const lines = 'main: getpid getppid read'
    expect(problemsOf(lines, run(track(10, [BEGIN, 'getpid', 'getppid', 'read', END])))).toEqual([])
    expect(problemsOf(lines, run(track(10, [BEGIN, 'getpid', 'read', END])))).not.toEqual([])
    expect(problemsOf(lines, run(track(10, [BEGIN, 'getppid', 'getpid', 'read', END])))).not.toEqual([])
    expect(problemsOf(lines, run(track(10, [BEGIN, 'getpid', 'getppid', 'clone', 'read', END])))).not.toEqual([])
  })

  it('leaves out what runs before and after the marks, and whole helpers', () => {
    expect(problemsOf('main: getpid', run(track(10, ['read', BEGIN, 'getpid', END, 'read'])))).toEqual([])
    expect(problemsOf('', run(track(10, [BEGIN, 'sys_5003', 'getpid', END])))).toEqual([])
    expect(problemsOf('', run(track(10, [BEGIN, 'getpid', END])))).not.toEqual([])
  })

  it('folds a restarted call, and only that', () => {
    const lines = 'main: read getpid'
    expect(problemsOf(lines, run(track(10, [BEGIN, 'read', 'restart:read', 'getpid', END])))).toEqual([])
    expect(problemsOf(lines, run(track(10, [BEGIN, 'read', 'read', 'getpid', END])))).not.toEqual([])
  })

  it('keeps the ABI in the symbol', () => {
    const call: StreamEvent = { type: 'call', tid: 10, abi: 2, nr: 3, isRestart: false }
    expect(problemsOf('main: i386:getppid', run(track(10, [BEGIN, call, END])))).toEqual([])
    expect(problemsOf('main: getppid', run(track(10, [BEGIN, call, END])))).not.toEqual([])
  })

  it('stops at an exec until the new image marks its own beginning', () => {
    const events = track(10, [BEGIN, 'execve', 'exec', 'read', BEGIN, 'getpid', END])
    expect(problemsOf('main: execve exec:again getpid', run(events))).toEqual([])
    expect(problemsOf('main: execve exec getpid', run(events))).toEqual([])
    expect(problemsOf('main: execve exec:other getpid', run(events))).not.toEqual([])
    expect(problemsOf('main: execve getpid', run(events))).not.toEqual([])
  })

  it('compares the end of a track where the line says one', () => {
    const killed = track(10, [BEGIN, 'getpid'], { signal: 11 })
    expect(problemsOf('main: getpid killed(SIGSEGV)', run(killed))).toEqual([])
    expect(problemsOf('main: getpid killed(SIGKILL)', run(killed))).not.toEqual([])
    expect(problemsOf('main: getpid exited(0)', run(killed))).not.toEqual([])
    expect(problemsOf('main: getpid', run(killed))).toEqual([])
  })

  it('takes one or more of x+, none or one of x?', () => {
    const seen = run(track(10, [BEGIN, 'getpid', 'getpid', END]))
    expect(problemsOf('main: getpid+', seen)).toEqual([])
    expect(problemsOf('main: getpid+ read?', seen)).toEqual([])
    expect(problemsOf('main: getpid?', seen)).not.toEqual([])
    expect(problemsOf('main: getpid+ read+', seen)).not.toEqual([])
  })
})

describe('frames', () => {
  const frame = ['SIGALRM', 'getpid', 'rt_sigreturn']

  it('may float between any two records when written with a bare star', () => {
    const words = [BEGIN, ...frame, 'getppid', ...frame, ...frame, 'getppid', END]
    expect(problemsOf('main: getppid*2 [SIGALRM getpid rt_sigreturn]*', run(track(10, words)))).toEqual([])
    expect(problemsOf('main: getppid*2', run(track(10, words)))).not.toEqual([])
  })

  it('are compared in place when they do not float', () => {
    const lines = 'main: getppid [SIGALRM getpid rt_sigreturn]*2 read'
    expect(problemsOf(lines, run(track(10, [BEGIN, 'getppid', ...frame, ...frame, 'read', END])))).toEqual([])
    expect(problemsOf(lines, run(track(10, [BEGIN, 'getppid', ...frame, 'read', END])))).not.toEqual([])
    expect(problemsOf(lines, run(track(10, [BEGIN, ...frame, 'getppid', ...frame, 'read', END])))).not.toEqual([])
  })

  it('that lack a call of the handler do not float', () => {
    const words = [BEGIN, 'getppid', 'SIGALRM', 'rt_sigreturn', 'getppid', END]
    expect(problemsOf('main: getppid*2 [SIGALRM getpid rt_sigreturn]*', run(track(10, words)))).not.toEqual([])
  })

  it('are taken out from the inside when they nest', () => {
    const floating = [
      ['SIGUSR1', 'rt_sigreturn'],
      ['SIGUSR2', 'rt_sigreturn'],
    ]
    const tokens = ['read', 'SIGUSR1', 'SIGUSR2', 'rt_sigreturn', 'rt_sigreturn', 'getpid']
    expect(withoutFloating(tokens, floating)).toEqual(['read', 'getpid'])
    expect(withoutFloating(tokens.slice(0, 4), floating)).toEqual(['read', 'SIGUSR1'])
  })
})

describe('several tracks', () => {
  const born = (tid: number, kind: 'thread' | 'fork'): StreamEvent => ({
    type: 'birth',
    tid,
    parentTid: 10,
    tgid: kind === 'thread' ? 10 : tid,
    kind,
  })
  const session = run(
    track(10, [BEGIN, 'clone', 'clone'], null),
    born(11, 'thread'),
    born(12, 'thread'),
    track(12, ['getpid', 'exit']),
    track(10, [END]),
    track(11, ['getppid', 'getppid', 'exit']),
  )

  it('are a multiset: order between tracks does not matter', () => {
    expect(problemsOf('main: clone*2\nthread: getppid*2 exit\nthread: getpid exit', session)).toEqual([])
    expect(problemsOf('thread: getpid exit\nmain: clone*2\nthread: getppid*2 exit', session)).toEqual([])
  })

  it('fail when one is missing, one is too many, or one is of another kind', () => {
    expect(problemsOf('main: clone*2\nthread: getppid*2 exit', session)).not.toEqual([])
    expect(problemsOf('main: clone*2\nthread: getppid*2 exit\nthread*2: getpid exit', session)).not.toEqual([])
    expect(problemsOf('main: clone*2\nthread: getppid*2 exit\nfork: getpid exit', session)).not.toEqual([])
  })

  it('give a track that two lines accept to the line that needs it', () => {
    expect(problemsOf('main: clone*2\nthread: getpid? getppid? getppid? exit\nthread: getpid exit', session)).toEqual(
      [],
    )
    expect(problemsOf('main: clone*2\nthread: getpid exit\nthread: getpid? getppid? getppid? exit', session)).toEqual(
      [],
    )
  })

  it('are counted over the whole session', () => {
    const tracks = 'main: clone*2\nthread: getppid*2 exit\nthread: getpid exit\n'
    expect(problemsOf(`${tracks}count getppid 2\nbirths thread 2\ncount exit 1..`, session)).toEqual([])
    expect(problemsOf(`${tracks}count getppid 3`, session)).toEqual(['count getppid: expected 3, saw 2'])
    expect(problemsOf(`${tracks}births thread 1`, session)).toEqual(['births thread: expected 1, saw 2'])
    expect(problemsOf(`${tracks}count SIGALRM 1..`, session)).not.toEqual([])
  })
})

describe('the stream itself', () => {
  const problems = (...events: (StreamEvent | StreamEvent[])[]): string[] =>
    readTracks(run(...events).events, symbolOf).problems

  it('holds no record of a tid before its birth or after its end', () => {
    expect(problems(track(10, ['getpid']))).toEqual([])
    expect(problems(track(10, ['getpid']), track(10, ['getpid'], null))).toEqual(['call of tid 10, which is not alive'])
    expect(problems(track(99, ['getpid'], null), track(10, []))).toEqual(['call of tid 99, which is not alive'])
  })

  it('ends every track once', () => {
    expect(problems(track(10, ['getpid'], null))).toEqual(['tid 10 (main) never ended'])
    expect(problems(track(10, []), track(10, []))).toEqual(['exit of tid 10, which is not alive'])
  })

  it('bears no tid twice, and none without a known parent', () => {
    const child: StreamEvent = { type: 'birth', tid: 11, parentTid: 10, tgid: 11, kind: 'fork' }
    expect(problems(child, track(11, []), child, track(11, []), track(10, []))).toEqual([])
    expect(problems(child, child, track(11, []), track(10, []))).toContain('birth of tid 11, which is alive')
    expect(problems({ ...child, parentTid: 7 }, track(11, []), track(10, []))).toEqual([
      'birth of tid 11 by tid 7, which was never born',
    ])
  })

  it('puts a thread into the process of its parent and gives a forked child its own', () => {
    const child: StreamEvent = { type: 'birth', tid: 11, parentTid: 10, tgid: 11, kind: 'thread' }
    expect(problems(child, track(11, []), track(10, []))).toHaveLength(1)
    expect(problems({ ...child, kind: 'fork', tgid: 10 }, track(11, []), track(10, []))).toHaveLength(1)
  })

  it('lets the thread that execs go on under the tid of its leader, whose own track is over', () => {
    const image = { path: '/bin/again', sha256: null, buildId: null, script: null, argv0: null }
    const events = run(
      track(10, [BEGIN, 'clone'], null),
      { type: 'birth', tid: 11, parentTid: 10, tgid: 10, kind: 'thread' },
      track(11, ['execve'], null),
      track(10, [], {}),
      { type: 'exec', tid: 10, formerTid: 11, image },
      track(10, [BEGIN, 'getpid']),
    )
    expect(problemsOf('main: clone\nthread: execve exec:again getpid exited(0)', events)).toEqual([])
  })

  it('has no gap, and no note that the tracee does not know', () => {
    const note: StreamEvent = { type: 'note', code: 'io_uring', message: 'unseen work', inconclusive: true }
    expect(problems({ type: 'gap', tid: 10, count: 3 }, track(10, []))).toEqual(['a gap of 3 records in tid 10'])
    expect(problemsOf('', run(note, track(10, [])))).toEqual(['inconclusive: io_uring: unseen work'])
    expect(problemsOf('note io_uring', run(note, track(10, [])))).toEqual([])
    expect(problemsOf('maybe io_uring', run(track(10, [])))).toEqual([])
    expect(problemsOf('note io_uring', run(track(10, [])))).toHaveLength(1)
    expect(problemsOf('note io_uring', run({ ...note, inconclusive: false }, track(10, [])))).toHaveLength(1)
  })

  it('ends as the tracee says', () => {
    const ended = (code: number | null, signal: number | null): RecordedRun => ({
      ...run(track(10, [])),
      exit: { code, signal },
    })
    expect(problemsOf('exit 7', ended(7, null))).toEqual([])
    expect(problemsOf('exit SIGKILL', ended(null, 9))).toEqual([])
    expect(problemsOf('exit SIGKILL', ended(9, null))).not.toEqual([])
    expect(problemsOf('', ended(1, null))).toEqual(['the program exited(1), expected exited(0)'])
  })
})

describe('the notation', () => {
  const parse = (line: string): unknown => parseExpectation(`// A sentence.\n//= ${line}\n`)

  it('is refused with its line when it cannot be read', () => {
    expect(() => parseExpectation('int main(void);\n')).toThrow('line 1')
    for (const line of [
      'main: (getpid',
      'main: getpid)',
      'main: [getpid)',
      'main: *3',
      'count getpid many',
      'mein: x',
    ]) {
      expect(() => parse(line), line).toThrow('line 2')
    }
    expect(() => parse('main: (getpid+)*')).toThrow('only fixed counts may float')
    expect(() => parse('main: ((getpid)*90000)*90000')).toThrow('too many items')
  })

  it('is readable in every tracee, and no two tracees say the same sentence', () => {
    const tracees = listTracees()
    expect(tracees.length).toBeGreaterThanOrEqual(45)
    expect(new Set(tracees.map((tracee) => tracee.expectation.sentence)).size).toBe(tracees.length)
    for (const { name, expectation } of tracees) {
      const { tracks, counts, notes } = expectation
      expect(tracks.length + counts.length + notes.length, `${name} promises nothing`).toBeGreaterThan(0)
    }
  })
})
