// The shortest authentic way from one symbol to another, for alerts: had the program gone so, it would have been right.
import type { ProgramFingerprint } from './fingerprint.ts'

/** Symbols from `from` to `to`, both included, in at least one step; null: there is no way. Contexts count by their end. */
export function shortestPath(program: ProgramFingerprint, from: string, to: string): string[] | null {
  const pairs = pairsOf(program)
  const cameFrom = new Map<string, string>()
  let frontier = [from]
  while (frontier.length > 0) {
    const reached: string[] = []
    for (const symbol of frontier) {
      for (const next of pairs.get(symbol) ?? []) {
        if (next === to) return wayBack(cameFrom, from, symbol, to)
        if (next === from || cameFrom.has(next)) continue
        cameFrom.set(next, symbol)
        reached.push(next)
      }
    }
    frontier = reached
  }
  return null
}

/** Last symbol of each context -> symbols after it, sorted. At depth 2 these are the successor sets. */
export function pairsOf(program: ProgramFingerprint): Map<string, string[]> {
  const sets = new Map<string, Set<string>>()
  for (const [context, next] of program.successors) {
    const last = context.slice(context.lastIndexOf(' ') + 1)
    const set = sets.get(last) ?? new Set<string>()
    for (const symbol of next.keys()) set.add(symbol)
    sets.set(last, set)
  }
  return new Map([...sets.keys()].sort().map((symbol) => [symbol, [...(sets.get(symbol) as Set<string>)].sort()]))
}

function wayBack(cameFrom: ReadonlyMap<string, string>, from: string, last: string, to: string): string[] {
  const path = [to]
  for (let symbol = last; symbol !== from; symbol = cameFrom.get(symbol) as string) path.push(symbol)
  path.push(from)
  return path.reverse()
}
