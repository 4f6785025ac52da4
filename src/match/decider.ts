// Guard mode: what is done about misses before their calls run. The engine's native walk finds them and waits; the checker,
// which walks the same records, says what they are. Here the two meet: were they ever of two minds, the session would end.
import type { Decision } from '../addon/addon.ts'
import type { StreamNote } from '../model/stream.ts'
import { baseNameOf, isFrameReturn } from '../syscall/mapping.ts'
import type { Checker } from './checker.ts'
import type { Miss } from './miss.ts'

/** `ask`: somebody else decides, miss by miss. */
export type GuardPolicy = 'deny' | 'kill' | 'ask'

export interface Decided {
  readonly decision: Decision
  /** It was not made in time, or could not be made. */
  readonly isDefault: boolean
}

export interface DeciderOptions {
  readonly policy: GuardPolicy
  /** For policy `ask`. `signal` aborts when nothing is left to decide about. */
  readonly ask: (miss: Miss, signal: AbortSignal) => Promise<Decided>
  /** Told of each miss once it is known what was done about it. */
  readonly tell: (miss: Miss) => void
  readonly note: (note: StreamNote) => void
  /** The program was there before: without a fingerprint it is left alone. */
  readonly alreadyRuns: boolean
}

export class Decider {
  readonly #checker: () => Checker
  readonly #options: DeciderOptions
  /** Misses of the record that is being told. */
  #pending: Miss[] = []

  constructor(checker: () => Checker, options: DeciderOptions) {
    this.#checker = checker
    this.#options = options
  }

  /** From the checker. */
  onMiss(miss: Miss): void {
    // A thread's end is told when it has ended: nothing can be decided about it.
    if (miss.kind === 'end') this.#options.tell(miss)
    else this.#pending.push(miss)
  }

  /** The engine waits for a decision about the record told last. */
  decide(isExec: boolean, signal: AbortSignal): Decision | Promise<Decision> {
    const misses = this.#pending
    this.#pending = []
    if (isExec ? misses.some(({ kind }) => kind === 'call') : misses.length !== 1) {
      throw new Error(`the engine and the matcher disagree: ${misses.length} misses where it found one`)
    }
    const isUnknown = this.#checker().root?.known === null && !this.#options.alreadyRuns
    if (misses.length === 0) return isUnknown ? this.#refuse() : 'allow'
    const alarm = misses.find(({ isAlarm }) => isAlarm)
    if (alarm === undefined) return this.#letPass(misses)
    if (this.#options.policy !== 'ask') return this.#settle(misses, this.#options.policy)
    return this.#askAbout(misses, alarm, signal)
  }

  /** The stream is over. @throws when a miss was never asked about. */
  finish(): void {
    if (this.#pending.length > 0) throw new Error('the matcher found a miss that the engine did not find')
  }

  /** Without a fingerprint nothing can be guarded. */
  #refuse(): Decision {
    const message = 'nothing can be guarded without a fingerprint: the program was not run'
    this.#options.note({ code: 'not_run', message, inconclusive: false })
    return 'kill'
  }

  /** What is no alarm is told and nothing else. */
  #letPass(misses: readonly Miss[]): Decision {
    for (const miss of misses) this.#options.tell(miss)
    return 'allow'
  }

  /** Whoever is killed while it waits has not made its call: that is told at once, before its end is. */
  #askAbout(misses: readonly Miss[], alarm: Miss, signal: AbortSignal): Promise<Decision> {
    return new Promise((resolve, reject) => {
      signal.addEventListener('abort', () => resolve(this.#settle(misses, 'kill')), { once: true })
      this.#options.ask(alarm, signal).then(({ decision, isDefault }) => {
        if (signal.aborted) return
        if (isDefault) this.#noteDefault(decision)
        resolve(this.#settle(misses, decision))
      }, reject)
    })
  }

  #noteDefault(decision: Decision): void {
    const message = `decisions about misses were not made in time, or failed: the default, ${decision}, was taken`
    this.#options.note({ code: 'default_decision', message, inconclusive: false })
  }

  #settle(misses: readonly Miss[], wanted: Decision): Decision {
    const decision = wanted === 'deny' && !misses.every(canBeDenied) ? 'kill' : wanted
    for (const miss of misses) this.#options.tell(this.#checker().settle(miss, decision))
    return decision
  }
}

/**
 * What ends a thread or a handler cannot fail: the code after it is not made to go on. An exec has already happened when it is
 * known what runs.
 */
function canBeDenied({ kind, to }: Miss): boolean {
  return kind === 'call' && !isFrameReturn(to) && !['exit', 'exit_group'].includes(baseNameOf(to))
}
