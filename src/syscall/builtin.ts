// The mappings that come with tracefp, by name. A user's own is read by mapping-file.ts.
import type { LinuxAbiName } from './abi.ts'
import { linuxMapping, type Mapping } from './mapping.ts'

const LINUX: readonly LinuxAbiName[] = ['x86_64', 'i386', 'x32', 'aarch64']

export const BUILTIN_MAPPINGS: readonly string[] = LINUX.map((abi) => `linux-${abi}`)

/** Undefined: there is none of that name. The same object for every call. */
export function builtinMapping(name: string): Mapping | undefined {
  const abi = LINUX.find((known) => name === `linux-${known}`)
  return abi === undefined ? undefined : linuxMapping(abi)
}
