// The states of a table. A state is a known context or a suffix of one: the short ones are where a track stands after a
// miss, from where it grows back to full length. At depth 2 the states are the symbols.
import { END_SYMBOL, type ProgramFingerprint } from './fingerprint.ts'

export interface States {
  readonly count: number
  /** count x wordsPerRow: bit s of row r is set when symbol s may follow state r. */
  readonly rows: Uint32Array
  /** State after each symbol, count x symbolCount: the longest known suffix of context + symbol. Undefined at depth 2. */
  readonly next: Uint32Array | undefined
  /** Transitions of full-length contexts and of those that begin a track. */
  readonly transitionCount: number
}

export interface Alphabet {
  readonly symbols: readonly string[]
  /** Symbol of a text; several texts may mean one symbol. */
  readonly indexes: ReadonlyMap<string, number>
}

type Context = readonly number[]
type Successors = ProgramFingerprint['successors']

/** Builds the states for `depth` from successor sets learned at that depth or a greater one. */
export function buildStates(successors: Successors, alphabet: Alphabet, depth: number): States {
  return depth === 2 ? pairStates(successors, alphabet) : contextStates(successors, alphabet, depth)
}

export function wordsPerRowOf(symbolCount: number): number {
  return Math.max(1, (symbolCount + 31) >>> 5)
}

function pairStates(successors: Successors, { symbols, indexes }: Alphabet): States {
  const wordsPerRow = wordsPerRowOf(symbols.length)
  const rows = new Uint32Array(symbols.length * wordsPerRow)
  let transitionCount = 0
  for (const [context, next] of successors) {
    const base = (indexes.get(context.slice(context.lastIndexOf(' ') + 1)) as number) * wordsPerRow
    for (const text of next.keys()) transitionCount += setBit(rows, base, indexes.get(text) as number)
  }
  return { count: symbols.length, rows, next: undefined, transitionCount }
}

function contextStates(successors: Successors, { symbols, indexes }: Alphabet, depth: number): States {
  const symbolCount = symbols.length
  const wordsPerRow = wordsPerRowOf(symbolCount)
  const full = projected(successors, indexes, depth - 1)
  const longer = longerContexts(full, depth - 1, indexes.get(END_SYMBOL))
  const stateOf = new Map<string, number>()
  for (let symbol = 0; symbol < symbolCount; symbol += 1) stateOf.set(`${symbol}`, symbol)
  for (const [index, context] of longer.entries()) stateOf.set(context.join(' '), symbolCount + index)

  const count = symbolCount + longer.length
  const rows = new Uint32Array(count * wordsPerRow)
  let transitionCount = 0
  for (const { context, next } of full) {
    transitionCount += next.size
    for (let from = 0; from < context.length; from += 1) {
      const state = stateOf.get(context.slice(from).join(' ')) as number
      for (const symbol of next) setBit(rows, state * wordsPerRow, symbol)
    }
  }
  return { count, rows, next: nextStates(symbolCount, longer, stateOf), transitionCount }
}

/** The successor sets with contexts cut to their last `length` symbols. */
function projected(
  successors: Successors,
  indexes: ReadonlyMap<string, number>,
  length: number,
): readonly { context: Context; next: ReadonlySet<number> }[] {
  const full = new Map<string, { context: Context; next: Set<number> }>()
  for (const [text, symbols] of successors) {
    const context = text
      .split(' ')
      .slice(-length)
      .map((symbol) => indexes.get(symbol) as number)
    const key = context.join(' ')
    const known = full.get(key) ?? { context, next: new Set<number>() }
    for (const symbol of symbols.keys()) known.next.add(indexes.get(symbol) as number)
    full.set(key, known)
  }
  return [...full.values()]
}

/** All suffixes of two symbols and more of what a track can have behind it; shorter ones first. */
function longerContexts(
  full: readonly { context: Context; next: ReadonlySet<number> }[],
  length: number,
  end: number | undefined,
): Context[] {
  const contexts = new Map<string, Context>()
  const addSuffixes = (context: Context): void => {
    for (let from = 0; from < context.length - 1; from += 1) {
      const suffix = context.slice(from)
      contexts.set(suffix.join(' '), suffix)
    }
  }
  for (const { context, next } of full) {
    addSuffixes(context)
    for (const symbol of next) if (symbol !== end) addSuffixes([...context, symbol].slice(-length))
  }
  return [...contexts.values()].sort(compareContexts)
}

/**
 * Shorter states first, so that a state starts with the next states of itself without its first symbol (its suffix is
 * always a state) and then gets those that are longer.
 */
function nextStates(
  symbolCount: number,
  longer: readonly Context[],
  stateOf: ReadonlyMap<string, number>,
): Uint32Array {
  const count = symbolCount + longer.length
  const next = new Uint32Array(count * symbolCount)
  const extensions = new Map<number, [symbol: number, state: number][]>()
  for (const [index, context] of longer.entries()) {
    const prefix = stateOf.get(context.slice(0, -1).join(' '))
    if (prefix === undefined) continue
    const list = extensions.get(prefix) ?? []
    list.push([context.at(-1) as number, symbolCount + index])
    extensions.set(prefix, list)
  }
  for (let state = 0; state < count; state += 1) {
    const base = state * symbolCount
    if (state < symbolCount) {
      for (let symbol = 0; symbol < symbolCount; symbol += 1) next[base + symbol] = symbol
    } else {
      const suffix = stateOf.get((longer[state - symbolCount] as Context).slice(1).join(' ')) as number
      next.copyWithin(base, suffix * symbolCount, (suffix + 1) * symbolCount)
    }
    for (const [symbol, longerState] of extensions.get(state) ?? []) next[base + symbol] = longerState
  }
  return next
}

/** 1 when the bit was not set. */
function setBit(rows: Uint32Array, base: number, symbol: number): number {
  const at = base + (symbol >>> 5)
  const word = rows[at] as number
  const bit = 1 << (symbol & 31)
  if ((word & bit) !== 0) return 0
  rows[at] = word | bit
  return 1
}

function compareContexts(a: Context, b: Context): number {
  if (a.length !== b.length) return a.length - b.length
  for (let i = 0; i < a.length; i += 1) if (a[i] !== b[i]) return (a[i] as number) - (b[i] as number)
  return 0
}
