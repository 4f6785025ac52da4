// Lets the native scanner read the lines of strace's text that are ordinary calls, which are nearly all. What it says of a line
// is what strace-line.ts and strace-result.ts would say; whether nothing else follows from the line in its thread decides the
// reader, which reads the line itself where something does. Names and the form of the prefix are taken over from lines that the
// reader has read, so that nothing is known here that it does not know.

import {
  BATCH_ENTRY_WORDS,
  BATCH_HEADER_WORDS,
  ENTRY_KIND_AND_NAME,
  ENTRY_OFFSET,
  ENTRY_TID,
  KIND_CALL,
  KIND_RETURN,
  KIND_UNFINISHED,
  type LogPrefix,
  LogScanner,
  NAME_LIMIT,
  type Simd,
  SPECIAL_NAME,
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
  /** In native mode; -1: it was not asked for yet. */
  abi: number
  nr: number
}

/** One entry a line: a batch is dealt with while its lines are in the cache. */
const ENTRY_LIMIT = 4096
/** Threads whose lines alternate. */
const CACHE_SIZE = 64
const CACHE_MASK = CACHE_SIZE - 1
const LF = 10
// Of a word of kind and name.
const FIRST_CALL = KIND_CALL << 16
const FIRST_UNFINISHED = KIND_UNFINISHED << 16
const FIRST_RETURN = KIND_RETURN << 16

export class StraceScan {
  readonly #reader: ScannedReader
  readonly #scanner: LogScanner
  readonly #calls: OrdinaryCall[] = []
  readonly #names = new Set<string>()
  /** By tid; plain. */
  readonly #cached: (Tracee | null)[] = Array<Tracee | null>(CACHE_SIZE).fill(null)
  #prefix: string | undefined
  #isWatching = true
  #bytes: Buffer = Buffer.alloc(0)
  /** Number of the first line of the batch. */
  #firstLine = 0
  /** Index of the line being told. */
  #line = -1

  /** @throws TracefpError TFP_ERR_ADDON_MISSING. */
  constructor(reader: ScannedReader, simd: Simd | '' = '') {
    this.#reader = reader
    this.#scanner = new LogScanner(ENTRY_LIMIT, simd)
  }

  /** Whether the form of the log is known; some forms never are. */
  get isReady(): boolean {
    return this.#prefix !== undefined
  }

  /** Whether a line is being told that was not read. */
  get isTelling(): boolean {
    return this.#line >= 0
  }

  /** Number of that line. */
  get lineNumber(): number {
    return this.#firstLine + this.#line
  }

  get tracee(): Tracee | null {
    return this.#cached[this.#word(ENTRY_TID) & CACHE_MASK] ?? null
  }

  /** The time of that line. */
  readTime(): string {
    const from = this.#word(ENTRY_OFFSET)
    const end = this.#bytes.indexOf(LF, from)
    const line = newLine()
    readLine(withoutColours(this.#bytes.toString('latin1', from, end < 0 ? this.#bytes.length : end)), line)
    return line.time
  }

  /**
   * Reads the whole lines of the splitter's rest, which must begin with one; what is left is for `next`. `onLast` is called while the
   * last line is being told, if it was not read.
   */
  run(onLast: () => void): void {
    const { splitter } = this.#reader
    this.#cached.fill(null)
    for (;;) {
      if (this.#isWatching && !this.#reader.isWatching) this.#endWatch()
      this.#bytes = splitter.rest
      const isDone = this.#scanner.scan(this.#bytes)
      this.#tell()
      if (isDone) break
    }
    if (this.isTelling) onLast()
    this.#line = -1
  }

  /** The reader has read the line of a call itself. */
  learn(text: string, { name, body }: StraceLine): void {
    if (!text.startsWith(`${name}(`, body)) return
    const isOrdinary = isOrdinaryCall(name)
    if (isOrdinary) this.#learnPrefix(text.slice(0, body))
    if (this.#names.has(name) || this.#names.size >= NAME_LIMIT) return
    this.#names.add(name)
    const isHeld = this.#isWatching && isWatchedCall(name)
    this.#scanner.setName(name, isOrdinary && !isHeld ? this.#calls.length : SPECIAL_NAME)
    if (isOrdinary) this.#calls.push({ name, open: { name, args: '' }, abi: -1, nr: -1 })
  }

  /** What was watched is ordinary from here on. */
  #endWatch(): void {
    this.#isWatching = false
    for (const [number, { name }] of this.#calls.entries()) if (isWatchedCall(name)) this.#scanner.setName(name, number)
  }

  /** Of the entry of the line being told. */
  #word(index: number): number {
    return this.#scanner.batch[BATCH_HEADER_WORDS + this.#line * BATCH_ENTRY_WORDS + index] as number
  }

  #tell(): void {
    const { batch, consumedBytes, entryCount } = this.#scanner
    const reader = this.#reader
    const calls = this.#calls
    const cached = this.#cached
    const { handler } = reader
    let last: Tracee | null = null
    let callCount = 0
    let readBytes = 0
    let readLines = 0
    this.#firstLine = reader.splitter.number + 1
    for (let line = 0, at = BATCH_HEADER_WORDS; line < entryCount; line += 1, at += BATCH_ENTRY_WORDS) {
      const word = batch[at + ENTRY_KIND_AND_NAME] as number
      if (word >= FIRST_CALL) {
        const tid = batch[at + ENTRY_TID] as number
        let tracee = cached[tid & CACHE_MASK] as Tracee | null
        if (tracee === null || tracee.tid !== tid || tid === 0) tracee = this.#lookUp(tid, last)
        if (tracee !== null) {
          if (word >= FIRST_RETURN) {
            tracee.open = null
            last = tracee
            this.#line = line
            continue
          }
          if (tracee.open === null) {
            const call = calls[word & 0xffff] as OrdinaryCall
            if (call.abi < 0) this.#resolve(call)
            if (word >= FIRST_UNFINISHED) tracee.open = call.open
            last = tracee
            callCount += 1
            this.#line = line
            handler.onCall(tracee.told, call.abi, call.nr, false)
            continue
          }
        }
      }
      if (last !== null) reader.told(last, callCount)
      last = null
      callCount = 0
      this.#line = -1
      this.#skip((batch[at + ENTRY_OFFSET] as number) - readBytes, line - readLines)
      reader.next()
      cached.fill(null)
      readLines = line + 1
      readBytes = readLines < entryCount ? (batch[at + BATCH_ENTRY_WORDS + ENTRY_OFFSET] as number) : consumedBytes
    }
    if (last !== null) reader.told(last, callCount)
    this.#skip(consumedBytes - readBytes, entryCount - readLines)
  }

  #lookUp(tid: number, last: Tracee | null): Tracee | null {
    const tracee = this.#reader.plainTracee(tid, last)
    this.#cached[tid & CACHE_MASK] = tracee
    return tracee
  }

  #resolve(call: OrdinaryCall): void {
    const { abi, nr } = this.#reader.numberOf(call.name)
    call.abi = abi
    call.nr = nr
  }

  #skip(byteCount: number, lineCount: number): void {
    this.#reader.splitter.skip(byteCount, lineCount)
    this.#reader.counts.lineCount += lineCount
  }

  /** A log has one form; where two were joined, the last one counts. */
  #learnPrefix(text: string): void {
    const prefix = prefixOf(text)
    if (prefix === undefined) return
    const form = JSON.stringify(prefix)
    if (form === this.#prefix) return
    this.#prefix = form
    this.#scanner.setPrefix(prefix)
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
