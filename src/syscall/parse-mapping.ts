// The text of a user's mapping -> names with their numbers. Five forms are told apart by their lines: a C header
// (`#define __NR_read 0`), the kernel's syscall.tbl, a CSV or TSV table, pairs (`read 0`, or `0 read`), and a bare list of names,
// where the first line is number 0. Pure; what it cannot understand it refuses with the line, it never guesses.
import {
  checkedName,
  fail,
  type LeftOut,
  type MappingEntry,
  numberIn,
  type ParsedMapping,
  quoted,
  type TextLine,
} from './mapping-text.ts'
import { readTable } from './parse-table.ts'

const LINE_LIMIT = 4096
const DEFINE = /^#\s*define\s+(?:__NR|__NR3264|SYS)_(\w+)\s+(.*)$/
/** Defined beside the calls, but counts and bases. */
const NO_CALLS: readonly string[] = ['syscalls', 'arch_specific_syscall', 'Linux', 'Linux_syscalls', 'MAXSYSCALL']
/** Second column of the tables of the kernel. */
const TBL_ABIS =
  /^(?:common|32|64|x32|i386|arm|arm64|oabi|eabi|o32|n32|n64|spu|nospu|time32|stat64|renameat|rlimit|memfd_secret|riscv|csky)$/
/** Rows of a syscall.tbl that are another ABI's when there are rows of a 64-bit one. */
const OTHER_ABIS: readonly string[] = ['x32', '32', 'time32', 'stat64', 'spu']

/**
 * `column`: the numbers to take of a table that has several (`Windows 10 (22H2)`).
 * @throws FormatError TFP_ERR_SYSCALL_MAPPING
 */
export function parseMapping(text: string, file: string, column: string | null = null): ParsedMapping {
  const lines = text.replace(/^\ufeff/, '').split(/\r?\n|\r/)
  const long = lines.findIndex(({ length }) => length > LINE_LIMIT)
  if (long >= 0) fail(`a line of more than ${LINE_LIMIT} characters`, file, long + 1)
  const parsed = parseForm(lines, file, column)
  if (parsed.entries.length === 0) fail('it holds no name with a number', file, 0)
  return parsed
}

function parseForm(lines: readonly string[], file: string, column: string | null): ParsedMapping {
  if (lines.some((line) => DEFINE.test(line.trim()))) return parseHeader(lines, file)
  const data = dataLines(lines)
  const [first] = data
  if (first === undefined) return { form: 'list', entries: [], leftOut: [] }
  const words = first.text.split(/\s+/)
  if (words.length >= 3 && numberIn(words[0] as string) !== undefined && TBL_ABIS.test(words[1] as string)) {
    return parseTbl(data, file)
  }
  if (/[,;]/.test(first.text)) return readTable(data, /,/.test(first.text) ? ',' : ';', file, column)
  if (words.length === 1) return parseList(lines, file)
  if (words.length > 2 || /\t/.test(first.text)) return readTable(data, '\t', file, column)
  return parsePairs(data, file)
}

/** Without blank lines and comments. */
function dataLines(lines: readonly string[]): TextLine[] {
  return lines
    .map((text, index) => ({ text: text.replace(/^[ ]+|[ ]+$/g, ''), line: index + 1 }))
    .filter(({ text }) => text.trim() !== '' && !/^(?:#|\/\/|\/?\*)/.test(text))
}

function parseHeader(lines: readonly string[], file: string): ParsedMapping {
  const values = new Map<string, number>()
  const entries: MappingEntry[] = []
  const leftOut: LeftOut[] = []
  for (const [index, raw] of lines.entries()) {
    const [, name, rest = ''] = DEFINE.exec(raw.trim()) ?? []
    if (name === undefined || NO_CALLS.includes(name)) continue
    const value = rest.replace(/\/\*.*?(?:\*\/|$)|\/\/.*$/g, '').trim()
    const nr = headerNumber(value, values)
    if (nr === undefined) {
      leftOut.push({ line: index + 1, why: `${name}: ${quoted(value)} is not a number` })
      continue
    }
    // __NR3264_fcntl 25 names no call yet: __NR_fcntl __NR3264_fcntl does.
    values.set(`${/__NR3264_/.test(raw.slice(0, raw.indexOf(name))) ? '__NR3264_' : '__NR_'}${name}`, nr)
    if (!/define\s+__NR3264_/.test(raw))
      entries.push({ name: checkedName(name, nr, file, index + 1), nr, line: index + 1 })
  }
  return { form: 'header', entries, leftOut }
}

/** `0`, `(0)`, `(__X32_SYSCALL_BIT + 0)`, `(__NR_SYSCALL_BASE+0)`, `__NR3264_fcntl`. Bases count as 0: an ABI is no number. */
function headerNumber(value: string, values: ReadonlyMap<string, number>): number | undefined {
  const bare = value.replace(/^\(\s*|\s*\)$/g, '')
  const [, offset] = /^\w*(?:_BIT|_BASE|_Linux)\s*\+\s*(\w+)$/.exec(bare) ?? []
  return numberIn(offset ?? bare) ?? values.get(bare)
}

/** `0 common read sys_read`: number, ABI, name, entry points. */
function parseTbl(data: readonly TextLine[], file: string): ParsedMapping {
  const rows = data.map(({ text, line }) => {
    const [number = '', abi = '', name = ''] = text.split(/\s+/)
    const nr = numberIn(number)
    if (nr === undefined || name === '') fail(`expected "number abi name", found ${quoted(text)}`, file, line)
    return { nr, abi, name: checkedName(name, nr, file, line), line }
  })
  const has64 = rows.some(({ abi }) => abi === '64' || abi === 'common')
  const isOther = ({ abi }: { readonly abi: string }): boolean => has64 && OTHER_ABIS.includes(abi)
  return {
    form: 'tbl',
    entries: rows.filter((row) => !isOther(row)).map(({ name, nr, line }) => ({ name, nr, line })),
    leftOut: rows.filter(isOther).map(({ name, abi, line }) => ({ line, why: `${name}: of ABI ${abi}` })),
  }
}

function parsePairs(data: readonly TextLine[], file: string): ParsedMapping {
  const rows = /^[a-z]+\s+(?:number|nr)$/i.test(data[0]?.text ?? '') ? data.slice(1) : data
  const entries = rows.map(({ text, line }) => {
    const [a = '', b = '', ...more] = text.split(/\s+/)
    const [first, second] = [numberIn(a), numberIn(b)]
    const nr = second ?? first
    if (nr === undefined || more.length > 0) fail(`expected "name number", found ${quoted(text)}`, file, line)
    return { name: checkedName(second === undefined ? b : a, nr, file, line), nr, line }
  })
  return { form: 'pairs', entries, leftOut: [] }
}

function parseList(lines: readonly string[], file: string): ParsedMapping {
  const entries: MappingEntry[] = []
  for (const [nr, raw] of lines.entries()) {
    const name = raw.trim()
    // In a list a line is a number: a comment would have taken one.
    if (name !== '') entries.push({ name: checkedName(name, nr, file, nr + 1), nr, line: nr + 1 })
  }
  return { form: 'list', entries, leftOut: [] }
}
