// The states of a table. A state is what is remembered of a track: a symbol, or a beginning of a context that is listed. After
// each symbol it is the longest of these that ends what the track did, so the set of a state is that of the longest listed
// context there. (This is the automaton of Aho and Corasick, 1975.) At depth 2 the states are the symbols.
import type { Successors } from './fingerprint.ts'
import { lengthOf, type NextCounts } from './language.ts'

export interface States {
  readonly count: number
  /** count x wordsPerRow: bit s of row r is set when symbol s may follow state r. */
  readonly rows: Uint32Array
  /** State after each symbol, count x symbolCount. Undefined at depth 2. */
  readonly next: Uint32Array | undefined
  /** Of each state its longest end that is a state, and its length: `end << 3 | length`. Undefined at depth 2. */
  readonly ends: Uint32Array | undefined
  /** Pairs: transitions in the sense of the paper. */
  readonly transitionCount: number
}

/** Builds the states for `depth` from successor sets learned at that depth or a greater one. `symbols`: all of theirs. */
export function buildStates(successors: Successors, symbols: readonly string[], depth: number): States {
  const indexes = new Map(symbols.map((symbol, index) => [symbol, index]))
  const trie = new Trie(symbols.length)
  const sets = new Map<number, NextCounts>()
  for (const [context, next] of successors) {
    if (lengthOf(context) >= depth) continue
    sets.set(trie.add(context.split(' ').map((symbol) => indexes.get(symbol) as number)), next)
  }
  const { order, ends, next } = depth === 2 ? trie.flat() : trie.automaton()
  const wordsPerRow = wordsPerRowOf(symbols.length)
  const rows = new Uint32Array(order.length * wordsPerRow)
  let transitionCount = 0
  for (const state of order) {
    const base = state * wordsPerRow
    const end = (ends?.[state] ?? state << 3) >>> 3
    const own = sets.get(state)
    if (own === undefined && end !== state) rows.copyWithin(base, end * wordsPerRow, (end + 1) * wordsPerRow)
    for (const text of own?.keys() ?? []) setBit(rows, base, indexes.get(text) as number)
    if (state < symbols.length) transitionCount += own?.size ?? 0
  }
  return { count: order.length, rows, next, ends, transitionCount }
}

export function wordsPerRowOf(symbolCount: number): number {
  return Math.max(1, (symbolCount + 31) >>> 5)
}

interface Automaton {
  /** States, the shorter ones first. */
  readonly order: readonly number[]
  readonly ends: Uint32Array | undefined
  readonly next: Uint32Array | undefined
}

/** Beginnings of contexts. States below symbolCount are single symbols. */
class Trie {
  readonly #symbolCount: number
  /** Child by `state * symbolCount + symbol`. */
  readonly #children = new Map<number, number>()
  /** Of each state beyond single symbols. */
  readonly #parents: number[] = []
  readonly #lasts: number[] = []
  readonly #lengths: number[] = []

  constructor(symbolCount: number) {
    this.#symbolCount = symbolCount
  }

  add(context: readonly number[]): number {
    let state = context[0] as number
    for (const [before, symbol] of context.slice(1).entries()) {
      const edge = state * this.#symbolCount + symbol
      let child = this.#children.get(edge)
      if (child === undefined) {
        child = this.#symbolCount + this.#parents.length
        this.#children.set(edge, child)
        this.#parents.push(state)
        this.#lasts.push(symbol)
        this.#lengths.push(before + 2)
      }
      state = child
    }
    return state
  }

  /** Single symbols only. */
  flat(): Automaton {
    return { order: Array.from({ length: this.#symbolCount }, (_, symbol) => symbol), ends: undefined, next: undefined }
  }

  automaton(): Automaton {
    const symbolCount = this.#symbolCount
    const count = symbolCount + this.#parents.length
    const ends = new Uint32Array(count)
    const next = new Uint32Array(count * symbolCount)
    const order = this.#shorterFirst()
    const childrenOf = this.#childrenByState()
    for (const state of order) {
      const base = state * symbolCount
      if (state < symbolCount) {
        ends[state] = (state << 3) | 1
        for (let symbol = 0; symbol < symbolCount; symbol += 1) next[base + symbol] = symbol
      } else {
        const at = state - symbolCount
        const [parent, last] = [this.#parents[at] as number, this.#lasts[at] as number]
        // The parent's end is shorter, so where it goes from there is known.
        const end =
          parent < symbolCount ? last : (next[((ends[parent] as number) >>> 3) * symbolCount + last] as number)
        ends[state] = (end << 3) | (this.#lengths[at] as number)
        next.copyWithin(base, end * symbolCount, (end + 1) * symbolCount)
      }
      for (const child of childrenOf.get(state) ?? []) next[base + (this.#lasts[child - symbolCount] as number)] = child
    }
    return { order, ends, next }
  }

  #shorterFirst(): number[] {
    const byLength: number[][] = [[], Array.from({ length: this.#symbolCount }, (_, symbol) => symbol)]
    for (const [at, length] of this.#lengths.entries()) {
      byLength[length] ??= []
      byLength[length].push(this.#symbolCount + at)
    }
    return byLength.flat()
  }

  #childrenByState(): Map<number, number[]> {
    const children = new Map<number, number[]>()
    for (const [at, parent] of this.#parents.entries()) {
      const list = children.get(parent)
      if (list === undefined) children.set(parent, [this.#symbolCount + at])
      else list.push(this.#symbolCount + at)
    }
    return children
  }
}

function setBit(rows: Uint32Array, base: number, symbol: number): void {
  const at = base + (symbol >>> 5)
  rows[at] = (rows[at] as number) | (1 << (symbol & 31))
}
