// A mapping turns the numbers of records into symbol texts and back. Fingerprints hold texts; numbers are an encoding
// under a named mapping, whose hash they carry. A symbol of the native ABI is the bare name, any other has its ABI in
// front (`i386:read`); a number without a name is `sys_N`. Symbols that are no calls (`<exec>`) are not known here.
import { sha256Of } from '../addon/hash.ts'
import { ABI_CODES, ABI_NAMES, type AbiName, type LinuxAbiName, NATIVE_ABI } from './abi.ts'
import { NO_TABLE, type SyscallTable, syscallTable } from './tables.ts'

export interface Mapping {
  /** `linux-x86_64`, `linux-aarch64` ... */
  readonly name: string
  readonly nativeAbi: AbiName
  /** False: calls are known by name only; numbers are this process's own and mean nothing outside of it. */
  readonly hasNumbers: boolean
  /** The symbol of a call: `read`, `i386:read`, `sys_9999`, `i386:sys_-1`, `unknown:sys_3`. `nr` is a 32-bit integer. */
  symbolOf(abi: number, nr: number): string
  /** The inverse. `sys_N` resolves too when N has a name by now. Undefined: no call of this mapping. */
  numberOf(symbol: string): { abi: number; nr: number } | undefined
  /**
   * SHA-256 (hex) of what the given symbols mean. Only they count, so a table that grows keeps old hashes valid.
   * Specials (`<exec>`) are skipped; a symbol without a number makes a hash that no mapping with a number for it has.
   * Of a mapping without numbers it is one of names.
   */
  hashOf(symbols: Iterable<string>): string
}

/** How numbers of one ABI are named. Undefined: no name. */
export type TableOf = (abi: AbiName) => SyscallTable

const mappings = new Map<LinuxAbiName, Mapping>()

/** The Linux mapping of a machine; `abi` is the ABI whose symbols are bare names. The same object for every call. */
export function linuxMapping(abi: LinuxAbiName = NATIVE_ABI): Mapping {
  let mapping = mappings.get(abi)
  if (mapping === undefined) {
    mapping = createMapping(`linux-${abi}`, abi, linuxTable)
    mappings.set(abi, mapping)
  }
  return mapping
}

function linuxTable(abi: AbiName): SyscallTable {
  return abi === 'windows-nt' || abi === 'user' ? NO_TABLE : syscallTable(abi)
}

/** A mapping over any tables; linuxMapping is this one over the tables of the kernel. */
export function createMapping(
  name: string,
  nativeAbi: AbiName,
  tableOf: TableOf,
  { hasNumbers = true }: { readonly hasNumbers?: boolean } = {},
): Mapping {
  const native = ABI_CODES[nativeAbi]
  const texts: (readonly (string | undefined)[] | undefined)[] = []

  function textsOf(abi: number): readonly (string | undefined)[] {
    const known = texts[abi]
    if (known !== undefined) return known
    const abiName = abiNameOf(abi)
    const names = abiName === undefined ? [] : tableOf(abiName).names
    const made = abi === native ? names : names.map((text) => (text === undefined ? text : `${abiName}:${text}`))
    texts[abi] = made
    return made
  }

  function symbolOf(abi: number, nr: number): string {
    const text = textsOf(abi)[nr]
    if (text !== undefined) return text
    return abi === native ? `sys_${nr}` : `${abiNameOf(abi) ?? 'unknown'}:sys_${nr}`
  }

  function numberOf(symbol: string): { abi: number; nr: number } | undefined {
    const colon = symbol.indexOf(':')
    const abi = colon < 0 ? native : ABI_NAMES.indexOf(symbol.slice(0, colon) as AbiName)
    if (abi < 0 || (colon >= 0 && abi === native)) return undefined
    const text = symbol.slice(colon + 1)
    const abiName = abiNameOf(abi)
    const named = abiName === undefined ? undefined : tableOf(abiName).numbers.get(text)
    const nr = named ?? (hasNumbers ? bareNumberOf(text) : undefined)
    return nr === undefined ? undefined : { abi, nr }
  }

  function hashOf(symbols: Iterable<string>): string {
    const lines = new Set<string>()
    for (const symbol of symbols) {
      if (isSpecial(symbol)) continue
      const number = hasNumbers ? numberOf(symbol) : undefined
      const abi = number === undefined ? '?' : (abiNameOf(number.abi) ?? 'unknown')
      lines.add(`${abi} ${baseNameOf(symbol)} ${number === undefined ? '?' : number.nr}\n`)
    }
    return sha256Of([...lines].sort().join(''))
  }

  return { name, nativeAbi, hasNumbers, symbolOf, numberOf, hashOf }
}

/** Whether the symbol is no call: `<exec>`, `<signal:14>`, `<end>` ... */
export function isSpecial(symbol: string): boolean {
  return symbol.startsWith('<')
}

/** The name without its ABI: `read` of `i386:read`. Specials are returned as they are. */
export function baseNameOf(symbol: string): string {
  return isSpecial(symbol) ? symbol : symbol.slice(symbol.indexOf(':') + 1)
}

/** Whether the call ends a signal frame: rt_sigreturn and sigreturn, of whatever ABI. */
export function isFrameReturn(symbol: string): boolean {
  const name = baseNameOf(symbol)
  return name === 'rt_sigreturn' || name === 'sigreturn'
}

function abiNameOf(abi: number): AbiName | undefined {
  return abi === 0 ? undefined : (ABI_NAMES[abi] as AbiName | undefined)
}

/** N of `sys_N`; only the one spelling that symbolOf writes, within 32 bits. */
function bareNumberOf(text: string): number | undefined {
  if (!/^sys_(?:0|-?[1-9][0-9]{0,9})$/.test(text)) return undefined
  const nr = Number(text.slice(4))
  return nr === (nr | 0) ? nr : undefined
}
