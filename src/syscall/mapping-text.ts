// What all forms of a user's mapping share: entries, and the words they are made of.
import { FormatError } from '../errors.ts'

export type MappingForm = 'header' | 'tbl' | 'csv' | 'tsv' | 'pairs' | 'list'

export interface MappingEntry {
  readonly name: string
  readonly nr: number
  /** From 1. */
  readonly line: number
}

export interface LeftOut {
  readonly line: number
  readonly why: string
}

export interface ParsedMapping {
  readonly form: MappingForm
  /** In order of the file. A number may have several names and a name several numbers. */
  readonly entries: readonly MappingEntry[]
  /** Lines that name a call without giving it a number here. */
  readonly leftOut: readonly LeftOut[]
}

/** One line that is neither blank nor a comment, trimmed. */
export interface TextLine {
  readonly text: string
  readonly line: number
}

const MAX_NR = 2 ** 31 - 1

/** @throws FormatError TFP_ERR_SYSCALL_MAPPING */
export function fail(message: string, file: string, line: number): never {
  throw new FormatError('TFP_ERR_SYSCALL_MAPPING', message, file, line)
}

/** A name as it can stand in a symbol. @throws FormatError for any other. */
export function checkedName(name: string, nr: number, file: string, line: number): string {
  if (!/^[A-Za-z_?][\w.?-]{0,199}$/.test(name)) fail(`${quoted(name)} is not the name of a call`, file, line)
  if (/^sys_-?\d+$/.test(name) && name !== `sys_${nr}`) fail(`${name} would be number ${name.slice(4)}`, file, line)
  return name
}

/** Decimal or hexadecimal. Undefined: no number. */
export function numberIn(word: string): number | undefined {
  if (!/^(?:0[xX][0-9a-fA-F]{1,8}|\d{1,10})$/.test(word)) return undefined
  const nr = Number(word)
  return nr <= MAX_NR ? nr : undefined
}

/** For messages: short, and in ASCII. */
export function quoted(text: string): string {
  const short = JSON.stringify(text.length > 60 ? `${text.slice(0, 60)}...` : text)
  return short.replace(/[^ -~]/g, (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`)
}
