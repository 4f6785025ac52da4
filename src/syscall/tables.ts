// Unpacks the generated tables, one ABI at a time and only when asked: most sessions need one of four.
import type { LinuxAbiName } from './abi.ts'
import { PACKED_TABLES } from './tables.gen.ts'

export interface SyscallTable {
  /** Index = number; holes are undefined. */
  readonly names: readonly (string | undefined)[]
  readonly numbers: ReadonlyMap<string, number>
}

/** An ABI of which no number has a name. */
export const NO_TABLE: SyscallTable = { names: [], numbers: new Map() }

const unpacked = new Map<LinuxAbiName, SyscallTable>()

/** The system calls of one ABI. The same object for every call. */
export function syscallTable(abi: LinuxAbiName): SyscallTable {
  const known = unpacked.get(abi)
  if (known !== undefined) return known
  const table = unpack(PACKED_TABLES[abi])
  unpacked.set(abi, table)
  return table
}

function unpack(packed: string): SyscallTable {
  const names: (string | undefined)[] = []
  const numbers = new Map<string, number>()
  let nr = 0
  for (const word of packed.split(' ')) {
    if (word.startsWith('@')) {
      nr = Number(word.slice(1))
      continue
    }
    while (names.length < nr) names.push(undefined)
    names.push(word)
    numbers.set(word, nr)
    nr += 1
  }
  return { names, numbers }
}
