// Lets the native scanner read the lines of strace's text that are ordinary calls, which are nearly all. What it says of a line
// is what strace-line.ts and strace-result.ts would say; whether nothing else follows from the line in its thread decides the
// reader, which reads the line itself where something does. Names and the form of the prefix are taken over from lines that the
// reader has read, so that nothing is known here that it does not know.

import {
  BATCH_CALL_WORDS,
  BATCH_HEADER_WORDS,
  type LogPrefix,
  LogScanner,
  NAME_LIMIT,
  NOTHING_OPEN,
  OPEN_ELSEWHERE,
  type Simd,
  SPECIAL_NAME,
  THREAD_SLOTS,
  UNTIL_END,
  UNTIL_FULL,
  UNTIL_THREAD,
} from '../../addon/log-scanner.ts'
import { TracefpError } from '../../errors.ts'
import type { StreamHandler } from '../../model/stream.ts'
import type { CallNumber } from '../../syscall/naming.ts'
import type { LineSplitter } from './line-splitter.ts'
import { isOrdinaryCall } from './strace-calls.ts'
import { isWatchedCall } from './strace-filter.ts'
import { newLine, readLine, type StraceLine, withoutColours } from './strace-line.ts'
import type { OpenCall, Tracee } from './strace-tracee.ts'

/** Whoever reads the lines: StraceReader. */
export interface ScannedReader {
  readonly splitter: LineSplitter
  readonly counts: { lineCount: number }
  readonly handler: StreamHandler
  /** Whether there may be more in watched calls. */
  readonly isWatching: boolean
  /** Reads the next line of the splitter. */
  next(): boolean
  /**
   * The thread that an ordinary line with this tid is of; `last` is that of the line before, where it was not read. Null: it is not
   * known, or more may follow from the line. A thread stays plain until a line is read by `next`.
   */
  plainTracee(tid: number, last: Tracee | null): Tracee | null
  numberOf(name: string): CallNumber
  /** Lines were told that were not read: the last of them is of `last`, `callCount` of them enter a call. */
  told(last: Tracee, callCount: number): void
}

/** A name in the log of whose calls nothing matters but that they were entered. */
interface OrdinaryCall {
  readonly name: string
  /** What a thread has open when it entered such a call. */
  readonly open: OpenCall
}

/** Calls that are told at once. */
const CALL_LIMIT = 4096
const LF = 10

export class StraceScan {
  readonly #reader: ScannedReader
  readonly #scanner: LogScanner
  readonly #threads: Uint32Array
  /** The names in the scanner's table; true: ordinary. */
  readonly #names = new Map<string, boolean>()
  readonly #calls: OrdinaryCall[] = []
  /** Of each of them, in native mode; -1: it was not asked for yet. */
  readonly #abis: Int32Array = new Int32Array(NAME_LIMIT).fill(-1)
  readonly #numbers: Int32Array = new Int32Array(NAME_LIMIT)
  /** The threads of the slots; plain. Only those in `taken` are. */
  readonly #tracees: (Tracee | null)[] = Array<Tracee | null>(THREAD_SLOTS).fill(null)
  readonly #told: Int32Array = new Int32Array(THREAD_SLOTS)
  readonly #taken: number[] = []
  #prefix: string | undefined
  #isWatching = true
  #bytes: Buffer = Buffer.alloc(0)
  /** Whether the scanner must look at the bytes anew. */
  #isNew = true
  /** Number of the first line of the bytes. */
  #firstLine = 0
  /** Where the line being told begins in the bytes; -1: none is. */
  #offset = -1
  #slot = 0
  /** It is the last line that the splitter has counted. */
  #isLast = false

  /** @throws TracefpError TFP_ERR_ADDON_MISSING. */
  constructor(reader: ScannedReader, simd: Simd | '' = '') {
    this.#reader = reader
    this.#scanner = new LogScanner(CALL_LIMIT, simd)
    this.#threads = this.#scanner.threads
  }

  /** Whether the form of the log is known; some forms never are. */
  get isReady(): boolean {
    return this.#prefix !== undefined
  }

  /** Whether a line is being told that was not read. */
  get isTelling(): boolean {
    return this.#offset >= 0
  }

