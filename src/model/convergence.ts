// How learning went: what each run brought that no earlier one had, at several depths, and the fewest scenarios that would have
// brought nearly all of it. Made from the ledger.
import { contextRunsOf } from './derive.ts'
import { lengthOf } from './language.ts'
import type { Ledger } from './ledger.ts'
import type { RunSet } from './run-set.ts'

/** What the runs that count brought, in the order in which they were made. */
export interface News {
  readonly depth: number
  /** By run: sequences of up to `depth` calls, and execs, that no earlier run had. */
  readonly newCounts: readonly number[]
}

export function newsOf(ledger: Ledger, depths: readonly number[]): News[] {
  const counted = ledger.countedRuns
  const places = new Map([...counted].map((run, place) => [run, place]))
  /** By length of the sequence, then by run. */
  const brought = Array.from({ length: ledger.settings.depth + 1 }, () => new Array<number>(places.size).fill(0))
  for (const [length, runs] of held(ledger, counted)) {
    const counts = brought[length] as number[]
    const place = places.get(runs.first) as number
    counts[place] = (counts[place] as number) + 1
  }
  return depths.map((depth) => ({
    depth,
    newCounts: Array.from(places.values(), (place) =>
      brought.slice(0, depth + 1).reduce((sum, counts) => sum + (counts[place] as number), 0),
    ),
  }))
}

export interface MinimalScenarios {
  readonly scenarios: readonly string[]
  /** Distinct transitions (pairs and execs) that these bring, of all. */
  readonly transitionCount: number
  readonly allCount: number
  /** False: too many scenarios to try all sets; one that is small was found step by step. */
  readonly isSmallest: boolean
}

/** More are not tried in all combinations: 2^16 sets take a second. */
const EXACT_LIMIT = 16

/** The fewest scenarios that yield this share of the transitions; among sets of one size the one that yields most. */
export function minimalScenarios(ledger: Ledger, share: number): MinimalScenarios {
  const counted = ledger.countedRuns
  const scenarioOf = new Map([...counted].map((run) => [run, ledger.runs[run]?.scenario ?? '']))
  const names = [...new Set(scenarioOf.values())].sort()
  const indexes = new Map(names.map((name, index) => [name, index]))
  /** Transitions by the set of scenarios that have them. */
  const bySet = new Map<string, { readonly set: ReadonlySet<number>; count: number }>()
  let allCount = 0
  for (const [length, runs] of held(ledger, counted)) {
    if (length > 2) continue
    const set = new Set([...runs].map((run) => indexes.get(scenarioOf.get(run) as string) as number))
    const key = [...set].sort((a, b) => a - b).join(' ')
    const known = bySet.get(key)
    if (known === undefined) bySet.set(key, { set, count: 1 })
    else known.count += 1
    allCount += 1
  }
  const groups = [...bySet.values()]
  const yieldOf = (chosen: readonly number[]): number =>
    groups.reduce((sum, { set, count }) => sum + (chosen.some((one) => set.has(one)) ? count : 0), 0)
  const wanted = Math.ceil(share * allCount - 1e-9)
  const isSmallest = names.length <= EXACT_LIMIT
  const chosen = isSmallest ? smallest(names.length, wanted, yieldOf) : grown(names.length, wanted, yieldOf)
  const scenarios = chosen.map((index) => names[index] as string)
  return { scenarios, transitionCount: yieldOf(chosen), allCount, isSmallest }
}

type Yield = (chosen: readonly number[]) => number

function smallest(count: number, wanted: number, yieldOf: Yield): readonly number[] {
  for (let size = 0; size < count; size += 1) {
    let best: readonly number[] = []
    let most = -1
    for (const chosen of combinations(count, size)) {
      const found = yieldOf(chosen)
      if (found > most) [best, most] = [chosen, found]
    }
    if (most >= wanted) return best
  }
  return Array.from({ length: count }, (_, index) => index)
}

function* combinations(count: number, size: number, from = 0): Generator<number[]> {
  if (size === 0) {
    yield []
    return
  }
  for (let first = from; first <= count - size; first += 1) {
    for (const rest of combinations(count, size - 1, first + 1)) yield [first, ...rest]
  }
}

/** One after the other, always the one that adds most. */
function grown(count: number, wanted: number, yieldOf: Yield): readonly number[] {
  const chosen: number[] = []
  while (chosen.length < count && yieldOf(chosen) < wanted) {
    let best = -1
    let most = -1
    for (let one = 0; one < count; one += 1) {
      const found = chosen.includes(one) ? -1 : yieldOf([...chosen, one])
      if (found > most) [best, most] = [one, found]
    }
    chosen.push(best)
  }
  return chosen.sort((a, b) => a - b)
}

/** Every sequence of every program with its length and the runs among `counted` that had it. An exec counts as a pair. */
function* held(ledger: Ledger, counted: RunSet): Generator<[length: number, runs: RunSet]> {
  for (const program of ledger.programs.values()) {
    for (const [context, next] of contextRunsOf(program.transitions, ledger.settings.depth, counted)) {
      for (const runs of next.values()) yield [lengthOf(context) + 1, runs]
    }
    for (const all of program.execs.values()) {
      const runs = all.intersection(counted)
      if (runs.count > 0) yield [2, runs]
    }
  }
}
