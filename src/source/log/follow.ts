// The bytes of a log that is still being written: what is there, and what comes. The file may be rotated: when the name leads to
// another file, the old one is read to its end and the new one from its beginning; a file that became shorter was emptied and
// is read anew. Ends only when it is told to.

import { type FileHandle, open, stat } from 'node:fs/promises'
import { setTimeout as sleep } from 'node:timers/promises'
import { TracefpError } from '../../errors.ts'
import type { LogBytes } from './log-bytes.ts'

const CHUNK_BYTES = 1 << 18
const LOOK_MS = 200
const LF = 10

/** `signal` ends it. @throws TracefpError TFP_ERR_FILE: the file is not there at the beginning. */
export async function followLogBytes(path: string, name: string, signal: AbortSignal): Promise<LogBytes> {
  let position = 0
  const first = await openExisting(path, name)
  async function* chunks(): AsyncGenerator<Uint8Array> {
    const buffer = Buffer.allocUnsafe(CHUNK_BYTES)
    let file = first
    let at = 0
    let last = LF
    try {
      for (;;) {
        const { bytesRead } = await file.read(buffer, 0, buffer.length, at)
        if (bytesRead > 0) {
          at += bytesRead
          position += bytesRead
          last = buffer[bytesRead - 1] as number
          yield buffer.subarray(0, bytesRead)
          continue
        }
        if (signal.aborted) return
        const next = await nextFile(path, file, at)
        if (next === 'same') {
          await sleep(LOOK_MS, undefined, { signal }).catch(() => {})
        } else {
          const rest = at
          at = 0
          if (next !== 'emptied') {
            // What was written between our last look and the rotation.
            for await (const chunk of restOf(file, rest, buffer)) {
              last = chunk[chunk.length - 1] as number
              yield chunk
            }
            await file.close()
            file = next
          }
          // What is left of a line is no beginning of the next file's first one.
          if (last !== LF) yield Buffer.of(LF)
          last = LF
        }
      }
    } finally {
      await file.close()
    }
  }
  async function* restOf(file: FileHandle, from: number, buffer: Buffer): AsyncGenerator<Buffer> {
    for (let at = from; ; ) {
      const { bytesRead } = await file.read(buffer, 0, buffer.length, at)
      if (bytesRead === 0) return
      at += bytesRead
      position += bytesRead
      yield buffer.subarray(0, bytesRead)
    }
  }
  return { chunks: chunks(), size: null, position: () => position, cut: () => null }
}

async function openExisting(path: string, name: string): Promise<FileHandle> {
  try {
    const file = await open(path, 'r')
    if ((await file.stat()).isFile()) return file
    await file.close()
  } catch (cause) {
    throw new TracefpError('TFP_ERR_FILE', `${name}: ${(cause as Error).message}`, { cause })
  }
  throw new TracefpError('TFP_ERR_FILE', `${name}: only a regular file can be followed: read it without --follow`)
}

/** What the name leads to now. A file that is gone for a moment, in the middle of a rotation, is still the same. */
async function nextFile(path: string, file: FileHandle, at: number): Promise<FileHandle | 'same' | 'emptied'> {
  const [own, named] = await Promise.all([file.stat(), stat(path).catch(() => null)])
  if (named === null || (named.ino === own.ino && named.dev === own.dev)) return own.size < at ? 'emptied' : 'same'
  // Of anything else, such as a pipe that nobody writes to, it would be waited for.
  return (named.isFile() ? await open(path, 'r').catch(() => null) : null) ?? 'same'
}
