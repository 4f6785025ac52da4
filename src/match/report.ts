// The report of one session: JSON schema 1, fields in the order in which they are documented. What the matcher cannot
// know (host, times, arguments) is given by the caller.
import { constants } from 'node:os'
import type { LibraryChange } from '../model/stream.ts'
import type { CheckedProgram } from './checked-program.ts'
import type { Checker } from './checker.ts'
import type { Miss } from './miss.ts'
import { printable } from './printable.ts'
import { type Findings, type Outcome, outcomeOf, type Verdict, verdictOf } from './verdict.ts'
import type { Walker } from './walker.ts'

/** What a session is about, beside what it did. */
export interface SessionFacts {
  /** Version of tracefp. */
  readonly tracefp: string
  /** ULID. */
  readonly session: string
  /** Name of the log or of the command. */
  readonly name: string
  readonly source: ReportSource
  readonly host: string
  readonly machineId: string
  readonly bootId: string
  readonly uid: number
  readonly argv: readonly string[]
  /** RFC 3339. */
  readonly startedAt: string
  readonly endedAt: string
  readonly unparsedLineCount: number
  /** Where the source knows better than the stream how the root ended. */
  readonly exit?: ReportExit
}

export interface ReportSource {
  readonly kind: 'live' | 'log' | 'capture'
  readonly engine: string | null
  readonly format: string | null
  readonly order: 'entry' | 'return'
}

export interface ReportExit {
  readonly code: number | null
  /** Name of the signal that ended the program. */
  readonly signal: string | null
}

export interface ReportProgram {
  readonly image: string
  readonly sha256: string | null
  readonly fingerprint: string | null
  readonly recordCount: number
  readonly missCount: number
  readonly coverage: number
}

export interface ReportNote {
  readonly code: string
  readonly message: string
  /** Of `library_changed`: which, and how. */
  readonly library?: LibraryChange
}

export interface Report {
  readonly schema: 1
  readonly tracefp: string
  readonly session: string
  readonly name: string
  readonly source: ReportSource
  readonly host: string
  readonly machineId: string
  readonly bootId: string
  readonly uid: number
  readonly argv: readonly string[]
  readonly startedAt: string
  readonly endedAt: string
  readonly exit: ReportExit
  readonly verdict: Verdict
  readonly depth: number
  readonly recordCount: number
  readonly trackCount: number
  readonly transitionCount: number
  readonly missCount: number
  /** Misses that make it abnormal. Absent in reports that are read back from where they were kept, as is `burst`. */
  readonly alarmCount?: number
  readonly burst?: ReportBurst
  readonly gapCount: number
  readonly droppedCount: number
  readonly unparsedLineCount: number
  readonly programs: readonly ReportProgram[]
  readonly misses: readonly Miss[]
  readonly notes: readonly ReportNote[]
}

export interface ReportBurst {
  /** Transitions of a track that are looked at together. */
  readonly frame: number
  /** Misses among them that are an alarm; null: every miss is. */
  readonly threshold: number | null
  /** The most there were. */
  readonly score: number
}

/** The report, and the outcome that decides the exit code. */
export interface Result {
  readonly report: Report
  readonly outcome: Outcome
}

/** Call walker.finish() before. */
export function buildReport(facts: SessionFacts, walker: Walker<CheckedProgram>, checker: Checker): Result {
  const findings = findingsOf(walker, checker)
  const report: Report = {
    schema: 1,
    tracefp: facts.tracefp,
    session: facts.session,
    name: facts.name,
    source: facts.source,
    host: facts.host,
    machineId: facts.machineId,
    bootId: facts.bootId,
    uid: facts.uid,
    argv: facts.argv,
    startedAt: facts.startedAt,
    endedAt: facts.endedAt,
    exit: facts.exit ?? exitOf(walker.rootExit),
    verdict: verdictOf(findings),
    depth: checker.depth,
    recordCount: walker.recordCount,
    trackCount: walker.trackCount,
    transitionCount: checker.transitionCount,
    missCount: checker.missCount,
    alarmCount: checker.alarmCount,
    burst: checker.burst,
    gapCount: walker.gapCount,
    droppedCount: walker.droppedCount,
    unparsedLineCount: facts.unparsedLineCount,
    programs: checker.programs.map(programOf),
    misses: checker.misses,
    notes: [
      ...checker.notes.list().map(({ code, message, library }) => {
        return library === undefined ? { code, message } : { code, message, library }
      }),
      ...imageNotes(checker),
      ...quietNotes(checker),
      ...floodNotes(checker),
      ...idleNotes(findings, walker),
    ],
  }
  return { report, outcome: outcomeOf(findings) }
}

