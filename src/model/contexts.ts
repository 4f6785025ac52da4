// Successor sets of all contexts, long and short, from transitions with the longest contexts there are: what followed `a b c`
// also followed `b c` and `c`. A value stands with each (runs, or how many they are); values of one transition are joined.
import { END_SYMBOL } from './fingerprint.ts'
import { lastOf, lengthOf, suffixOf } from './language.ts'

export type ContextValues<T> = ReadonlyMap<string, ReadonlyMap<string, T>>

type Contexts<T> = Map<string, Map<string, T>>
type Join<T> = (a: T, b: T) => T

/** Of every known context of 1 to depth-1 symbols; one after which tracks were killed has an empty set. */
export function contextsOf<T>(
  transitions: Iterable<readonly [context: string, next: Iterable<readonly [symbol: string, value: T]>]>,
  depth: number,
  join: Join<T>,
): ContextValues<T> {
  const contexts: Contexts<T> = new Map()
  for (const [context, next] of transitions) {
    for (const [symbol, value] of next) {
      addToSuffixes(contexts, context, symbol, value, join)
      // Where the track went, though nothing may have come after.
      if (symbol !== END_SYMBOL) addSuffixes(contexts, lastOf(`${context} ${symbol}`, depth - 1))
    }
  }
  addPrefixes(contexts, depth, join)
  return contexts
}

function addToSuffixes<T>(contexts: Contexts<T>, context: string, symbol: string, value: T, join: Join<T>): void {
  for (let suffix: string | undefined = context; suffix !== undefined; suffix = suffixOf(suffix)) {
    const next = nextOf(contexts, suffix)
    const known = next.get(symbol)
    next.set(symbol, known === undefined ? value : join(known, value))
  }
}

function addSuffixes<T>(contexts: Contexts<T>, context: string): void {
  for (let suffix: string | undefined = context; suffix !== undefined; suffix = suffixOf(suffix)) {
    // Whoever has it has its suffixes.
    if (contexts.has(suffix)) return
    nextOf(contexts, suffix)
  }
}

/** A context was reached by its prefix. Learning tells that too; files of format 1 do not always. */
function addPrefixes<T>(contexts: Contexts<T>, depth: number, join: Join<T>): void {
  for (let length = depth - 1; length > 1; length -= 1) {
    for (const [context, next] of [...contexts]) {
      if (lengthOf(context) !== length) continue
      const space = context.lastIndexOf(' ')
      const [prefix, symbol] = [context.slice(0, space), context.slice(space + 1)]
      if (contexts.get(prefix)?.has(symbol) === true) continue
      for (const value of next.values()) addToSuffixes(contexts, prefix, symbol, value, join)
    }
  }
}

function nextOf<T>(contexts: Contexts<T>, context: string): Map<string, T> {
  let next = contexts.get(context)
  if (next === undefined) {
    next = new Map()
    contexts.set(context, next)
  }
  return next
}
