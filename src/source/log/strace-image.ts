// Which program an exec in a log starts: what its arguments say. A log has no hash, and its links cannot be followed: the path
// is the one that was given to execve. A script that the kernel hands to its interpreter is known by its own path only.

import { posix } from 'node:path'
import type { Image } from '../../model/stream.ts'
import { appletOf } from '../image.ts'
import { scriptOperandOf } from '../interpreter.ts'
import type { ExecArguments } from './strace-args.ts'

/** Path of a program that the log does not name. */
export const UNKNOWN_PATH = 'unknown'

/** `current`: path of the program that calls exec; null: not known. */
export function imageOfExec({ path, argv }: ExecArguments, current: string | null): Image {
  const own = path === '/proc/self/exe' && current !== null ? current : (path ?? '')
  const name = posix.basename(own)
  const operand = scriptOperandOf(name, argv)
  return {
    path: own === '' ? UNKNOWN_PATH : own,
    sha256: null,
    buildId: null,
    script: operand === null || operand === '' ? null : { path: operand, sha256: null },
    argv0: appletOf(name, argv),
  }
}
