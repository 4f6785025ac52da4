// From what a session brought to one word. Losing data is never authentic: what was not seen cannot be vouched for.

export type Verdict = 'authentic' | 'abnormal' | 'inconclusive'

/** The verdict, and the one case of inconclusive that has an exit code of its own. */
export type Outcome = Verdict | 'no_fingerprint'

export interface Findings {
  /** Misses that are an alarm: see Miss.isAlarm. */
  readonly alarmCount: number
  /** Transitions judged. */
  readonly transitionCount: number
  readonly gapCount: number
  readonly droppedCount: number
  /** A note that forbids the verdict authentic, but for the lack of a fingerprint. */
  readonly isInconclusive: boolean
  /** Whether the first program of the session has a fingerprint. */
  readonly hasFingerprint: boolean
}

/**
 * Abnormal outranks inconclusive, which outranks the lack of a fingerprint. A session in which nothing was judged says
 * nothing, whatever it did; without a fingerprint nothing can be.
 */
export function outcomeOf(findings: Findings): Outcome {
  if (findings.alarmCount > 0) return 'abnormal'
  const hasSpoken = findings.transitionCount > 0 || !findings.hasFingerprint
  const isWhole = findings.gapCount === 0 && findings.droppedCount === 0 && hasSpoken
  if (findings.isInconclusive || !isWhole) return 'inconclusive'
  return findings.hasFingerprint ? 'authentic' : 'no_fingerprint'
}

export function verdictOf(findings: Findings): Verdict {
  const outcome = outcomeOf(findings)
  return outcome === 'no_fingerprint' ? 'inconclusive' : outcome
}
