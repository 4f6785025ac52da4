// Lets the native scanner read the lines of strace's text that are ordinary calls, which are nearly all. What it says of a line
// is what strace-line.ts and strace-result.ts would say; whether nothing else follows from the line in its thread decides the
// reader, which reads the line itself where something does. scan-names.ts tells it the names, scan-threads.ts whose lines it may tell,
// scan-judging.ts lends it tracks, scan-facts.ts is what it says of the lines of the reader.

import {
  BATCH_CALL_WORDS,
  BATCH_HEADER_WORDS,
  COUNT_LIMIT,
  LogScanner,
  NO_SLOT,
  type Simd,
  TOLD,
  UNTIL_END,
  UNTIL_EXEC,
  UNTIL_FULL,
  UNTIL_NAME,
  UNTIL_THREAD,
} from '../../addon/log-scanner.ts'
import { TracefpError } from '../../errors.ts'
import type { StreamHandler } from '../../model/stream.ts'
import type { CallNumber } from '../../syscall/naming.ts'
import type { LineSplitter } from './line-splitter.ts'
import { ScannedFacts } from './scan-facts.ts'
import { ScanJudging } from './scan-judging.ts'
import { ScannedLives } from './scan-lives.ts'
import { ScannedNames } from './scan-names.ts'
import { ScannedThreads, type TakenThread, type ThreadsReader } from './scan-threads.ts'
import type { OpenDescriptors } from './strace-filter.ts'
import type { StraceLine } from './strace-line.ts'
import type { Position } from './strace-position.ts'
import type { Tracee } from './strace-tracee.ts'

/** Whoever reads the lines: StraceReader. */
export interface ScannedReader extends ThreadsReader {
  readonly splitter: LineSplitter
  readonly counts: { lineCount: number }
  readonly handler: StreamHandler
  /** Whether there may be more in watched calls. */
  readonly isWatching: boolean
  /** The thread with this tid, which is not 0 where there is one. */
  traceeOf(tid: number): Tracee | undefined
  /** Reads the next line of the splitter. */
  next(): boolean
  /** The same, where the scanner says what the line says; `tracee` is what `traceeOf` answers for it. */
  nextOf(facts: ScannedFacts, tracee: Tracee | undefined): void
  /**
   * The thread that an ordinary line with this tid is of; `last` is that of the line before, where it was not read. Null: it is not
   * known, or more may follow from the line. It stays so until a line is read by `next`.
   */
  plainTracee(tid: number, last: Tracee | null): Tracee | null
  /** Whether it is still what `plainTracee` would answer. `tid` is not 0. */
  isStillPlain(tid: number, tracee: Tracee): boolean
  /** What its process has open, to be followed until a line is read by `next`; null: calls that open or close are to be read. */
  openDescriptors(tracee: Tracee): OpenDescriptors | null
  numberOf(name: string): CallNumber
  /** Lines were told that were not read: the last of them is of `last`, if that is known, `callCount` of them enter a call. */
  told(last: Tracee | null, callCount: number): void
}

/** Calls that are told at once. */
const CALL_LIMIT = 4096
const LF = 10

export class StraceScan {
  readonly #reader: ScannedReader
  readonly #scanner: LogScanner
  readonly #names: ScannedNames
  readonly #facts: ScannedFacts
  readonly #judging: ScanJudging
  readonly #threads: ScannedThreads
  readonly #lives: ScannedLives
  #isWatching = true
  /** What threads have open was told to the reader since it began with a line. */
  #isSettled = false
  #bytes: Buffer = Buffer.alloc(0)
  /** Where the bytes of the scanner begin in them. */
  #begin = 0
  /** Number of the first line of the scanner's bytes. */
  #firstLine = 0
  /** Where the line being told begins in the scanner's bytes; -1: none is. */
  #offset = -1
  /** Whose line that is, as far as the reader knows. */
  #last: Tracee | null = null
  /** Where the thread of the last line stands; NO_SLOT: nowhere, or the line was read. */
  #lastSlot = NO_SLOT
  /** It is the last line that the splitter has counted. */
  #isLast = false
  /** At most so many calls of a track were judged, and not given back. */
  #judgedCount = 0
  /** Of the reader, when its lines were last run through. */
  #lineCount = 0

