// The typed surface of the native scanner of strace's text, and the layout of its batches, which native/log/scanner.h has too: the
// tests of src/source/log would see it if the two differed.
//
//   word 0         1        2      3         4        5       6       7             8 ...
//        consumed | entries | lines | is done | tid 0 | offset | line | name + kind | tid 1 ...

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
  scan(bytes: Uint8Array, batch: Uint32Array): void
}

export const BATCH_HEADER_WORDS = 4
export const BATCH_ENTRY_WORDS = 4
/** Words of an entry; the kind stands in the upper half of KIND_AND_NAME, the number of the name in the lower one. */
export const ENTRY_TID = 0
export const ENTRY_OFFSET = 1
export const ENTRY_LINE = 2
export const ENTRY_KIND_AND_NAME = 3

export const KIND_LINE = 0
export const KIND_CALL = 1
export const KIND_UNFINISHED = 2
export const KIND_RETURN = 3

/** For names of which every line is handed on; other numbers are below SPECIAL_NAME - 1. */
export const SPECIAL_NAME = 0xffff
/** So many names fit. */
export const NAME_LIMIT = 2048

/** Says of whole lines of strace which are ordinary calls. `native/log/scanner.h` has the rules. */
export class LogScanner {
  readonly batch: Uint32Array
  readonly #native: NativeLogScanner

  /** @throws TracefpError TFP_ERR_ADDON_MISSING when there is none for this machine; RangeError for a `simd` that it lacks. */
  constructor(entryLimit: number, simd: Simd | '' = '') {
    this.batch = new Uint32Array(BATCH_HEADER_WORDS + entryLimit * BATCH_ENTRY_WORDS)
    this.#native = new (loadAddon().LogScanner)(simd)
  }

  /** Until it is called, every line is handed on. */
  setPrefix({ pid, time, hasDelta, hasPointer }: LogPrefix): void {
    this.#native.setPrefix(pid, time, hasDelta, hasPointer)
  }

  /** The number that entries tell for a name, from here on. False: there is no room for it, or it is too long. */
  setName(name: string, number: number): boolean {
    return this.#native.setName(name, number)
  }

  /** The whole lines of `bytes`, into `batch`. False: scan again behind what was consumed, when the entries are dealt with. */
  scan(bytes: Uint8Array): boolean {
    this.#native.scan(bytes, this.batch)
    return this.batch[3] === 1
  }

  get consumedBytes(): number {
    return this.batch[0] as number
  }

  get entryCount(): number {
    return this.batch[1] as number
  }
}
