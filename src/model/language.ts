// What successor sets say about longer sequences. A context that is not listed has the successor set of its longest suffix
// that is, and a context is known when a track that was learned had it behind it: each of its symbols may follow those before.
//
// So contexts are listed only where they say more than what is behind them does:
//
//   after read       -> close write       what followed read
//   after write read -> close             after write read only close did; after any other call and read, both
import { END_SYMBOL, isStartSymbol, type Successors } from './fingerprint.ts'

export type NextCounts = ReadonlyMap<string, number>

/** The context without its first symbol; undefined: it has but one. */
export function suffixOf(context: string): string | undefined {
  const space = context.indexOf(' ')
  return space < 0 ? undefined : context.slice(space + 1)
}

export function firstOf(context: string): string {
  const space = context.indexOf(' ')
  return space < 0 ? context : context.slice(0, space)
}

/** The last `count` symbols at most. */
export function lastOf(context: string, count: number): string {
  let at = context.length
  for (let left = count; left > 0; left -= 1) {
    at = context.lastIndexOf(' ', at - 1)
    if (at < 0) return context
  }
  return context.slice(at + 1)
}

export function lengthOf(context: string): number {
  let length = 1
  for (let at = context.indexOf(' '); at >= 0; at = context.indexOf(' ', at + 1)) length += 1
  return length
}

/** Shorter contexts first, equal ones by code unit: the order of files. */
export function compareContexts(a: string, b: string): number {
  return lengthOf(a) - lengthOf(b) || (a < b ? -1 : a > b ? 1 : 0)
}

/** What may come after a context, known or not; undefined: not even its last symbol is known. */
export function nextAfter(successors: Successors, context: string): NextCounts | undefined {
  for (let suffix: string | undefined = context; suffix !== undefined; suffix = suffixOf(suffix)) {
    const next = successors.get(suffix)
    if (next !== undefined) return next
  }
  return undefined
}

/** Whether a track that was learned had these symbols behind it, one after the other. */
export function isKnown(successors: Successors, context: string): boolean {
  const symbols = context.split(' ')
  if (symbols.length === 1) return successors.has(context)
  let prefix = symbols[0] as string
  for (const symbol of symbols.slice(1)) {
    if (nextAfter(successors, prefix)?.has(symbol) !== true) return false
    prefix += ` ${symbol}`
  }
  return true
}

/** The successor sets for checks at a lower depth. */
export function cutTo(successors: Successors, depth: number): Successors {
  return new Map([...successors].filter(([context]) => lengthOf(context) < depth))
}

/**
 * All known contexts of 1 to depth-1 symbols with what may follow them, each after its prefixes. There are some thousand of them
 * at depth 6.
 */
export function* knownContexts(successors: Successors, depth: number): Generator<[context: string, next: NextCounts]> {
  const pending = [...successors.keys()].filter((context) => !context.includes(' ')).reverse()
  for (let context = pending.pop(); context !== undefined; context = pending.pop()) {
    const next = nextAfter(successors, context) ?? new Map<string, number>()
    yield [context, next]
    if (lengthOf(context) === depth - 1) continue
    for (const symbol of [...next.keys()].reverse()) if (symbol !== END_SYMBOL) pending.push(`${context} ${symbol}`)
  }
}

/**
 * The contexts that a check at `depth` stands in while nothing is unknown: of depth-1 symbols, or shorter after a START symbol. What
 * was only seen where less was known (after a gap, in a track met mid-stream) stands with the context that was known. Those that
 * nothing was seen after are left out.
 */
export function wholeContexts(successors: Successors, depth: number): Map<string, NextCounts> {
  const known = new Map(knownContexts(successors, depth))
  const covered = new Map<string, Set<string>>()
  for (const [context, next] of known) {
    const suffix = suffixOf(context)
    if (suffix === undefined) continue
    const symbols = covered.get(suffix) ?? new Set<string>()
    for (const symbol of next.keys()) symbols.add(symbol)
    covered.set(suffix, symbols)
  }
  const whole = new Map<string, NextCounts>()
  for (const [context, next] of known) {
    const isWhole = lengthOf(context) === depth - 1 || isStartSymbol(firstOf(context))
    const rest = [...next].filter(([symbol]) => isWhole || covered.get(context)?.has(symbol) !== true)
    if (rest.length > 0) whole.set(context, new Map(rest))
  }
  return whole
}

/** Distinct sequences of each length from 2 to `depth`, those at the beginning of a track among them. */
export function sequenceCounts(successors: Successors, depth: number): number[] {
  return Array.from({ length: depth - 1 }, (_, at) => {
    let count = 0
    for (const next of wholeContexts(cutTo(successors, at + 2), at + 2).values()) count += next.size
    return count
  })
}

/** The contexts that must be listed, in the order of files. Of each context all suffixes are in `sets`. */
export function listedContexts(sets: ReadonlyMap<string, { readonly size: number }>): string[] {
  const byLength: string[][] = []
  for (const [context, next] of sets) {
    const suffix = suffixOf(context)
    // A successor set is part of its suffix's: of the same size they are the same.
    const inherited = suffix === undefined ? 0 : (sets.get(suffix)?.size ?? 0)
    if (next.size === inherited) continue
    const length = lengthOf(context)
    byLength[length] ??= []
    byLength[length].push(context)
  }
  return byLength.flatMap((contexts) => contexts.sort())
}
