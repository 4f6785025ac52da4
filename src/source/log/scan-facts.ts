// What the native scanner says of a line that may mean more than a call: the same as strace-line.ts and strace-result.ts would read in
// its text, which is not made then.

import {
  FACTS_OF_EXIT,
  FACTS_OF_RETURN,
  FACTS_OF_SIGNAL,
  FACTS_OF_UNFINISHED,
  IS_JUDGED,
  IS_UNKNOWN,
  type LogScanner,
  NO_FACTS,
  TOLD,
} from '../../addon/log-scanner.ts'
import type { ScannedName, ScannedNames } from './scan-names.ts'
import type { LineKind, StraceLine } from './strace-line.ts'
import type { CallResult } from './strace-result.ts'
import type { Tracee } from './strace-tracee.ts'

/** By FACTS_OF. */
const KINDS: readonly LineKind[] = ['other', 'call', 'call', 'resumed', 'signal', 'exited']

/** Of the line that ended the last batch. */
export class ScannedFacts {
  readonly #batch: Uint32Array
  /** Of one number. */
  readonly #value: Float64Array
  readonly #names: ScannedNames

  constructor({ batch, value }: LogScanner, names: ScannedNames) {
    this.#batch = batch
    this.#value = value
    this.#names = names
  }

  /** False: the line is to be read. */
  get isThere(): boolean {
    return this.#batch[TOLD.factKind] !== NO_FACTS
  }

  get tid(): number {
    return this.#batch[TOLD.factTid] as number
  }

  /** Whether the line, which is of this thread, means nothing for others. */
  isOwn({ open, process }: Tracee): boolean {
    const kind = this.#batch[TOLD.factKind] as number
    // A call within a call: what became of that one may say whose child another thread is.
    if (open !== null && kind !== FACTS_OF_RETURN && kind !== FACTS_OF_SIGNAL) return false
    if (kind === FACTS_OF_EXIT) return process.threadCount === 1
    const { reach } = this.#names.all[(this.#batch[TOLD.factWord] as number) - 1] as ScannedName
    return reach === 'thread' || (reach === 'process' && process.threadCount === 1)
  }

  /** Whether a call of the line was judged, and its track is told so when it is given back. */
  get isJudged(): boolean {
    return ((this.#batch[TOLD.factFlags] as number) & IS_JUDGED) !== 0
  }

  /** Answers how long the line is without its line feed. */
  fill(line: StraceLine, result: CallResult): number {
    const batch = this.#batch
    const kind = batch[TOLD.factKind] as number
    line.kind = KINDS[kind] as LineKind
    line.tid = batch[TOLD.factTid] as number
    line.nr = -1
    line.rest = batch[TOLD.factArguments] as number
    if (kind === FACTS_OF_EXIT) {
      line.value = this.#value[0] as number
    } else {
      line.name = (this.#names.all[(batch[TOLD.factWord] as number) - 1] as ScannedName).name
      if (kind !== FACTS_OF_SIGNAL) this.#fillResult(kind === FACTS_OF_UNFINISHED, result)
    }
    return batch[TOLD.factLength] as number
  }

  #fillResult(isUnfinished: boolean, result: CallResult): void {
    const isUnknown = isUnfinished || ((this.#batch[TOLD.factFlags] as number) & IS_UNKNOWN) !== 0
    result.kind = isUnfinished ? 'unfinished' : 'value'
    result.value = isUnknown ? Number.NaN : (this.#value[0] as number)
    result.error = ''
    result.outerPid = 0
  }
}
