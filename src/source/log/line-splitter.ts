// Bytes in any cut become lines: LF or CRLF ends one, and what stands after the last of them is a line too. Pulled line by
// line, so that a reader can stop between two. A line over the limit keeps its beginning only: `isCut`.

/** No reader holds a longer line in memory. */
export const LINE_LIMIT: number = 1 << 20

const LF = 10
const CR = 13
const FIRST_CARRY = 4096

export class LineSplitter {
  /** The line: `bytes[start..end)`, without its break, valid until the next call of any method. */
  bytes: Buffer = Buffer.alloc(0)
  start = 0
  end = 0
  /** Number of the line, from 1. */
  number = 0
  /** Bytes of the line are missing: it was longer than LINE_LIMIT. */
  isCut = false
  /** The line has no line break: it is the last of the log, which may have been cut off. */
  isOpen = false

  #chunk: Buffer = Buffer.alloc(0)
  #at = 0
  /** The beginning of a line whose end is not there yet. */
  #carry: Buffer = Buffer.alloc(0)
  #carryLength = 0
  #isCarryCut = false
  #hasEnded = false

  /** The next bytes. All lines of the chunk before must have been taken; the chunk is not copied before it is used up. */
  push(chunk: Uint8Array): void {
    this.#chunk = Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength)
    this.#at = 0
  }

  /** No more bytes come: what is left is the last line. */
  finish(): void {
    this.#hasEnded = true
  }

  get isFinished(): boolean {
    return this.#hasEnded
  }

  /** What was pushed last; bytes before `at` were taken. */
  get chunk(): Buffer {
    return this.#chunk
  }

  get at(): number {
    return this.#at
  }

  /** Skips lines of the chunk that somebody else has read: `byteCount` bytes, up to behind a line break. */
  skip(byteCount: number, lineCount: number): void {
    this.#at += byteCount
    this.number += lineCount
  }

  /** Takes the next line, which begins at `at` and of which somebody else knows how long it is without its line feed. */
  take(byteCount: number): void {
    this.#take(this.#chunk, this.#at, this.#at + byteCount, false)
    this.#at += byteCount + 1
  }

  /** Whether the chunk's next byte begins a line. */
  get isAtLineStart(): boolean {
    return this.#carryLength === 0 && !this.#isCarryCut
  }

  /** Takes the next line. False: more bytes are needed, or all is over. */
  next(): boolean {
    const found = this.#at < this.#chunk.length ? this.#chunk.indexOf(LF, this.#at) : -1
    if (found < 0) return this.#keepRest()
    if (this.isAtLineStart) {
      this.#take(this.#chunk, this.#at, found, false)
    } else {
      this.#append(this.#chunk, this.#at, found)
      this.#take(this.#carry, 0, this.#carryLength, this.#isCarryCut)
      this.#carryLength = 0
      this.#isCarryCut = false
    }
    this.#at = found + 1
    return true
  }

  #keepRest(): boolean {
    this.#append(this.#chunk, this.#at, this.#chunk.length)
    this.#at = this.#chunk.length
    if (!this.#hasEnded || this.isAtLineStart) return false
    this.#take(this.#carry, 0, this.#carryLength, this.#isCarryCut)
    this.isOpen = true
    this.#carryLength = 0
    this.#isCarryCut = false
    return true
  }

  #take(bytes: Buffer, start: number, end: number, isCut: boolean): void {
    this.bytes = bytes
    this.start = start
    this.isCut = isCut || end - start > LINE_LIMIT
    this.end = this.isCut ? Math.min(end, start + LINE_LIMIT) : end > start && bytes[end - 1] === CR ? end - 1 : end
    this.isOpen = false
    this.number += 1
  }

  #append(bytes: Buffer, start: number, end: number): void {
    const free = LINE_LIMIT + 1 - this.#carryLength
    const count = Math.min(end - start, free)
    if (count < end - start) this.#isCarryCut = true
    const length = this.#carryLength + count
    if (length > this.#carry.length) {
      const grown = Buffer.allocUnsafe(Math.max(FIRST_CARRY, Math.min(2 * length, LINE_LIMIT + 1)))
      this.#carry.copy(grown, 0, 0, this.#carryLength)
      this.#carry = grown
    }
    bytes.copy(this.#carry, this.#carryLength, start, start + count)
    this.#carryLength = length
  }
}
