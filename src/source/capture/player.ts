// Plays a tape as far as its memos know what comes: the calls of the session that are nothing new, which are nearly all. It
// begins one call at a time, and hands long runs to native/match/tape.h, of which playPlainly is the twin.

import { loadAddon } from '../../addon/addon.ts'
import type { NativeTapePlayer } from '../../addon/tape.ts'
import { MAX_TIME_MS, OP } from './layout.ts'
import { PairMemo, StepMemo } from './memo.ts'
import { HEAD, HISTORY_AT, HISTORY_BYTES, SLOT, SLOT_WORDS, type Tape } from './tape.ts'

/** Bytes after which a native call is cheaper. */
const NATIVE_FROM = 48
const MAX_NUMBER_BYTES = 7

export class TapePlayer {
  /** Slots name them by index + 1. */
  readonly memos: (PairMemo | StepMemo)[] = []
  readonly #form: string
  #native: NativeTapePlayer | null = null
  #nativeTape: Tape | null = null
  #nativeMemoCount = 0

  /** `form`: see src/addon/tape.ts; `none`: not native at all. */
  constructor(form = '') {
    this.#form = form
  }

  add(memo: PairMemo | StepMemo): number {
    return this.memos.push(memo)
  }

  /** Until something is not known, or the bytes are over. */
  play(tape: Tape): void {
    const end = tape.bytes.length
    const near = Math.min(end, tape.at + NATIVE_FROM)
    playPlainly(tape, this.memos, near)
    if (tape.at < near || near === end) return
    const native = this.#nativeFor(tape)
    if (native === null) playPlainly(tape, this.memos, end)
    else native.play(tape.bytes)
  }

