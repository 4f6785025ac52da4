// Messages over a stream between two processes of tracefp: the length of each, and what structured clone makes of it.

import { readSync } from 'node:fs'
import { deserialize, serialize } from 'node:v8'

const HEAD_BYTES = 4

export function frameOf(message: unknown): Buffer {
  const body = serialize(message)
  const head = Buffer.alloc(HEAD_BYTES)
  head.writeUInt32LE(body.length)
  return Buffer.concat([head, body])
}

/** Takes bytes, cut anywhere, and tells each message that is whole. */
export function frameReader(tell: (message: unknown) => void): (chunk: Buffer) => void {
  let rest: Buffer = Buffer.alloc(0)
  return (chunk) => {
    rest = rest.length === 0 ? chunk : Buffer.concat([rest, chunk])
    while (rest.length >= HEAD_BYTES) {
      const end = HEAD_BYTES + rest.readUInt32LE()
      if (rest.length < end) return
      const body = rest.subarray(HEAD_BYTES, end)
      rest = rest.subarray(end)
      tell(deserialize(body))
    }
  }
}

/** The next message, and nothing that comes after it. Null: the stream ended. */
export function readFrame(descriptor: number): unknown {
  const head = readExactly(descriptor, HEAD_BYTES)
  const body = head === null ? null : readExactly(descriptor, head.readUInt32LE())
  return body === null ? null : deserialize(body)
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
