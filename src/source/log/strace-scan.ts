// Lets the native scanner read the lines of strace's text that are ordinary calls, which are nearly all. What it says of a line
// is what strace-line.ts and strace-result.ts would say; whether nothing else follows from the line in its thread decides the
// reader, which reads the line itself where something does. Names and the form of the prefix are taken over from lines that the
// reader has read, so that nothing is known here that it does not know.

import {
  BATCH_CALL_WORDS,
  BATCH_HEADER_WORDS,
  DESCRIPTOR_SETS,
  DESCRIPTOR_WORDS,
  type LogPrefix,
  LogScanner,
  NAME_LIMIT,
  NOT_WATCHED,
  NOTHING_OPEN,
  OPEN_ELSEWHERE,
  RECENT_CALLS,
  type Simd,
  SPECIAL_NAME,
  THREAD,
  THREAD_SLOTS,
  THREAD_WORDS,
  TOLD_NAME,
  TRANSPARENT_NAME,
  UNKNOWN_NAME,
  UNTIL_END,
  UNTIL_FULL,
  UNTIL_NAME,
  UNTIL_THREAD,
  WATCHED_CLOSES,
  WATCHED_OPENS,
} from '../../addon/log-scanner.ts'
import { TracefpError } from '../../errors.ts'
import type { JudgedCalls, LentProgram, StreamHandler } from '../../model/stream.ts'
import { TRANSPARENT_SYMBOL } from '../../model/table-layout.ts'
import type { CallNumber } from '../../syscall/naming.ts'
import type { LineSplitter } from './line-splitter.ts'
import { isOrdinaryCall } from './strace-calls.ts'
import { descriptorCall, isWatchedCall, type OpenDescriptors } from './strace-filter.ts'
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
   * known, or more may follow from the line. It stays so until a line is read by `next`.
   */
  plainTracee(tid: number, last: Tracee | null): Tracee | null
  /** Whether it is still what `plainTracee` would answer. `tid` is not 0. */
  isStillPlain(tid: number, tracee: Tracee): boolean
  /** What its process has open, to be followed until a line is read by `next`; null: calls that open or close are to be read. */
  openDescriptors(tracee: Tracee): OpenDescriptors | null
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

/** A thread whose ordinary lines are told by the scanner. */
interface TakenThread {
  readonly tid: number
  readonly slot: number
  readonly tracee: Tracee
  readonly told: number
  /** What it had open when its slot was last looked at. */
  open: OpenCall | null
  isLent: boolean
}

type Judged = { -readonly [Key in keyof JudgedCalls]: JudgedCalls[Key] }

interface JudgingProgram {
  readonly program: LentProgram
  /** By number of the name; shared with the scanner. */
  readonly symbols: Int16Array
}

/** Calls that are told at once. */
const CALL_LIMIT = 4096
/** As int16. */
const SYMBOL_LIMIT = 0x7fff
const LF = 10

