// How bad an alert is: impact x novelty x burst, each printed with it.
//
//   impact   what the destination of the step can do: the greatest of confidentiality, integrity, availability (0 to 3) times
//            two, plus the mean of the three: 0 to 9
//   novelty  1 for a pair never seen; 1.5 when the program was never seen to make the call, or to run the image; 0.6 when every
//            pair was seen and only the sequence is new; half of that when other sessions had the same miss, and a
//            tenth when an administrator allowed it there; 0.4 for what is known from runs with failures
//   burst    1 + 0.2 for each further miss among the last transitions of the track (the locality frame), at most 2.8

import type { Miss } from '../match/miss.ts'
import { type Severity, wasKnownCall } from '../match/severity.ts'
import { isSpecial } from '../syscall/mapping.ts'
import { effectOf } from './effects.ts'
import type { Score } from './event.ts'

export interface Thresholds {
  /** The lowest scores of these severities. */
  readonly medium: number
  readonly high: number
  readonly critical: number
}

export const DEFAULT_THRESHOLDS: Thresholds = { medium: 3, high: 6, critical: 9 }

export interface Elsewhere {
  readonly sessionCount: number
  readonly allowedCount: number
}

export const NOWHERE: Elsewhere = { sessionCount: 0, allowedCount: 0 }

const MAX_BURST = 2.8

export function severityOf(score: number, { medium, high, critical }: Thresholds): Severity {
  if (score >= critical) return 'critical'
  if (score >= high) return 'high'
  return score >= medium ? 'medium' : 'low'
}

/** The worst of the misses of one program. `misses` are of one program and not empty. */
export function scoreOf(misses: readonly Miss[], elsewhere: (miss: Miss) => Elsewhere): Score {
  let worst: Score | null = null
  for (const [index, miss] of misses.entries()) {
    // What stands elsewhere is asked only where it can matter: it never makes a score greater.
    if (worst !== null && scoreOfMiss(misses, index, NOWHERE).value <= worst.value) continue
    const score = scoreOfMiss(misses, index, elsewhere(miss))
    if (worst === null || score.value > worst.value) worst = score
  }
  if (worst === null) throw new Error('there is no miss to score')
  return worst
}

function scoreOfMiss(misses: readonly Miss[], index: number, elsewhere: Elsewhere): Score {
  const miss = misses[index] as Miss
  const effect = effectOf(miss.to)
  const { confidentiality: c, integrity: i, availability: a } = effect
  const impact = rounded(Math.max(c, i, a) * 2 + (c + i + a) / 3)
  const { novelty, why } = noveltyOf(miss, elsewhere)
  const frame = Math.max(1, miss.burst)
  const burst = rounded(Math.min(MAX_BURST, 1 + 0.2 * (frame - 1)))
  const value = rounded(impact * novelty * burst)
  const text = `${value} = impact ${impact} (${miss.to}: C${c} I${i} A${a}) x novelty ${novelty} (${why}) x burst ${burst} (${frame} in the frame)`
  return { value, miss: index, impact, effect, novelty, burst, text }
}

function noveltyOf(miss: Miss, { sessionCount, allowedCount }: Elsewhere): { novelty: number; why: string } {
  const [base, why] = layerOf(miss)
  if (allowedCount > 0) return { novelty: rounded(base * 0.1), why: `${why}, allowed before` }
  if (sessionCount > 0) return { novelty: rounded(base * 0.5), why: `${why}, missed before` }
  return { novelty: base, why }
}

function layerOf(miss: Miss): readonly [number, string] {
  if (miss.kind === 'exec') return [1.5, 'program never executed']
  if (miss.layer === 'fault') return [0.4, 'known from failures']
  if (miss.kind === 'image') return [1, 'image changed']
  if (miss.depth > 2) return [0.6, `sequence of ${miss.depth} never seen`]
  if (miss.kind === 'call' && !isSpecial(miss.to) && !wasKnownCall(miss.to, miss.severity))
    return [1.5, 'call never seen']
  return [1, 'pair never seen']
}

function rounded(value: number): number {
  return Math.round(value * 100) / 100
}
