// Lends tracks of the handler to the native scanner, which judges their calls: programs, what names mean to them, and what is given
// back of a track.

import { MEANS_TO_EXIT, MEANS_TO_RETURN, PROCESS, PROCESS_WORDS } from '../../addon/log-lives.ts'
import {
  type LogScanner,
  NAME_LIMIT,
  RECENT_CALLS,
  THREAD,
  THREAD_WORDS,
  TOLD_NAME,
  TRANSPARENT_NAME,
  UNKNOWN_NAME,
} from '../../addon/log-scanner.ts'
import type { Image, JudgedCalls, LentProgram, StreamHandler } from '../../model/stream.ts'
import { TRANSPARENT_SYMBOL } from '../../model/table-layout.ts'
import type { ScannedNames } from './scan-names.ts'

/** A thread in a slot of the scanner. */
export interface ScannedThread {
  readonly slot: number
  readonly told: number
  isLent: boolean
}

type Judged = { -readonly [Key in keyof JudgedCalls]: JudgedCalls[Key] }

interface JudgingProgram {
  readonly program: LentProgram
  /** By number of the name; shared with the scanner. */
  readonly symbols: Int16Array
}

/** As int16. */
const SYMBOL_LIMIT = 0x7fff

export class ScanJudging {
  readonly #scanner: LogScanner
  readonly #names: ScannedNames
  readonly #handler: StreamHandler
  /** The words of all slots. */
  readonly #threads: Uint32Array
  readonly #programs: JudgingProgram[] = []
  readonly #programNumbers = new Map<LentProgram, number>()
  readonly #judged: Judged = {
    callCount: 0,
    transparentCount: 0,
    state: 0,
    formerState: 0,
    recent: new Int32Array(2 * RECENT_CALLS),
    recentCount: 0,
  }

  constructor(scanner: LogScanner, names: ScannedNames, handler: StreamHandler) {
    this.#scanner = scanner
    this.#names = names
    this.#handler = handler
    this.#threads = scanner.threads
  }

  /** Calls of the thread are judged by the scanner from here on, if the handler can lend its track. */
  borrow(thread: ScannedThread, recall: (told: number) => void): void {
    const lent = this.#handler.lend?.(thread.told, recall)
    if (lent == null) return
    const words = this.#threads
    const { slot } = thread
    words[slot + THREAD.program] = this.#programNumber(lent.program) + 1
    words[slot + THREAD.state] = lent.state
    words[slot + THREAD.calls] = 0
    words[slot + THREAD.transparentCalls] = 0
    thread.isLent = true
  }

  /** The scanner has judged calls of this thread without its being lent, on a track that the handler was told of since. */
  adopt(thread: ScannedThread, recall: (told: number) => void): void {
    const lent = this.#handler.lend?.(thread.told, recall)
    if (lent == null) throw new Error(`track ${thread.told} is not lent, and calls of it were judged`)
    thread.isLent = true
  }

  giveBack(thread: ScannedThread): void {
    const { slot } = thread
    const handled = (slot / THREAD_WORDS) * PROCESS_WORDS + PROCESS.handledCalls
    const processes = this.#scanner.processes
    this.giveBackAs(thread, this.#threads, slot, processes[handled] as number)
    processes[handled] = 0
    this.#threads[slot + THREAD.program] = 0
  }

  /** As it stood when it had these words, with so many calls in handlers beside. */
  giveBackAs(thread: ScannedThread, words: Uint32Array, slot: number, handledCount: number): void {
    const { abis, numbers } = this.#names
    const judged = this.#judged
    const callCount = words[slot + THREAD.calls] as number
    const recentCount = Math.min(callCount, RECENT_CALLS)
    judged.callCount = callCount + handledCount
    judged.transparentCount = words[slot + THREAD.transparentCalls] as number
    judged.state = words[slot + THREAD.state] as number
    judged.formerState = words[slot + THREAD.formerState] as number
    judged.recentCount = recentCount
    for (let at = 0; at < recentCount; at += 1) {
      // Two in a word.
      const place = (callCount - recentCount + at) % RECENT_CALLS
      const pair = words[slot + THREAD.recent + (place >>> 1)] as number
      const name = (pair >>> (16 * (place & 1))) & 0xffff
      judged.recent[2 * at] = abis[name] as number
      judged.recent[2 * at + 1] = numbers[name] as number
    }
    thread.isLent = false
    this.#handler.giveBack?.(thread.told, judged)
  }

  /** The number of the program that the thread in a slot would run after this exec; undefined: it must be told. */
  execOf(slot: number, image: Image): number | undefined {
    const caller = this.#threads[slot + THREAD.program] as number
    const { program } = this.#programs[caller - 1] as JudgingProgram
    const target = this.#handler.lendExec?.(program, image) ?? null
    return target === null ? undefined : this.#programNumber(target)
  }

  /** By number. */
  get programs(): LentProgram[] {
    return this.#programs.map(({ program }) => program)
  }

  #programNumber(program: LentProgram): number {
    const known = this.#programNumbers.get(program)
    if (known !== undefined) return known
    const symbols = new Int16Array(NAME_LIMIT).fill(UNKNOWN_NAME)
    const number = this.#scanner.addProgram(program.table, program.used, symbols, program.endSymbol)
    this.#programs[number] = { program, symbols }
    this.#programNumbers.set(program, number)
    return number
  }

  /** A call is about to be judged whose name its program has no symbol for yet. */
  nameSymbol(word: number): void {
    const name = word & 0xffff
    const number = this.#threads[(word >>> 16) * THREAD_WORDS + THREAD.program] as number
    const judging = this.#programs[number - 1]
    // It was given back since: the call is told.
    if (judging === undefined) return
    const { program, symbols } = judging
    const { abis, numbers, all } = this.#names
    if (all[name]?.isUnread === true) {
      symbols[name] = TOLD_NAME
      return
    }
    if ((abis[name] as number) < 0) this.#names.resolve(name)
    const [abi, nr] = [abis[name] as number, numbers[name] as number]
    const meaning = all[name]?.meaning
    const ends = meaning === MEANS_TO_EXIT || meaning === MEANS_TO_RETURN
    const symbol = ends ? program.endingSymbolOf(abi, nr) : program.symbolOf(abi, nr)
    symbols[name] = symbol === TRANSPARENT_SYMBOL ? TRANSPARENT_NAME : symbol > SYMBOL_LIMIT ? TOLD_NAME : symbol
  }
}
