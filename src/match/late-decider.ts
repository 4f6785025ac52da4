// What is done about misses under engine ebpf, where a call has run by the time its miss is told: who made it is killed, or
// stopped until somebody decides. Nothing can be denied. The kernel half may have sent its signal already: a second one does no
// harm.
import type { Checker } from './checker.ts'
import type { Decided } from './decider.ts'
import type { Miss, MissAction } from './miss.ts'

/** `ask`: everything stops, and somebody decides whether it goes on. */
export type LatePolicy = 'kill' | 'ask'

/** Process ids; null = all of the session. */
export type Reach = readonly number[] | null

export interface LateDeciderOptions {
  readonly policy: LatePolicy
  readonly ask: (miss: Miss, signal: AbortSignal) => Promise<Decided>
  /** Told of each miss once it is known what was done about it. */
  readonly tell: (miss: Miss) => void
  /** Whom it is done to. */
  readonly reach: (miss: Miss) => Reach
  readonly signal: (reach: Reach, signal: 'SIGKILL' | 'SIGSTOP' | 'SIGCONT') => void
  /** The kernel half stopped who made this miss, and nobody will decide about it any more. */
  readonly revive: (miss: Miss) => void
  readonly onFailure: (error: unknown) => void
}

export class LateDecider {
  readonly #checker: () => Checker
  readonly #options: LateDeciderOptions
  readonly #over = new AbortController()
  /** What is told while somebody decides. Null: nobody does. */
  #waiting: Miss[] | null = null
  #stopped: Reach[] = []

  constructor(checker: () => Checker, options: LateDeciderOptions) {
    this.#checker = checker
    this.#options = options
  }

  /** From the checker. */
  onMiss(miss: Miss): void {
    const { policy, tell, reach, signal, revive } = this.#options
    if (!miss.isAlarm) return tell(miss)
    if (policy === 'kill') {
      signal(reach(miss), 'SIGKILL')
      return this.#tell(miss, 'late-kill')
    }
    if (this.#over.signal.aborted) {
      revive(miss)
      return tell(miss)
    }
    signal(reach(miss), 'SIGSTOP')
    this.#stopped.push(reach(miss))
    if (this.#waiting === null) this.#ask(miss)
    else this.#waiting.push(miss)
  }

  /** The session is over, or let go: what still waits goes on. */
  release(): void {
    this.#over.abort()
    this.#settle('alert')
  }

  #ask(miss: Miss): void {
    this.#waiting = [miss]
    this.#options.ask(miss, this.#over.signal).then(({ decision }) => {
      if (!this.#over.signal.aborted) this.#settle(decision === 'kill' ? 'late-kill' : 'allow')
    }, this.#options.onFailure)
  }

  #settle(action: MissAction): void {
    const waiting = this.#waiting ?? []
    this.#waiting = null
    for (const reach of this.#stopped.splice(0)) {
      this.#options.signal(reach, action === 'late-kill' ? 'SIGKILL' : 'SIGCONT')
    }
    for (const miss of waiting) this.#tell(miss, action)
  }

  #tell(miss: Miss, action: MissAction): void {
    this.#options.tell(action === 'alert' ? miss : this.#checker().settle(miss, action))
  }
}
