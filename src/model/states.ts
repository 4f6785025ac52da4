// The states of a table. A state is a known context or a suffix of one: the short ones are where a track stands after a
// miss, from where it grows back to full length. At depth 2 the states are the symbols.

export interface States {
  readonly count: number
  /** Successor symbols per state. */
  readonly successors: readonly ReadonlySet<number>[]
  /** State after each symbol, count x symbolCount: the longest known suffix of context + symbol. Undefined at depth 2. */
  readonly next: Uint32Array | undefined
  /** Transitions of full-length contexts and of those that begin a track. */
  readonly transitionCount: number
}

export interface Transitions {
  readonly context: readonly number[]
  readonly next: readonly number[]
}

/** Builds the states for `depth` from transitions learned at that depth or a greater one. `end` has no state after it. */
export function buildStates(
  symbolCount: number,
  depth: number,
  transitions: readonly Transitions[],
  end: number,
): States {
  const length = depth - 1
  const full = projected(transitions, length)
  let transitionCount = 0
  for (const { next } of full.values()) transitionCount += next.size
  const contexts = new Map<string, readonly number[]>()
  const addSuffixes = (context: readonly number[]): void => {
    for (let from = 0; from < context.length - 1; from += 1) {
      const suffix = context.slice(from)
      contexts.set(suffix.join(' '), suffix)
    }
  }
  for (const { context, next } of full.values()) {
    addSuffixes(context)
    for (const symbol of next) if (symbol !== end && depth > 2) addSuffixes([...context, symbol].slice(-length))
  }

  const longer = [...contexts.values()].sort(compareContexts)
  const stateOf = new Map<string, number>()
  for (let symbol = 0; symbol < symbolCount; symbol += 1) stateOf.set(`${symbol}`, symbol)
  for (const [index, context] of longer.entries()) stateOf.set(context.join(' '), symbolCount + index)

  const count = symbolCount + longer.length
  const successors = Array.from({ length: count }, () => new Set<number>())
  for (const { context, next } of full.values()) {
    for (let from = 0; from < context.length; from += 1) {
      const set = successors[stateOf.get(context.slice(from).join(' ')) as number] as Set<number>
      for (const symbol of next) set.add(symbol)
    }
  }
  const next = depth > 2 ? nextStates(symbolCount, count, longer, stateOf) : undefined
  return { count, successors, next, transitionCount }
}

/** The transitions with contexts cut to their last `length` symbols. */
function projected(
  transitions: readonly Transitions[],
  length: number,
): Map<string, { context: readonly number[]; next: Set<number> }> {
  const full = new Map<string, { context: readonly number[]; next: Set<number> }>()
  for (const { context, next } of transitions) {
    const cut = context.slice(-length)
    const key = cut.join(' ')
    const known = full.get(key) ?? { context: cut, next: new Set<number>() }
    for (const symbol of next) known.next.add(symbol)
    full.set(key, known)
  }
  return full
}

/**
 * Shorter states first, so that a state starts with the next states of itself without its first symbol (its suffix is
 * always a state) and then gets those that are longer.
 */
function nextStates(
  symbolCount: number,
  count: number,
  longer: readonly (readonly number[])[],
  stateOf: ReadonlyMap<string, number>,
): Uint32Array {
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
      const suffix = stateOf.get((longer[state - symbolCount] as readonly number[]).slice(1).join(' ')) as number
      next.copyWithin(base, suffix * symbolCount, (suffix + 1) * symbolCount)
    }
    for (const [symbol, longerState] of extensions.get(state) ?? []) next[base + symbol] = longerState
  }
  return next
}

function compareContexts(a: readonly number[], b: readonly number[]): number {
  if (a.length !== b.length) return a.length - b.length
  for (let i = 0; i < a.length; i += 1) if (a[i] !== b[i]) return (a[i] as number) - (b[i] as number)
  return 0
}
