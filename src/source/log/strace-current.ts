// The line that is being read: what it says, and its text where that is asked for.

import type { LineSplitter } from './line-splitter.ts'
import type { ScannedFacts } from './scan-facts.ts'
import { newLine, readLine, type StraceLine, withoutColours } from './strace-line.ts'
import { type CallResult, newResult, readResult } from './strace-result.ts'

export class CurrentLine {
  readonly facts: StraceLine = newLine()
  /** Of a call, once it was read: by `readResult`, or by the scanner. */
  readonly result: CallResult = newResult()
  /** Its end is missing. */
  isCut = false
  /** The handler knows of the call in it. */
  isJudged = false
  readonly #splitter: LineSplitter
  /** Without colours; null: it is in the splitter's bytes, and what it says is from the scanner. */
  #text: string | null = null

  constructor(splitter: LineSplitter) {
    this.#splitter = splitter
  }

  read(raw: string, isCut: boolean): void {
    const text = withoutColours(raw)
    readLine(text, this.facts)
    this.#text = text
    this.isCut = isCut
    this.isJudged = false
  }

  /** The splitter's next line, of which the scanner says what it says. */
  take(facts: ScannedFacts): void {
    this.#splitter.take(facts.fill(this.facts, this.result))
    this.#text = null
    this.isCut = false
    this.isJudged = facts.isJudged
  }

  /** How it ends; `from` is where the arguments begin. */
  readResult(from: number): void {
    if (this.#text !== null) readResult(this.#text, from, this.result)
  }

  textFrom(at: number): string {
    if (this.#text !== null) return this.#text.slice(at)
    const { bytes, start, end } = this.#splitter
    return bytes.toString('latin1', start + at, end)
  }

  /** Its first character as a number; NaN: it is empty. */
  get first(): number {
    return this.#text !== null ? this.#text.charCodeAt(0) : (this.#splitter.bytes[this.#splitter.start] as number)
  }
}
