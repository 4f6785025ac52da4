// tracefp mapping: which numbers are known by which names, and whether a user's own file is understood.

import { Argument, type Command } from 'commander'
import { FormatError, UsageError } from '../errors.ts'
import { printable } from '../match/printable.ts'
import { BUILTIN_MAPPINGS, builtinMapping, builtinTable } from '../syscall/builtin.ts'
import { type MappingFile, readMappingFile } from '../syscall/mapping-file.ts'
import { NO_TABLE, type SyscallTable } from '../syscall/tables.ts'
import { EXIT_CODES } from './exit-codes.ts'
import { asJson, type Output, oneLine, stdio } from './output.ts'
import { counted } from './words.ts'

interface MappingOptions {
  readonly json?: boolean
}

interface MappedCall {
  readonly name: string
  /** Null: the mapping has names only. */
  readonly nr: number | null
}

/** A file that has less in common with a built-in mapping is none of its system. */
const ALIKE_SHARE = 0.5
const SHOWN_NOTE_COUNT = 10

const HELP = `
A mapping file is one of: pairs (read 0), a bare list whose first line is number 0, CSV or TSV, the kernel's syscall.tbl, a C header
(#define __NR_read 0). FILE#COLUMN takes one of several columns of numbers.

Examples:
  tracefp mapping show linux-i386
  tracefp mapping check 'nt-x64.csv#Windows 10 (22H2)'`

export function defineMapping(program: Command, output: Output = stdio): void {
  program
    .command('mapping')
    .description('list and show the mappings of names and numbers, check a file of your own')
    .addArgument(new Argument('<what>', 'what to do').choices(['list', 'show', 'check']))
    .argument('[mapping]', 'a name that list gives, or a file')
    .option('--json', 'as JSON')
    .addHelpText('after', HELP)
    .action((what: string, wanted: string | undefined, options: MappingOptions) => {
      const isJson = options.json === true
      if (what === 'list') list(wanted, isJson, output)
      else if (wanted === undefined) throw new UsageError(`mapping ${what} wants a mapping: see 'tracefp mapping list'`)
      else if (what === 'show') show(wanted, isJson, output)
      else check(wanted, isJson, output)
    })
}

function list(extra: string | undefined, isJson: boolean, output: Output): void {
  if (extra !== undefined) throw new UsageError(`mapping list takes no ${printable(extra)}`)
  const mappings = BUILTIN_MAPPINGS.map((name) => ({
    name,
    callCount: builtinTable(name)?.numbers.size ?? 0,
    hasNumbers: builtinMapping(name)?.hasNumbers ?? false,
  }))
  if (isJson) {
    output.data(`${asJson(mappings, 2)}\n`)
    return
  }
  for (const { name, callCount, hasNumbers } of mappings) {
    output.data(
      `${name.padEnd(14)}  ${callCount} calls${hasNumbers ? '' : ', by name: numbers change with each build'}\n`,
    )
  }
}

function show(wanted: string, isJson: boolean, output: Output): void {
  const builtin = builtinMapping(wanted)
  const { mapping, table } =
    builtin === undefined ? readMappingFile(wanted) : { mapping: builtin, table: builtinTable(wanted) ?? NO_TABLE }
  const calls = callsOf(table, mapping.hasNumbers)
  if (isJson) {
    const hash = mapping.hashOf(calls.map(({ name }) => name))
    output.data(`${asJson({ name: mapping.name, sha256: hash, hasNumbers: mapping.hasNumbers, calls }, 2)}\n`)
  } else {
    output.data(calls.map(({ name, nr }) => (nr === null ? `${name}\n` : `${name} ${nr}\n`)).join(''))
  }
}

/** An answer either way: what is not understood is no failure of this command. */
function check(wanted: string, isJson: boolean, output: Output): void {
  let file: MappingFile
  try {
    file = readMappingFile(wanted)
  } catch (error) {
    if (!(error instanceof FormatError)) throw error
    if (isJson)
      output.data(`${asJson({ isValid: false, file: error.file, line: error.line, message: error.message }, 2)}\n`)
    else output.message(`tracefp: ${oneLine(error.message)}\n`)
    process.exitCode = EXIT_CODES.data.abnormal
    return
  }
  const { mapping, form, entries, leftOut, notes } = file
  const alike = mostAlike(file)
  if (isJson) {
    output.data(
      `${asJson({ isValid: true, name: mapping.name, form, callCount: entries.length, alike, leftOut, notes }, 2)}\n`,
    )
    return
  }
  const numbers = entries.map(({ nr }) => nr)
  const range = `numbers ${numbers.reduce((a, b) => Math.min(a, b))} to ${numbers.reduce((a, b) => Math.max(a, b))}`
  output.data(`${printable(mapping.name)}: ${counted(entries.length, 'call')}, ${range}, read as ${form}\n`)
  if (alike !== null) output.data(`as ${alike.name} in ${alike.sameCount} of ${entries.length}\n`)
  if (leftOut.length > 0) output.data(`${counted(leftOut.length, 'line')} left out\n`)
  const all = [...leftOut.map(({ line, why }) => `line ${line}: ${why}`), ...notes]
  output.data(
    all
      .slice(0, SHOWN_NOTE_COUNT)
      .map((note) => `  ${oneLine(note)}\n`)
      .join(''),
  )
  if (all.length > SHOWN_NOTE_COUNT) output.data(`  and ${all.length - SHOWN_NOTE_COUNT} more: see --json\n`)
}

/** The built-in mapping that gives most of these names the same number: perhaps the file is not needed. */
function mostAlike({ entries }: MappingFile): { readonly name: string; readonly sameCount: number } | null {
  const counts = BUILTIN_MAPPINGS.filter((name) => builtinMapping(name)?.hasNumbers === true).map((name) => {
    const numbers = builtinTable(name)?.numbers
    return { name, sameCount: entries.filter((entry) => numbers?.get(entry.name) === entry.nr).length }
  })
  const best = counts.reduce((a, b) => (b.sameCount > a.sameCount ? b : a))
  return best.sameCount >= ALIKE_SHARE * entries.length ? best : null
}

function callsOf(table: SyscallTable, hasNumbers: boolean): MappedCall[] {
  const calls = [...table.numbers].sort(([, a], [, b]) => a - b)
  return calls.map(([name, nr]) => ({ name, nr: hasNumbers ? nr : null }))
}
