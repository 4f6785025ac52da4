// Has anything become worse? Ratios of a run are held against ratios that were written down, each with what it may differ by.
// Absolute times are never compared: they belong to one machine.

import type { BenchResult, Ratio } from './result.ts'

/** What stands in the file: `value` is what was seen, `worst` how far it may go. */
export interface Expected {
  readonly value: number
  readonly worst: number
}

export type Baseline = Readonly<Record<string, Expected>>

export interface Verdict {
  readonly id: string
  readonly value: number
  readonly expected: Expected
  readonly isWorse: boolean
}

/** Greater is better for these; for all others it is worse. */
export function isBetterGreater(id: string): boolean {
  return id.startsWith('matching.') || id.startsWith('replay.')
}

/** Ratios that both have. The better one of medians and minima counts: noise only ever adds. */
export function compare(result: BenchResult, baseline: Baseline): Verdict[] {
  const verdicts: Verdict[] = []
  for (const ratio of result.parts.flatMap(({ ratios }) => ratios)) {
    const expected = baseline[ratio.id]
    if (expected === undefined) continue
    const value = bestOf(ratio)
    const isWorse = isBetterGreater(ratio.id) ? value < expected.worst : value > expected.worst
    verdicts.push({ id: ratio.id, value, expected, isWorse })
  }
  return verdicts
}

/** How much worse each may be: what a busy machine does to such ratios. */
const ROOM: Readonly<Record<string, number>> = { watching: 1.5, matching: 1.6, replay: 2, scale: 1.6, host: 4 }

/** A baseline of what was seen, with room for noise. */
export function baselineOf(result: BenchResult): Baseline {
  const round = (value: number): number => Number(value.toPrecision(3))
  return Object.fromEntries(
    result.parts
      .flatMap(({ ratios }) => ratios)
      .map((ratio) => {
        const value = bestOf(ratio)
        const room = ROOM[ratio.id.split('.')[0] as string] ?? 2
        const worst = isBetterGreater(ratio.id) ? value / room : value * room
        return [ratio.id, { value: round(value), worst: round(worst) }]
      }),
  )
}

function bestOf({ id, value, least }: Ratio): number {
  if (least === undefined) return value
  return isBetterGreater(id) ? Math.max(value, least) : Math.min(value, least)
}
