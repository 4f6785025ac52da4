// The C library of this machine, as its own banner names it: for the provenance of runs, and to say when it was updated. A static
// program, or one in another root, has its own; that is not seen here.

import { readFileSync } from 'node:fs'

const BANNER = 'GNU C Library ('

let known: string | undefined

/** `glibc 2.36-9+deb12u10`; empty: not known. */
export function libcVersion(): string {
  known ??= readVersion()
  return known
}

function readVersion(): string {
  try {
    const path = /\s(\/\S*\/libc\.so\.6)$/m.exec(readFileSync('/proc/self/maps', 'utf8'))?.[1]
    if (path === undefined) return ''
    const bytes = readFileSync(path)
    const at = bytes.indexOf(BANNER)
    return at < 0 ? '' : versionOf(bytes.toString('latin1', at + BANNER.length, at + BANNER.length + 100))
  } catch {
    return ''
  }
}

/** `Debian GLIBC 2.36-9+deb12u10) stable ...` */
export function versionOf(banner: string): string {
  const version = /^(?:[^)]* )?([\w.+~-]+)\)/.exec(banner)?.[1]
  return version === undefined ? '' : `glibc ${version}`
}
