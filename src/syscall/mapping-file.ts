// Opens a mapping by what the user gives: the name of a built-in one, or a file (FILE#COLUMN where a table has several columns
// of numbers). A user's mapping has its file's name, and an ABI of its own.
import { existsSync, readFileSync, statSync } from 'node:fs'
import { basename } from 'node:path'
import { TracefpError } from '../errors.ts'
import { BUILTIN_MAPPINGS, builtinMapping } from './builtin.ts'
import { createMapping, type Mapping } from './mapping.ts'
import { fail, type MappingEntry, type ParsedMapping } from './mapping-text.ts'
import { parseMapping } from './parse-mapping.ts'
import { NO_TABLE, type SyscallTable } from './tables.ts'

const MAX_BYTES = 16 * 1024 * 1024

export interface MappingFile extends ParsedMapping {
  readonly mapping: Mapping
  readonly table: SyscallTable
  /** Names and numbers that stand there more than once, and what became of them. */
  readonly notes: readonly string[]
}

/**
 * @throws FormatError TFP_ERR_SYSCALL_MAPPING with file and line; TracefpError of that code when it is neither a name nor a file,
 *   TFP_ERR_FILE when the file cannot be read.
 */
export function openMapping(nameOrFile: string): Mapping {
  return builtinMapping(nameOrFile) ?? readMappingFile(nameOrFile).mapping
}

/** As openMapping, of a file, with what there is to say of it. */
export function readMappingFile(fileAndColumn: string): MappingFile {
  const { file, column } = splitColumn(fileAndColumn)
  const parsed = parseMapping(readText(file), file, column)
  const table = new Map<number, string>()
  const numbers = new Map<string, number>()
  const notes = parsed.entries.map((entry) => place(entry, table, numbers)).filter((note) => note !== '')
  const names: (string | undefined)[] = []
  for (const [nr, name] of table) names[nr] = name
  const own: SyscallTable = { names, numbers }
  const name = nameOf(file, column)
  const mapping = createMapping(name, 'user', (abi) => (abi === 'user' ? own : NO_TABLE))
  return { ...parsed, mapping, table: own, notes }
}

/**
 * Two names of one number are one symbol. Two numbers of one name are two calls that somebody named alike (the old and the new
 * `stat`): the second one's symbol has its number behind it.
 */
function place({ name, nr, line }: MappingEntry, table: Map<number, string>, numbers: Map<string, number>): string {
  const taken = table.get(nr)
  if (taken !== undefined) {
    if (taken === name) return ''
    if (!numbers.has(name)) numbers.set(name, nr)
    return `line ${line}: number ${nr} is ${taken} already; ${name} is taken for the same call`
  }
  const symbol = numbers.has(name) ? `${name}#${nr}` : name
  table.set(nr, symbol)
  numbers.set(symbol, nr)
  if (symbol === name) return ''
  return `line ${line}: ${name} has number ${numbers.get(name)} already; ${nr} is the symbol ${symbol}`
}

/** A `#` in the path of a file that is there is no column. */
function splitColumn(text: string): { readonly file: string; readonly column: string | null } {
  const at = text.lastIndexOf('#')
  if (at <= 0 || existsSync(text)) return { file: text, column: null }
  return { file: text.slice(0, at), column: text.slice(at + 1) }
}

/** Never that of a built-in mapping: two mappings of one name would be told apart by their hashes alone. */
function nameOf(file: string, column: string | null): string {
  const whole = basename(file)
  const short = whole.replace(/(.)\.[^.]*$/, '$1')
  const name = BUILTIN_MAPPINGS.includes(short) ? `${short} (file)` : short
  return column === null ? name : `${name}#${column}`
}

function readText(file: string): string {
  try {
    if (statSync(file).size > MAX_BYTES) fail(`larger than ${MAX_BYTES / 1024 / 1024} MiB`, file, 0)
    return readFileSync(file, 'utf8')
  } catch (cause) {
    if (cause instanceof TracefpError) throw cause
    if ((cause as NodeJS.ErrnoException).code === 'ENOENT') {
      const what = `${file}: there is no such file, and no built-in mapping of that name`
      throw new TracefpError(
        'TFP_ERR_SYSCALL_MAPPING',
        `${what}: give a file, or one of ${BUILTIN_MAPPINGS.join(', ')}`,
      )
    }
    throw new TracefpError('TFP_ERR_FILE', `${file}: ${(cause as Error).message}`, { cause })
  }
}
