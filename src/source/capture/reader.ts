// The log format `capture`: replays the stream of a live session, call by call. Its session, its mapping and its images are
// known, so a check of it is as good as the live one. A capture that was cut off ends with a gap and an inconclusive note.

import { FormatError } from '../../errors.ts'
import type { StreamHandler } from '../../model/stream.ts'
import { type LogCounts, type LogFormat, type LoggedSession, type LogReader, newCounts } from '../log/log-reader.ts'
import { BlockReader, isBeginningOfLine, readLine } from './block-reader.ts'
import { ByteReader, captureError } from './bytes.ts'
import { BLOCK_KIND, MAX_LINE_BYTES } from './layout.ts'
import { RecordDecoder } from './record-decoder.ts'
import { isCaptureSession, isCaptureTrailer } from './values.ts'

export const CAPTURE_FORMAT: LogFormat = {
  name: 'capture',
  recognise(head) {
    const isCapture = head.length > 8 && isBeginningOfLine(head)
    return {
      sureness: isCapture ? 1 : 0,
      reason: isCapture ? 'it begins as a capture' : 'it does not begin as a capture',
    }
  },
  order: () => 'entry',
  mappingName: (head) => readLine(head.subarray(0, MAX_LINE_BYTES)).mappingName,
  open: ({ handler, name }) => new CaptureReader(handler, name),
}

export class CaptureReader implements LogReader {
  readonly counts: LogCounts = newCounts()
  session: LoggedSession | null = null
  readonly #handler: StreamHandler
  readonly #name: string
  readonly #blocks: BlockReader
  #decoder: RecordDecoder | null = null
  #isOver = false

  constructor(handler: StreamHandler, name: string) {
    this.#handler = handler
    this.#name = name
    this.#blocks = new BlockReader(name, {
      onLine: () => {},
      onBlock: (kind, payload, offset) => this.#block(kind, new ByteReader(payload, name, offset)),
    })
  }

  /** @throws FormatError TFP_ERR_SOURCE_CAPTURE, TFP_ERR_SOURCE_VERSION: all records before the damage were told. */
  write(chunk: Uint8Array): void {
    try {
      this.#blocks.write(chunk)
      if (this.#isOver && !this.#blocks.isWhole)
        throw captureError(this.#name, this.#blocks.offset, 'there is more after the end of the session')
    } catch (error) {
      // What was told before is true, but not all there was.
      if (error instanceof FormatError) this.#tellGap('capture_damaged', 'the capture is damaged')
      throw error
    }
  }

  end(): void {
    if (this.#isOver) return
    this.#tellGap('capture_cut', 'the capture was cut off')
  }

  /** The time at which the live session was told, to the millisecond. */
  at(): string {
    return this.#decoder === null ? '' : new Date(this.#decoder.timeMs).toISOString()
  }

  #tellGap(code: string, what: string): void {
    const message = `${what} at byte ${this.#blocks.offset}: what came then is not known`
    this.#handler.onGap(0, 0)
    this.#handler.onNote({ code, message, inconclusive: true })
  }

  #block(kind: number, bytes: ByteReader): void {
    if (this.#isOver) bytes.fail('a block after the trailer')
    if (this.#decoder === null) this.#header(kind, bytes)
    else if (kind === BLOCK_KIND.trailer) this.#trailer(bytes)
    else if (kind === BLOCK_KIND.records) this.#records(this.#decoder, bytes)
    else bytes.fail('a block of another kind than can stand here')
  }

  #header(kind: number, bytes: ByteReader): void {
    if (kind !== BLOCK_KIND.header) bytes.fail('the first block is no header')
    const value = bytes.json()
    if (!isCaptureSession(value)) bytes.fail('a header with other fields')
    bytes.expectEnd()
    this.session = { ...value, endedAt: null }
    this.#decoder = new RecordDecoder(this.#handler, Date.parse(value.startedAt))
  }

  #records(decoder: RecordDecoder, bytes: ByteReader): void {
    try {
      decoder.decode(bytes)
    } finally {
      this.counts.lineCount = decoder.recordCount
    }
  }

  #trailer(bytes: ByteReader): void {
    const value = bytes.json()
    if (!isCaptureTrailer(value)) bytes.fail('a trailer with other fields')
    bytes.expectEnd()
    this.session = { ...(this.session as LoggedSession), endedAt: value.endedAt }
    this.#isOver = true
  }
}