export class StraceScan {
  readonly #reader: ScannedReader
  readonly #scanner: LogScanner
  /** The words of all slots, and the same as pairs of bytes. */
  readonly #threads: Uint32Array
  readonly #names16: Uint16Array
  /** The names in the scanner's table; true: ordinary. */
  readonly #names = new Map<string, boolean>()
  readonly #calls: OrdinaryCall[] = []
  /** Of each of them, in native mode; -1: it was not asked for yet. */
  readonly #abis: Int32Array = new Int32Array(NAME_LIMIT).fill(-1)
  readonly #numbers: Int32Array = new Int32Array(NAME_LIMIT)
  /** The threads of the slots; plain. */
  readonly #slots: (TakenThread | null)[] = Array<TakenThread | null>(THREAD_SLOTS).fill(null)
  /** Those threads. */
  readonly #taken: TakenThread[] = []
  readonly #programs: JudgingProgram[] = []
  readonly #programNumbers = new Map<LentProgram, number>()
  /** Of which processes it is followed what they have open, by number of the set. */
  readonly #followed: OpenDescriptors[] = []
  readonly #judged: Judged = {
    callCount: 0,
    transparentCount: 0,
    state: 0,
    formerState: 0,
    recent: new Int32Array(2 * RECENT_CALLS),
    recentCount: 0,
  }
  readonly #recall: (told: number) => void
  #prefix: string | undefined
  /** The prefix that was looked at last; null: none was. */
  #sample: string | null = null
  #isWatching = true
  #bytes: Buffer = Buffer.alloc(0)
  /** Where the bytes of the scanner begin in them. */
  #begin = 0
  /** Number of the first line of the scanner's bytes. */
  #firstLine = 0
  /** Where the line being told begins in the scanner's bytes; -1: none is. */
  #offset = -1
  #last: TakenThread | null = null
  /** It is the last line that the splitter has counted. */
  #isLast = false

  /** @throws TracefpError TFP_ERR_ADDON_MISSING. */
  constructor(reader: ScannedReader, simd?: Simd | '') {
    this.#reader = reader
    this.#scanner = new LogScanner(CALL_LIMIT, simd)
    const { buffer, byteOffset, length } = this.#scanner.threads
    this.#threads = this.#scanner.threads
    this.#names16 = new Uint16Array(buffer, byteOffset, 2 * length)
    this.#recall = (told) => {
      for (const thread of this.#taken) if (thread.told === told && thread.isLent) this.#giveBack(thread)
    }
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
    for (let at = this.#begin - 1; ; number += 1) {
      at = this.#bytes.indexOf(LF, at + 1)
      if (at < 0 || at >= this.#begin + this.#offset) return number
    }
  }

  get tracee(): Tracee | null {
    return this.#last?.tracee ?? null
  }

  /** The time of that line. */
  readTime(): string {
    const begin = this.#begin + this.#offset
    const end = this.#bytes.indexOf(LF, begin)
    const line = newLine()
    const text = this.#bytes.toString('latin1', begin, end < 0 ? this.#bytes.length : end)
    readLine(withoutColours(text), line)
    return line.time
  }

  /**
   * Reads the whole lines of the splitter's rest, which must begin with one; what is left is for `next`. `onLast` is called while the
   * last line is being told, if it was not read. It ends after a line that was read where `mustWait` says so.
   */
  run(onLast: () => void, mustWait: () => boolean): void {
    const scanner = this.#scanner
    const { splitter, counts } = this.#reader
    let last: Tracee | null = null
    this.#bytes = splitter.chunk
    scanner.read(this.#bytes)
    for (;;) {
      if (this.#isWatching && !this.#reader.isWatching) this.#endWatch()
      this.#begin = splitter.at
      scanner.tell(this.#begin)
      this.#firstLine = splitter.number + 1
      const { consumedBytes, lineCount, until } = scanner
      if (lineCount > 0) {
        this.#tell(scanner.callCount)
        this.#offset = scanner.lastOffset
        this.#last = this.#slots[scanner.lastSlot] as TakenThread
        last = this.#last.tracee
        this.#reader.told(last, scanner.enteredCount)
        splitter.skip(consumedBytes, lineCount)
        this.#isLast = true
        counts.lineCount += lineCount
      }
      if (until === UNTIL_END) break
      if (until === UNTIL_FULL) continue
      if (until === UNTIL_NAME) {
        this.#nameSymbol(scanner.stoppedBy)
        continue
      }
      if (until === UNTIL_THREAD && this.#take(scanner.stoppedBy, last)) continue
      this.#offset = -1
      last = null
      this.#read()
      if (mustWait()) break
    }
    if (this.isTelling) onLast()
    this.#offset = -1
    this.#release()
  }

  /** The reader reads a line itself: what it then knows of threads counts. */
  #read(): void {
    // Without a tid, or while a log is watched, more follows from a line.
    if (this.#isWatching || this.#slots[0]?.tid === 0) this.#release()
    const taken = this.#taken
    for (const thread of taken) this.#settle(thread)
    this.#reader.next()
    for (let at = taken.length - 1; at >= 0; at -= 1) {
      const thread = taken[at] as TakenThread
      const { tracee } = thread
      if (!this.#reader.isStillPlain(thread.tid, tracee) || thread.told !== tracee.told) {
        this.#leave(at)
        continue
      }
      if (tracee.open !== thread.open) {
        thread.open = tracee.open
        this.#threads[thread.slot + THREAD.open] = tracee.open === null ? NOTHING_OPEN : OPEN_ELSEWHERE
      }
      if (!thread.isLent) this.#borrow(thread)
    }
  }

  #tell(callCount: number): void {
    const { handler } = this.#reader
    const { batch } = this.#scanner
    const slots = this.#slots
    const abis = this.#abis
    const numbers = this.#numbers
    const end = BATCH_HEADER_WORDS + callCount * BATCH_CALL_WORDS
    this.#isLast = false
    for (let at = BATCH_HEADER_WORDS; at < end; at += BATCH_CALL_WORDS) {
      const word = batch[at] as number
      const name = word & 0xffff
      const thread = slots[word >>> 16] as TakenThread
      this.#last = thread
      this.#offset = batch[at + 1] as number
      let abi = abis[name] as number
      if (abi < 0) abi = this.#resolve(name)
      handler.onCall(thread.told, abi, numbers[name] as number, false)
    }
  }

  /** Lines of the thread are told from here on. False: they are to be read. */
  #take(tid: number, last: Tracee | null): boolean {
    const tracee = this.#reader.plainTracee(tid, last)
    if (tracee === null) return false
    const number = tid % THREAD_SLOTS
    // A line without tid is of the only thread there is, which may be one of those that have one: none is taken twice.
    if (tid === 0) this.#release()
    else if (this.#slots[0]?.tid === 0) this.#drop(this.#slots[0])
    const former = this.#slots[number]
    if (former != null) this.#drop(former)
    const slot = number * THREAD_WORDS
    const thread = { tid, slot, tracee, told: tracee.told, open: tracee.open, isLent: false }
    this.#threads[slot + THREAD.tid] = tid + 1
    this.#threads[slot + THREAD.open] = tracee.open === null ? NOTHING_OPEN : OPEN_ELSEWHERE
    this.#threads[slot + THREAD.program] = 0
    this.#threads[slot + THREAD.descriptors] = this.#isWatching ? this.#descriptorSet(tracee) : 0
    this.#slots[number] = thread
    this.#taken.push(thread)
    this.#borrow(thread)
    return true
  }

  /** Number + 1 of the set that follows what its process has open; 0: there is none. */
  #descriptorSet(tracee: Tracee): number {
    const open = this.#reader.openDescriptors(tracee)
    if (open === null) return 0
    const known = this.#followed.indexOf(open)
    if (known >= 0) return known + 1
    if (this.#followed.length === DESCRIPTOR_SETS) return 0
    this.#scanner.descriptors.set(open.bits, this.#followed.length * DESCRIPTOR_WORDS)
    return this.#followed.push(open)
  }

  /** Calls of the thread are judged by the scanner from here on, if the handler can lend its track. */
  #borrow(thread: TakenThread): void {
    const lent = this.#reader.handler.lend?.(thread.told, this.#recall)
    if (lent == null) return
    const words = this.#threads
    const { slot } = thread
    words[slot + THREAD.program] = this.#programNumber(lent.program) + 1
    words[slot + THREAD.state] = lent.state
    words[slot + THREAD.calls] = 0
    words[slot + THREAD.transparentCalls] = 0
    thread.isLent = true
  }

  #giveBack(thread: TakenThread): void {
    const words = this.#threads
    const { slot } = thread
    const judged = this.#judged
    const callCount = words[slot + THREAD.calls] as number
    const recentCount = Math.min(callCount, RECENT_CALLS)
    judged.callCount = callCount
    judged.transparentCount = words[slot + THREAD.transparentCalls] as number
    judged.state = words[slot + THREAD.state] as number
    judged.formerState = words[slot + THREAD.formerState] as number
    judged.recentCount = recentCount
    const names = 2 * (slot + THREAD.recent)
    for (let at = 0; at < recentCount; at += 1) {
      const name = this.#names16[names + ((callCount - recentCount + at) % RECENT_CALLS)] as number
      judged.recent[2 * at] = this.#abis[name] as number
      judged.recent[2 * at + 1] = this.#numbers[name] as number
    }
    words[slot + THREAD.program] = 0
    thread.isLent = false
    this.#reader.handler.giveBack?.(thread.told, judged)
  }

  #programNumber(program: LentProgram): number {
    const known = this.#programNumbers.get(program)
    if (known !== undefined) return known
    const symbols = new Int16Array(NAME_LIMIT).fill(UNKNOWN_NAME)
    const number = this.#scanner.addProgram(program.table, program.used, symbols)
    this.#programs[number] = { program, symbols }
    this.#programNumbers.set(program, number)
    return number
  }

  /** A call is about to be judged whose name its program has no symbol for yet. */
  #nameSymbol(word: number): void {
    const name = word & 0xffff
    const number = this.#threads[(word >>> 16) * THREAD_WORDS + THREAD.program] as number
    const { program, symbols } = this.#programs[number - 1] as JudgingProgram
    if ((this.#abis[name] as number) < 0) this.#resolve(name)
    const symbol = program.symbolOf(this.#abis[name] as number, this.#numbers[name] as number)
    symbols[name] = symbol === TRANSPARENT_SYMBOL ? TRANSPARENT_NAME : symbol > SYMBOL_LIMIT ? TOLD_NAME : symbol
  }

  /** What the thread has open is in its tracee, too. */
  #settle(thread: TakenThread): void {
    const open = this.#threads[thread.slot + THREAD.open] as number
    if (open !== OPEN_ELSEWHERE) thread.open = open === NOTHING_OPEN ? null : (this.#calls[open] as OrdinaryCall).open
    thread.tracee.open = thread.open
  }

  /** Ordinary lines of the thread are to be read from here on, or asked for anew. */
  #leave(at: number): void {
    const thread = this.#taken[at] as TakenThread
    const { slot } = thread
    if (thread.isLent) this.#giveBack(thread)
    const last = this.#taken.pop() as TakenThread
    if (last !== thread) this.#taken[at] = last
    this.#threads[slot + THREAD.tid] = 0
    this.#slots[slot / THREAD_WORDS] = null
  }

  #drop(thread: TakenThread): void {
    this.#settle(thread)
    this.#leave(this.#taken.indexOf(thread))
  }

  /** What threads have open is theirs again. */
  #release(): void {
    for (let at = this.#taken.length - 1; at >= 0; at -= 1) {
      this.#settle(this.#taken[at] as TakenThread)
      this.#leave(at)
    }
    for (const [set, { bits }] of this.#followed.entries()) {
      const begin = set * DESCRIPTOR_WORDS
      bits.set(this.#scanner.descriptors.subarray(begin, begin + DESCRIPTOR_WORDS))
    }
    this.#followed.length = 0
  }

  /** The reader has read the line of a call itself. */
  learn(text: string, { name, body }: StraceLine): void {
    const known = this.#names.get(name)
    if (known === false || !text.startsWith(name, body) || text.charCodeAt(body + name.length) !== 40) return
    const isOrdinary = known ?? isOrdinaryCall(name)
    if (isOrdinary && !isAlike(text, body, this.#sample)) this.#learnPrefix(text.slice(0, body))
    if (known !== undefined || this.#names.size >= NAME_LIMIT) return
    this.#names.set(name, isOrdinary)
    const watched = this.#isWatching ? descriptorCall(name) : undefined
    const isHeld = this.#isWatching && watched === undefined && isWatchedCall(name)
    this.#scanner.setName(name, isOrdinary && !isHeld ? this.#calls.length : SPECIAL_NAME)
    if (isOrdinary && watched !== undefined)
      this.#scanner.setWatched(this.#calls.length, watched === 'opens' ? WATCHED_OPENS : WATCHED_CLOSES)
    if (isOrdinary) this.#calls.push({ name, open: { name, args: '' } })
  }

  /** What was watched is ordinary from here on. */
  #endWatch(): void {
    this.#isWatching = false
    for (const [number, { name }] of this.#calls.entries()) {
      if (!isWatchedCall(name)) continue
      this.#scanner.setName(name, number)
      this.#scanner.setWatched(number, NOT_WATCHED)
    }
  }

  #resolve(name: number): number {
    const { abi, nr } = this.#reader.numberOf((this.#calls[name] as OrdinaryCall).name)
    this.#abis[name] = abi
    this.#numbers[name] = nr
    return abi
  }

  /** A log has one form; where two were joined, the last one counts. */
  #learnPrefix(text: string): void {
    this.#sample = text
    const prefix = prefixOf(text)
    if (prefix === undefined) return
    const { pid, time, hasDelta, hasPointer } = prefix
    const form = `${pid} ${time} ${hasDelta} ${hasPointer}`
    if (form === this.#prefix) return
    this.#prefix = form
    this.#scanner.setPrefix(prefix)
    this.#scanner.read(this.#bytes)
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

/** Whether `text` begins as the sample does, but for its digits: then its prefix has the same form. */
function isAlike(text: string, length: number, sample: string | null): boolean {
  if (sample?.length !== length) return false
  for (let at = 0; at < length; at += 1) {
    const code = text.charCodeAt(at)
    const other = sample.charCodeAt(at)
    if (code !== other && !(isDigit(code) && isDigit(other))) return false
  }
  return true
}

function isDigit(code: number): boolean {
  return code >= 48 && code <= 57
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
