// Reads NtTrace's text: each line as facts (nttrace-line.ts), calls to the thread they are of, processes and threads as they
// begin and end. Calls are logged when they return; under -pre they are told where they are entered, once. What one line
// cannot say is kept: a call whose strings hold line breaks, a process whose image stands on the next line.
import { TracefpError } from '../../errors.ts'
import type { StreamHandler } from '../../model/stream.ts'
import { NAMED_ABI } from '../../syscall/abi.ts'
import type { NamingMapping } from '../../syscall/naming.ts'
import { LineSplitter } from './line-splitter.ts'
import { countUnparsed, type LogCounts, type LogReader, type LogReaderOptions, newCounts } from './log-reader.ts'
import { NtFilterSigns } from './nttrace-filter.ts'
import { endOfCall, isNativeName, type NtLine, readNtLine } from './nttrace-line.ts'
import { type NtTrack, NtTracks } from './nttrace-tracks.ts'
import { Utf16Decoder } from './utf16.ts'

/** A call that goes on over more lines than these is none. */
const OPEN_LINE_LIMIT = 200

/** A call whose end stands on a later line. */
interface OpenCall {
  readonly line: NtLine
  readonly number: number
  /** The lines so far, for those that are shown when no end comes. */
  readonly texts: string[]
}

export class NttraceReader implements LogReader {
  readonly counts: LogCounts = newCounts()
  readonly #splitter = new LineSplitter()
  readonly #utf16 = new Utf16Decoder()
  readonly #name: string
  readonly #handler: StreamHandler
  readonly #mapping: NamingMapping
  readonly #tracks: NtTracks
  readonly #signs = new NtFilterSigns()
  readonly #unknown = new Set<number>()
  #open: OpenCall | null = null
  /** A process whose image may stand on the next line. */
  #starting: NtLine | null = null
  /** The message of an error goes on. */
  #isInText = false
  /** The line before was a call or part of its stack. */
  #isAfterCall = false
  #totalsCount = 0
  #isInTotals = false
  #callCount = 0
  #returnCount = 0
  #hasPrecalls = false
  /** Set by the first call: the log writes names with Nt, or without a prefix. */
  #hasBareNames: boolean | null = null
  #number = 0
  #time = ''

  constructor({ handler, mapping, name, inOrder = false }: LogReaderOptions) {
    this.#name = name
    this.#handler = handler
    this.#mapping = mapping
    this.#tracks = new NtTracks(handler, inOrder)
  }

  write(chunk: Uint8Array): void {
    this.#splitter.push(this.#utf16.decode(chunk))
    this.#readLines()
  }

  /** @throws TracefpError TFP_ERR_SOURCE_LOG for a log that holds totals only. */
  end(): void {
    this.#splitter.push(this.#utf16.end())
    this.#readLines()
    this.#splitter.finish()
    this.#readLines()
    this.#closeAtEnd()
    if (this.#starting !== null) this.#start(this.#starting, '')
    if (this.#callCount === 0 && this.#totalsCount > 0) throw noOrder(this.#name)
    this.#tracks.finish()
    const why = this.#signs.why()
    if (why === null) return
    const message = `the log was filtered, so it has transitions that the program never made: ${why}`
    this.#handler.onNote({ code: 'filtered', message, inconclusive: true })
  }

  at(): string {
    return `line ${this.#number}${this.#time === '' ? '' : ` at ${this.#time}`}`
  }

  #readLines(): void {
    const splitter = this.#splitter
    while (splitter.next()) {
      this.counts.lineCount += 1
      this.#number = splitter.number
      const from = splitter.number === 1 ? markLength(splitter.bytes, splitter.start) : 0
      this.#read(splitter.bytes.toString('latin1', splitter.start + from, splitter.end), splitter.isCut)
    }
  }

  #read(text: string, isCut: boolean): void {
    const line = readNtLine(text)
    if (this.#isContinued(text, line, isCut)) return
    const isAfterCall = this.#isAfterCall
    this.#isAfterCall = false
    this.#time = line.time
    const { kind } = line
    if (kind === 'blank') return
    if (kind === 'aside') this.#isAfterCall = true
    else if (kind === 'frame' && isAfterCall) this.#isAfterCall = true
    else if (kind === 'totals' && this.#isTotals(line)) this.#totalsCount += 1
    else if (kind === 'process') this.#starting = line
    else if (kind === 'thread') this.#tracks.beginThread(line)
    else if (kind === 'threadExit' || kind === 'processExit') this.#tracks.end(line)
    else if (kind === 'call' || kind === 'precall') this.#call(line, text)
    else if (kind === 'begun') this.#begin(line, text, isCut)
    else countUnparsed(this.counts, this.#number, text)
  }

  /** Lines that belong to one before them. */
  #isContinued(text: string, line: NtLine, isCut: boolean): boolean {
    if (this.#starting !== null) {
      const process = this.#starting
      this.#starting = null
      const isPath = line.kind === 'other' || line.kind === 'frame'
      this.#start(process, isPath && !isCut ? text.trim() : '')
      if (isPath) return true
    }
    if (this.#isInText) {
      this.#isInText = isText(line) && !text.trimEnd().endsWith("']")
      if (isText(line)) return true
    }
    return this.#open !== null && this.#continueCall(this.#open, text, line, isCut)
  }

  #continueCall(open: OpenCall, text: string, line: NtLine, isCut: boolean): boolean {
    const isNew = !line.isGlued && !isText(line)
    const end = isNew || isCut ? null : endOfCall(text)
    if (isNew || isCut || (end === null && open.texts.length >= OPEN_LINE_LIMIT)) {
      this.#open = null
      for (const [at, lost] of open.texts.entries()) countUnparsed(this.counts, open.number + at, lost)
      this.#handler.onGap(this.#tracks.of(open.line).tid, 1)
      return false
    }
    if (end === null) {
      open.texts.push(text.slice(0, 200))
      return true
    }
    this.#open = null
    this.#call({ ...open.line, ...end }, text)
    return true
  }

  #begin(line: NtLine, text: string, isCut: boolean): void {
    // Its name is all that is needed, and whether it was entered or returned is the only thing in doubt.
    if (isCut || text.includes('read error: ')) this.#cutCall(line)
    else this.#open = { line, number: this.#number, texts: [text.slice(0, 200)] }
  }

  /** A call of which only the beginning is there. */
  #cutCall(line: NtLine): void {
    const track = this.#tracks.of(line)
    const isReturn = !this.#hasPrecalls || (track.entered.get(nameOf(line.name)) ?? 0) > 0
    this.#call({ ...line, kind: isReturn ? 'call' : 'precall' }, '')
  }

