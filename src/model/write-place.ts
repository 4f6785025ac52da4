// What a path that somebody named for a file to be written really is: only a regular file may be replaced. A device, a pipe
// (/dev/null, >(command)) is written to as it is, and so is what this process has open (/dev/stdout), which others may share.

import { realpathSync, statSync } from 'node:fs'
import { resolve } from 'node:path'

export type WritePlace =
  /** To be replaced, or made; links are followed. */
  | { readonly kind: 'file'; readonly path: string }
  /** To be opened and written to. */
  | { readonly kind: 'other'; readonly path: string }
  /** To be written to, and left open. */
  | { readonly kind: 'descriptor'; readonly fd: number }

const STANDARD: ReadonlyMap<string, number> = new Map([
  ['/dev/stdout', 1],
  ['/dev/stderr', 2],
])
/** A path, or the end of an option with one. */
const DESCRIPTOR = /\/(?:dev|proc\/self)\/fd\/([0-9]{1,9})$/

/** Never throws: who writes there finds out. */
export function writePlaceOf(path: string): WritePlace {
  const whole = resolve(path)
  const named = DESCRIPTOR.exec(whole)
  const fd = STANDARD.get(whole) ?? (named?.index === 0 ? Number(named[1]) : undefined)
  if (fd !== undefined) return { kind: 'descriptor', fd }
  try {
    return statSync(path).isFile() ? { kind: 'file', path: realpathSync(path) } : { kind: 'other', path }
  } catch {
    return { kind: 'file', path: whole }
  }
}

/** The descriptor that an argument of a command line names, as a shell spells `>(command)`: `--report=/dev/fd/63`. */
export function descriptorNamedBy(argument: string): number | null {
  const fd = DESCRIPTOR.exec(argument)?.[1]
  return fd === undefined ? null : Number(fd)
}
