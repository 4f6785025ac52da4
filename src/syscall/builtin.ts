// The mappings that come with tracefp, by name. A user's own is read from a file: mapping-file.ts.
import type { LinuxAbiName } from './abi.ts'
import { createMapping, linuxMapping, type Mapping } from './mapping.ts'
import { ntNames } from './nt-names.ts'
import { NO_TABLE, type SyscallTable, syscallTable } from './tables.ts'

const LINUX: readonly LinuxAbiName[] = ['x86_64', 'i386', 'x32', 'aarch64']

export const BUILTIN_MAPPINGS: readonly string[] = [...LINUX.map((abi) => `linux-${abi}`), 'windows-nt']

/** Undefined: there is none of that name. The same object for every call. */
export function builtinMapping(name: string): Mapping | undefined {
  if (name === 'windows-nt') return windowsMapping()
  const abi = LINUX.find((known) => name === `linux-${known}`)
  return abi === undefined ? undefined : linuxMapping(abi)
}

/** The calls of its native ABI. Undefined: there is no mapping of that name. */
export function builtinTable(name: string): SyscallTable | undefined {
  if (name === 'windows-nt') return windowsTable()
  const abi = LINUX.find((known) => name === `linux-${known}`)
  return abi === undefined ? undefined : syscallTable(abi)
}

let windows: Mapping | undefined

/** Services of Windows by name, of whatever build. */
export function windowsMapping(): Mapping {
  if (windows === undefined) {
    const table = windowsTable()
    const tableOf = (abi: string): SyscallTable => (abi === 'windows-nt' ? table : NO_TABLE)
    windows = createMapping('windows-nt', 'windows-nt', tableOf, { hasNumbers: false })
  }
  return windows
}

function windowsTable(): SyscallTable {
  const names = ntNames()
  return { names, numbers: new Map(names.map((name, index) => [name, index])) }
}
