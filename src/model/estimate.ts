// Is learning finished? The chance that the next run of the same mix brings something new: of n runs, the share that hold what no
// other run holds (leave-one-out), with an interval. It speaks of runs like those learned; what none of them did is not in it.
import { DEFAULT_CHECK_DEPTH, type Fingerprint, type Tally } from './fingerprint.ts'

/** Of the next run at one depth. */
export interface Estimate {
  readonly depth: number
  readonly runCount: number
  /** Runs that hold something that no other run holds. */
  readonly newRunCount: number
  /** Their share; 1 without runs. */
  readonly probability: number
  /** Clopper and Pearson's interval: the true share is below `lower`, or above `upper`, in at most 5 % of cases each. */
  readonly lower: number
  readonly upper: number
}

/** Learning is finished when the upper bound is below this: 59 runs of which none is alone with anything. */
export const FINISHED_BELOW = 0.05

/** How often a bound may be wrong. */
const ERROR_RATE = 0.05

/** At a depth from 2 to the learned one. */
export function estimateOf(tally: Tally, depth: number = DEFAULT_CHECK_DEPTH): Estimate {
  const { runCount } = tally
  const newRunCount = tally.newRunCounts[depth - 2] ?? runCount
  return {
    depth,
    runCount,
    newRunCount,
    probability: runCount === 0 ? 1 : newRunCount / runCount,
    lower: runCount === 0 ? 0 : lowerBound(newRunCount, runCount),
    upper: runCount === 0 ? 1 : upperBound(newRunCount, runCount),
  }
}

/** Whether the chance of something new is known to be low enough. A file too old to tell is not finished. */
export function isFinished({ tally }: Pick<Fingerprint, 'tally'>, below: number = FINISHED_BELOW): boolean {
  return tally !== null && estimateOf(tally).upper < below
}

/** How many more runs are needed if none of them brings anything new. */
export function quietRunsNeeded({ newRunCount, runCount }: Estimate, below: number): number {
  if (runCount > 0 && upperBound(newRunCount, runCount) < below) return 0
  let [low, high] = [0, 1]
  while (upperBound(newRunCount, runCount + high) >= below) [low, high] = [high, high * 2]
  while (high - low > 1) {
    const middle = (low + high) >>> 1
    if (upperBound(newRunCount, runCount + middle) < below) high = middle
    else low = middle
  }
  return high
}

/** The share at which so few of `n` runs, or fewer, are as unlikely as ERROR_RATE. */
function upperBound(found: number, n: number): number {
  if (found >= n) return 1
  return bisect((share) => atMost(found, n, share) > ERROR_RATE)
}

function lowerBound(found: number, n: number): number {
  if (found === 0) return 0
  return bisect((share) => 1 - atMost(found - 1, n, share) < ERROR_RATE)
}

/** The largest share for which `holds`, which is true below it. */
function bisect(holds: (share: number) => boolean): number {
  let [low, high] = [0, 1]
  for (let step = 0; step < 50; step += 1) {
    const middle = (low + high) / 2
    if (holds(middle)) low = middle
    else high = middle
  }
  return (low + high) / 2
}

/** The chance of at most `found` among `n`, each with this share. */
function atMost(found: number, n: number, share: number): number {
  const odds = Math.log(share) - Math.log1p(-share)
  let logTerm = n * Math.log1p(-share)
  let sum = Math.exp(logTerm)
  for (let k = 1; k <= found; k += 1) {
    logTerm += Math.log((n - k + 1) / k) + odds
    sum += Math.exp(logTerm)
  }
  return Math.min(1, sum)
}
