// How a log of strace is known.

import type { LogFormat } from './log-reader.ts'
import { newLine, readLine, type StraceLine, withoutColours } from './strace-line.ts'
import { StraceReader } from './strace-reader.ts'
import { newResult, readResult } from './strace-result.ts'

/** Lines of the head that are looked at. */
const LINE_LIMIT = 400

export const straceFormat: LogFormat = {
  name: 'strace',
  recognise: (head) => {
    let wholeCount = 0
    let knownCount = 0
    let otherCount = 0
    let summaryCount = 0
    for (const { kind, isWhole } of straceLinesOf(head)) {
      if (kind === 'summary') summaryCount += 1
      else if (kind === 'call' ? isWhole : kind !== 'other' && kind !== 'aside') wholeCount += 1
      else if (kind === 'call' || kind === 'aside') knownCount += 1
      else otherCount += 1
    }
    if (wholeCount === 0) {
      if (summaryCount > 2) return { sureness: 0.6, reason: 'a summary of strace -c' }
      return { sureness: 0, reason: 'no line is one of strace' }
    }
    const share = wholeCount / Math.max(1, wholeCount + otherCount)
    return { sureness: 0.3 + 0.65 * share, reason: `calls with " = result", ${wholeCount + knownCount} lines` }
  },
  order: () => 'entry',
  open: (options) => new StraceReader(options),
}

export interface HeadLine extends Readonly<StraceLine> {
  /** A call with its result, or one that says that it is unfinished. */
  readonly isWhole: boolean
}

/** The first lines as facts. */
export function straceLinesOf(head: Uint8Array): HeadLine[] {
  const text = Buffer.from(head.buffer, head.byteOffset, head.byteLength).toString('latin1')
  const lines = text.split('\n', LINE_LIMIT)
  // The last one may be cut.
  if (lines.length > 1 && lines.length < LINE_LIMIT) lines.pop()
  const result = newResult()
  return lines.map((raw) => {
    const line = newLine()
    const own = withoutColours(raw.endsWith('\r') ? raw.slice(0, -1) : raw)
    readLine(own, line)
    if (line.kind === 'call') readResult(own, line.rest, result)
    return { ...line, isWhole: line.kind === 'call' && result.kind !== 'none' }
  })
}