  /** The log breaks off within a call. */
  #closeAtEnd(): void {
    const open = this.#open
    if (open === null) return
    this.#open = null
    this.#cutCall(open.line)
  }

  #call(line: NtLine, text: string): void {
    const isBare = !isNativeName(line.name)
    this.#hasBareNames ??= isBare
    if (isBare && !this.#hasBareNames) {
      countUnparsed(this.counts, this.#number, text)
      return
    }
    this.#isAfterCall = true
    this.#isInTotals = false
    this.#isInText = line.isTextOpen
    const name = nameOf(line.name)
    const track = this.#tracks.of(line)
    if (line.kind === 'precall') this.#enter(track, name)
    else this.#return(track, name, line.value)
  }

  #enter(track: NtTrack, name: string): void {
    if (!this.#hasPrecalls && this.#returnCount > 0) {
      const message = 'calls stand in the order in which they returned, and then in that in which they were entered'
      this.#handler.onNote({ code: 'mixed_order', message, inconclusive: true })
      this.#handler.onGap(0, 0)
    }
    this.#hasPrecalls = true
    track.entered.set(name, (track.entered.get(name) ?? 0) + 1)
    this.#tell(track, name)
  }

  #return(track: NtTrack, name: string, value: string): void {
    this.#signs.call(name, value)
    if (name.startsWith('NtCreateProcess') || name === 'NtCreateUserProcess') this.#tracks.creator = track
    const entered = track.entered.get(name) ?? 0
    if (entered === 0) {
      this.#returnCount += 1
      this.#tell(track, name)
    } else if (entered === 1) {
      track.entered.delete(name)
    } else {
      track.entered.set(name, entered - 1)
    }
  }

  #tell(track: NtTrack, name: string): void {
    this.#callCount += 1
    const { abi, nr } = this.#mapping.intern(name)
    if (abi === NAMED_ABI) this.#unknown.add(nr)
    this.counts.unknownNameCount = this.#unknown.size
    this.#handler.onCall(track.tid, abi, nr, false)
  }

  #start(process: NtLine, path: string): void {
    if (this.#tracks.beginProcess(process, path)) this.#signs.start()
  }

  /** The tail that -totals writes begins with its own line. */
  #isTotals({ name, first, time }: NtLine): boolean {
    if (first > 0 || time !== '') return true
    if (name === 'Total calls') this.#isInTotals = true
    return this.#isInTotals
  }
}

/** Nothing of NtTrace's by itself: it may be part of a string. */
function isText({ kind }: NtLine): boolean {
  return kind === 'other' || kind === 'blank' || kind === 'frame' || kind === 'totals'
}

/** One name per service: NtTrace writes Nt, other tools Zw, and the paper neither. */
function nameOf(printed: string): string {
  if (printed.startsWith('Nt') && isNativeName(printed)) return printed
  return `Nt${isNativeName(printed) ? printed.slice(2) : printed}`
}

/** Length of a UTF-8 byte order mark. */
function markLength(bytes: Uint8Array, at: number): number {
  return bytes[at] === 0xef && bytes[at + 1] === 0xbb && bytes[at + 2] === 0xbf ? 3 : 0
}

function noOrder(name: string): TracefpError {
  const why = 'it holds totals only (NtTrace -totals), which count calls and do not hold their order'
  return new TracefpError('TFP_ERR_SOURCE_LOG', `${name}: ${why}: record the calls too`)
}
