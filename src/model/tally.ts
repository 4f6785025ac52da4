// Counts runs that hold what no other run holds: at each depth, of all scenarios and of each. The unit is the run, since the
// calls inside of one are not independent.
import type { ContextValues } from './contexts.ts'
import type { Tally } from './fingerprint.ts'
import { lengthOf } from './language.ts'
import type { RunInfo } from './learner.ts'
import type { LedgerProgram } from './ledger.ts'
import { RunSet } from './run-set.ts'

export class SoleHolders {
  /** Index: depth - 2. */
  readonly #sole: Set<number>[]

  constructor(depth: number) {
    this.#sole = Array.from({ length: depth - 1 }, () => new Set<number>())
  }

  /** `contexts`: of the runs without faults. */
  add(program: LedgerProgram, contexts: ContextValues<RunSet>, normal: RunSet): void {
    const atLength = (length: number): Set<number> => this.#sole[length - 1] as Set<number>
    for (const [context, next] of contexts) {
      const sole = atLength(lengthOf(context))
      for (const runs of next.values()) if (runs.count === 1) sole.add(runs.first)
    }
    for (const all of program.execs.values()) {
      const runs = all.intersection(normal)
      if (runs.count === 1) atLength(1).add(runs.first)
    }
  }

  /** What holds at a depth holds at all greater ones. Only runs of `counted` are counted. */
  tally(counted: RunSet): Tally {
    let sole = RunSet.EMPTY
    const newRunCounts = this.#sole.map((found) => {
      sole = sole.union(RunSet.of(found))
      return sole.intersection(counted).count
    })
    return { runCount: counted.count, newRunCounts }
  }
}

/** The runs of `counted` by scenario, sorted. */
export function byScenario(runs: readonly RunInfo[], counted: RunSet): Map<string, RunSet> {
  const indexes = new Map<string, number[]>()
  for (const index of counted) {
    const { scenario } = runs[index] as RunInfo
    const known = indexes.get(scenario)
    if (known === undefined) indexes.set(scenario, [index])
    else known.push(index)
  }
  return new Map([...indexes.keys()].sort().map((name) => [name, RunSet.of(indexes.get(name) as number[])]))
}
