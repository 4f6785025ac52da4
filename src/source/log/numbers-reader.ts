// Logs of numbers: UNM, ADFA-LD and whatever else is digits. Which call a number is says the mapping that the user names.
// Nothing tells how a trace began, so its tracks are joined: the first transition is not judged, and neither is its end.
// Read byte by byte: a trace of a gigabyte in one line is as good as any.
import { UsageError } from '../../errors.ts'
import type { StreamHandler } from '../../model/stream.ts'
import { ABI_CODES } from '../../syscall/abi.ts'
import type { CallNumber, NamingMapping } from '../../syscall/naming.ts'
import {
  countUnparsed,
  type LogCounts,
  type LogFormat,
  type LogReader,
  type LogReaderOptions,
  newCounts,
} from './log-reader.ts'
import { HEAD_LENGTH, layoutOf, type NumbersLayout } from './numbers-layout.ts'

const NAME_LIMIT = 200
/** A number in a fingerprint is 32 bits. */
const DIGIT_LIMIT = 11
/** Tracks of one trace that are kept; of more pids the oldest is forgotten, and joined again when it comes back. */
const TRACK_LIMIT = 65536

const TAB = 9
const LF = 10
const CR = 13
const SPACE = 32
const HASH = 35
const COMMA = 44
const MINUS = 45
const ZERO = 48
const NINE = 57

export const numbersFormat: LogFormat = {
  name: 'numbers',
  tellsSignals: false,
  recognise: (head) => {
    // The last line may be cut.
    const found = layoutOf(head, false)
    if (found === null || found.share < 0.9) return { sureness: 0, reason: 'its lines are not numbers' }
    const sureness = found.share * (found.lineCount > 1 || found.layout !== 'column' ? 0.9 : 0.5)
    return { sureness, reason: REASONS[found.layout] }
  },
  order: () => 'entry',
  open: (options) => new NumbersReader(options),
}

const REASONS: Readonly<Record<NumbersLayout, string>> = {
  column: 'one number a line: one trace',
  pairs: 'pairs of pid and number',
  lines: 'lines of numbers: a trace a line',
  named: 'a name and numbers: a trace a line',
}

class NumbersReader implements LogReader {
  readonly counts: LogCounts = newCounts()
  readonly #name: string
  readonly #mapping: NamingMapping
  readonly #abi: number
  readonly #nextSession: ((name: string) => StreamHandler) | undefined
  readonly #calls = new Map<number, CallNumber>()
  readonly #tracks = new Set<number>()
  #handler: StreamHandler
  /** Bytes that came before the layout was decided. */
  #head: Buffer[] | null = []
  #headLength = 0
  #layout: NumbersLayout = 'lines'

  #tid = 1

  // The line that is being read.
  #state: 'start' | 'name' | 'words' | 'rest' = 'start'
  #begin = ''
  #nameText = ''
  /** The word so far: digits, and a minus in front. */
  #digitCount = 0
  #value = 0
  #isNegative = false
  #wordCount = 0
  /** Of `column` and `pairs`: told when the line is over, since nothing may follow it. */
  #nr = 0
  #pid = 0
  #isTrace = false
  #hasBytes = false
  #isBlank = true

  constructor({ handler, mapping, name, nextSession }: LogReaderOptions) {
    if (!mapping.hasNumbers) {
      throw new UsageError(
        `${mapping.name} has no numbers, they change with each build: give the one of the log's build`,
      )
    }
    this.#handler = handler
    this.#mapping = mapping
    this.#name = name
    this.#nextSession = nextSession
    this.#abi = ABI_CODES[mapping.nativeAbi]
  }

