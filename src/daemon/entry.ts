// One thing that is followed, for as long as it is in the configuration: tried, and tried again after pauses that double, until
// it is told to stop or there is nothing left to follow.

import { setTimeout as sleep } from 'node:timers/promises'
import type { Policy } from '../alert/policy.ts'
import type { Outcome } from '../match/verdict.ts'
import type { Keeper } from '../session/keeper.ts'
import type { EntryConfig } from './config.ts'

export type EntryStateName = 'starting' | 'running' | 'waiting' | 'ended' | 'stopped'

/** How it is with an entry, for whoever asks. */
export interface EntryState {
  readonly kind: EntryConfig['kind']
  readonly name: string
  readonly state: EntryStateName
  readonly pid: number | null
  /** The session that runs, or the last one. */
  readonly session: string | null
  readonly sessionCount: number
  /** Of all its sessions. */
  readonly missCount: number
  readonly lastOutcome: Outcome | null
  /** What keeps it from being followed; null: nothing. */
  readonly trouble: string | null
  /** Waiting: when it is tried again. */
  readonly nextAt: string | null
}

/** What an attempt tells of itself while it goes on. */
export interface EntryTelling {
  readonly stop: AbortSignal
  /** The policy in force now. */
  policy(): Policy
  /** A line for the journal; it gets the entry's name. */
  say(text: string): void
  /** It is followed now. */
  running(session: string, pid: number | null): void
  /** For changes of the policy. */
  keeps(keeper: Keeper): void
  miss(): void
  ended(outcome: Outcome): void
  /** Something is wrong though it goes on; null: not any more. */
  trouble(text: string | null): void
}

/** Follows once. Answers whether there is something to follow again, and how long to wait at least. */
export type Attempt = (telling: EntryTelling) => Promise<{ readonly isAgain: boolean }>

export interface EntryOptions {
  readonly config: EntryConfig
  readonly attempt: Attempt
  readonly policy: () => Policy
  readonly say: (text: string) => void
  readonly onChange: () => void
  readonly firstMs: number
  readonly longestMs: number
}

export class Entry {
  readonly config: EntryConfig
  readonly #options: EntryOptions
  readonly #stopping = new AbortController()
  #keeper: Keeper | null = null
  #state: { -readonly [K in keyof EntryState]: EntryState[K] }
  #done: Promise<void> = Promise.resolve()

  constructor(options: EntryOptions) {
    this.config = options.config
    this.#options = options
    const { kind, name } = options.config
    this.#state = {
      kind,
      name,
      state: 'starting',
      pid: null,
      session: null,
      sessionCount: 0,
      missCount: 0,
      lastOutcome: null,
      trouble: null,
      nextAt: null,
    }
  }

  get state(): EntryState {
    return { ...this.#state }
  }

  /** It is as it should be. */
  get isWell(): boolean {
    return this.#state.trouble === null && this.#state.state !== 'waiting'
  }

  start(): void {
    this.#done = this.#run()
  }

  /** Resolves when nothing of it runs any more. */
  async stop(): Promise<void> {
    this.#stopping.abort()
    await this.#done
  }

  adopt(policy: Policy): void {
    this.#keeper?.adopt(policy)
  }

  async #run(): Promise<void> {
    const { firstMs, longestMs } = this.#options
    let pauseMs = firstMs
    for (;;) {
      this.#change({ state: 'starting', nextAt: null })
      const startedAt = performance.now()
      const isAgain = await this.#follow()
      if (this.#stopping.signal.aborted || !isAgain) break
      // Who ran for long begins anew with the shortest pause.
      if (performance.now() - startedAt > longestMs) pauseMs = firstMs
      this.#change({ state: 'waiting', nextAt: new Date(Date.now() + pauseMs).toISOString() })
      await sleep(pauseMs, undefined, { signal: this.#stopping.signal }).catch(() => {})
      if (this.#stopping.signal.aborted) break
      pauseMs = Math.min(pauseMs * 2, longestMs)
    }
    this.#change({ state: this.#stopping.signal.aborted ? 'stopped' : 'ended', nextAt: null })
  }

  async #follow(): Promise<boolean> {
    try {
      const { isAgain } = await this.#options.attempt(this.#telling())
      return isAgain
    } catch (error) {
      // What was told to stop need not have begun.
      if (this.#stopping.signal.aborted) return false
      this.#trouble(error instanceof Error ? error.message : String(error))
      return true
    } finally {
      this.#keeper = null
      this.#change({ pid: null })
    }
  }

  #telling(): EntryTelling {
    const { policy, say } = this.#options
    return {
      stop: this.#stopping.signal,
      policy,
      say,
      running: (session, pid) => {
        const sessionCount = this.#state.sessionCount + 1
        this.#change({ state: 'running', session, pid, sessionCount, trouble: null })
      },
      keeps: (keeper) => {
        this.#keeper = keeper
      },
      miss: () => {
        this.#state.missCount += 1
      },
      ended: (lastOutcome) => this.#change({ lastOutcome }),
      trouble: (text) => this.#trouble(text),
    }
  }

  /** The same trouble again is no news. */
  #trouble(text: string | null): void {
    if (text !== null && text !== this.#state.trouble) this.#options.say(text)
    this.#change({ trouble: text })
  }

  #change(values: Partial<EntryState>): void {
    Object.assign(this.#state, values)
    this.#options.onChange()
  }
}
