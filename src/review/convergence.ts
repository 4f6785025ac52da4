// How many distinct transitions so many runs have on average, over all orders in which the runs could have come: from the number
// of runs that had each transition alone (rarefaction). Exact, and no ledger is needed.

/** The chance that none of `drawn` runs is one of the `holders` of a transition, of `all` runs. */
function missed(all: number, holders: number, drawn: number): number {
  if (drawn > all - holders) return 0
  return Math.exp(lnChoose(all - holders, drawn) - lnChoose(all, drawn))
}

/** [runs, transitions], at most `points` of them, from one run to all. */
export function convergenceCurve(supports: Iterable<number>, runCount: number, points = 60): [number, number][] {
  const withSupport = new Map<number, number>()
  for (const runs of supports) withSupport.set(runs, (withSupport.get(runs) ?? 0) + 1)
  const curve: [number, number][] = []
  for (const drawn of drawnCounts(runCount, points)) {
    let expected = 0
    for (const [holders, count] of withSupport) expected += count * (1 - missed(runCount, holders, drawn))
    curve.push([drawn, Math.round(expected * 1000) / 1000])
  }
  return curve
}

function drawnCounts(runCount: number, points: number): number[] {
  if (runCount <= points) return Array.from({ length: runCount }, (_, index) => index + 1)
  const spread = Array.from(
    { length: points - 1 },
    (_, index) => 1 + Math.round((index * (runCount - 1)) / (points - 1)),
  )
  return [...new Set([...spread, runCount - 1, runCount])].sort((a, b) => a - b)
}

function lnChoose(n: number, k: number): number {
  return lnFactorial(n) - lnFactorial(k) - lnFactorial(n - k)
}

const smallFactorials: number[] = [0]

/** Summed while it is cheap, else by Stirling's series, whose error there is far below what is shown. */
function lnFactorial(n: number): number {
  if (n >= 1000) return n * Math.log(n) - n + 0.5 * Math.log(2 * Math.PI * n) + 1 / (12 * n)
  for (let at = smallFactorials.length; at <= n; at += 1) {
    smallFactorials.push((smallFactorials[at - 1] as number) + Math.log(at))
  }
  return smallFactorials[n] as number
}