  write(chunk: Uint8Array): void {
    if (this.#head === null) {
      this.#read(chunk)
      return
    }
    this.#head.push(Buffer.from(chunk))
    this.#headLength += chunk.length
    if (this.#headLength >= HEAD_LENGTH) this.#decide(false)
  }

  end(): void {
    if (this.#head !== null) this.#decide(true)
    if (this.#hasBytes) this.#endLine()
  }

  at(): string {
    return `line ${this.counts.lineCount + 1}`
  }

  #decide(isWhole: boolean): void {
    const bytes = Buffer.concat(this.#head ?? [])
    this.#head = null
    this.#layout = layoutOf(bytes.subarray(0, HEAD_LENGTH), isWhole)?.layout ?? 'lines'
    const hasMark = bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf
    this.#read(hasMark ? bytes.subarray(3) : bytes)
  }

  #read(bytes: Uint8Array): void {
    for (let at = 0; at < bytes.length; at += 1) {
      const byte = bytes[at] as number
      if (byte === LF) {
        this.#endLine()
        continue
      }
      this.#hasBytes = true
      if (this.#begin.length < NAME_LIMIT) this.#begin += String.fromCharCode(byte)
      if (this.#state === 'words') this.#readByte(byte)
      else if (this.#state === 'start') this.#startLine(byte)
      else if (this.#state === 'name') this.#readName(byte)
    }
  }

  #startLine(byte: number): void {
    if (byte === HASH) {
      this.#isBlank = false
      this.#state = 'rest'
    } else if (this.#layout === 'named') {
      this.#state = 'name'
      this.#readName(byte)
    } else {
      this.#state = 'words'
      this.#readByte(byte)
    }
  }

  #readName(byte: number): void {
    if (byte === TAB && !this.#isBlank) {
      this.#state = 'words'
    } else {
      if (byte !== SPACE && byte !== TAB && byte !== CR) this.#isBlank = false
      if (this.#nameText.length < NAME_LIMIT) this.#nameText += String.fromCharCode(byte)
    }
  }

  #readByte(byte: number): void {
    if (byte >= ZERO && byte <= NINE) {
      this.#digitCount += 1
      this.#value = this.#value * 10 + byte - ZERO
      if (this.#digitCount > DIGIT_LIMIT) this.#fail()
    } else if (byte === SPACE || byte === TAB || byte === CR || byte === COMMA) {
      this.#endWord(byte)
    } else if (byte === MINUS && this.#digitCount === 0 && !this.#isNegative) {
      this.#isNegative = true
    } else {
      this.#fail()
    }
  }

  #endWord(end: number): void {
    if (this.#digitCount === 0) {
      if (this.#isNegative) this.#fail()
      return
    }
    const nr = this.#isNegative ? -this.#value : this.#value
    this.#digitCount = 0
    this.#value = 0
    this.#isNegative = false
    this.#isBlank = false
    if (nr !== (nr | 0)) {
      this.#fail()
      return
    }
    this.#wordCount += 1
    if (this.#layout === 'lines' || this.#layout === 'named') this.#wordOfTrace(nr, end)
    else if (this.#wordCount > (this.#layout === 'pairs' ? 2 : 1)) this.#fail()
    else if (this.#layout === 'pairs' && this.#wordCount === 1) this.#tid = nr
    else this.#nr = nr
  }

  #wordOfTrace(nr: number, end: number): void {
    if (this.#wordCount === 1 && this.#layout === 'named' && end === TAB && this.#pid === 0 && nr > 0) {
      this.#pid = nr
      this.#wordCount = 0
      return
    }
    if (this.#wordCount === 1) this.#beginTrace()
    this.#call(nr)
  }

  #beginTrace(): void {
    const line = this.counts.lineCount + 1
    this.#isTrace = true
    if (this.#nextSession === undefined) {
      this.#tid = line
    } else {
      this.#tid = this.#pid === 0 ? 1 : this.#pid
      const own = this.#pid === 0 ? decoded(this.#nameText) : `${decoded(this.#nameText)} ${this.#pid}`
      this.#handler = this.#nextSession(this.#layout === 'named' ? own : `${this.#name}:${line}`)
      this.#tracks.clear()
    }
  }

  #call(nr: number): void {
    let call = this.#calls.get(nr)
    if (call === undefined) {
      const symbol = this.#mapping.symbolOf(this.#abi, nr)
      call = this.#mapping.intern(symbol)
      this.#calls.set(nr, call)
      if (this.#mapping.unknownNames.has(symbol)) this.counts.unknownNameCount += 1
    }
    if (!this.#tracks.has(this.#tid)) this.#beginTrack()
    this.#handler.onCall(this.#tid, call.abi, call.nr, false)
  }

  #beginTrack(): void {
    if (this.#tracks.size >= TRACK_LIMIT) {
      const [oldest] = this.#tracks as Set<number> & Iterable<number>
      if (oldest !== undefined) {
        this.#tracks.delete(oldest)
        // As one that was killed: nothing is judged at its end.
        this.#handler.onExit(oldest, 0, 9)
      }
    }
    this.#tracks.add(this.#tid)
    this.#handler.onBirth(this.#tid, 0, this.#tid, 'join')
  }

  /** The rest of the line means nothing. What it said before stays; what comes after is not next to it. */
  #fail(): void {
    this.#state = 'rest'
    this.#isBlank = false
    this.#wordCount = -1
  }

  #endLine(): void {
    if (this.#state === 'words') this.#endWord(LF)
    const isName = this.#state === 'name' && !this.#isBlank
    const isShort = this.#state === 'words' && !this.#isBlank && !this.#isComplete()
    if (this.#wordCount < 0 || isName || isShort) this.#unparsed()
    else if (this.#wordCount > 0 && (this.#layout === 'pairs' || this.#layout === 'column')) this.#call(this.#nr)
    this.counts.lineCount += 1
    this.#state = 'start'
    this.#begin = ''
    this.#nameText = ''
    this.#digitCount = 0
    this.#value = 0
    this.#isNegative = false
    this.#wordCount = 0
    this.#pid = 0
    this.#isTrace = false
    this.#hasBytes = false
    this.#isBlank = true
  }

  #isComplete(): boolean {
    if (this.#layout === 'pairs') return this.#wordCount === 2 && this.#tid > 0
    return this.#layout === 'named' || this.#wordCount > 0
  }

  #unparsed(): void {
    countUnparsed(this.counts, this.counts.lineCount + 1, this.#begin)
    const isOwnTrace = this.#layout === 'lines' || this.#layout === 'named'
    if (isOwnTrace && this.#isTrace) this.#handler.onGap(this.#tid, 0)
    // A head over the first numbers is no gap.
    else if (!isOwnTrace && this.#tracks.size > 0) this.#handler.onGap(0, 0)
  }
}

/** The bytes of a name, which may be UTF-8. */
function decoded(latin1: string): string {
  const text = Buffer.from(latin1, 'latin1').toString('utf8')
  return text.includes('\ufffd') ? latin1 : text
}
