// The one shape of an alert, version 1. Everything that leaves tracefp about an alert is a pure function of it, and so is what
// the store keeps. Texts in it are as the program made them: hostile, to be cleaned by whoever writes them somewhere.

import type { Miss } from '../match/miss.ts'
import type { Severity } from '../match/severity.ts'
import type { Effect } from './effects.ts'

/** What the policy does at a miss of a program. `observe`: it is recorded and nobody is told. */
export type AlertMode = 'observe' | 'alert' | 'deny' | 'kill' | 'freeze'

/** `opened`: the first misses; `raised`: worse than told before; `closed`: the session ended with more than was told. */
export type EventKind = 'opened' | 'raised' | 'closed' | 'test'

export interface Score {
  readonly value: number
  /** The miss that made it: its place in the report. */
  readonly miss: number
  readonly impact: number
  readonly effect: Effect
  readonly novelty: number
  readonly burst: number
  /** The formula with its numbers, for people. */
  readonly text: string
}

export interface AlertEvent {
  readonly schema: 1
  readonly kind: EventKind
  /** ULID of this event: the same one is never sent twice by intent, and who gets it twice can tell. */
  readonly id: string
  /** ULID of the alert: one per session and program, the same in all its events. */
  readonly alert: string
  /** RFC 3339. */
  readonly time: string
  readonly tracefp: string
  readonly host: string
  readonly machineId: string
  readonly bootId: string
  readonly session: string
  /** Of the log or of the command. */
  readonly name: string
  readonly uid: number
  /** Key of the program that was judged. */
  readonly program: string
  readonly sha256: string | null
  readonly fingerprint: string | null
  readonly severity: Severity
  readonly score: Score
  readonly mode: AlertMode
  /** Losing data lowers what the misses can be trusted for. */
  readonly confidence: 'full' | 'lowered'
  readonly missCount: number
  /** Of them not in `misses`. */
  readonly suppressedCount: number
  /** The first, and the one that the score is of. */
  readonly misses: readonly Miss[]
  readonly gapCount: number
  readonly droppedCount: number
}

/** Misses that an event lists. */
export const EVENT_MISSES = 10
