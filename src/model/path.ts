// The shortest authentic way from one symbol to another, for alerts: had the program gone so, it would have been right.
import type { ProgramFingerprint } from './fingerprint.ts'
import type { NextCounts } from './language.ts'

/** Symbols from `from` to `to`, both included, in at least one step; null: there is no way. */
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

/** Each symbol -> symbols seen right after it, sorted: the successor sets of the paper. */
export function pairsOf(program: ProgramFingerprint): Map<string, string[]> {
  const symbols = [...program.successors.keys()].filter((context) => !context.includes(' ')).sort()
  return new Map(symbols.map((symbol) => [symbol, [...(program.successors.get(symbol) as NextCounts).keys()].sort()]))
}

function wayBack(cameFrom: ReadonlyMap<string, string>, from: string, last: string, to: string): string[] {
  const path = [to]
  for (let symbol = last; symbol !== from; symbol = cameFrom.get(symbol) as string) path.push(symbol)
  path.push(from)
  return path.reverse()
}