function findingsOf(walker: Walker<CheckedProgram>, checker: Checker): Findings {
  return {
    alarmCount: checker.alarmCount,
    transitionCount: checker.transitionCount,
    gapCount: walker.gapCount,
    droppedCount: walker.droppedCount,
    isInconclusive: checker.notes.isInconclusive,
    hasFingerprint: checker.root !== null && checker.root.known !== null,
  }
}

function exitOf(rootExit: Walker<CheckedProgram>['rootExit']): ReportExit {
  if (rootExit === null) return { code: null, signal: null }
  if (rootExit.signal === 0) return { code: rootExit.code, signal: null }
  const name = Object.entries(constants.signals).find(([, number]) => number === rootExit.signal)?.[0]
  return { code: null, signal: name ?? `SIG${rootExit.signal}` }
}

function programOf(program: CheckedProgram): ReportProgram {
  return {
    image: program.key,
    sha256: program.image.sha256,
    fingerprint: program.known?.fingerprint.sha256 ?? null,
    recordCount: program.recordCount,
    missCount: program.missCount,
    coverage: Math.round(program.coverage * 10_000) / 10_000,
  }
}

/** Misses that are no alarm are said all the same. */
function quietNotes({ faultMissCount, missCount, alarmCount, burst }: Checker): ReportNote[] {
  const few = missCount - alarmCount - faultMissCount
  const notes: ReportNote[] = []
  if (faultMissCount > 0) {
    const message = `${misses(faultMissCount)} known from runs in which calls were made to fail: abnormal, but authentic`
    notes.push({ code: 'fault_layer', message })
  }
  if (few > 0) {
    const message = `${misses(few)} in no burst of ${burst.threshold} among ${burst.frame} transitions: no alarm`
    notes.push({ code: 'no_burst', message })
  }
  return notes
}

function floodNotes({ floodCount }: Checker): ReportNote[] {
  if (floodCount === 0) return []
  return [
    { code: 'flood', message: `${misses(floodCount)} not listed: of one track they came by more than 1,000 a second` },
  ]
}

/** Of a verdict that says nothing: why. */
function idleNotes(findings: Findings, { recordCount, trackCount }: Walker<CheckedProgram>): ReportNote[] {
  const { transitionCount, alarmCount, hasFingerprint } = findings
  if (transitionCount > 0 || alarmCount > 0 || !hasFingerprint) return []
  const calls = `${recordCount} ${recordCount === 1 ? 'call' : 'calls'} of ${trackCount} ${trackCount === 1 ? 'track' : 'tracks'}`
  const why = recordCount === 0 ? 'no call was seen' : `among ${calls} is no transition that could be judged`
  return [{ code: 'nothing_checked', message: `nothing was checked: ${why}` }]
}

function misses(count: number): string {
  return count === 1 ? '1 miss is' : `${count} misses are`
}

/** A changed image is a finding of its own; the verdict of the old fingerprint stands beside it. */
function imageNotes(checker: Checker): ReportNote[] {
  return checker.programs
    .filter((program) => program.imageMissCount > 0)
    .map((program) => {
      const others = program.alarmCount - program.imageMissCount
      const verdict = others > 0 ? `abnormal, ${others} other ${others === 1 ? 'miss' : 'misses'}` : 'authentic'
      const message = `image changed: ${printable(program.key)} is not the image that was learned; by its old fingerprint: ${verdict}`
      return { code: 'image_changed', message }
    })
}
