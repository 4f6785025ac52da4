// The mimicry budget: how few calls an attacker who came in by an input call needs to make, all of them allowed, to reach a
// call that attacks end in. A lower bound: arguments are ignored, as is whether these paths exist in the program at all.
// Also free of charge: a signal may come at any time, and whoever forks goes on in the child and in the new thread.

import { isInput, isTarget } from '../syscall/abilities.ts'
import { baseNameOf } from '../syscall/mapping.ts'
import { END_SYMBOL } from './fingerprint.ts'
import { lastSymbols } from './sequences.ts'

type Successors = ReadonlyMap<string, ReadonlyMap<string, unknown>>

/** The cheapest way to one call. */
export interface Reach {
  /** The call that attacks end in. */
  readonly call: string
  /** Calls to make after the input, `call` among them; null: there is no way. */
  readonly distance: number | null
  /** From the input to `call`; START symbols of frames that it enters among them. */
  readonly path: readonly string[]
}

export interface InputReach {
  /** The call by which the attacker came in. */
  readonly input: string
  /** Of all calls of the program, the share that can be reached from it without a miss. */
  readonly reachableShare: number
  readonly reaches: readonly Reach[]
}

export interface BudgetChange {
  /** Of the check that it is about. */
  readonly depth: number
  readonly call: string
  readonly oldDistance: number | null
  readonly newDistance: number | null
  readonly newPath: readonly string[]
}

const FORKS: readonly string[] = ['clone', 'clone3', 'fork', 'vfork']

/** Per input call of the program, in order of name. `successors` are projected to the depth of the check (sequences.ts). */
export function mimicryBudget(successors: Successors): InputReach[] {
  const graph = graphOf(successors)
  return graph.inputs.map((input) => reachFrom(input, graph))
}

/** The cheapest way to each call that attacks end in, whatever the input. */
export function cheapestReaches(budget: readonly InputReach[]): Reach[] {
  const best = new Map<string, Reach>()
  for (const { reaches } of budget) {
    for (const reach of reaches) {
      const known = best.get(reach.call)
      if (known === undefined || order(reach.distance) < order(known.distance)) best.set(reach.call, reach)
    }
  }
  return [...best.values()].sort((a, b) => order(a.distance) - order(b.distance) || (a.call < b.call ? -1 : 1))
}

/** What is nearer or farther than it was. */
export function budgetChanges(before: Successors, after: Successors, depth: number): BudgetChange[] {
  const old = new Map(cheapestReaches(mimicryBudget(before)).map((reach) => [reach.call, reach.distance]))
  const changes = cheapestReaches(mimicryBudget(after)).map(({ call, distance, path }) => {
    return { depth, call, oldDistance: old.get(call) ?? null, newDistance: distance, newPath: path }
  })
  const left = [...old.keys()].filter((call) => !changes.some((change) => change.call === call))
  for (const call of left)
    changes.push({ depth, call, oldDistance: old.get(call) ?? null, newDistance: null, newPath: [] })
  return changes.filter(({ oldDistance, newDistance }) => oldDistance !== newDistance)
}

/** Whether an attack got cheaper. */
export function isNearer({ oldDistance, newDistance }: BudgetChange): boolean {
  return order(newDistance) < order(oldDistance)
}

interface Graph {
  readonly successors: Successors
  readonly contextLength: number
  readonly inputs: readonly string[]
  readonly targets: readonly string[]
  readonly callCount: number
  /** Contexts per last symbol. */
  readonly endingIn: ReadonlyMap<string, readonly string[]>
  readonly signals: readonly string[]
  readonly births: readonly string[]
}

function graphOf(successors: Successors): Graph {
  const calls = new Set<string>()
  const endingIn = new Map<string, string[]>()
  let contextLength = 1
  for (const [context, next] of successors) {
    const symbols = context.split(' ')
    contextLength = Math.max(contextLength, symbols.length)
    for (const symbol of [...symbols, ...next.keys()]) if (!symbol.startsWith('<')) calls.add(symbol)
    const last = symbols.at(-1) as string
    endingIn.set(last, [...(endingIn.get(last) ?? []), context])
  }
  return {
    successors,
    contextLength,
    inputs: [...calls].filter(isInput).sort(),
    targets: [...calls].filter(isTarget).sort(),
    callCount: calls.size,
    endingIn,
    signals: [...successors.keys()].filter((context) => context.startsWith('<signal:') && !context.includes(' ')),
    births: ['<fork>', '<thread>'].filter((start) => successors.has(start)),
  }
}

/** Breadth first over contexts. A step costs one call; entering a frame or a child costs none. */
function reachFrom(input: string, graph: Graph): InputReach {
  const cameFrom = new Map<string, { readonly context: string; readonly symbol: string } | null>()
  const queue: string[] = []
  const enter = (context: string, from: { context: string; symbol: string } | null): void => {
    if (cameFrom.has(context)) return
    cameFrom.set(context, from)
    queue.push(context)
  }
  const sources = graph.endingIn.get(input) ?? []
  for (const source of sources) enter(source, null)
  for (const signal of graph.signals)
    if (sources[0] !== undefined) enter(signal, { context: sources[0], symbol: signal })
  const found = new Map<string, { readonly context: string }>()
  for (let at = 0; at < queue.length; at += 1) {
    const context = queue[at] as string
    for (const symbol of graph.successors.get(context)?.keys() ?? []) {
      if (symbol === END_SYMBOL) continue
      if (!found.has(symbol)) found.set(symbol, { context })
      const next = lastSymbols(`${context} ${symbol}`, graph.contextLength)
      enter(next, { context, symbol })
      if (!FORKS.includes(baseNameOf(symbol))) continue
      for (const birth of graph.births) enter(birth, { context: next, symbol: birth })
    }
  }
  const pathTo = (context: string, target: string): string[] => {
    const path = [target]
    for (let here = context; ; ) {
      const from = cameFrom.get(here)
      if (from === null || from === undefined) break
      path.push(from.symbol)
      here = from.context
    }
    return [...path, input].reverse()
  }
  return {
    input,
    reachableShare: graph.callCount === 0 ? 0 : [...found.keys()].length / graph.callCount,
    reaches: graph.targets.map((call) => {
      const last = found.get(call)
      if (last === undefined) return { call, distance: null, path: [] }
      const path = pathTo(last.context, call)
      return { call, distance: path.slice(1).filter((symbol) => !symbol.startsWith('<')).length, path }
    }),
  }
}

function order(distance: number | null): number {
  return distance ?? Number.POSITIVE_INFINITY
}
