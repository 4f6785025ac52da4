// Who decides about a miss in guard mode when the host wants to: a function of the host, within a time, and a default.
import type { Decision } from '../addon/addon.ts'
import { UsageError } from '../errors.ts'
import type { Decided } from '../match/decider.ts'
import type { Miss } from '../match/miss.ts'

/**
 * Decides about one miss. The call has not run, and nothing of the session goes on until it is decided. `signal` aborts when
 * nothing is left to decide: the program was killed meanwhile, or the time is over.
 */
export type MissHandler = (miss: Miss, context: { readonly signal: AbortSignal }) => Decision | Promise<Decision>

/** Asks for one decision; never rejects. */
export type Ask = (miss: Miss, signal: AbortSignal) => Promise<Decided>

const DECISIONS: readonly unknown[] = ['allow', 'deny', 'kill'] satisfies Decision[]
/** What a timer of Node can hold. */
const LONGEST_MS = 2 ** 31 - 1

/**
 * A handler that throws, answers with something else or takes longer than `timeoutMs` leaves it to `otherwise`.
 * @throws UsageError when these are none.
 */
export function askHandler(handler: MissHandler, timeoutMs: number, otherwise: Decision): Ask {
  if (!(timeoutMs > 0 && (timeoutMs <= LONGEST_MS || timeoutMs === Number.POSITIVE_INFINITY))) {
    throw new UsageError(`onMissTimeout: ${timeoutMs}: expected milliseconds, at most ${LONGEST_MS}, or Infinity`)
  }
  if (!DECISIONS.includes(otherwise)) {
    throw new UsageError(`onMissDefault: ${String(otherwise)}: expected one of ${DECISIONS.join(', ')}`)
  }
  return async (miss, signal) => {
    let timer: NodeJS.Timeout | undefined
    const over = new AbortController()
    const tooLate = new Promise<null>((resolve) => {
      const giveUp = (): void => {
        over.abort()
        resolve(null)
      }
      signal.addEventListener('abort', giveUp, { once: true })
      if (timeoutMs <= LONGEST_MS) timer = setTimeout(giveUp, timeoutMs)
    })
    try {
      const answer: unknown = await Promise.race([handler(miss, { signal: over.signal }), tooLate])
      if (DECISIONS.includes(answer)) return { decision: answer as Decision, isDefault: false }
    } catch {
      // A decision that cannot be made must not let the call run by accident.
    } finally {
      clearTimeout(timer)
    }
    return { decision: otherwise, isDefault: true }
  }
}