  #nativeFor(tape: Tape): NativeTapePlayer | null {
    if (this.#form === 'none') return null
    if (this.#nativeTape !== tape) {
      this.#nativeTape = tape
      this.#nativeMemoCount = 0
      this.#native = openNative(tape, this.#form)
    }
    const native = this.#native
    for (; native !== null && this.#nativeMemoCount < this.memos.length; this.#nativeMemoCount += 1) {
      const memo = this.memos[this.#nativeMemoCount]
      if (memo instanceof PairMemo) native.addPairs(memo.pairs)
      else if (memo instanceof StepMemo) native.addSteps(memo.steps, memo.limit)
    }
    return native
  }
}

/** Null: there is no addon for this machine, and none is needed. */
function openNative({ head, slots, places }: Tape, form: string): NativeTapePlayer | null {
  try {
    return new (loadAddon().TapePlayer)(head, slots, places, form)
  } catch {
    return null
  }
}

/** Plays up to `end` of the bytes: a call that begins before it, and a run of calls, may go on behind it. */
export function playPlainly(tape: Tape, memos: readonly (PairMemo | StepMemo)[], end: number): void {
  const { bytes, head } = tape
  let at = tape.at
  while (at < end) {
    const op = bytes[at] as number
    if (op >= OP.call) {
      if ((bytes[at + 1] as number) < OP.call && takeOne(tape, memos, op)) {
        at += 1
        continue
      }
      const count = take(tape, memos, at, end)
      if (count === 0) break
      at += count
    } else if (op >= OP.recentTrack) {
      if (!tape.recall(op - OP.recentTrack)) break
      at += 1
    } else if (op === OP.time || op === OP.track) {
      const next = afterNumber(bytes, at + 1)
      if (next < 0) break
      const moved = numberAt(bytes, at + 1, next)
      if (!(op === OP.time ? moveTime(tape, moved) : moveTrack(tape, moved))) break
      at = next
    } else {
      break
    }
  }
  head[HEAD.at] = at
}

/** Takes one call of a track that has made some, judged by pairs. False: that is not so, or it is not known. */
function takeOne({ head, slots, slotBytes }: Tape, memos: readonly (PairMemo | StepMemo)[], code: number): boolean {
  const slot = head[HEAD.current] as number
  const base = slot * SLOT_WORDS
  const memo = memos[(slots[base + SLOT.memo] as number) - 1]
  const state = slots[base + SLOT.state] as number
  if (!(memo instanceof PairMemo) || memo.pairs[state | (code << 8)] !== 1) return false
  const count = slots[base + SLOT.count] as number
  slots[base + SLOT.former] = state
  slots[base + SLOT.state] = code
  slots[base + SLOT.count] = count + 1
  slotBytes[base * 4 + HISTORY_AT + (count & (HISTORY_BYTES - 1))] = code
  head[HEAD.taken] = (head[HEAD.taken] as number) + 1
  return true
}

/** Takes the calls of the current track that are known, and answers how many. */
function take(tape: Tape, memos: readonly (PairMemo | StepMemo)[], at: number, end: number): number {
  const { bytes, head, slots } = tape
  const slot = head[HEAD.current] as number
  const base = slot * SLOT_WORDS
  const memo = memos[(slots[base + SLOT.memo] as number) - 1]
  let state = slots[base + SLOT.state] as number
  let former = state
  let i = at
  if (memo instanceof PairMemo) {
    i = firstUnknownPair(memo.pairs, bytes, at, end, state)
    if (i === at) return 0
    former = i - at === 1 ? state : (bytes[i - 2] as number)
    state = bytes[i - 1] as number
  } else if (memo !== undefined && state !== 0) {
    const { steps, limit } = memo
    for (; i < end; i += 1) {
      const code = bytes[i] as number
      const next = code < limit ? (steps[8 * state + code] as number) : 0
      if (next === 0) break
      former = state
      state = next
    }
  }
  const count = i - at
  if (count === 0) return 0
  slots[base + SLOT.state] = state
  slots[base + SLOT.former] = former
  remember(tape, slot, at, count)
  slots[base + SLOT.count] = (slots[base + SLOT.count] as number) + count
  head[HEAD.taken] = (head[HEAD.taken] as number) + count
  return count
}

/** The first i in [at, end) where bytes[i] may not follow what is before it; before the first of them that is `state`. */
export function firstUnknownPair(pairs: Uint8Array, bytes: Uint8Array, at: number, end: number, state: number): number {
  let i = at
  let from = state
  // Four at a time: what they have in common is asked once.
  for (; i + 4 <= end; i += 4) {
    const a = bytes[i] as number
    const b = bytes[i + 1] as number
    const c = bytes[i + 2] as number
    const d = bytes[i + 3] as number
    const known =
      (pairs[from | (a << 8)] as number) &
      (pairs[a | (b << 8)] as number) &
      (pairs[b | (c << 8)] as number) &
      (pairs[c | (d << 8)] as number)
    if (known === 0) break
    from = d
  }
  for (; i < end; i += 1) {
    const to = bytes[i] as number
    if (pairs[from | (to << 8)] === 0) break
    from = to
  }
  return i
}

/** Before they are counted. */
function remember(tape: Tape, slot: number, at: number, count: number): void {
  const { bytes, slotBytes, slots } = tape
  const history = slot * SLOT_WORDS * 4 + HISTORY_AT
  const before = slots[slot * SLOT_WORDS + SLOT.count] as number
  for (let i = Math.max(0, count - HISTORY_BYTES); i < count; i += 1) {
    slotBytes[history + ((before + i) & (HISTORY_BYTES - 1))] = bytes[at + i] as number
  }
}

/** The end of the number at `at`; -1: it is not whole, or so long that the decoder is to look at it. */
function afterNumber(bytes: Uint8Array, at: number): number {
  for (let i = at; i < bytes.length && i < at + MAX_NUMBER_BYTES; i += 1) if ((bytes[i] as number) < 0x80) return i + 1
  return -1
}

function numberAt(bytes: Uint8Array, at: number, end: number): number {
  const first = bytes[at] as number
  // Nearly all are short, and then it is done in integers.
  if (end - at <= 2) {
    const short = end - at === 1 ? first : (first & 0x7f) | ((bytes[at + 1] as number) << 7)
    return (short >>> 1) ^ -(short & 1)
  }
  let number = 0
  for (let i = end - 1; i >= at; i -= 1) number = number * 0x80 + ((bytes[i] as number) & 0x7f)
  return number % 2 === 0 ? number / 2 : -(number + 1) / 2
}

function moveTime(tape: Tape, moved: number): boolean {
  const timeMs = tape.timeMs + moved
  if (Math.abs(timeMs) > MAX_TIME_MS) return false
  tape.timeMs = timeMs
  return true
}

function moveTrack(tape: Tape, moved: number): boolean {
  const tid = tape.tid + moved
  if (tid <= 0 || tid > 0xffff_ffff || tape.findSlot(tid) === undefined) return false
  tape.goTo(tid)
  return true
}
