// A mapping as a table: rows of cells with a delimiter, with or without a head. One column holds names; of the columns that
// hold numbers one is taken, the one that is asked for where there are several (a column per build of Windows).
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

type Delimiter = ',' | ';' | '\t'

interface Row {
  readonly cells: readonly string[]
  readonly line: number
}

/** What a column of names, or of numbers, is headed. */
const NAME_HEADS = /^(?:name|syscall|system call|call|function|service|symbol)(?: name)?$/i
const NUMBER_HEADS = /^(?:number|nr|no|id|value|syscall number|call number)$/i
/** A call that this build does not have. */
const NO_NUMBER = /^(?:|-|_|n\/a)$/i

/** @throws FormatError TFP_ERR_SYSCALL_MAPPING */
export function readTable(
  lines: readonly TextLine[],
  delimiter: Delimiter,
  file: string,
  column: string | null,
): ParsedMapping {
  const rows = lines.map(({ text, line }) => ({ cells: cellsOf(text, delimiter, file, line), line }))
  const first = rows[0] as Row
  const head = first.cells.some((cell) => NAME_HEADS.test(cell)) || !first.cells.some(hasNumber) ? first : null
  const body = head === null ? rows : rows.slice(1)
  const nameColumn = nameColumnOf(head, body, file)
  const numberColumn = numberColumnOf(head, body, nameColumn, file, column)
  const entries: MappingEntry[] = []
  const leftOut: LeftOut[] = []
  for (const { cells, line } of body) {
    const name = cells[nameColumn] ?? ''
    const cell = cells[numberColumn] ?? ''
    const nr = numberIn(cell)
    if (nr !== undefined) entries.push({ name: checkedName(name, nr, file, line), nr, line })
    else if (NO_NUMBER.test(cell)) leftOut.push({ line, why: `${quoted(name)}: no number here` })
    else fail(`${quoted(cell)} is not a number`, file, line)
  }
  return { form: delimiter === '\t' ? 'tsv' : 'csv', entries, leftOut }
}

/** Cells may stand in double quotes, in which two of them mean one. */
function cellsOf(text: string, delimiter: Delimiter, file: string, line: number): string[] {
  const cells: string[] = []
  const pattern = delimiter === '\t' ? /\s*([^\t]*?)\s*(\t|$)/y : /\s*(?:"((?:[^"]|"")*)"|([^",;]*?))\s*([,;]|$)/y
  for (;;) {
    const found = pattern.exec(text)
    if (found === null) fail('a cell is not quoted rightly', file, line)
    const end = found.at(-1) as string
    cells.push(found[1] === undefined ? (found[2] as string) : found[1].replaceAll('""', '"'))
    if (end === '') return cells
  }
}

function nameColumnOf(head: Row | null, body: readonly Row[], file: string): number {
  const headed = head === null ? -1 : head.cells.findIndex((cell) => NAME_HEADS.test(cell))
  if (headed >= 0) return headed
  const row = body[0]?.cells ?? []
  const found = row.findIndex((cell) => /^[A-Za-z_]/.test(cell))
  if (found < 0) fail('no column holds names', file, body[0]?.line ?? 0)
  return found
}

function numberColumnOf(
  head: Row | null,
  body: readonly Row[],
  nameColumn: number,
  file: string,
  wanted: string | null,
): number {
  const heads = head?.cells ?? []
  if (wanted !== null) {
    const found = heads.indexOf(wanted)
    if (found < 0) fail(`it has no column ${quoted(wanted)}: give one of ${listOf(heads, nameColumn)}`, file, 1)
    return found
  }
  const headed = heads.flatMap((cell, index) => (NUMBER_HEADS.test(cell) ? [index] : []))
  const numeric = (body[0]?.cells ?? []).map((_, index) => index).filter((index) => isNumeric(body, index, nameColumn))
  const [only, ...more] = headed.length === 1 ? headed : numeric
  if (only === undefined) fail('no column holds numbers', file, 0)
  if (more.length > 0) {
    const choice = head === null ? 'keep one' : `choose one as FILE#COLUMN: ${listOf(heads, nameColumn)}`
    fail(`it has several columns of numbers: ${choice}`, file, head?.line ?? 0)
  }
  return only
}

function isNumeric(body: readonly Row[], index: number, nameColumn: number): boolean {
  if (index === nameColumn) return false
  const cells = body.map(({ cells: all }) => all[index] ?? '')
  return cells.some(hasNumber) && cells.every((cell) => isNumberCell(cell))
}

function hasNumber(cell: string): boolean {
  return numberIn(cell) !== undefined
}

function isNumberCell(cell: string): boolean {
  return NO_NUMBER.test(cell) || hasNumber(cell)
}

function listOf(heads: readonly string[], nameColumn: number): string {
  return heads
    .filter((_, index) => index !== nameColumn)
    .map(quoted)
    .join(', ')
}
