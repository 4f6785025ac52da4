// Which mapping a log is read with: the user's, else the log's own, else that of the fingerprint, else the usual one of its format.

import { UsageError } from '../../errors.ts'
import { BUILTIN_MAPPINGS, builtinMapping } from '../../syscall/builtin.ts'
import { linuxMapping, type Mapping } from '../../syscall/mapping.ts'
import { openMapping } from '../../syscall/mapping-file.ts'
import type { LogFormatName } from './log-reader.ts'

export interface MappedLog {
  readonly name: string
  readonly format: { readonly name: LogFormatName }
  readonly mappingName: string | undefined
}

/**
 * `wanted` is the user's, a name or a file; `learned` that of the fingerprints.
 * @throws UsageError: a log of numbers, and nobody says what they mean; FormatError, TracefpError TFP_ERR_SYSCALL_MAPPING.
 */
export function mappingOfLog(log: MappedLog, wanted: string | null, learned: string | null): Mapping {
  if (wanted !== null) return openMapping(wanted)
  if (log.format.name === 'capture' && log.mappingName !== undefined) {
    const own = builtinMapping(log.mappingName)
    if (own === undefined)
      throw new UsageError(`${log.name} was made with mapping ${log.mappingName}: name it with --mapping`)
    return own
  }
  const known = learned === null ? undefined : builtinMapping(learned)
  if (known !== undefined) return known
  if (learned !== null) throw new UsageError(`the fingerprint was made with mapping ${learned}: name it with --mapping`)
  const own = log.mappingName === undefined ? undefined : builtinMapping(log.mappingName)
  if (own !== undefined) return own
  if (log.format.name !== 'numbers') return linuxMapping()
  const names = BUILTIN_MAPPINGS.join(', ')
  throw new UsageError(`${log.name} holds numbers: say what they mean with --mapping (${names}, or a file)`)
}
