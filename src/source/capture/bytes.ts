// Bytes to write into and to read from: LEB128 numbers and JSON. The reader is made for hostile bytes: it never looks past
// its end, and every complaint names the file and the byte.

import { FormatError } from '../../errors.ts'

const FIRST_BYTES = 4096
/** 2^53 has eight groups of seven bits. */
const MAX_VARINT_BYTES = 8

export class ByteWriter {
  #bytes: Buffer<ArrayBuffer> = Buffer.allocUnsafe(FIRST_BYTES)
  length = 0

  /** Until the next write. */
  get view(): Buffer<ArrayBuffer> {
    return this.#bytes.subarray(0, this.length)
  }

  clear(): void {
    this.length = 0
  }

  /** Leaves room that is filled in later. */
  skip(count: number): void {
    if (this.length + count > this.#bytes.length) this.#grow(count)
    this.length += count
  }

  byte(value: number): void {
    if (this.length === this.#bytes.length) this.#grow(1)
    this.#bytes[this.length++] = value
  }

  /** 0 or a positive safe integer. */
  number(value: number): void {
    let rest = value
    while (rest >= 0x80) {
      this.byte((rest % 0x80) | 0x80)
      rest = Math.floor(rest / 0x80)
    }
    this.byte(rest)
  }

  /** An integer within 2^52. */
  signed(value: number): void {
    this.number(value < 0 ? -2 * value - 1 : 2 * value)
  }

  bytes(bytes: Uint8Array): void {
    if (this.length + bytes.length > this.#bytes.length) this.#grow(bytes.length)
    this.#bytes.set(bytes, this.length)
    this.length += bytes.length
  }

  /** Every string comes back as it was: JSON escapes what UTF-8 cannot hold. */
  json(value: unknown): void {
    const bytes = Buffer.from(JSON.stringify(value))
    this.number(bytes.length)
    this.bytes(bytes)
  }

  #grow(count: number): void {
    const grown = Buffer.allocUnsafe(Math.max(2 * this.#bytes.length, this.length + count))
    grown.set(this.view)
    this.#bytes = grown
  }
}

export class ByteReader {
  readonly bytes: Uint8Array
  readonly #file: string
  /** Where in the file the first of the bytes stands. */
  readonly #origin: number
  /** What is read next; not beyond the end. */
  at = 0

  constructor(bytes: Uint8Array, file: string, origin: number) {
    this.bytes = bytes
    this.#file = file
    this.#origin = origin
  }

  get isAtEnd(): boolean {
    return this.at >= this.bytes.length
  }

  byte(): number {
    const value = this.bytes[this.at]
    if (value === undefined) this.fail('a record is cut off')
    this.at += 1
    return value
  }

  number(): number {
    let value = 0
    let weight = 1
    for (let i = 0; i < MAX_VARINT_BYTES; i += 1) {
      const byte = this.byte()
      value += (byte & 0x7f) * weight
      if (byte < 0x80) {
        if (value > Number.MAX_SAFE_INTEGER) break
        return value
      }
      weight *= 0x80
    }
    this.fail('a number is too large')
  }

  signed(): number {
    const value = this.number()
    return value % 2 === 0 ? value / 2 : -(value + 1) / 2
  }

  json(): unknown {
    const length = this.number()
    if (length > this.bytes.length - this.at) this.fail('a text is cut off')
    const text = Buffer.from(this.bytes.buffer, this.bytes.byteOffset + this.at, length).toString()
    let value: unknown
    try {
      value = JSON.parse(text)
    } catch {
      this.fail('a text is not JSON')
    }
    this.at += length
    return value
  }

  expectEnd(): void {
    if (!this.isAtEnd) this.fail('there is more than one value')
  }

  fail(what: string): never {
    throw captureError(this.#file, this.#origin + this.at, what)
  }
}

export function captureError(file: string, offset: number, what: string): FormatError {
  return new FormatError('TFP_ERR_SOURCE_CAPTURE', `byte ${offset}: ${what}`, file, 0)
}
