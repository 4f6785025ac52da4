// How a log of numbers is laid out, from its first bytes: what a line is can be told from several of them, not from one.
//
//   column   one number a line                  one trace, top to bottom
//   pairs    `pid number`                       one trace, a track per pid (UNM)
//   lines    numbers between spaces             a trace a line (ADFA-LD)
//   named    `file<TAB>numbers`, `file<TAB>pid<TAB>numbers`    a trace a line

export type NumbersLayout = 'column' | 'pairs' | 'lines' | 'named'

export interface LayoutFound {
  readonly layout: NumbersLayout
  /** Share of the lines that fit. */
  readonly share: number
  /** Lines of numbers that were looked at. */
  readonly lineCount: number
}

/** The layout is decided on this many bytes, however they arrive. */
export const HEAD_LENGTH = 65536

const NUMBER = /^-?\d{1,11}$/

/** Null: there is no line of numbers. `isWhole`: the log ends here, so that its last line is complete. */
export function layoutOf(head: Uint8Array, isWhole: boolean): LayoutFound | null {
  const text = Buffer.from(head.buffer, head.byteOffset, head.byteLength)
    .toString('latin1')
    .replace(/^\xef\xbb\xbf/, '')
  const lines = text.split('\n')
  if (!isWhole && lines.length > 1) lines.pop()
  const counts = { one: 0, two: 0, many: 0, named: 0, other: 0 }
  for (const line of lines) {
    if (line.trim() !== '' && !line.startsWith('#')) counts[shapeOf(line)] += 1
  }
  const fitting = counts.one + counts.two + counts.many
  const total = fitting + counts.named + counts.other
  if (fitting + counts.named === 0) return null
  if (counts.named > fitting) return { layout: 'named', share: counts.named / total, lineCount: counts.named }
  return { layout: plainLayout(counts), share: fitting / total, lineCount: fitting }
}

/** Traces differ in length: where nearly all lines are alike, the others are damaged. */
function plainLayout(counts: { readonly one: number; readonly two: number; readonly many: number }): NumbersLayout {
  const nearlyAll = 0.9 * (counts.one + counts.two + counts.many)
  if (counts.one >= nearlyAll) return 'column'
  if (counts.two >= nearlyAll) return 'pairs'
  if (counts.many > 0) return 'lines'
  return counts.two > counts.one ? 'pairs' : 'column'
}

function shapeOf(line: string): 'one' | 'two' | 'many' | 'named' | 'other' {
  const tab = line.indexOf('\t')
  const isNamed = tab > 0 && !NUMBER.test(line.slice(0, tab).trim())
  const words = (isNamed ? line.slice(tab + 1) : line).split(/[\s,]+/).filter((word) => word !== '')
  // The last word may be cut off.
  if (!words.every((word) => NUMBER.test(word))) return 'other'
  if (isNamed) return 'named'
  return words.length === 1 ? 'one' : words.length === 2 ? 'two' : 'many'
}
