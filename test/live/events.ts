// A session as a plain list: one value per call of StreamHandler, in the order in which they came. The comparison with
// what a tracee promises works on this list and does not care which engine, or which log, it came from.
import type { BirthKind, Image } from '../../src/model/stream.ts'

export type StreamEvent =
  | {
      readonly type: 'birth'
      readonly tid: number
      readonly parentTid: number
      readonly tgid: number
      readonly kind: BirthKind
      /** Of a process whose parent could not announce it. */
      readonly image?: Image
    }
  | { readonly type: 'exec'; readonly tid: number; readonly formerTid: number; readonly image: Image }
  | {
      readonly type: 'call'
      readonly tid: number
      readonly abi: number
      readonly nr: number
      readonly isRestart: boolean
    }
  | { readonly type: 'signal'; readonly tid: number; readonly signal: number }
  | { readonly type: 'exit'; readonly tid: number; readonly code: number; readonly signal: number }
  | { readonly type: 'gap'; readonly tid: number; readonly count: number }
  | { readonly type: 'refused'; readonly tid: number }
  | { readonly type: 'note'; readonly code: string; readonly message: string; readonly inconclusive: boolean }

/** How the root program of a recorded run ended. */
export interface RunExit {
  readonly code: number | null
  readonly signal: number | null
}

export interface RecordedRun {
  readonly events: readonly StreamEvent[]
  readonly exit: RunExit
}
