// Finds the first line and the blocks of a capture in bytes that are cut anywhere. What is wrong at the very end of a file is
// what a killed writer or a power cut leaves, a torn block; what is wrong before it is damage, and refused.

import { crc32 } from 'node:zlib'
import { FormatError } from '../../errors.ts'
import { ByteWriter, captureError } from './bytes.ts'
import { BLOCK_HEAD_BYTES, CAPTURE_MAGIC, CAPTURE_VERSION, MAX_BLOCK_BYTES, MAX_LINE_BYTES } from './layout.ts'

const NEWLINE = 0x0a
const LENGTH_AT = 4
const KIND_AT = 8

export interface BlockReaderEvents {
  /** The name of the mapping. */
  readonly onLine: (mappingName: string) => void
  /** `offset`: of the payload in the file. The payload is overwritten after the call. */
  readonly onBlock: (kind: number, payload: Uint8Array, offset: number) => void
}

export class BlockReader {
  /** The file up to here was told. */
  offset = 0
  readonly #file: string
  readonly #events: BlockReaderEvents
  readonly #pending = new ByteWriter()
  #hasLine = false
  #crc = 0
  /** What is wrong with the last block, unless there is something after it. */
  #torn: FormatError | null = null

  constructor(file: string, events: BlockReaderEvents) {
    this.#file = file
    this.#events = events
  }

  /** @throws FormatError TFP_ERR_SOURCE_CAPTURE, TFP_ERR_SOURCE_VERSION. */
  write(chunk: Uint8Array): void {
    for (let at = 0; at < chunk.length; ) {
      if (this.#torn !== null) {
        this.#expectZeros(chunk, at)
        return
      }
      at += this.#hasLine ? this.#fillBlock(chunk, at) : this.#fillLine(chunk, at)
    }
  }

  /** Whether the bytes ended between two blocks. */
  get isWhole(): boolean {
    return this.#hasLine && this.#torn === null && this.#pending.length === 0
  }

  #fillLine(chunk: Uint8Array, at: number): number {
    const newline = chunk.indexOf(NEWLINE, at)
    const end = newline < 0 ? chunk.length : newline + 1
    this.#pending.bytes(chunk.subarray(at, Math.min(end, at + MAX_LINE_BYTES + 1)))
    const line = this.#pending.view
    if (!isBeginningOfLine(line) || line.length > MAX_LINE_BYTES) this.#fail(`no ${CAPTURE_MAGIC} begins here`)
    if (newline >= 0) {
      const { version, mappingName } = readLine(line)
      if (version > CAPTURE_VERSION) throw newerVersion(this.#file, version)
      if (version === 0 || mappingName === undefined) this.#fail('the first line names no version or no mapping')
      this.#crc = crc32(line)
      this.#hasLine = true
      this.#consume()
      this.#events.onLine(mappingName)
    }
    return end - at
  }

  #fillBlock(chunk: Uint8Array, at: number): number {
    const pending = this.#pending
    const wanted = pending.length < BLOCK_HEAD_BYTES ? BLOCK_HEAD_BYTES : BLOCK_HEAD_BYTES + this.#length()
    const end = Math.min(chunk.length, at + wanted - pending.length)
    pending.bytes(chunk.subarray(at, end))
    if (pending.length === wanted) {
      if (wanted === BLOCK_HEAD_BYTES) this.#checkHead()
      else this.#tell()
    }
    return end - at
  }

  #length(): number {
    return this.#pending.view.readUInt32LE(LENGTH_AT)
  }

  #checkHead(): void {
    const length = this.#length()
    if (length > 0 && length <= MAX_BLOCK_BYTES) return
    const error = captureError(this.#file, this.offset, `a block of ${length} bytes`)
    if (length > 0) throw error
    // After a power cut a file may go on with zeros.
    this.#torn = error
  }

  #tell(): void {
    const block = this.#pending.view
    const crc = crc32(block.subarray(LENGTH_AT), this.#crc)
    if (crc !== block.readUInt32LE(0)) {
      this.#torn = captureError(this.#file, this.offset, 'the block is damaged: its checksum is another one')
      return
    }
    this.#crc = crc
    const payloadAt = this.offset + BLOCK_HEAD_BYTES
    this.#consume()
    this.#events.onBlock(block[KIND_AT] as number, block.subarray(BLOCK_HEAD_BYTES), payloadAt)
  }

  #consume(): void {
    this.offset += this.#pending.length
    this.#pending.clear()
  }

  #expectZeros(chunk: Uint8Array, from: number): void {
    for (let at = from; at < chunk.length; at += 1) if (chunk[at] !== 0) throw this.#torn
  }

  #fail(what: string): never {
    throw captureError(this.#file, this.offset, what)
  }
}

/** Whether these bytes are the first line of a capture, or the beginning of one. */
export function isBeginningOfLine(bytes: Uint8Array): boolean {
  const magic = `${CAPTURE_MAGIC} `
  const text = Buffer.from(bytes.subarray(0, magic.length)).toString('latin1')
  return magic.startsWith(text) && text !== ''
}

/** The version, 0 = none, and the name of the mapping in the first line. */
export function readLine(line: Uint8Array): { version: number; mappingName: string | undefined } {
  const text = Buffer.from(line.subarray(0, MAX_LINE_BYTES)).toString('latin1')
  const [, version, rest] = /^\S+ ([1-9]\d{0,8})(?: (.*))?\n/.exec(text) ?? []
  return { version: Number(version ?? 0), mappingName: /^[\w.-]{1,64}$/.exec(rest ?? '')?.[0] }
}

function newerVersion(file: string, version: number): FormatError {
  const what = `a capture of version ${version}, this tracefp reads version ${CAPTURE_VERSION}: update tracefp`
  return new FormatError('TFP_ERR_SOURCE_VERSION', what, file, 0)
}
