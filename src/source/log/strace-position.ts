// Where a reader of strace's text stands. The time is asked for where something is told that is not right, so it is read only then: of
// most lines it is only known where they stand, in bytes that are soon overwritten.

import { newLine, readLine, withoutColours } from './strace-line.ts'

/** The time of a line, as printed. */
export class LineTime {
  #text: string
  #isRead: boolean

  /** `isRead`: the text is the time; else the line, or its beginning. */
  constructor(text: string, isRead: boolean) {
    this.#text = text
    this.#isRead = isRead
  }

  /** Empty: the line has none. */
  get text(): string {
    if (!this.#isRead) {
      const line = newLine()
      readLine(withoutColours(this.#text), line)
      this.#text = line.time
      this.#isRead = true
    }
    return this.#text
  }
}

export interface Place {
  readonly line: number
  readonly time: LineTime
}

const NO_TIME = new LineTime('', true)
/** No prefix of a line is longer. */
const PREFIX_BYTES = 256

export class Position implements Place {
  line = 0
  /** Null: it is in the bytes. */
  #time: LineTime | null = NO_TIME
  #bytes: Buffer = Buffer.alloc(0)
  #begin = 0
  #end = 0

  get time(): LineTime {
    this.#time ??= new LineTime(
      this.#bytes.toString('latin1', this.#begin, Math.min(this.#end, this.#begin + PREFIX_BYTES)),
      false,
    )
    return this.#time
  }

  /** From here on. */
  set({ line, time }: Place): void {
    this.line = line
    this.#time = time
  }

  /** The line is bytes[begin, end), which stay as they are until the next call or `keep`. */
  stand(line: number, bytes: Buffer, begin: number, end: number): void {
    this.line = line
    this.#time = null
    this.#bytes = bytes
    this.#begin = begin
    this.#end = end
  }

  /** As it is now. Where the bytes are about to be overwritten it must be asked for. */
  keep(): Place {
    return { line: this.line, time: this.time }
  }
}
