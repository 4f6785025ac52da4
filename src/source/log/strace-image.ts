// Which program an exec in a log starts: what its arguments say. A log has no hash, and its links cannot be followed: the path
// is the one that was given to execve. A script that the kernel hands to its interpreter is known by its own path only.

import { posix } from 'node:path'
import type { Image } from '../../model/stream.ts'
import { appletOf } from '../image.ts'
import { scriptOperandOf } from '../interpreter.ts'
import { Memo } from '../memo.ts'
import { type ExecArguments, execArgumentsOf } from './strace-args.ts'

/** Path of a program that the log does not name. */
export const UNKNOWN_PATH = 'unknown'
/** Of the program that calls exec. */
export const OWN_PATH = '/proc/self/exe'

/** What stands behind the arguments of most execs: it holds no quote, so no argument does. */
const ENVIRONMENT = /, 0x[\da-f]+ \/\* \d+ vars \*\/(?: <unfinished \.\.\.>)?\) += 0$/
/** Longer texts are not kept. */
const TEXT_LIMIT = 1024

/** Programs are started again and again; only the environment's place differs. */
const IMAGES = new Memo((text) => {
  const at = text.indexOf(' ')
  return imageOfArguments(execArgumentsOf(text.slice(0, at), text.slice(at + 1)), null)
})

/** `current`: path of the program that calls exec; null: not known. */
export function imageOfExec(name: string, args: string, current: string | null): Image {
  if (args.length < TEXT_LIMIT) {
    const image = IMAGES.of(`${name} ${args.replace(ENVIRONMENT, '')}`)
    if (image.path !== OWN_PATH) return image
  }
  return imageOfArguments(execArgumentsOf(name, args), current)
}

function imageOfArguments({ path, argv }: ExecArguments, current: string | null): Image {
  const own = path === OWN_PATH && current !== null ? current : (path ?? '')
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
