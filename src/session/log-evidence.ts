// Evidence of a log that was checked: its text where it is short, else the lines around its misses, each with what judging it
// again says. It is taken from the file when its session is over: of a log that was rotated away meanwhile there is none.

import { existsSync } from 'node:fs'
import type { JudgedBy } from '../check-logs.ts'
import type { Report } from '../match/report.ts'
import { openLogBytes } from '../source/log/log-bytes.ts'
import type { Bundle } from '../store/evidence.ts'
import { asText, judgeLog } from './replay.ts'

type Captures = Pick<Bundle, 'captures' | 'isWhole'>

/** A longer log is kept in excerpts. */
export const WHOLE_BYTES: number = 8 << 20
const BEFORE = 200
const AFTER = 50
const MAX_EXCERPTS = 20
const LF = 10

/** Null: it is not there any more, or not as it was judged. */
export async function logCaptures(
  judged: JudgedBy,
  report: Report,
  wholeBytes: number = WHOLE_BYTES,
): Promise<Captures | null> {
  const { path, session, format, mapping, fingerprints } = judged
  // Files of `strace -ff` and stdin have no file of that name.
  if (!existsSync(path)) return null
  const whole = await readWhole(path, wholeBytes)
  if (whole !== null) {
    const log = { format, mapping, session, firstLine: 1 }
    const again = await judgeLog(whole, log, fingerprints, report)
    if (again === null || asText(again) !== asText(report)) return null
    return { captures: [{ bytes: whole.toString('base64'), report: asText(again), log }], isWhole: true }
  }
  const captures: Captures['captures'][number][] = []
  for (const { firstLine, bytes } of await excerptsOf(path, linesOf(report))) {
    const log = { format, mapping, session: 0, firstLine }
    const again = await judgeLog(bytes, log, fingerprints, report)
    if (again !== null) captures.push({ bytes: bytes.toString('base64'), report: asText(again), log })
  }
  return captures.length === 0 ? null : { captures, isWhole: false }
}

/** Null: it is longer. */
async function readWhole(path: string, limit: number): Promise<Buffer | null> {
  const chunks: Buffer[] = []
  let length = 0
  const { chunks: all } = await openLogBytes(path, path)
  for await (const chunk of all) {
    length += chunk.length
    if (length > limit) return null
    // It is overwritten by the next one.
    chunks.push(Buffer.from(chunk))
  }
  return Buffer.concat(chunks)
}

/** Where the misses stand, ascending. */
function linesOf({ misses }: Report): number[] {
  const lines = misses.flatMap(({ at }) => {
    const line = /^line (\d+)/.exec(at)?.[1]
    return line === undefined ? [] : [Number(line)]
  })
  return [...new Set(lines)].sort((a, b) => a - b)
}

interface Excerpt {
  /** From 1. */
  readonly firstLine: number
  readonly bytes: Buffer
}

/** Lines around those that are asked for; what overlaps is one. */
async function excerptsOf(path: string, wanted: readonly number[]): Promise<Excerpt[]> {
  const ranges: { first: number; last: number }[] = []
  for (const line of wanted) {
    const [first, last] = [Math.max(1, line - BEFORE), line + AFTER]
    const before = ranges.at(-1)
    if (before !== undefined && first <= before.last + 1) before.last = last
    else if (ranges.length < MAX_EXCERPTS) ranges.push({ first, last })
  }
  const parts: Buffer[][] = ranges.map(() => [])
  let line = 1
  let at = 0
  const { chunks } = await openLogBytes(path, path)
  for await (const chunk of chunks) {
    for (let start = 0; start < chunk.length && at < ranges.length; ) {
      const found = chunk.indexOf(LF, start)
      const end = found < 0 ? chunk.length : found + 1
      const range = ranges[at] as (typeof ranges)[number]
      if (line >= range.first) parts[at]?.push(Buffer.from(chunk.subarray(start, end)))
      if (found >= 0) line += 1
      if (line > range.last) at += 1
      start = end
    }
    if (at === ranges.length) break
  }
  return ranges.map(({ first }, index) => ({ firstLine: first, bytes: Buffer.concat(parts[index] as Buffer[]) }))
}
