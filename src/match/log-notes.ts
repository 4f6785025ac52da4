// What the reading of a log says about its session: lines that were not understood, names that no mapping has, an end that is
// missing.

import type { StreamNote } from '../model/stream.ts'
import { printable } from './printable.ts'

/** What a reader counted. */
export interface ReadCounts {
  readonly lineCount: number
  readonly unparsedLineCount: number
  readonly firstUnparsed: readonly { readonly line: number; readonly text: string }[]
  readonly unknownNameCount: number
}

/** More of them, and what was read is not the log. */
export const UNPARSED_SHARE = 0.01
const TEXT_LENGTH = 60

/** Whether too much of the log was not understood. */
export function isUnread({ lineCount, unparsedLineCount }: ReadCounts): boolean {
  return unparsedLineCount > lineCount * UNPARSED_SHARE
}

/** `mapping`: its name. `cut`: why there is less of the log than there should be; null: there is not. */
export function notesOfCounts(counts: ReadCounts, mapping: string, cut: string | null): StreamNote[] {
  const notes: StreamNote[] = []
  const { lineCount, unparsedLineCount, unknownNameCount } = counts
  if (unparsedLineCount > 0) {
    const first = counts.firstUnparsed.map(({ line, text }) => `line ${line}: ${printable(text, TEXT_LENGTH)}`)
    const message = `${unparsedLineCount} of ${lineCount} lines were not understood: ${first.join('; ')}`
    notes.push({ code: 'unparsed', message, inconclusive: isUnread(counts) })
  }
  if (unknownNameCount > 0) {
    const names = unknownNameCount === 1 ? '1 name is' : `${unknownNameCount} names are`
    notes.push({ code: 'unknown_names', message: `${names} not in mapping ${printable(mapping)}`, inconclusive: false })
  }
  if (cut !== null) notes.push({ code: 'log_cut', message: `the log is not whole: ${cut}`, inconclusive: true })
  return notes
}