  /** Number of that line. */
  get lineNumber(): number {
    if (this.#isLast) return this.#reader.splitter.number
    let number = this.#firstLine
    for (let at = -1; ; number += 1) {
      at = this.#bytes.indexOf(LF, at + 1)
      if (at < 0 || at >= this.#offset) return number
    }
  }

  get tracee(): Tracee | null {
    return this.#tracees[this.#slot] as Tracee | null
  }

  /** The time of that line. */
  readTime(): string {
    const end = this.#bytes.indexOf(LF, this.#offset)
    const line = newLine()
    const text = this.#bytes.toString('latin1', this.#offset, end < 0 ? this.#bytes.length : end)
    readLine(withoutColours(text), line)
    return line.time
  }

  /**
   * Reads the whole lines of the splitter's rest, which must begin with one; what is left is for `next`. `onLast` is called while the
   * last line is being told, if it was not read.
   */
  run(onLast: () => void): void {
    const scanner = this.#scanner
    const { splitter, counts } = this.#reader
    let last: Tracee | null = null
    this.#isNew = true
    for (;;) {
      if (this.#isWatching && !this.#reader.isWatching) this.#endWatch()
      this.#bytes = splitter.rest
      scanner.tell(this.#bytes, this.#isNew)
      this.#isNew = false
      this.#firstLine = splitter.number + 1
      const { consumedBytes, callCount, lineCount, until } = scanner
      if (lineCount > 0) {
        this.#tell(callCount)
        this.#offset = scanner.lastOffset
        this.#slot = scanner.lastSlot
        last = this.tracee as Tracee
        this.#reader.told(last, callCount)
        splitter.skip(consumedBytes, lineCount)
        this.#isLast = true
        counts.lineCount += lineCount
      }
      if (until === UNTIL_END) break
      if (until === UNTIL_FULL) continue
      const isKnown = until === UNTIL_THREAD && this.#take(scanner.unknownTid, last)
      if (isKnown) continue
      this.#release()
      this.#offset = -1
      last = null
      this.#reader.next()
    }
    if (this.isTelling) onLast()
    this.#offset = -1
    this.#release()
  }

  #tell(callCount: number): void {
    const { handler } = this.#reader
    const { batch } = this.#scanner
    const told = this.#told
    const abis = this.#abis
    const numbers = this.#numbers
    const end = BATCH_HEADER_WORDS + callCount * BATCH_CALL_WORDS
    this.#isLast = false
    for (let at = BATCH_HEADER_WORDS; at < end; at += BATCH_CALL_WORDS) {
      const word = batch[at] as number
      const name = word & 0xffff
      this.#slot = word >>> 16
      this.#offset = batch[at + 1] as number
      let abi = abis[name] as number
      if (abi < 0) abi = this.#resolve(name)
      handler.onCall(told[word >>> 16] as number, abi, numbers[name] as number, false)
    }
  }

  /** Lines of the thread are told from here on. False: they are to be read. */
  #take(tid: number, last: Tracee | null): boolean {
    const tracee = this.#reader.plainTracee(tid, last)
    if (tracee === null) return false
    const slot = tid % THREAD_SLOTS
    // A line without tid is of the only thread there was.
    if (tid !== 0) this.#leave(0)
    this.#leave(slot)
    this.#threads[2 * slot] = tid + 1
    this.#threads[2 * slot + 1] = tracee.open === null ? NOTHING_OPEN : OPEN_ELSEWHERE
    this.#tracees[slot] = tracee
    this.#told[slot] = tracee.told
    this.#taken.push(slot)
    return true
  }

  #leave(slot: number): void {
    if (this.#threads[2 * slot] === 0) return
    const open = this.#threads[2 * slot + 1] as number
    const tracee = this.#tracees[slot] as Tracee
    if (open !== OPEN_ELSEWHERE) tracee.open = open === NOTHING_OPEN ? null : (this.#calls[open] as OrdinaryCall).open
    this.#threads[2 * slot] = 0
  }

  /** What threads have open is theirs again. */
  #release(): void {
    for (const slot of this.#taken) this.#leave(slot)
    this.#taken.length = 0
  }

  /** The reader has read the line of a call itself. */
  learn(text: string, { name, body }: StraceLine): void {
    const known = this.#names.get(name)
    if (known === false || !text.startsWith(`${name}(`, body)) return
    const isOrdinary = known ?? isOrdinaryCall(name)
    if (isOrdinary) this.#learnPrefix(text.slice(0, body))
    if (known !== undefined || this.#names.size >= NAME_LIMIT) return
    this.#names.set(name, isOrdinary)
    const isHeld = this.#isWatching && isWatchedCall(name)
    this.#scanner.setName(name, isOrdinary && !isHeld ? this.#calls.length : SPECIAL_NAME)
    if (isOrdinary) this.#calls.push({ name, open: { name, args: '' } })
  }

  /** What was watched is ordinary from here on. */
  #endWatch(): void {
    this.#isWatching = false
    for (const [number, { name }] of this.#calls.entries()) if (isWatchedCall(name)) this.#scanner.setName(name, number)
  }

  #resolve(name: number): number {
    const { abi, nr } = this.#reader.numberOf((this.#calls[name] as OrdinaryCall).name)
    this.#abis[name] = abi
    this.#numbers[name] = nr
    return abi
  }

  /** A log has one form; where two were joined, the last one counts. */
  #learnPrefix(text: string): void {
    const prefix = prefixOf(text)
    if (prefix === undefined) return
    const { pid, time, hasDelta, hasPointer } = prefix
    const form = `${pid} ${time} ${hasDelta} ${hasPointer}`
    if (form === this.#prefix) return
    this.#prefix = form
    this.#scanner.setPrefix(prefix)
    this.#isNew = true
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

const PREFIX =
  /^(?:(\d{1,7}(?:<[^<>]*>)? +)|\[pid +\d+(?:<[^<>]*>)?\] )?(?:(\d\d:\d\d:\d\d(?:\.\d+)? )|(\d{8,}(?:\.\d+)? ))?((?:\(\+ *\d+(?:\.\d+)?\)| *\d+(?:\.\d+)?) )?(\[(?:[\da-f]+|\?+)\] )?$/

/** The form of what stands before a call; undefined: none that the scanner knows. */
export function prefixOf(text: string): LogPrefix | undefined {
  const match = PREFIX.exec(text)
  if (match === null) return undefined
  const [, column, clock, epoch, delta, pointer] = match
  return {
    pid: column === undefined ? 'bracket' : 'column',
    time: clock !== undefined ? 'clock' : epoch !== undefined ? 'epoch' : 'none',
    hasDelta: delta !== undefined,
    hasPointer: pointer !== undefined,
  }
}
