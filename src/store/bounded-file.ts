// Reads a file that somebody named and that anybody may have put there: a regular file of a bounded size, or an error at once. A
// pipe without a writer would be waited for, and a device never ends.

import { closeSync, constants, fstatSync, openSync, readSync } from 'node:fs'

export interface BoundedText {
  /** One character per byte. */
  readonly text: string
  readonly mode: number
  readonly uid: number
}

/** @throws Error as of `node:fs`, or with a message of its own. */
export function readBounded(file: string, maxBytes: number, tooLarge: string): BoundedText {
  const fd = openSync(file, constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOCTTY)
  try {
    const stats = fstatSync(fd)
    if (!stats.isFile()) throw new Error('not a regular file')
    if (stats.size > maxBytes) throw new Error(tooLarge)
    const bytes = Buffer.allocUnsafe(Math.min(stats.size, maxBytes))
    let length = 0
    // What grows meanwhile is not waited for.
    for (let got = -1; got !== 0 && length < bytes.length; length += got)
      got = readSync(fd, bytes, length, bytes.length - length, null)
    return { text: bytes.toString('latin1', 0, length), mode: stats.mode, uid: stats.uid }
  } finally {
    closeSync(fd)
  }
}
