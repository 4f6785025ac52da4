// Arguments and variables as they were given. Node decodes them as UTF-8, and a file name need not be any: what is lost there
// is read again from the kernel.

import { readFileSync } from 'node:fs'
import type { ProgramBytes } from '../source/launch.ts'

/** The last arguments of this process, which are those of the program `argv`. Undefined where that cannot be told. */
export function programBytesOf(argv: readonly string[]): ProgramBytes | undefined {
  try {
    const own = split(readFileSync('/proc/self/cmdline')).slice(-argv.length)
    const isSame = own.length === argv.length && own.every((bytes, i) => bytes.toString() === argv[i])
    return isSame ? { argv: own, env: split(readFileSync('/proc/self/environ')) } : undefined
  } catch {
    return undefined
  }
}

/** The pieces that end with a NUL. */
function split(bytes: Buffer): Buffer[] {
  const pieces: Buffer[] = []
  for (let at = 0; at < bytes.length; ) {
    const end = bytes.indexOf(0, at)
    if (end < 0) break
    pieces.push(bytes.subarray(at, end))
    at = end + 1
  }
  return pieces
}
