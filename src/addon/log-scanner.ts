// The typed surface of the native scanner of strace's text, and the layout of its batches, which native/log/teller.h has too: the
// tests of src/source/log would see it if the two differed.
//
//   word 0         1       2       3       4            5           6             7
//        consumed | calls | lines | until | stopped by | last slot | last offset | entered |
//   word 8     9     10     11          12       13           14 and 15 as a double
//        kind | tid | word | arguments | length | flags | value |                                 of the line that ended it
//   word 16            17       18 ...
//        slot + name | offset | slot + name ...
//
// Of each thread it has a slot of 64 bytes, which both read and write:
//
//   word 0         1      2             3       4       5                   6              7                 8 ... 15
//        tid + 1 | open | program + 1 | state | calls | transparent calls | former state | descriptors + 1 | the last 16 names, 16 bits each

import { loadAddon } from './addon.ts'

/** With which instructions lines are read. All give the same. */
export type Simd = 'portable' | 'sse2' | 'avx2' | 'avx512' | 'neon'

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
  addProgram(table: Uint8Array, used: Uint32Array, symbols: Int16Array, end: number): number
  setWord(name: string, word: number): boolean
  setMeaning(number: number, meaning: number): void
  setSignal(number: number, signal: number): void
  setWatched(number: number, watched: number): void
  readonly descriptors: Uint32Array
  readonly processes: Uint32Array
  readonly control: Uint32Array
  execArguments(): string
  setExec(program: number, image: number): void
  makeEvents(): Uint32Array
  concerns(tid: number): boolean
  settle(): number
  argumentsOf(tid: number): string
  takePassed(program: number): Float64Array
  makeBatch(callLimit: number): Uint32Array
  read(bytes: Uint8Array): void
  tell(at: number): void
}

/** Words of what is said of all lines that were told, and of the one that ended it. */
export const TOLD: {
  readonly consumedBytes: 0
  readonly callCount: 1
  readonly lineCount: 2
  readonly until: 3
  /** UNTIL_THREAD: whose line ended it. UNTIL_NAME: the slot of the thread in the upper half, and the name. */
  readonly stoppedBy: 4
  /** Of the last line that was told; NO_SLOT: its thread has ended. */
  readonly lastSlot: 5
  readonly lastOffset: 6
  /** Calls that were entered: those in the batch, and those that were judged. */
  readonly enteredCount: 7
  readonly factKind: 8
  readonly factTid: 9
  readonly factWord: 10
  /** Of a call: where its arguments begin, from the beginning of the line. */
  readonly factArguments: 11
  /** Of the line, without its line feed. */
  readonly factLength: 12
  readonly factFlags: 13
} = {
  consumedBytes: 0,
  callCount: 1,
  lineCount: 2,
  until: 3,
  stoppedBy: 4,
  lastSlot: 5,
  lastOffset: 6,
  enteredCount: 7,
  factKind: 8,
  factTid: 9,
  factWord: 10,
  factArguments: 11,
  factLength: 12,
  factFlags: 13,
}
/** Of a call, or of an exit, as a double. */
const VALUE_WORD = 14

/** Where the calls begin in a batch; each of them is the slot of its thread and, in the lower half, its name; then the offset of its line. */
export const BATCH_HEADER_WORDS = 16
export const BATCH_CALL_WORDS = 2

/**
 * Why it stopped: nothing is left; no room is left; a line to read; an ordinary line of a thread that is not in the table; a call of
 * whose name the program was not told the symbol; an execve of which it is not known what it starts.
 */
export const UNTIL_END = 0
export const UNTIL_FULL = 1
export const UNTIL_LINE = 2
export const UNTIL_THREAD = 3
export const UNTIL_NAME = 4
export const UNTIL_EXEC = 5
export const NO_SLOT = 0xffffffff

/** What is said of the line that ended it; not said: it is to be read. */
export const NO_FACTS = 0
export const FACTS_OF_CALL = 1
export const FACTS_OF_UNFINISHED = 2
export const FACTS_OF_RETURN = 3
export const FACTS_OF_SIGNAL = 4
export const FACTS_OF_EXIT = 5
/** Flags of them: the value of the call is `?`; the call was judged, and is allowed. */
export const IS_UNKNOWN = 1
export const IS_JUDGED = 2

/** Slots of threads, by the last bits of the tid. */
export const THREAD_SLOTS = 256
export const THREAD_WORDS = 16
export const RECENT_CALLS = 16
/** Words of a slot. */
export const THREAD: {
  readonly tid: 0
  readonly open: 1
  readonly program: 2
  readonly state: 3
  readonly calls: 4
  readonly transparentCalls: 5
  readonly formerState: 6
  readonly descriptors: 7
  readonly recent: 8
} = { tid: 0, open: 1, program: 2, state: 3, calls: 4, transparentCalls: 5, formerState: 6, descriptors: 7, recent: 8 }
/** Set in the tid of a thread that the scanner knows to be in more than an ordinary call. */
export const AWAY = 0x80000000
/** Counts of slots have 32 bits: after so many calls all are given back. Two of them may be added, with what one chunk of a log holds. */
export const COUNT_LIMIT = 0x20000000
/** Where a thread has no name's number open. */
export const NOTHING_OPEN = 0xffff
export const OPEN_ELSEWHERE = 0xfffe

