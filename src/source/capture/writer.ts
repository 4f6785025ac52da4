// Writes a live session down as it is told. A block is appended when it is full, when its first record is a second old and
// when it is asked for, so whatever kills tracefp, no more than the last second is missing. A file that can no longer be
// written to ends the capture, not the session.

import { closeSync, constants, fstatSync, fsyncSync, lstatSync, openSync, writeSync } from 'node:fs'
import { crc32 } from 'node:zlib'
import { TracefpError } from '../../errors.ts'
import { removeFile } from '../../model/remove-file.ts'
import type { StreamHandler } from '../../model/stream.ts'
import { ByteWriter } from './bytes.ts'
import { BLOCK_HEAD_BYTES, BLOCK_KIND, CAPTURE_MAGIC, CAPTURE_VERSION } from './layout.ts'
import { RecordEncoder } from './record-encoder.ts'
import type { CaptureSession, CaptureTrailer } from './values.ts'

const DEFAULT_BLOCK_BYTES = 32_768
const MAX_BLOCK_AGE_MS = 1000
const FLAGS = constants.O_WRONLY | constants.O_CREAT | constants.O_TRUNC | constants.O_APPEND

export interface CaptureWriterOptions {
  readonly file: string
  /** Of the numbers in the stream. */
  readonly mappingName: string
  /** When a block is full. */
  readonly blockBytes?: number
  /** Milliseconds since 1970; default: the clock. */
  readonly now?: () => number
  /** Whether it is on the disk once it ended; default: true. */
  readonly isSynced?: boolean
}

export class CaptureWriter {
  /** Why the capture ended before the session; null: it did not. */
  failure: TracefpError | null = null
  /** In the file. */
  byteCount = 0
  /** Told so far. */
  recordCount = 0
  readonly #file: string
  readonly #blockBytes: number
  readonly #now: () => number
  readonly #isSynced: boolean
  readonly #bytes = new ByteWriter()
  /** How the file begins. */
  readonly #line: Buffer
  #descriptor: number
  /** Of the blocks so far; null: there is none, and most captures that are kept in case of a miss never have one. */
  #crc: number | null = null
  #encoder: RecordEncoder | null = null
  #timer: NodeJS.Timeout | null = null

  /** Begins the file anew. @throws TracefpError TFP_ERR_FILE. */
  constructor({ file, mappingName, blockBytes, now, isSynced }: CaptureWriterOptions) {
    this.#isSynced = isSynced ?? true
    this.#file = file
    this.#blockBytes = blockBytes ?? DEFAULT_BLOCK_BYTES
    this.#now = now ?? Date.now
    this.#line = Buffer.from(`${CAPTURE_MAGIC} ${CAPTURE_VERSION} ${mappingName}\n`)
    try {
      this.#descriptor = openSync(file, FLAGS)
    } catch (cause) {
      throw fileError(file, cause)
    }
    this.#append(this.#line)
    this.#startBlock()
    if (this.failure !== null) throw this.failure
  }

  /** Writes the header. What is told to the handler that it returns is captured. */
  begin(session: CaptureSession): StreamHandler {
    this.#bytes.json(session)
    this.#writeBlock(BLOCK_KIND.header)
    this.#encoder = new RecordEncoder({
      bytes: this.#bytes,
      now: this.#now,
      startMs: Date.parse(session.startedAt),
      onRecord: () => this.#afterRecord(),
    })
    return this.#encoder
  }

  /** The time of the record told last, as the reader will tell it. */
  at(): string {
    return new Date(this.#encoder?.timeMs ?? this.#now()).toISOString()
  }

  /** Writes what there is. */
  flush(): void {
    if (this.#timer !== null) clearTimeout(this.#timer)
    this.#timer = null
    if (this.#bytes.length > BLOCK_HEAD_BYTES) this.#writeBlock(BLOCK_KIND.records)
  }

  /** The session is over: the capture is whole. */
  end(trailer: CaptureTrailer): void {
    this.flush()
    this.#bytes.json(trailer)
    this.#writeBlock(BLOCK_KIND.trailer)
    this.#close(this.#isSynced)
  }

  /** Ends a capture whose session came to no end; readers will find it cut off. Of one that never began nothing is left. */
  abandon(): void {
    if (this.#encoder === null) this.#remove()
    else this.flush()
    this.#close(false)
  }

  /** Only the file that was opened, and no device. */
  #remove(): void {
    if (this.#descriptor < 0) return
    const { dev, ino, mode } = fstatSync(this.#descriptor)
    const named = lstatSync(this.#file, { throwIfNoEntry: false })
    const isRegular = (mode & constants.S_IFMT) === constants.S_IFREG
    if (isRegular && named?.ino === ino && named.dev === dev) removeFile(this.#file)
  }

  #afterRecord(): void {
    this.recordCount += 1
    if (this.#bytes.length >= this.#blockBytes) this.flush()
    else if (this.#timer === null) this.#timer = setTimeout(() => this.flush(), MAX_BLOCK_AGE_MS).unref()
  }

  #startBlock(): void {
    this.#bytes.clear()
    this.#bytes.skip(BLOCK_HEAD_BYTES)
  }

  #writeBlock(kind: number): void {
    const block = this.#bytes.view
    block.writeUInt32LE(block.length - BLOCK_HEAD_BYTES, 4)
    block[8] = kind
    const crc = crc32(block.subarray(4), this.#crc ?? crc32(this.#line))
    block.writeUInt32LE(crc, 0)
    this.#crc = crc
    this.#append(block)
    this.#startBlock()
  }

  #append(bytes: Uint8Array): void {
    if (this.#descriptor < 0) return
    try {
      for (let at = 0; at < bytes.length; ) at += writeSync(this.#descriptor, bytes, at)
      this.byteCount += bytes.length
    } catch (cause) {
      this.failure = fileError(this.#file, cause)
      this.#close(false)
    }
  }

  #close(isSynced: boolean): void {
    if (this.#descriptor < 0) return
    const descriptor = this.#descriptor
    this.#descriptor = -1
    try {
      if (isSynced) fsyncSync(descriptor)
    } catch (cause) {
      // A pipe cannot be synced.
      if (!isCode(cause, 'EINVAL') && !isCode(cause, 'EROFS')) this.failure = fileError(this.#file, cause)
    }
    closeSync(descriptor)
  }
}

function fileError(file: string, cause: unknown): TracefpError {
  return new TracefpError('TFP_ERR_FILE', `${file}: ${(cause as Error).message}`, { cause })
}

function isCode(error: unknown, code: string): boolean {
  return error instanceof Error && 'code' in error && error.code === code
}
