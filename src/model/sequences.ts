// Transitions seen from below their depth: a fingerprint of depth 6 holds all pairs, triples ... that it is made of. What is
// new at depth 6 is mostly new at depth 2 already, and that is what people want to be told.
import type { ProgramFingerprint } from './fingerprint.ts'
import { cutTo, type NextCounts, wholeContexts } from './language.ts'

/** Symbols in a row; the last one is what came. */
export type Sequence = readonly string[]

type Successors = ProgramFingerprint['successors']

/** The successor sets of all contexts that a check at `depth` stands in. */
export function projectedTo(successors: Successors, depth: number): Map<string, NextCounts> {
  return wholeContexts(cutTo(successors, depth), depth)
}

/** `c d` of `a b c d`, 2. */
export function lastSymbols(context: string, count: number): string {
  let at = context.length
  for (let left = count; left > 0; left -= 1) {
    at = context.lastIndexOf(' ', at - 1)
    if (at < 0) return context
  }
  return context.slice(at + 1)
}

/** Answers whether sequences of any length occur in a program. */
export class KnownSequences {
  /** Context of any length -> symbols seen after it. */
  readonly #after = new Map<string, Set<string>>()

  constructor(successors: Successors | undefined) {
    for (const [context, next] of successors ?? []) {
      for (let length = 1, cut = ''; cut !== context; length += 1) {
        cut = lastSymbols(context, length)
        const known = this.#after.get(cut) ?? new Set<string>()
        for (const symbol of next.keys()) known.add(symbol)
        this.#after.set(cut, known)
      }
    }
  }

  has(context: string, symbol: string): boolean {
    return this.#after.get(context)?.has(symbol) === true
  }

  /** The shortest end of context and symbol that does not occur; undefined: all of it does. */
  shortestUnknown(context: string, symbol: string): Sequence | undefined {
    for (let length = 1, cut = ''; cut !== context; length += 1) {
      cut = lastSymbols(context, length)
      if (!this.has(cut, symbol)) return [...cut.split(' '), symbol]
    }
    return undefined
  }
}

/** What `successors` hold and `known` does not, each at the shortest length at which it is new; sorted, pairs first. */
export function unknownSequences(successors: Successors, known: KnownSequences): Sequence[] {
  const found = new Map<string, Sequence>()
  for (const [context, next] of successors) {
    for (const symbol of next.keys()) {
      const sequence = known.shortestUnknown(context, symbol)
      if (sequence !== undefined) found.set(sequence.join(' '), sequence)
    }
  }
  return [...found]
    .sort(([a, s], [b, t]) => s.length - t.length || (a < b ? -1 : a > b ? 1 : 0))
    .map(([, sequence]) => sequence)
}
