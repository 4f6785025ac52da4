// Windows consoles write logs as UTF-16. Bytes in any cut become UTF-8; bytes that are no UTF-16 stay as they are.

import { TextDecoder } from 'node:util'

export class Utf16Decoder {
  #decoder: TextDecoder | null = null
  #isDecided = false
  /** The first bytes, until it can be told what they are. */
  #start: Uint8Array = new Uint8Array(0)

  /** The chunk as UTF-8, or itself. */
  decode(chunk: Uint8Array): Uint8Array {
    if (this.#isDecided)
      return this.#decoder === null ? chunk : Buffer.from(this.#decoder.decode(chunk, { stream: true }))
    this.#start = Buffer.concat([this.#start, chunk])
    if (this.#start.length < 4) return new Uint8Array(0)
    return this.#decide()
  }

  /** What is left when no more bytes come. */
  end(): Uint8Array {
    const head = this.#isDecided ? new Uint8Array(0) : this.#decide()
    return this.#decoder === null ? head : Buffer.concat([head, Buffer.from(this.#decoder.decode())])
  }

  #decide(): Uint8Array {
    this.#isDecided = true
    const encoding = encodingOf(this.#start)
    if (encoding === null) return this.#start
    this.#decoder = new TextDecoder(encoding)
    return Buffer.from(this.#decoder.decode(this.#start, { stream: true }))
  }
}

/** By its mark, or by the zero bytes of ASCII. Null: no UTF-16. */
export function encodingOf(start: Uint8Array): 'utf-16le' | 'utf-16be' | null {
  const [a, b, c, d] = start
  if (a === 0xff && b === 0xfe) return 'utf-16le'
  if (a === 0xfe && b === 0xff) return 'utf-16be'
  if (a === 0 && c === 0 && isAscii(b) && isAscii(d)) return 'utf-16be'
  if (b === 0 && d === 0 && isAscii(a) && isAscii(c)) return 'utf-16le'
  return null
}

function isAscii(byte: number | undefined): boolean {
  return byte !== undefined && byte > 0 && byte < 0x80
}
