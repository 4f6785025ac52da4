// The bytes of a log that is still being written: what is there, and what comes. The file may be rotated: when the name leads to
// another file, the old one is read to its end and the new one from its beginning; one that was emptied in its place is read
// anew, and what was written to it since the last look is a gap. Ends only when it is told to.

import { type FileHandle, open, stat } from 'node:fs/promises'
import { setTimeout as sleep } from 'node:timers/promises'
import { TracefpError } from '../../errors.ts'
import type { LogBytes } from './log-bytes.ts'

const CHUNK_BYTES = 1 << 18
/** Of what was read the end is kept: a file in which it stands no more was emptied, however long it is again. */
const KEPT_BYTES = 256
const LOOK_MS = 200
const LF = 10
const ZEROS = Buffer.alloc(KEPT_BYTES + CHUNK_BYTES)

/** `signal` ends it. @throws TracefpError TFP_ERR_FILE: the file is not there at the beginning. */
export async function followLogBytes(path: string, name: string, signal: AbortSignal): Promise<LogBytes> {
  let position = 0
  let gapCount = 0
  const first = await openExisting(path, name)
  async function* chunks(): AsyncGenerator<Uint8Array> {
    const buffer = Buffer.allocUnsafe(KEPT_BYTES + CHUNK_BYTES)
    let followed = new FollowedFile(first)
    let next: FileHandle | null = null
    let last = LF
    let isOver = false
    try {
      for (;;) {
        const chunk = await followed.read(buffer)
        if (chunk !== null && chunk.length > 0) {
          position += chunk.length
          last = chunk[chunk.length - 1] as number
          yield chunk
          continue
        }
        const isEmptied = chunk === null
        if (!isEmptied && next === null) {
          if (isOver) return
          // Then what was written until now is to be read.
          isOver = signal.aborted
          next = await nextFile(path, followed.file)
          if (next === null) await sleep(LOOK_MS, undefined, { signal }).catch(() => {})
          continue
        }
        // What is left of a line is no beginning of the first one that follows.
        if (last !== LF) yield Buffer.of(LF)
        last = LF
        if (isEmptied) {
          gapCount += 1
        } else if (next !== null) {
          await followed.file.close()
          followed = new FollowedFile(next)
          next = null
        }
      }
    } finally {
      await followed.file.close()
      await next?.close()
    }
  }
  return { chunks: chunks(), size: null, position: () => position, cut: () => null, gapCount: () => gapCount }
}

class FollowedFile {
  readonly file: FileHandle
  #at = 0
  #kept: Buffer = Buffer.alloc(0)
  /** Whoever writes may go on where it stood before the file was emptied: what is before that are zeros. */
  #mayBeHole = false

  constructor(file: FileHandle) {
    this.file = file
  }

  /** What comes next, in the buffer; empty: nothing yet. Null: the file was emptied, and begins anew. */
  async read(buffer: Buffer): Promise<Buffer | null> {
    for (;;) {
      const known = this.#kept.length
      const { bytesRead } = await this.file.read(buffer, 0, buffer.length, this.#at - known)
      if (bytesRead < known || !buffer.subarray(0, known).equals(this.#kept)) {
        this.#at = 0
        this.#kept = Buffer.alloc(0)
        this.#mayBeHole = true
        return null
      }
      const chunk = buffer.subarray(known, bytesRead)
      if (chunk.length === 0) return chunk
      this.#at += chunk.length
      this.#kept = Buffer.from(buffer.subarray(Math.max(0, bytesRead - KEPT_BYTES), bytesRead))
      if (!this.#mayBeHole) return chunk
      const begin = endOfZeros(chunk)
      if (begin === chunk.length) continue
      this.#mayBeHole = false
      return chunk.subarray(begin)
    }
  }
}

function endOfZeros(chunk: Buffer): number {
  if (chunk.equals(ZEROS.subarray(0, chunk.length))) return chunk.length
  return chunk.findIndex((byte) => byte !== 0)
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

/** What the name leads to now; null: the same. A file that is gone for a moment, in the middle of a rotation, is still the same. */
async function nextFile(path: string, file: FileHandle): Promise<FileHandle | null> {
  const [own, named] = await Promise.all([file.stat(), stat(path).catch(() => null)])
  if (named === null || (named.ino === own.ino && named.dev === own.dev)) return null
  // Of anything else, such as a pipe that nobody writes to, it would be waited for.
  return named.isFile() ? await open(path, 'r').catch(() => null) : null
}
