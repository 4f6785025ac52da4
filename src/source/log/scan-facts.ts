// What the native scanner says of a line that may mean more than a call: the same as strace-line.ts and strace-result.ts would read in
// its text, which is not made then. Words are names of calls and signals, numbered as the reader meets them.

import {
  FACTS_OF_CALL,
  FACTS_OF_EXIT,
  FACTS_OF_RETURN,
  FACTS_OF_SIGNAL,
  FACTS_OF_UNFINISHED,
  type LogScanner,
  NAME_LIMIT,
  NO_FACTS,
  SPECIAL_NAME,
} from '../../addon/log-scanner.ts'
import type { LineKind, StraceLine } from './strace-line.ts'
import type { CallResult } from './strace-result.ts'

export class ScannedFacts {
  readonly #scanner: LogScanner
  /** From 1. */
  readonly #words: string[] = ['']
  readonly #signals = new Set<string>()

  constructor(scanner: LogScanner) {
    this.#scanner = scanner
  }

  /** A name that the scanner has is said in facts from here on. */
  add(name: string): void {
    if (this.#scanner.setWord(name, this.#words.length)) this.#words.push(name)
  }

  addSignal(name: string): void {
    if (this.#signals.has(name) || this.#signals.size === NAME_LIMIT) return
    this.#signals.add(name)
    if (this.#scanner.setName(name, SPECIAL_NAME)) this.add(name)
  }

  /** Whether anything is said of the line that ended the last batch. */
  get isThere(): boolean {
    return this.#scanner.factKind !== NO_FACTS
  }

  /** Of the line, without its line feed. */
  get length(): number {
    return this.#scanner.factLength
  }

  fill(line: StraceLine, result: CallResult): void {
    const scanner = this.#scanner
    const kind = scanner.factKind
    line.kind = KINDS[kind] as LineKind
    line.tid = scanner.factTid
    line.nr = -1
    line.name = this.#words[scanner.factWord] as string
    line.rest = scanner.factArguments
    result.error = ''
    result.outerPid = 0
    if (kind === FACTS_OF_EXIT) {
      line.value = scanner.factValue
    } else if (kind !== FACTS_OF_SIGNAL) {
      result.kind = kind === FACTS_OF_UNFINISHED ? 'unfinished' : 'value'
      result.value = kind === FACTS_OF_UNFINISHED ? Number.NaN : scanner.factValue
    }
  }
}

const KINDS: Readonly<Record<number, LineKind>> = {
  [FACTS_OF_CALL]: 'call',
  [FACTS_OF_UNFINISHED]: 'call',
  [FACTS_OF_RETURN]: 'resumed',
  [FACTS_OF_SIGNAL]: 'signal',
  [FACTS_OF_EXIT]: 'exited',
}
