// A miss as reports hold it: one transition outside its successor set, or an image that should not run. A value.
import type { StreamDecision } from '../model/stream.ts'
import type { Severity } from './severity.ts'

export type MissKind = 'call' | 'exec' | 'image' | 'end'

/**
 * What was done about a miss: nothing but telling it, or, where calls are judged before they run, what was decided. `late-kill`:
 * it was killed, but the call had already run.
 */
export type MissAction = 'alert' | StreamDecision | 'late-kill'

export interface Miss {
  readonly tid: number
  readonly tgid: number
  readonly ppid: number
  /** Names of the processes above, nearest first. */
  readonly ancestors: readonly string[]
  /** `call`: a transition; `exec`: an image outside the exec set; `image`: not the image learned; `end`: of a track. */
  readonly kind: MissKind
  /** Key of the program that was judged. */
  readonly image: string
  /** Index of the record in its track, from 0. */
  readonly index: number
  /** Time, or line number in a log. */
  readonly at: string
  /** The last symbols before it, oldest first; the last one is `from`. */
  readonly context: readonly string[]
  readonly from: string
  /** Symbol; `exec:PROGRAM`; `image:sha256:HEX`. */
  readonly to: string
  /** The lowest depth at which it is a miss: 2 when the pair itself was never seen. */
  readonly depth: number
  /** What would have been right, most usual first. */
  readonly expected: readonly string[]
  /** Shortest known way from `from` to `to`; empty: there is none. */
  readonly path: readonly string[]
  readonly severity: Severity
  /** `fault`: it is known from runs in which calls were made to fail: abnormal, but authentic. */
  readonly layer: 'fault' | null
  /** Misses among the last transitions of its track, this one counted. */
  readonly burst: number
  /** Whether it makes the session abnormal: not what the fault layer knows, nor what stays below the threshold. */
  readonly isAlarm: boolean
  readonly action: MissAction
}

/** Misses kept whole per session; all are counted. */
export const MISS_LIMIT = 1000

/** Symbols of context kept per miss. */
export const CONTEXT_LENGTH = 10
