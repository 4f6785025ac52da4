// Processes that the native scanner follows by itself, from their birth to their end: of those that ended it gives counts; those that
// live when the reader is to read a line are told to it first, with what happened to them, in order.

import {
  CONTROL,
  KNOWN_LIMIT,
  LIFE,
  LIFE_BIRTH,
  LIFE_ENDED,
  LIFE_ENTERED,
  LIFE_EXEC,
  LIFE_HANDLES,
  LIFE_SIGNAL,
  LIFE_WORDS,
  NO_PROGRAM,
  PASSED,
} from '../../addon/log-lives.ts'
import { FACTS_OF_UNFINISHED, type LogScanner, THREAD_SLOTS, THREAD_WORDS, TOLD } from '../../addon/log-scanner.ts'
import { type Image, programKeyOf, type StreamHandler } from '../../model/stream.ts'
import type { ScanJudging } from './scan-judging.ts'
import type { ScannedName, ScannedNames } from './scan-names.ts'
import type { ScannedThreads, TakenThread } from './scan-threads.ts'
import { imageOfExec, OWN_PATH, UNKNOWN_PATH } from './strace-image.ts'
import type { StraceLives } from './strace-lives.ts'

/** Of so many none are looked through after each line. */
const MANY_THREADS = 64

export class ScannedLives {
  readonly #scanner: LogScanner
  readonly #names: ScannedNames
  readonly #judging: ScanJudging
  readonly #threads: ScannedThreads
  readonly #lives: StraceLives
  readonly #handler: StreamHandler
  /** What execs start, by the number that events have for it; and the numbers, by the key of the program. */
  readonly #images: Image[] = []
  readonly #imageNumbers = new Map<string, number>()

  constructor(
    scanner: LogScanner,
    names: ScannedNames,
    judging: ScanJudging,
    threads: ScannedThreads,
    lives: StraceLives,
    handler: StreamHandler,
  ) {
    this.#scanner = scanner
    this.#names = names
    this.#judging = judging
    this.#threads = threads
    this.#lives = lives
    this.#handler = handler
    scanner.control[CONTROL.hasModes] = lives.hasModes ? 1 : 0
  }

  /** What the reader knows has changed: whether processes can be followed is to be seen anew. `mayFollow`: nothing else is against it. */
  renew(mayFollow: boolean): void {
    const { control } = this.#scanner
    const lives = this.#lives
    const isOn = mayFollow && this.#names.hasTids && lives.isClear && this.#nameOthers()
    control[CONTROL.isOn] = isOn ? 1 : 0
    control[CONTROL.rootTid] = lives.rootTid
    control[CONTROL.openClones] = lives.openCloneCount
  }

  /** The scanner is told which threads are known that stand in no slot. False: they are too many. */
  #nameOthers(): boolean {
    const { control } = this.#scanner
    const { tracees } = this.#lives
    let count = 0
    if (tracees.size !== this.#threads.count) {
      if (tracees.size > MANY_THREADS) return false
      for (const tid of tracees.keys()) {
        if (this.#threads.of(tid) !== undefined) continue
        if (count === KNOWN_LIMIT) return false
        control[CONTROL.known + count] = tid
        count += 1
      }
    }
    control[CONTROL.knownCount] = count
    return true
  }

  /** Whether the scanner knows something of the thread that the reader does not. */
  concerns(tid: number): boolean {
    return this.#scanner.control[CONTROL.isPending] !== 0 && this.#scanner.concerns(tid)
  }