  /** @throws TracefpError TFP_ERR_ADDON_MISSING. */
  constructor(reader: ScannedReader, simd?: Simd | '') {
    this.#reader = reader
    this.#scanner = new LogScanner(CALL_LIMIT, simd)
    this.#names = new ScannedNames(this.#scanner, (name) => reader.numberOf(name))
    this.#facts = new ScannedFacts(this.#scanner, this.#names)
    this.#judging = new ScanJudging(this.#scanner, this.#names, reader.handler)
    this.#threads = new ScannedThreads(this.#scanner, this.#names, this.#judging, reader)
    const { lives, handler } = reader
    this.#lives = new ScannedLives(this.#scanner, this.#names, this.#judging, this.#threads, lives, handler)
  }

  /** Whether the form of the log is known; some forms never are. */
  get isReady(): boolean {
    return this.#names.isReady
  }

  /** Whether a line is being told that was not read. */
  get isTelling(): boolean {
    return this.#offset >= 0
  }

  get tracee(): Tracee | null {
    return this.#last
  }

  /** Where that line stands. */
  standAt(position: Position): void {
    const begin = this.#begin + this.#offset
    const end = this.#bytes.indexOf(LF, begin)
    position.stand(this.#lineNumber(begin), this.#bytes, begin, end < 0 ? this.#bytes.length : end)
  }

  #lineNumber(begin: number): number {
    if (this.#isLast) return this.#reader.splitter.number
    let number = this.#firstLine
    for (let at = this.#begin - 1; ; number += 1) {
      at = this.#bytes.indexOf(LF, at + 1)
      if (at < 0 || at >= begin) return number
    }
  }

  /**
   * Reads the whole lines of the splitter's rest, which must begin with one; what is left is for `next`. `onLast` is called while the
   * last line is being told, if it was not read. It ends after a line that was read where `mustWait` says so.
   */
  run(onLast: () => void, mustWait: () => boolean): void {
    const scanner = this.#scanner
    const { batch } = scanner
    const { splitter, counts } = this.#reader
    let last: Tracee | null = null
    if (this.#judgedCount >= COUNT_LIMIT) {
      this.#judgedCount = 0
      this.settleLives()
      this.#threads.giveBackCounts()
    }
    // Lines may have been read elsewhere.
    if (counts.lineCount !== this.#lineCount) this.#threads.check()
    this.#lives.renew(!this.#mustRelease)
    this.#bytes = splitter.chunk
    scanner.read(this.#bytes)
    for (;;) {
      if (this.#isWatching && !this.#reader.isWatching) {
        this.#isWatching = false
        this.#names.endWatch()
      }
      this.#begin = splitter.at
      scanner.tell(this.#begin)
      this.#firstLine = splitter.number + 1
      const lineCount = batch[TOLD.lineCount] as number
      const until = batch[TOLD.until] as number
      if (lineCount > 0) {
        const callCount = batch[TOLD.callCount] as number
        if (callCount > 0) this.#tell(callCount)
        this.#offset = batch[TOLD.lastOffset] as number
        this.#lastSlot = batch[TOLD.lastSlot] as number
        this.#last = this.#threads.traceeIn(this.#lastSlot)
        last = this.#last
        const enteredCount = batch[TOLD.enteredCount] as number
        this.#judgedCount += enteredCount
        this.#reader.told(last, enteredCount)
        splitter.skip(batch[TOLD.consumedBytes] as number, lineCount)
        this.#isLast = true
        counts.lineCount += lineCount
      }
      if (until === UNTIL_END) break
      if (until === UNTIL_FULL) continue
      if (until === UNTIL_NAME) {
        this.#judging.nameSymbol(batch[TOLD.stoppedBy] as number)
        continue
      }
      if (until === UNTIL_EXEC && this.#lives.learnExec()) continue
      if (until === UNTIL_THREAD && this.#take(batch[TOLD.stoppedBy] as number, last)) continue
      this.#offset = -1
      last = null
      this.#read()
      if (mustWait()) break
    }
    if (this.isTelling) onLast()
    this.#offset = -1
    if (this.#mustRelease) this.#threads.release()
    else this.#threads.settle()
    this.#lineCount = counts.lineCount
  }

  /** Without a tid, or while a log is watched, more may follow from a line. */
  get #mustRelease(): boolean {
    return this.#isWatching || this.#threads.hasNameless
  }

  /** The reader reads a line itself: what it then knows of threads counts. */
  #read(): void {
    const facts = this.#facts
    if (!this.#isOfOne()) this.settleLives()
    this.#lastSlot = NO_SLOT
    if (this.#mustRelease) this.#threads.release()
    this.#isSettled = false
    const tracee = facts.isThere ? this.#reader.traceeOf(facts.tid) : undefined
    const own = tracee === undefined ? null : this.#ownThread(tracee)
    if (own === null) this.settle()
    if (facts.isThere) this.#reader.nextOf(facts, tracee)
    else this.#reader.next()
    if (this.#isSettled) this.#threads.check()
    else if (own != null) this.#threads.checkOne(own)
    this.#lives.renew(!this.#mustRelease)
  }

  /** The reader is about to read a line: it knows what the scanner has followed by itself. */
  settleLives(): void {
    const tid = this.#threads.tidIn(this.#lastSlot)
    this.#lastSlot = NO_SLOT
    if (!this.#lives.settle() || this.#last !== null || tid < 0) return
    this.#last = this.#reader.traceeOf(tid) ?? null
    this.#reader.told(this.#last, 0)
  }

  /** What threads have open was forgotten by the reader. Settled before. */
  forget(): void {
    this.#lineCount = -1
  }

  /** All that was read is told. */
  finish(): void {
    this.settleLives()
    this.#lives.finish()
  }

  /** Whether the line means nothing but for a thread of which the reader knows all. */
  #isOfOne(): boolean {
    const { tid, isThere } = this.#facts
    const tracee = isThere && !this.#lives.concerns(tid) ? this.#reader.traceeOf(tid) : undefined
    return tracee !== undefined && this.#ownThread(tracee) !== null
  }

  /** Of a line that means nothing for other threads: its own, where that is taken; undefined: it is not. Null: it is no such line. */
  #ownThread(tracee: Tracee): TakenThread | undefined | null {
    const own = this.#threads.of(tracee.tid)
    if (own !== undefined) this.#threads.settleOne(own)
    return this.#facts.isOwn(tracee) ? own : null
  }

  /** What threads have open is known to the reader, which is about to read what may be of any of them. Once a line: it knows more then. */
  settle(): void {
    if (this.#isSettled) return
    this.#isSettled = true
    this.#threads.settle()
  }

  #tell(callCount: number): void {
    const { handler } = this.#reader
    const { batch } = this.#scanner
    const threads = this.#threads
    const { abis, numbers } = this.#names
    const end = BATCH_HEADER_WORDS + callCount * BATCH_CALL_WORDS
    this.#isLast = false
    for (let at = BATCH_HEADER_WORDS; at < end; at += BATCH_CALL_WORDS) {
      const word = batch[at] as number
      const name = word & 0xffff
      const thread = threads.inSlot(word >>> 16) as TakenThread
      this.#last = thread.tracee
      this.#offset = batch[at + 1] as number
      let abi = abis[name] as number
      if (abi < 0) abi = this.#names.resolve(name)
      handler.onCall(thread.told, abi, numbers[name] as number, false)
    }
  }

  /** Lines of the thread are told from here on. False: they are to be read. */
  #take(tid: number, last: Tracee | null): boolean {
    if (this.#reader.traceeOf(tid) === undefined || this.#lives.concerns(tid)) this.settleLives()
    const tracee = this.#reader.plainTracee(tid, last)
    if (tracee === null) return false
    this.#threads.take(tid, tracee, this.#isWatching ? this.#reader.openDescriptors(tracee) : null)
    this.#lives.renew(!this.#mustRelease)
    return true
  }

  /** The reader has read the line itself. */
  learn(text: string, line: StraceLine): void {
    if (line.kind === 'call' && this.#names.learn(text, line)) this.#scanner.read(this.#bytes)
    else if (line.kind === 'signal') this.#names.learnSignal(line.name)
  }
}

/** Null where there is no native addon: then every line is read by the reader. */
export function openScan(reader: ScannedReader): StraceScan | null {
  try {
    return new StraceScan(reader)
  } catch (error) {
    if (error instanceof TracefpError && error.code === 'TFP_ERR_ADDON_MISSING') return null
    throw error
  }
}