/** For names of which every line is handed on; other numbers are below SPECIAL_NAME - 1. */
export const SPECIAL_NAME = 0xffff
/** What a name is to a program, where it is no symbol: calls of it are to be told; no part of transitions; not asked yet. */
export const TOLD_NAME = -1
export const TRANSPARENT_NAME = -2
export const UNKNOWN_NAME = -3
/** What more matters of the calls of a name: nothing, what they open, what they close. */
export const NOT_WATCHED = 0
export const WATCHED_OPENS = 1
export const WATCHED_CLOSES = 2
/** Sets of descriptors, and the words of one: a bit per descriptor. */
export const DESCRIPTOR_SETS = 64
export const DESCRIPTOR_WORDS = 32
/** So many names fit. */
export const NAME_LIMIT = 2048

/** Says of whole lines of strace which are ordinary calls, and whose. `native/log/scanner.h` and `teller.h` have the rules. */
export class LogScanner {
  readonly batch: Uint32Array
  /** Of which threads lines are told, and what they have open. */
  readonly threads: Uint32Array
  /** Sets of open descriptors, which threads refer to. */
  readonly descriptors: Uint32Array
  /** Of one number: the value in facts. */
  readonly value: Float64Array
  /** Of each thread's process what is needed to follow it: PROCESS. */
  readonly processes: Uint32Array
  /** CONTROL */
  readonly control: Uint32Array
  /** What `settle` has to tell: LIFE. */
  readonly events: Uint32Array
  readonly #native: NativeLogScanner

  /** @throws TracefpError TFP_ERR_ADDON_MISSING when there is none for this machine; RangeError for a `simd` that it lacks. */
  constructor(callLimit: number, simd: Simd | '' = (process.env['TRACEFP_SIMD'] ?? '') as Simd | '') {
    this.#native = new (loadAddon().LogScanner)(simd)
    this.threads = this.#native.threads
    this.descriptors = this.#native.descriptors
    this.processes = this.#native.processes
    this.control = this.#native.control
    this.events = this.#native.makeEvents()
    this.batch = this.#native.makeBatch(callLimit)
    this.value = new Float64Array(this.batch.buffer, this.batch.byteOffset + 4 * VALUE_WORD, 1)
  }

  /** Until it is called, every line is handed on. */
  setPrefix({ pid, time, hasDelta, hasPointer }: LogPrefix): void {
    this.#native.setPrefix(pid, time, hasDelta, hasPointer)
  }

  /** The number that entries tell for a name, from here on. False: there is no room for it, or it is too long. */
  setName(name: string, number: number): boolean {
    return this.#native.setName(name, number)
  }

  /** What facts say for a name of the table, from here on: its number + 1. False: it is not there. */
  setWord(name: string, word: number): boolean {
    return this.#native.setWord(name, word)
  }

  /** From here on; of a special name no line is told before. */
  setMeaning(number: number, meaning: number): void {
    this.#native.setMeaning(number, meaning)
  }

  /** The name is that of a signal below 32. */
  setSignal(number: number, signal: number): void {
    this.#native.setSignal(number, signal)
  }

  /** From here on; a name is not watched before. */
  setWatched(number: number, watched: number): void {
    this.#native.setWatched(number, watched)
  }

  /**
   * A program that calls can be judged by: its table, the words of `used` that stand as its rows, and NAME_LIMIT symbols. All are read
   * and `used` is written for as long as this lives. `end`: the symbol of a track's end, or -1. The number of the program.
   */
  addProgram(table: SharedArrayBuffer, used: Uint32Array, symbols: Int16Array, end: number): number {
    return this.#native.addProgram(new Uint8Array(table), used, symbols, end)
  }

  /** Of the line that ended the batch with UNTIL_EXEC: what it gives to execve, but for the environment. */
  execArguments(): string {
    return this.#native.execArguments()
  }

  /** That program is what this starts whenever the same program gives the same; `image` is its number in events. */
  setExec(program: number, image: number): void {
    this.#native.setExec(program, image)
  }

  /** Whether an event is of this thread, or of a child of it, or another thread stands in its slot. */
  concerns(tid: number): boolean {
    return this.#native.concerns(tid)
  }

  /** How many events there are: what happened to the processes that live, in order. They are as all others from here on. */
  settle(): number {
    return this.#native.settle()
  }

  /** Of the call in the LIFE_ENTERED or LIFE_EXIT event of this thread. */
  argumentsOf(tid: number): string {
    return this.#native.argumentsOf(tid)
  }

  /** PASSED, since it was asked for. */
  takePassed(program: number): Float64Array {
    return this.#native.takePassed(program)
  }

  /** What `tell` is about from here on. The bytes must stay as they are until the next call. */
  read(bytes: Uint8Array): void {
    this.#native.read(bytes)
  }

  /** What the whole lines from `at` on say. */
  tell(at: number): void {
    this.#native.tell(at)
  }
}
