// Tries again, while a session or a daemon goes on, what sinks did not take: after some seconds, then ever more rarely, and never
// at the same moment as others who wait for the same receiver.

import type { Delivery } from './deliver.ts'

export interface SpoolRetryOptions {
  /** Sends what waits. */
  readonly flush: () => Promise<readonly Delivery[]>
  readonly firstMs?: number
  readonly longestMs?: number
  /** From 0 to below 1. */
  readonly random?: () => number
}

const FIRST_MS = 5_000
const LONGEST_MS = 300_000

export class SpoolRetry {
  readonly #options: SpoolRetryOptions
  #timer: NodeJS.Timeout | null = null
  #flushing: Promise<void> = Promise.resolve()
  #tryCount = 0
  #isClosed = false

  constructor(options: SpoolRetryOptions) {
    this.#options = options
  }

  /** Something is to be tried again. */
  get isWaiting(): boolean {
    return this.#timer !== null
  }

  /** What came of a delivery: where something waits, it is tried again. */
  heard(deliveries: readonly Delivery[]): void {
    if (deliveries.every(({ waitingCount }) => waitingCount === 0)) {
      this.#cancel()
      this.#tryCount = 0
    } else if (this.#timer === null && !this.#isClosed) {
      this.#timer = setTimeout(() => this.#try(), this.#pauseMs())
      // Nobody waits for it: what is not sent by the end is sent by the next one.
      this.#timer.unref()
    }
  }

  /** Resolves when none of its tries is under way any more. */
  async close(): Promise<void> {
    this.#isClosed = true
    this.#cancel()
    await this.#flushing
  }

  #try(): void {
    this.#timer = null
    this.#tryCount += 1
    this.#flushing = this.#options.flush().then(
      (deliveries) => this.heard(deliveries),
      () => {}, // deliver() never throws
    )
  }

  /** Half of it is chance. */
  #pauseMs(): number {
    const { firstMs = FIRST_MS, longestMs = LONGEST_MS, random = Math.random } = this.#options
    const pause = Math.min(longestMs, firstMs * 2 ** Math.min(this.#tryCount, 30))
    return pause * (0.5 + random() / 2)
  }

  #cancel(): void {
    if (this.#timer !== null) clearTimeout(this.#timer)
    this.#timer = null
  }
}
