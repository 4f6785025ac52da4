// Judges the calls of a capture where they are decoded: it borrows tracks (StreamHandler.lend) and the tables of what runs in
// them, plays what its memos know, and enters into them what is allowed and new. Every other call, and all that is no call,
// is told; then whoever is told asks for the track first.

import { type LentProgram, RECENT_COUNT, type StreamHandler } from '../../model/stream.ts'
import { TransitionTable } from '../../model/table.ts'
import { OP } from './layout.ts'
import { PairMemo, StepMemo } from './memo.ts'
import { TapePlayer } from './player.ts'
import { HEAD, HISTORY_AT, HISTORY_BYTES, SLOT, SLOT_WORDS, type Tape } from './tape.ts'

/** Where nothing is ever lent, it is asked for less and less often; one in so many calls at last. */
const MAX_PATIENCE = 64
/** Slots count in 32 bits. */
const MAX_COUNT = 2 ** 30

interface Borrowed {
  readonly lent: LentProgram
  readonly table: TransitionTable
  memo: PairMemo | StepMemo
  /** Of the memo, in the player. */
  number: number
}

export class Borrower {
  readonly #handler: StreamHandler
  readonly #tape: Tape
  readonly #player: TapePlayer
  readonly #programs = new Map<LentProgram, Borrowed | null>()
  /** Of each memo. */
  readonly #byNumber: (Borrowed | undefined)[] = []
  readonly #recall = (tid: number): void => this.giveBack(tid)
  readonly #recent = new Int32Array(2 * RECENT_COUNT)
  #refusals = 0
  #untilNext = 0
  /** Calls that are played since all was given back. */
  #count = 0

  /** `form` as the player has it. */
  constructor(handler: StreamHandler, tape: Tape, form?: string) {
    this.#handler = handler
    this.#tape = tape
    this.#player = new TapePlayer(form ?? (process.env['TRACEFP_SIMD'] === 'portable' ? 'plain' : ''))
  }

  /** Takes from the tape what need not be told, and answers how many calls: what comes then is to be told, or nothing is left. */
  play(): number {
    const { head } = this.#tape
    const before = head[HEAD.taken] as number
    do this.#player.play(this.#tape)
    while (this.#enter())
    const count = ((head[HEAD.taken] as number) - before) >>> 0
    this.#count += count
    if (this.#count > MAX_COUNT) this.giveBackAll()
    return count
  }

  giveBackAll(): void {
    this.#count = 0
    for (let slot = 1; slot < this.#tape.slotCount; slot += 1) this.giveBack(this.#tidOf(slot))
  }

  giveBack(tid: number): void {
    const slot = this.#tape.findSlot(tid)
    if (slot === undefined) return
    const { slots } = this.#tape
    const base = slot * SLOT_WORDS
    const memo = this.#player.memos[(slots[base + SLOT.memo] as number) - 1]
    const callCount = slots[base + SLOT.count] as number
    const [state, formerState] =
      memo === undefined || callCount === 0
        ? [0, 0]
        : [memo.stateOf(slots[base + SLOT.state] as number), memo.stateOf(slots[base + SLOT.former] as number)]
    const recentCount = this.#fillRecent(slot, callCount)
    slots[base + SLOT.state] = 0
    slots[base + SLOT.count] = 0
    const recent = this.#recent
    this.#handler.giveBack?.(tid, { callCount, transparentCount: 0, state, formerState, recent, recentCount })
  }

  /** The call at which the player stopped is an ordinary one and allowed: it is known from now on. */
  #enter(): boolean {
    const tape = this.#tape
    const code = tape.bytes[tape.at]
    if (code === undefined || code < OP.call || tape.abis[code - OP.call] === undefined) return false
    const base = tape.currentSlot * SLOT_WORDS
    const { slots } = tape
    let place = slots[base + SLOT.state] as number
    let borrowed = place === 0 ? undefined : this.#byNumber[slots[base + SLOT.memo] as number]
    if (borrowed === undefined) {
      if (this.#untilNext > 0) {
        this.#untilNext -= 1
        return false
      }
      const lent = this.#handler.lend?.(tape.tid, this.#recall) ?? null
      if (lent === null) return this.#isRefused()
      this.#refusals = 0
      borrowed = this.#borrowedOf(lent.program)
      if (borrowed === undefined) return false
      place = borrowed.memo.placeOf(lent.state)
      slots[base + SLOT.memo] = borrowed.number
      slots[base + SLOT.state] = place
    }
    return this.#learn(borrowed, place, code)
  }

  #learn(borrowed: Borrowed, place: number, code: number): boolean {
    const { memo, table, lent } = borrowed
    let symbol = memo.symbolOf(code)
    if (symbol === undefined) {
      const { abis, numbers } = this.#tape
      symbol = lent.symbolOf(abis[code - OP.call] as number, numbers[code - OP.call] as number)
      memo.name(code, symbol)
    }
    if (symbol < 0 || place === 0) return false
    const state = memo.stateOf(place)
    if (!table.allows(state, symbol)) return false
    if (!memo.add(place, code)) {
      this.#grow(borrowed)
      return false
    }
    const word = state * table.wordsPerRow + (symbol >>> 5)
    lent.used[word] = (lent.used[word] as number) | (1 << (symbol & 31))
    return true
  }

  #borrowedOf(lent: LentProgram): Borrowed | undefined {
    let borrowed = this.#programs.get(lent)
    if (borrowed === undefined) {
      const table = TransitionTable.fromBuffer(lent.table)
      const memo = this.#memoFor(table)
      borrowed = memo === undefined ? null : { lent, table, memo, number: 0 }
      if (borrowed !== null) this.#add(borrowed)
      this.#programs.set(lent, borrowed)
    }
    return borrowed ?? undefined
  }

  #memoFor(table: TransitionTable): PairMemo | StepMemo | undefined {
    return table.depth === 2 ? new PairMemo(table) : StepMemo.make(table, this.#tape.abis.length)
  }

  /** The dictionary has outgrown the memo. Where a greater one would be too large, its calls are told. */
  #grow(borrowed: Borrowed): void {
    const { memo } = borrowed
    const grown = memo instanceof StepMemo ? StepMemo.make(borrowed.table, this.#tape.abis.length) : undefined
    if (grown === undefined || grown.limit <= (memo as StepMemo).limit) return
    borrowed.memo = grown
    this.#add(borrowed)
  }

  #add(borrowed: Borrowed): void {
    borrowed.number = this.#player.add(borrowed.memo)
    this.#byNumber[borrowed.number] = borrowed
  }

  #isRefused(): false {
    this.#refusals = Math.min(this.#refusals + 1, MAX_PATIENCE)
    this.#untilNext = this.#refusals
    return false
  }

  /** The last calls of a slot, in order, and how many they are. */
  #fillRecent(slot: number, callCount: number): number {
    const { slotBytes, abis, numbers } = this.#tape
    const history = slot * SLOT_WORDS * 4 + HISTORY_AT
    const count = Math.min(callCount, HISTORY_BYTES)
    for (let i = 0; i < count; i += 1) {
      const symbol = (slotBytes[history + ((callCount - count + i) & (HISTORY_BYTES - 1))] as number) - OP.call
      this.#recent[2 * i] = abis[symbol] as number
      this.#recent[2 * i + 1] = numbers[symbol] as number
    }
    return count
  }

  #tidOf(slot: number): number {
    return this.#tape.slots[slot * SLOT_WORDS + SLOT.tid] as number
  }
}
