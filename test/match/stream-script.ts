// Streams written as text, for tests. A line is `TID WORD...`:
//
//   1 born exec | 2 born fork 1 | 3 born thread 1 | 4 born join        1 exec /bin/ls | 1 exec /bin/ls from 3
//   1: open read close        calls; `~read` is a restart; names of any ABI, `sys_N` too
//   1 signal 14               1 exits 0 | 1 killed 9               1 gap 3 (tid 0: all tracks)
//
// A process is its first tid; a thread, or a joined track with a parent, is in its parent's.

import type { CheckedProgram } from '../../src/match/checked-program.ts'
import { Checker, type CheckerOptions } from '../../src/match/checker.ts'
import { Recorder } from '../../src/match/recorder.ts'
import { buildReport, type Result, type SessionFacts } from '../../src/match/report.ts'
import { Walker, type WalkerOptions } from '../../src/match/walker.ts'
import { type Fingerprint, makeSettings, type Settings, UNSEEN_CALLS } from '../../src/model/fingerprint.ts'
import { RunObservation } from '../../src/model/learner.ts'
import { Ledger } from '../../src/model/ledger.ts'
import type { BirthKind, Image, StreamHandler } from '../../src/model/stream.ts'
import { newUlid } from '../../src/model/ulid.ts'
import { linuxMapping, type Mapping } from '../../src/syscall/mapping.ts'

export const MAPPING: Mapping = linuxMapping('x86_64')

export type Step = (handler: StreamHandler) => void

export function image(path: string, more: Partial<Image> = {}): Image {
  return { path, sha256: '00'.repeat(32), buildId: null, script: null, argv0: null, ...more }
}

/** One call by its symbol text; `~` in front: a restart. */
export function call(tid: number, symbol: string): Step {
  const isRestart = symbol.startsWith('~')
  const number = MAPPING.numberOf(isRestart ? symbol.slice(1) : symbol)
  if (number === undefined) throw new Error(`no such call: ${symbol}`)
  return (handler) => handler.onCall(tid, number.abi, number.nr, isRestart)
}

/** The steps of a script, one per record. */
export function steps(text: string): Step[] {
  const tgids = new Map<number, number>()
  return text
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '')
    .flatMap((line) => stepsOfLine(line, tgids))
}

function stepsOfLine(line: string, tgids: Map<number, number>): Step[] {
  const [head, ...words] = line.split(/\s+/) as [string, ...string[]]
  const tid = Number.parseInt(head, 10)
  if (head.endsWith(':')) return words.map((symbol) => call(tid, symbol))
  const [verb, what, more, last] = words
  switch (verb) {
    case 'born': {
      const parent = Number(more ?? 0)
      const tgid = what === 'thread' || (what === 'join' && parent > 0) ? (tgids.get(parent) ?? parent) : tid
      tgids.set(tid, tgid)
      return [(handler) => handler.onBirth(tid, parent, tgid, what as BirthKind)]
    }
    case 'exec':
      return [(handler) => handler.onExec(tid, more === 'from' ? Number(last) : tid, image(what as string))]
    case 'signal':
      return [(handler) => handler.onSignal(tid, Number(what))]
    case 'exits':
      return [(handler) => handler.onExit(tid, Number(what), 0)]
    case 'killed':
      return [(handler) => handler.onExit(tid, 0, Number(what))]
    case 'gap':
      return [(handler) => handler.onGap(tid, Number(what))]
    default:
      throw new Error(`no such line: ${line}`)
  }
}

/** A root that runs /bin/a and makes these calls. */
export function simple(calls: string): string {
  return `1 born exec\n1 exec /bin/a\n1: ${calls}\n1 exits 0`
}

function stepsOf(stream: string | readonly Step[]): readonly Step[] {
  return typeof stream === 'string' ? steps(stream) : stream
}

/** Learns one run per stream; at depth 2, unless another one is wanted. Calls of any ABI are learned. */
export function learn(streams: readonly (string | readonly Step[])[], wanted: Partial<Settings> = {}): Fingerprint {
  const settings = makeSettings(MAPPING, { depth: 2, ...wanted })
  const ledger = Ledger.empty(settings)
  for (const stream of streams) ledger.addRun(record(stream, wanted).run.finish())
  return ledger.fingerprint(MAPPING)
}

export function record(
  stream: string | readonly Step[],
  wanted: Partial<Settings> = {},
): { run: RunObservation; recorder: Recorder; walker: Walker<never> } {
  const settings = makeSettings(MAPPING, { depth: 2, ...wanted })
  const info = { id: newUlid(), at: '2026-01-01T00:00:00Z', scenario: 'default', host: 'h', kernel: '6', tool: 't' }
  const run = new RunObservation(settings, { ...info, command: ['a'] }, { neverLearned: UNSEEN_CALLS })
  const recorder = new Recorder(run, MAPPING)
  const walker = new Walker(recorder, { mapping: MAPPING, tracks: settings.tracks })
  for (const step of stepsOf(stream)) step(walker)
  walker.finish()
  return { run, recorder, walker: walker as unknown as Walker<never> }
}

/** The learned transitions of a program: `open -> close read`. */
export function learned(fingerprint: Fingerprint, key: string): string[] {
  const successors = fingerprint.programs.get(key)?.successors ?? new Map<string, ReadonlyMap<string, number>>()
  return [...successors].map(([context, next]) => `${context} -> ${[...next.keys()].sort().join(' ')}`).sort()
}

export const FACTS: SessionFacts = {
  tracefp: '1.0.0',
  session: '01J00000000000000000000000',
  name: 'a',
  source: { kind: 'live', engine: 'notify', format: null, order: 'entry' },
  host: 'h',
  machineId: 'm',
  bootId: 'b',
  uid: 0,
  argv: ['a'],
  startedAt: '2026-01-01T00:00:00Z',
  endedAt: '2026-01-01T00:00:01Z',
  unparsedLineCount: 0,
}

export interface Checked extends Result {
  readonly checker: Checker
  readonly walker: Walker<CheckedProgram>
  /** `from -> to` of each miss. */
  readonly missed: string[]
  /** Codes of the notes. */
  readonly noted: string[]
}

/** Checks at the depth that was learned, unless another one is given. */
export function check(
  fingerprint: Fingerprint | readonly Fingerprint[],
  stream: string | readonly Step[],
  options: Partial<CheckerOptions> = {},
  walking: Partial<WalkerOptions> = {},
): Checked {
  const fingerprints = 'settings' in fingerprint ? [fingerprint] : fingerprint
  const { depth = 2 } = fingerprints[0]?.settings ?? {}
  const checker = new Checker({ fingerprints, mapping: MAPPING, at: () => '7', depth, ...options })
  const walker = new Walker(checker, { mapping: MAPPING, tracks: checker.tracks, ...walking })
  for (const step of stepsOf(stream)) step(walker)
  walker.finish()
  const result = buildReport(FACTS, walker, checker)
  const missed = checker.misses.map((miss) => `${miss.from} -> ${miss.to}`)
  return { ...result, checker, walker, missed, noted: result.report.notes.map(({ code }) => code) }
}
