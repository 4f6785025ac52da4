// Messages over a stream between two processes of tracefp: the length of each, and what structured clone makes of it.

import { readSync } from 'node:fs'
import { deserialize, serialize } from 'node:v8'

const HEAD_BYTES = 4
/** No message of tracefp's is longer. */
const BODY_LIMIT = 1 << 28

export function frameOf(message: unknown): Buffer {
  const body = serialize(message)
  const head = Buffer.alloc(HEAD_BYTES)
  head.writeUInt32LE(body.length)
  return Buffer.concat([head, body])
}

/** Takes bytes, cut anywhere, and tells each message that is whole. What it throws is about bytes that are no messages, or from `tell`. */
export function frameReader(tell: (message: unknown) => void): (chunk: Buffer) => void {
  let parts: Buffer[] = []
  let length = 0
  /** With fewer bytes than these nothing can be told. */
  let wanted = HEAD_BYTES
  return (chunk) => {
    parts.push(chunk)
    length += chunk.length
    if (length < wanted) return
    for (let rest = parts.length === 1 ? chunk : Buffer.concat(parts); ; ) {
      const end = rest.length < HEAD_BYTES ? HEAD_BYTES : HEAD_BYTES + bodyLengthOf(rest)
      parts = [rest]
      length = rest.length
      wanted = end
      if (length < wanted) return
      const body = rest.subarray(HEAD_BYTES, end)
      rest = rest.subarray(end)
      parts = [rest]
      length = rest.length
      wanted = HEAD_BYTES
      tell(deserialize(body))
    }
  }
}

/** The next message, and nothing that comes after it. Null: the stream ended. */
export function readFrame(descriptor: number): unknown {
  const head = readExactly(descriptor, HEAD_BYTES)
  const body = head === null ? null : readExactly(descriptor, bodyLengthOf(head))
  return body === null ? null : deserialize(body)
}

function bodyLengthOf(head: Buffer): number {
  const length = head.readUInt32LE()
  if (length > BODY_LIMIT) throw new Error(`a message of ${length} bytes is none of tracefp's`)
  return length
}

function readExactly(descriptor: number, count: number): Buffer | null {
  const bytes = Buffer.alloc(count)
  for (let at = 0; at < count; ) {
    const length = readSync(descriptor, bytes, at, count - at, null)
    if (length === 0) return null
    at += length
  }
  return bytes
}
