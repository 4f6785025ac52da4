// The reader's end of the ring. It reads head once per batch; records are plain reads, because head was stored after them.

import {
  CAPACITY_OFFSET,
  DROPPED_COUNT_OFFSET,
  HEAD_OFFSET,
  MAGIC_OFFSET,
  READER_ASLEEP_OFFSET,
  RECORD_BYTES,
  RECORD_KIND,
  RING_HEADER_BYTES,
  RING_MAGIC,
  RING_VERSION,
  STATE_OFFSET,
  TAIL_OFFSET,
  VERSION_OFFSET,
} from './layout.gen.ts'

const WORD_BYTES = 4
const RECORD_WORDS = RECORD_BYTES / WORD_BYTES
const HEAD = HEAD_OFFSET / WORD_BYTES
const TAIL = TAIL_OFFSET / WORD_BYTES
const STATE = STATE_OFFSET / WORD_BYTES
const ASLEEP = READER_ASLEEP_OFFSET / WORD_BYTES
const DROPPED = DROPPED_COUNT_OFFSET / WORD_BYTES

/** 65,536 records, 1 MiB: a quarter of a second of the fastest tracee. */
export const DEFAULT_CAPACITY = 65_536

/** One record, as the four words of layout.h: tid, value (int32), kind | abi << 8 | flags << 16, extra. */
export type RecordVisitor = (tid: number, value: number, kindAbiFlags: number, extra: number) => void

/** Calls of one tracee in a row, without flags: the first `count` of `numbers`, which are others' afterwards. */
export type CallsVisitor = (tid: number, abi: number, numbers: Int32Array, count: number) => void

/** Calls in a row that are told at once. */
const MAX_CALLS = 4096
/** Of the third word: all but the ABI. */
const KIND_AND_FLAGS = 0xffff_00ff | 0

export class RingReader {
  /** What the engine is given. */
  readonly words: Uint32Array
  readonly #signed: Int32Array
  readonly #capacity: number
  readonly #numbers = new Int32Array(MAX_CALLS)

  /** `capacity` is a power of two. `start` sets where head and tail begin; tests begin just below wrap-around. */
  constructor(capacity: number = DEFAULT_CAPACITY, start = 0) {
    const buffer = new SharedArrayBuffer(RING_HEADER_BYTES + capacity * RECORD_BYTES)
    this.words = new Uint32Array(buffer)
    this.#signed = new Int32Array(buffer)
    this.#capacity = capacity
    this.words[MAGIC_OFFSET / WORD_BYTES] = RING_MAGIC
    this.words[VERSION_OFFSET / WORD_BYTES] = RING_VERSION
    this.words[CAPACITY_OFFSET / WORD_BYTES] = capacity
    this.words[HEAD] = start >>> 0
    this.words[TAIL] = start >>> 0
    this.words[ASLEEP] = 1
  }

  /** A RING_STATE value. Read it before the last drain: records written before `ended` are then in the ring. */
  get state(): number {
    return Atomics.load(this.words, STATE)
  }

  get droppedCount(): number {
    return Atomics.load(this.words, DROPPED)
  }

  /** Visits up to `limit` records, calls without flags by `visitCalls` where there is one, and gives their room back. Returns how many there were. */
  drain(visit: RecordVisitor, limit: number = this.#capacity, visitCalls?: CallsVisitor): number {
    const words = this.words
    const signed = this.#signed
    const mask = this.#capacity - 1
    const head = Atomics.load(words, HEAD)
    const tail = words[TAIL] as number
    const count = Math.min((head - tail) >>> 0, limit)
    for (let i = 0; i < count; ) {
      const at = placeOf(tail + i, mask)
      const third = signed[at + 2] as number
      if (visitCalls !== undefined && (third & KIND_AND_FLAGS) === RECORD_KIND.call) {
        const callCount = this.#gather(tail + i, Math.min(count - i, MAX_CALLS))
        visitCalls(words[at] as number, third >>> 8, this.#numbers, callCount)
        i += callCount
      } else {
        visit(words[at] as number, signed[at + 1] as number, words[at + 2] as number, words[at + 3] as number)
        i += 1
      }
    }
    if (count > 0) Atomics.store(words, TAIL, (tail + count) >>> 0)
    return count
  }

  /** The numbers of the calls from a record on that differ in nothing else. Answers how many of the `limit` records those are. */
  #gather(first: number, limit: number): number {
    const signed = this.#signed
    const numbers = this.#numbers
    const mask = this.#capacity - 1
    const begin = placeOf(first, mask)
    const tid = signed[begin]
    const third = signed[begin + 2]
    let count = 0
    for (; count < limit; count += 1) {
      const at = placeOf(first + count, mask)
      if (signed[at] !== tid || signed[at + 2] !== third) break
      numbers[count] = signed[at + 1] as number
    }
    return count
  }

  /** Asks for a doorbell at the next record. False when there is a record already: drain again instead of waiting. */
  sleep(): boolean {
    Atomics.store(this.words, ASLEEP, 1)
    if (Atomics.load(this.words, HEAD) === this.words[TAIL]) return true
    Atomics.store(this.words, ASLEEP, 0)
    return false
  }
}

/** Of a record, in words. */
function placeOf(position: number, mask: number): number {
  return RING_HEADER_BYTES / WORD_BYTES + (position & mask) * RECORD_WORDS
}
