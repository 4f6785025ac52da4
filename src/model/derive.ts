// From what runs brought to a fingerprint's section of one program. It depends on the runs alone, never on the order in which
// they were added.
import { type ContextValues, contextsOf } from './contexts.ts'
import { alphabetOf, type FaultLayer, type ProgramFingerprint, type Successors } from './fingerprint.ts'
import { listedContexts } from './language.ts'
import type { LedgerProgram, Transitions } from './ledger.ts'
import type { RunSet } from './run-set.ts'

/** Runs of each context and what followed it, as far as runs of `among` brought it. */
export function contextRunsOf(transitions: Transitions, depth: number, among: RunSet): ContextValues<RunSet> {
  const left = new Map<RunSet, RunSet>()
  const cut = (runs: RunSet): RunSet => {
    let rest = left.get(runs)
    if (rest === undefined) {
      rest = runs.intersection(among)
      left.set(runs, rest)
    }
    return rest
  }
  const brought = function* (): Generator<[string, [string, RunSet][]]> {
    for (const [context, next] of transitions) {
      yield [context, [...next].flatMap(([symbol, runs]) => (cut(runs).count === 0 ? [] : [[symbol, cut(runs)]]))]
    }
  }
  return contextsOf(brought(), depth, (a, b) => a.union(b))
}

/** `contexts`: of the runs without faults. What only runs with faults brought is a layer of its own. */
export function deriveProgram(
  key: string,
  program: LedgerProgram,
  contexts: ContextValues<RunSet>,
  depth: number,
  normal: RunSet,
  faulty: RunSet,
): ProgramFingerprint {
  const successors = countsOf(contexts)
  const execs = execsOf(program, normal)
  const faults = faulty.count === 0 ? null : faultLayerOf(program, successors, execs, depth, normal.union(faulty))
  return { key, image: program.image, alphabet: alphabetOf(successors), successors, execs, faults }
}

/** How many of `among` had each exec, sorted; those that none had are left out. */
function execsOf(program: LedgerProgram, among: RunSet): Map<string, number> {
  const counts = new Map<string, number>()
  for (const exec of [...program.execs.keys()].sort()) {
    const { count } = (program.execs.get(exec) as RunSet).intersection(among)
    if (count > 0) counts.set(exec, count)
  }
  return counts
}

function faultLayerOf(
  program: LedgerProgram,
  successors: Successors,
  execs: ReadonlyMap<string, number>,
  depth: number,
  all: RunSet,
): FaultLayer | null {
  const every = countsOf(contextRunsOf(program.transitions, depth, all))
  const layer = withoutRepetition(every, successors)
  const faultExecs = new Map([...execsOf(program, all)].filter(([exec]) => !execs.has(exec)))
  return layer === successors && faultExecs.size === 0 ? null : { successors: layer, execs: faultExecs }
}

/** Sets that are as they are without faults, with the counts that they have there. */
function withoutRepetition(every: Successors, successors: Successors): Successors {
  let isSame = every.size === successors.size
  const layer = new Map<string, ReadonlyMap<string, number>>()
  for (const [context, next] of every) {
    const known = successors.get(context)
    // What was seen without faults is part of what was seen at all.
    const isKnown =
      known !== undefined && known.size === next.size && [...next.keys()].every((symbol) => known.has(symbol))
    isSame &&= isKnown
    layer.set(context, isKnown ? known : next)
  }
  return isSame ? successors : layer
}

function countsOf(contexts: ContextValues<RunSet>): Successors {
  const successors = new Map<string, ReadonlyMap<string, number>>()
  for (const context of listedContexts(contexts)) {
    const next = contexts.get(context) as ReadonlyMap<string, RunSet>
    const symbols = [...next.keys()].sort()
    successors.set(context, new Map(symbols.map((symbol) => [symbol, (next.get(symbol) as RunSet).count])))
  }
  return successors
}
