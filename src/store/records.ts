// What processes of tracefp tell the session store: that a session began, what it came to, and alerts. Plain JSON, written
// to the inbox (inbox.ts) and taken in from there; also the rows that the store answers with.

import type { AlertEvent, AlertMode } from '../alert/event.ts'
import type { Report } from '../match/report.ts'
import type { Severity } from '../match/severity.ts'
import type { Outcome, Verdict } from '../match/verdict.ts'

/** A session began, in the process `pid`, which is the one that started at `pidStart` (clock ticks after boot). */
/** Numbers of misses that are libraries: behind all that a report can list. */
export const FIRST_LIBRARY: number = 1_000_000

export interface BegunRecord {
  readonly kind: 'begin'
  readonly session: string
  readonly name: string
  readonly program: string
  readonly argv: readonly string[]
  readonly host: string
  readonly bootId: string
  readonly uid: number
  readonly pid: number
  readonly pidStart: string
  readonly startedAt: string
}

export interface EndedRecord {
  readonly kind: 'end'
  readonly outcome: Outcome
  readonly report: Report
  /** Name of a file in the folder of evidence. */
  readonly evidence: { readonly file: string; readonly sha256: string } | null
}

/** An alert was opened or has become more; the newest one counts. */
export interface AlertRecord {
  readonly kind: 'alert'
  readonly event: AlertEvent
  /** Whether sinks are told of it. */
  readonly isTold: boolean
}

export type StoreRecord = BegunRecord | EndedRecord | AlertRecord

/** `lost`: its tracefp was killed before it could say what became of the session. */
export type SessionState = 'running' | 'ended' | 'lost'

export interface SessionRow {
  readonly id: string
  readonly state: SessionState
  readonly name: string
  /** Key of its first program; of a running one the command. */
  readonly program: string
  readonly host: string
  readonly uid: number
  /** Of tracefp, while the session runs; else null. */
  readonly pid: number | null
  readonly kind: 'live' | 'log' | 'capture'
  readonly engine: string | null
  readonly startedAt: string
  readonly endedAt: string | null
  readonly verdict: Verdict | null
  readonly outcome: Outcome | null
  readonly recordCount: number
  readonly missCount: number
  readonly gapCount: number
  readonly droppedCount: number
  readonly unparsedLineCount: number
  /** Name of its bundle in the folder of evidence. */
  readonly evidence: string | null
  /** Grows with every change of the store: `changedSince`. */
  readonly changed: number
}

export interface SessionDetail extends SessionRow {
  /** Null until it ended. */
  readonly report: Report | null
  readonly alerts: readonly AlertRow[]
}

export type AlertState = 'new' | 'acknowledged' | 'incident' | 'allowed'

export interface AlertRow {
  readonly id: string
  readonly session: string
  readonly program: string
  readonly state: AlertState
  readonly severity: Severity
  readonly score: number
  readonly mode: AlertMode
  readonly openedAt: string
  readonly updatedAt: string
  readonly missCount: number
  /** Misses that are counted and not listed in the event. */
  readonly suppressedCount: number
  /** False: the policy kept it from the sinks. */
  readonly isTold: boolean
  readonly changed: number
}

/** Somebody decided about an alert. */
export interface ActionRow {
  readonly id: string
  readonly alert: string
  readonly former: AlertState
  readonly state: AlertState
  readonly actor: string
  readonly via: 'cli' | 'console'
  readonly at: string
  readonly note: string
}

export interface AlertDetail extends AlertRow {
  readonly event: AlertEvent
  readonly actions: readonly ActionRow[]
}

export interface ProgramRow {
  readonly program: string
  readonly sessionCount: number
  readonly missCount: number
  readonly lastSession: string
  /** Those that judged it, newest first. */
  readonly fingerprints: readonly FingerprintRow[]
}

export interface FingerprintRow {
  readonly sha256: string
  readonly firstSession: string
  readonly lastSession: string
  readonly sessionCount: number
}

/** Sums over all sessions kept. */
export interface StoreCounts {
  readonly sessionCount: number
  readonly runningCount: number
  readonly lostCount: number
  readonly abnormalCount: number
  readonly inconclusiveCount: number
  readonly openAlertCount: number
  readonly missCount: number
  readonly gapCount: number
  readonly droppedCount: number
  readonly unparsedLineCount: number
  /** Of the database and the evidence. */
  readonly byteCount: number
}

/** What became of events, by sink. */
export interface SinkCount {
  readonly name: string
  readonly sentCount: number
  readonly failedCount: number
  readonly droppedCount: number
}
