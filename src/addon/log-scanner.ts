// The typed surface of the native scanner of strace's text, and the layout of its batches, which native/log/teller.h has too: the
// tests of src/source/log would see it if the two differed.
//
//   word 0         1       2       3       4     5           6             8             9        10 ...
//        consumed | calls | lines | until | tid | last slot | last offset | slot + name | offset | slot + name ...

import { loadAddon } from './addon.ts'

/** How line feeds are searched for. All give the same. */
export type Simd = 'portable' | 'avx2' | 'avx512' | 'neon'

/** What stands before the call in each line of a log; the order is fixed. */
export interface LogPrefix {
  /** `column`: each line begins with one. `bracket`: `[pid 12] `, or none. */
  readonly pid: 'column' | 'bracket'
  /** `clock`: -t, -tt. `epoch`: -ttt. */
  readonly time: 'none' | 'clock' | 'epoch'
  /** -r */
  readonly hasDelta: boolean
  /** -i */
  readonly hasPointer: boolean
}

export interface NativeLogScanner {
  setPrefix(pid: string, time: string, hasDelta: boolean, hasPointer: boolean): void
  setName(name: string, number: number): boolean
  readonly threads: Uint32Array
  tell(bytes: Uint8Array, isNew: boolean, batch: Uint32Array): void
}

/** Where the calls begin in a batch; each of them is the slot of its thread and, in the lower half, its name; then the offset of its line. */
export const BATCH_HEADER_WORDS = 8
export const BATCH_CALL_WORDS = 2

/** Why it stopped: nothing is left; no room is left; a line to read; an ordinary line of a thread that is not in the table. */
export const UNTIL_END = 0
export const UNTIL_FULL = 1
export const UNTIL_LINE = 2
export const UNTIL_THREAD = 3

/** Slots of threads, by the last bits of the tid. Each has two words: tid + 1, or 0, and what the thread has open. */
export const THREAD_SLOTS = 64
/** Where a thread has no name's number open. */
export const NOTHING_OPEN = 0xffff
export const OPEN_ELSEWHERE = 0xfffe

/** For names of which every line is handed on; other numbers are below SPECIAL_NAME - 1. */
export const SPECIAL_NAME = 0xffff
/** So many names fit. */
export const NAME_LIMIT = 2048

/** Says of whole lines of strace which are ordinary calls, and whose. `native/log/scanner.h` and `teller.h` have the rules. */
export class LogScanner {
  readonly batch: Uint32Array
  /** Of which threads lines are told, and what they have open. */
  readonly threads: Uint32Array
  readonly #native: NativeLogScanner

  /** @throws TracefpError TFP_ERR_ADDON_MISSING when there is none for this machine; RangeError for a `simd` that it lacks. */
  constructor(callLimit: number, simd: Simd | '' = '') {
    this.batch = new Uint32Array(BATCH_HEADER_WORDS + callLimit * BATCH_CALL_WORDS)
    this.#native = new (loadAddon().LogScanner)(simd)
    this.threads = this.#native.threads
  }

  /** Until it is called, every line is handed on. */
  setPrefix({ pid, time, hasDelta, hasPointer }: LogPrefix): void {
    this.#native.setPrefix(pid, time, hasDelta, hasPointer)
  }

  /** The number that entries tell for a name, from here on. False: there is no room for it, or it is too long. */
  setName(name: string, number: number): boolean {
    return this.#native.setName(name, number)
  }

  /** The calls in the whole lines of `bytes`, into `batch`. `isNew`: what the bytes are was not asked yet. */
  tell(bytes: Uint8Array, isNew: boolean): void {
    this.#native.tell(bytes, isNew, this.batch)
  }

  get consumedBytes(): number {
    return this.batch[0] as number
  }

  get callCount(): number {
    return this.batch[1] as number
  }

  get lineCount(): number {
    return this.batch[2] as number
  }

  get until(): number {
    return this.batch[3] as number
  }

  /** Whose line it is that ended it. */
  get unknownTid(): number {
    return this.batch[4] as number
  }

  /** Of the last line that was told. */
  get lastSlot(): number {
    return this.batch[5] as number
  }

  get lastOffset(): number {
    return this.batch[6] as number
  }
}