  /** The reader knows what the scanner knows, from here on. False: it did before. */
  settle(): boolean {
    const { control, events } = this.#scanner
    if (control[CONTROL.isPending] === 0) return false
    const count = this.#scanner.settle()
    const touched = new Set<TakenThread>()
    for (let at = 0; at < count * LIFE_WORDS; at += LIFE_WORDS) {
      if (events[at + LIFE.kind] === LIFE_BIRTH) this.#bear(events, at)
      else touched.add(this.#tell(events, at))
    }
    for (const thread of touched) if (this.#threads.of(thread.tid) === thread) this.#threads.checkOne(thread)
    return true
  }

  #bear(events: Uint32Array, at: number): void {
    const tid = events[at + LIFE.tid] as number
    const isSeen = events[at + LIFE.isKnown] === 1
    const tracee = this.#lives.bear(events[at + LIFE.of] as number, tid, isSeen)
    // Of its first line the reader must know.
    if (isSeen) this.#threads.adopt(tid, tracee)
    else this.#threads.clear(tid)
  }

  #tell(events: Uint32Array, at: number): TakenThread {
    const tid = events[at + LIFE.tid] as number
    const of = events[at + LIFE.of] as number
    const kind = events[at + LIFE.kind] as number
    const isKnown = events[at + LIFE.isKnown] === 1
    const thread = this.#threads.of(tid) as TakenThread
    const { tracee } = thread
    if (kind === LIFE_EXEC || kind === LIFE_SIGNAL || kind === LIFE_ENDED) {
      this.#judging.giveBackAs(thread, events, at + LIFE.thread, events[at + LIFE.handledCalls] as number)
    }
    if (kind === LIFE_ENDED) {
      this.#threads.lose(thread)
      this.#lives.exit(tracee, this.#nameOf(events[at + LIFE.word] as number), '', false)
      this.#lives.end(tracee, of)
    } else if (kind === LIFE_EXEC || kind === LIFE_SIGNAL) {
      if (kind === LIFE_EXEC) this.#lives.execute(tracee, this.#images[of] as Image, isKnown)
      else this.#lives.interrupt(tracee, this.#nameOf(of))
      this.#threads.lendAgain(thread)
    } else if (kind === LIFE_HANDLES) {
      this.#lives.handle(tracee, of, events[at + LIFE.word] as number)
    } else {
      const name = this.#nameOf(events[at + LIFE.word] as number)
      const args = this.#scanner.argumentsOf(tid)
      if (kind === LIFE_ENTERED) this.#lives.enter(tracee, name, args, of !== 0)
      else this.#lives.exit(tracee, name, args, !isKnown)
    }
    return thread
  }

  #nameOf(word: number): string {
    return (this.#names.all[word - 1] as ScannedName).name
  }

  /** The scanner met an execve of which it does not know what it starts. False: the line is to be read. */
  learnExec(): boolean {
    const scanner = this.#scanner
    const { batch } = scanner
    const name = this.#nameOf(batch[TOLD.factWord] as number)
    const image = imageOfExec(name, scanner.execArguments(), null)
    // Which program that is depends on more than the text.
    if (image.path === OWN_PATH || image.path === UNKNOWN_PATH) return false
    const slot = ((batch[TOLD.factTid] as number) % THREAD_SLOTS) * THREAD_WORDS
    const program = this.#judging.execOf(slot, image)
    if (program !== undefined) scanner.setExec(program, this.#numberOf(image))
    // It may fail.
    else if (batch[TOLD.factKind] === FACTS_OF_UNFINISHED) scanner.setExec(NO_PROGRAM, 0)
    else return false
    return true
  }

  /** Logs have no hashes: images of the same key are the same. */
  #numberOf(image: Image): number {
    const key = programKeyOf(image)
    let number = this.#imageNumbers.get(key)
    if (number === undefined) {
      number = this.#images.push(image) - 1
      this.#imageNumbers.set(key, number)
    }
    return number
  }

  /** The log is over: what ended is counted. */
  finish(): void {
    for (const [number, program] of this.#judging.programs.entries()) {
      const passed = this.#scanner.takePassed(number)
      this.#handler.onPassed?.(program, {
        trackCount: passed[PASSED.tracks] as number,
        endCount: passed[PASSED.ends] as number,
        callCount: passed[PASSED.calls] as number,
        transparentCount: passed[PASSED.transparentCalls] as number,
      })
    }
  }
}
