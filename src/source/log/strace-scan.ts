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
  KIND_LINE,
  type LogPrefix,
  LogScanner,
  NAME_LIMIT,
  type Simd,
  SPECIAL_NAME,
} from '../../addon/log-scanner.ts'
import { TracefpError } from '../../errors.ts'
import type { CallNumber } from '../../syscall/naming.ts'
import type { LineSplitter } from './line-splitter.ts'
import { isOrdinaryCall } from './strace-calls.ts'
import { newLine, readLine, type StraceLine, withoutColours } from './strace-line.ts'
import type { OpenCall } from './strace-tracee.ts'

/** Whoever reads the lines: StraceReader. */
export interface ScannedReader {
  readonly splitter: LineSplitter
  /** Reads the next line of the splitter. */
  next(): boolean
  /** `kind` is one of KIND_*. False: nothing was told, `next` must read the line. */
  ordinary(kind: number, tid: number, call: OrdinaryCall, lineNumber: number): boolean
  readonly counts: { lineCount: number }
}

/** A name in the log of whose calls nothing matters but that they were entered. */
export interface OrdinaryCall {
  readonly name: string
  /** What a thread has open when it entered such a call. */
  readonly open: OpenCall
  /** In native mode, once it was asked for. */
  number: CallNumber | null
}

/** One entry a line: a batch is dealt with while its lines are in the cache. */
const ENTRY_LIMIT = 4096
const LF = 10

export class StraceScan {
  readonly #reader: ScannedReader
  readonly #scanner: LogScanner
  readonly #calls: OrdinaryCall[] = []
  readonly #names = new Set<string>()
  #prefix: string | undefined
  #bytes: Buffer = Buffer.alloc(0)
  #entry = 0

  /** @throws TracefpError TFP_ERR_ADDON_MISSING. */
  constructor(reader: ScannedReader, simd: Simd | '' = '') {
    this.#reader = reader
    this.#scanner = new LogScanner(ENTRY_LIMIT, simd)
  }

  /** Whether the form of the log is known; some forms never are. */
  get isReady(): boolean {
    return this.#prefix !== undefined
  }

  /** Reads the whole lines of the splitter's rest, which must begin with one; what is left is for `next`. */
  run(): void {
    const { splitter } = this.#reader
    for (;;) {
      this.#bytes = splitter.rest
      const isDone = this.#scanner.scan(this.#bytes)
      this.#tell()
      if (isDone) return
    }
  }

  /** The time of the line that is being told by `ordinary`. */
  timeNow(): string {
    const from = this.#scanner.batch[this.#entry + ENTRY_OFFSET] as number
    const end = this.#bytes.indexOf(LF, from)
    const line = newLine()
    readLine(withoutColours(this.#bytes.toString('latin1', from, end < 0 ? this.#bytes.length : end)), line)
    return line.time
  }

  /** The reader has read the line of a call itself. */
  learn(text: string, { name, body }: StraceLine): void {
    const isOrdinary = isOrdinaryCall(name)
    if (isOrdinary) this.#learnPrefix(text.slice(0, body))
    if (this.#names.has(name) || this.#names.size >= NAME_LIMIT) return
    this.#names.add(name)
    const number = isOrdinary ? this.#calls.length : SPECIAL_NAME
    if (this.#scanner.addName(name, number) && isOrdinary) {
      this.#calls.push({ name, open: { name, args: '' }, number: null })
    }
  }

  #tell(): void {
    const { batch, consumedBytes, entryCount } = this.#scanner
    const reader = this.#reader
    const first = reader.splitter.number + 1
    let readBytes = 0
    let readLines = 0
    for (let line = 0, at = BATCH_HEADER_WORDS; line < entryCount; line += 1, at += BATCH_ENTRY_WORDS) {
      const word = batch[at + ENTRY_KIND_AND_NAME] as number
      const kind = word >>> 16
      this.#entry = at
      if (kind !== KIND_LINE) {
        const call = this.#calls[word & 0xffff] as OrdinaryCall
        if (reader.ordinary(kind, batch[at + ENTRY_TID] as number, call, first + line)) continue
      }
      this.#skip((batch[at + ENTRY_OFFSET] as number) - readBytes, line - readLines)
      reader.next()
      readLines = line + 1
      readBytes = readLines < entryCount ? (batch[at + BATCH_ENTRY_WORDS + ENTRY_OFFSET] as number) : consumedBytes
    }
    this.#skip(consumedBytes - readBytes, entryCount - readLines)
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
