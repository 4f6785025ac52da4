// What was told and when, to be told again: calls as numbers in one array, the rest as it came. Costs far less than to write
// it down.

import type { BirthKind, Image, StreamDecision, StreamHandler, StreamNote } from '../../model/stream.ts'

type Told = (to: StreamHandler) => void

/** Words of a call: tid; number; ABI, and above it whether it is a restart. */
const WORDS = 3
const RESTART = 1 << 8
/** What is no call takes more room. */
const MAX_OTHERS = 1 << 15

export class HeldStream implements StreamHandler {
  readonly #calls: Int32Array
  /** Of each call, ms since the epoch. */
  readonly #times: Float64Array
  #length = 0
  /** What is no call, and before which of them it came. */
  readonly #others: [before: number, time: number, told: Told][] = []
  readonly #limit: number
  readonly #now: () => number

  /** `limit`: of calls, and of all that is no call. `now`: milliseconds since 1970. */
  constructor(limit: number, now: () => number = Date.now) {
    this.#limit = limit
    this.#now = now
    this.#calls = new Int32Array(limit * WORDS)
    this.#times = new Float64Array(limit)
  }

  /** There is no room for another call. */
  get isFull(): boolean {
    return this.#length === this.#calls.length || this.#others.length >= Math.min(this.#limit, MAX_OTHERS)
  }

  /** Tells everything in its order; before each, when it was told. */
  tell(to: StreamHandler, onTime: (time: number) => void): void {
    let at = 0
    const tellCalls = (end: number): void => {
      for (; at < end; at += WORDS) {
        onTime(this.#times[at / WORDS] as number)
        const abi = this.#calls[at + 2] as number
        to.onCall(this.#calls[at] as number, abi & (RESTART - 1), this.#calls[at + 1] as number, (abi & RESTART) !== 0)
      }
    }
    for (const [before, time, told] of this.#others) {
      tellCalls(before)
      onTime(time)
      told(to)
    }
    tellCalls(this.#length)
  }

  onCall(tid: number, abi: number, nr: number, isRestart: boolean): void {
    const at = this.#length
    this.#calls[at] = tid
    this.#calls[at + 1] = nr
    this.#calls[at + 2] = isRestart ? abi | RESTART : abi
    this.#times[at / WORDS] = this.#now()
    this.#length = at + WORDS
  }

  onCalls(tid: number, abi: number, numbers: Int32Array, begin: number, end: number): number {
    const calls = this.#calls
    const times = this.#times
    const time = this.#now()
    const room = (calls.length - this.#length) / WORDS
    const count = Math.min(end - begin, room)
    let to = this.#length
    for (let at = begin; at < begin + count; at += 1) {
      calls[to] = tid
      calls[to + 1] = numbers[at] as number
      calls[to + 2] = abi
      times[to / WORDS] = time
      to += WORDS
    }
    this.#length = to
    return count
  }

  onBirth(tid: number, parentTid: number, tgid: number, kind: BirthKind, image?: Image): void {
    this.#keep((to) => to.onBirth(tid, parentTid, tgid, kind, image))
  }

  onExec(tid: number, formerTid: number, image: Image): void {
    this.#keep((to) => to.onExec(tid, formerTid, image))
  }

  onRefused(tid: number): void {
    this.#keep((to) => to.onRefused(tid))
  }

  onDecided(tid: number, decision: StreamDecision): void {
    this.#keep((to) => to.onDecided?.(tid, decision))
  }

  onSignal(tid: number, signal: number): void {
    this.#keep((to) => to.onSignal(tid, signal))
  }

  onExit(tid: number, code: number, signal: number): void {
    this.#keep((to) => to.onExit(tid, code, signal))
  }

  onGap(tid: number, count: number): void {
    this.#keep((to) => to.onGap(tid, count))
  }

  onNote(note: StreamNote): void {
    this.#keep((to) => to.onNote(note))
  }

  #keep(told: Told): void {
    this.#others.push([this.#length, this.#now(), told])
  }
}
