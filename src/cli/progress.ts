// How far a long work is, on stderr: one line that is written over on a terminal, a line now and then elsewhere.

import type { Output } from './output.ts'
import { isTerminal } from './terminal.ts'

const FIRST_MS = 1000
const TERMINAL_MS = 250
const OTHER_MS = 10_000
const CLEAR = '\r\u001b[K'

export class Progress {
  readonly #output: Output
  readonly #isTerminal: boolean
  #nextAt: number = Date.now() + FIRST_MS
  #isShown = false

  constructor(output: Output, isOnTerminal: boolean = isTerminal(2)) {
    this.#output = output
    this.#isTerminal = isOnTerminal
  }

  /** `text` is asked for only when it is shown. */
  update(text: () => string): void {
    const now = Date.now()
    if (now < this.#nextAt) return
    this.#nextAt = now + (this.#isTerminal ? TERMINAL_MS : OTHER_MS)
    this.#output.message(this.#isTerminal ? `${CLEAR}${text()}` : `${text()}\n`)
    this.#isShown = this.#isTerminal
  }

  /** Before anything else is written. */
  clear(): void {
    if (!this.#isShown) return
    this.#isShown = false
    this.#output.message(CLEAR)
  }
}

/** `45 % of 512 MB`; without a size what was read. */
export function progressOf(position: number, size: number | null): string {
  if (size === null || size === 0) return `${megabytes(position)} read`
  const percent = Math.min(100, Math.floor((100 * position) / size))
  return `${percent} % of ${size < 1_000_000 ? `${size} bytes` : megabytes(size)}`
}

function megabytes(bytes: number): string {
  return `${(bytes / 1_000_000).toFixed(bytes < 10_000_000 ? 1 : 0)} MB`
}
