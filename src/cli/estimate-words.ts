// Estimates in words: one line after learning, a table for estimate.

import { estimateOf, quietRunsNeeded } from '../model/estimate.ts'
import type { Tally } from '../model/fingerprint.ts'
import { counted } from './words.ts'

/** The paper's depth, the one above it, and the deepest that is learned unasked. */
const TOLD_DEPTHS = [2, 3, 6]

/** Of 2, 3 and 6 those that were learned; another depth that was learned in the place of 6. */
export function toldDepths(learnedDepth: number): number[] {
  const depths = TOLD_DEPTHS.filter((depth) => depth <= learnedDepth)
  return depths.includes(learnedDepth) ? depths : [...depths, learnedDepth]
}

/** `the next run brings something new with chance 0.02 (0.00 to 0.08) at depth 2, ...: not finished, ...` */
export function estimateLine(tally: Tally, below: number): string {
  const depths = toldDepths(tally.newRunCounts.length + 1)
  const chances = depths.map((depth) => `${chanceText(tally, depth)} at depth ${depth}`)
  return `the next run like these brings something new with chance ${chances.join(', ')}: ${finishedText(tally, below)}`
}

/** `0.017 (0.001 to 0.076)` */
export function chanceText(tally: Tally, depth: number): string {
  const { probability, lower, upper } = estimateOf(tally, depth)
  return `${probability.toFixed(3)} (${lower.toFixed(3)} to ${upper.toFixed(3)})`
}

export function finishedText(tally: Tally, below: number): string {
  const estimate = estimateOf(tally)
  if (estimate.upper < below) return `finished (surely below ${below} at depth 2)`
  const more = counted(quietRunsNeeded(estimate, below), 'more run')
  return `not finished, ${more} that bring nothing new would be needed for ${below}`
}
