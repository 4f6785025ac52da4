// The C library of this machine, as its own banner names it: for the provenance of runs, and to say when it was updated. A static
// program, or one in another root, has its own; that is not seen here.

import { loadAddon } from '../addon/addon.ts'

let known: string | undefined

/** `glibc 2.36-9+deb12u10`; empty: not known. */
export function libcVersion(): string {
  known ??= versionOf(loadAddon().libcBanner())
  return known
}

/** `GNU C Library (Debian GLIBC 2.36-9+deb12u10) stable ...` */
export function versionOf(banner: string): string {
  const version = /^GNU C Library \((?:[^)]* )?([\w.+~-]+)\)/.exec(banner)?.[1]
  return version === undefined ? '' : `glibc ${version}`
}
