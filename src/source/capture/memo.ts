// What is known to be right, in tables that are read without asking the fingerprint. An entry is made when the transition was made
// and found to be allowed, and was counted for coverage; so there is nothing else to do when it comes again.
// A pair memo is for depth 2, a step memo for what is deeper. native/match/batch.h reads the same bytes.

import type { TransitionTable } from '../../model/table.ts'
import { OP } from './layout.ts'

const FIRST_CODE: number = OP.call

const PAIR_COUNT = 65_536
/** Behind the pairs: those of the first 64 codes as bits, in the order in which vector registers want them. */
const NEAR_BYTES = 512
const NEAR_CODES = 64
/** Codes that a step memo has place for, tried in this order: it grows when the dictionary does. */
const CAPACITIES = [64, 128, 224] as const
const MAX_ROW = 0xffff

export interface Memo {
  /** Of the table that it is of. */
  readonly table: TransitionTable
  /** What `state` of the table is called here; 0: nothing, no call that was told led there. */
  placeOf(state: number): number
  /** The state of the table that a place stands for. */
  stateOf(place: number): number
  /** The symbol of a code; undefined: not told yet. */
  symbolOf(code: number): number | undefined
  /** `code` is a call of `symbol`; negative: it is never to be added. */
  name(code: number, symbol: number): void
  /** `code`, which has a symbol, may follow `place`. False: there is no room for it. */
  add(place: number, code: number): boolean
}

export class PairMemo implements Memo {
  /** 1 at `from | to << 8`. */
  readonly pairs: Uint8Array = new Uint8Array(PAIR_COUNT + NEAR_BYTES)
  readonly table: TransitionTable
  /** State -> a code that leads there. At depth 2 states are symbols. */
  readonly #codes: Uint8Array
  readonly #symbols: (number | undefined)[] = Array.from({ length: 256 }, () => undefined)

  constructor(table: TransitionTable) {
    this.table = table
    this.#codes = new Uint8Array(table.stateCount)
  }

  placeOf(state: number): number {
    return this.#codes[state] ?? 0
  }

  stateOf(place: number): number {
    return this.#symbols[place] as number
  }

  symbolOf(code: number): number | undefined {
    return this.#symbols[code]
  }

  name(code: number, symbol: number): void {
    if (symbol >= 0) this.#codes[symbol] = code
    this.#symbols[code] = symbol
  }

  add(place: number, code: number): boolean {
    this.pairs[place | (code << 8)] = 1
    const [from, to] = [place - FIRST_CODE, code - FIRST_CODE]
    if (from < NEAR_CODES && to < NEAR_CODES) {
      const at = PAIR_COUNT + (to >>> 3) * NEAR_CODES + from
      this.pairs[at] = (this.pairs[at] as number) | (1 << (to & 7))
    }
    return true
  }
}

export class StepMemo implements Memo {
  /** The next row at 8 * row + code; 0: not known. */
  readonly steps: Uint16Array
  /** Codes from here on have no place. */
  readonly limit: number
  readonly table: TransitionTable
  /** Rows of 8 elements that a state has. */
  readonly #unit: number
  readonly #symbols: (number | undefined)[] = Array.from({ length: 256 }, () => undefined)

  private constructor(table: TransitionTable, capacity: number) {
    this.table = table
    this.limit = FIRST_CODE + capacity
    // An odd number, so that equal codes of many states are not all in the same lines of the cache.
    this.#unit = (this.limit / 8) | 1
    // Whoever reads may add 255 to any row.
    this.steps = new Uint16Array(8 * this.#unit * (table.stateCount + 1) + 256)
  }

  /** Undefined: the table has too many states. */
  static make(table: TransitionTable, codeCount: number): StepMemo | undefined {
    const capacity = CAPACITIES.find((each) => each >= codeCount) ?? CAPACITIES[2]
    const unit = ((FIRST_CODE + capacity) / 8) | 1
    return unit * (table.stateCount + 1) > MAX_ROW ? undefined : new StepMemo(table, capacity)
  }

  placeOf(state: number): number {
    return (state + 1) * this.#unit
  }

  stateOf(place: number): number {
    return place / this.#unit - 1
  }

  symbolOf(code: number): number | undefined {
    return this.#symbols[code]
  }

  name(code: number, symbol: number): void {
    this.#symbols[code] = symbol
  }

  add(place: number, code: number): boolean {
    if (code >= this.limit) return false
    const next = this.table.next(this.stateOf(place), this.#symbols[code] as number)
    this.steps[8 * place + code] = this.placeOf(next)
    return true
  }
}
