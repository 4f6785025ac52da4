// Tells misses on a terminal or a journal: the first of its kind in full, those that are the same step again as a count, from
// time to time and at the end. Reports and alerts have all of them.

import { missLine } from '../match/explain.ts'
import type { Miss } from '../match/miss.ts'

/** How long repeats are gathered; each time they go on, twice as long. */
const GATHER_MS = 2_000
const LONGEST_GATHER_MS = 120_000
/** More kinds are all told in full. */
const MAX_KINDS = 1000

interface Repeats {
  readonly line: string
  count: number
}

export class MissTeller {
  readonly #say: (line: string) => void
  readonly #kinds = new Map<string, Repeats>()
  #timer: NodeJS.Timeout | null = null
  #gatherMs = GATHER_MS

  /** `say`: one line, without a newline at its end. */
  constructor(say: (line: string) => void) {
    this.#say = say
  }

  /** `place` is said where it is told in full. */
  tell(miss: Miss, place = ''): void {
    const line = missLine(miss)
    // The same step of another thread is the same news.
    const kind = line.replace(/\[\d+\]/, '')
    const known = this.#kinds.get(kind)
    // What somebody was asked about is told each time: he waits for it.
    if (known === undefined || miss.action === 'allow') {
      if (known === undefined && this.#kinds.size < MAX_KINDS) this.#kinds.set(kind, { line: kind, count: 0 })
      this.#say(`${line}${place}`)
      return
    }
    known.count += 1
    if (this.#timer !== null) return
    this.#timer = setTimeout(() => {
      this.flush()
      this.#gatherMs = Math.min(this.#gatherMs * 2, LONGEST_GATHER_MS)
    }, this.#gatherMs)
    this.#timer.unref()
  }

  /** Says what was gathered. */
  flush(): void {
    if (this.#timer !== null) clearTimeout(this.#timer)
    this.#timer = null
    for (const repeats of this.#kinds.values()) {
      const { line, count } = repeats
      if (count === 0) continue
      repeats.count = 0
      this.#say(`${line}; again, ${count === 1 ? 'once' : `${count.toLocaleString('en-US')} times`}`)
    }
  }
}
