// Reads reports back: one JSON document, or JSON Lines, of a file or of stdin. A report may come from anywhere, so every
// field that is used later is looked at first.

import { readFileSync, statSync } from 'node:fs'
import { FormatError, TracefpError } from '../errors.ts'
import { libraryMiss } from '../match/library-miss.ts'
import type { Miss } from '../match/miss.ts'

/** What explaining needs of a report. */
export interface ReadReport {
  readonly name: string
  readonly session: string
  readonly verdict: string
  /** All misses; `misses` are those that the report lists. */
  readonly missCount: number
  readonly misses: readonly Miss[]
  /** Libraries that are not those learned, as `image` misses: they are no part of the verdict. */
  readonly libraries: readonly Miss[]
  readonly notes: readonly string[]
}

const MAX_BYTES = 256 * 1024 * 1024
const SCHEMA = 1
/** Fields of a miss that older reports do not have. */
type Later = 'depth' | 'layer' | 'burst' | 'isAlarm'
const TEXTS = ['kind', 'image', 'at', 'from', 'to', 'severity'] as const
const NUMBERS = ['tid', 'tgid', 'ppid', 'index'] as const
const LISTS = ['ancestors', 'context', 'expected', 'path'] as const
const ACTIONS: readonly unknown[] = ['alert', 'allow', 'deny', 'kill', 'late-kill']
const KINDS: readonly unknown[] = ['call', 'exec', 'image', 'end']

/** `file` may be `-`. @throws TracefpError TFP_ERR_FILE; FormatError TFP_ERR_MATCH_REPORT. */
export function readReports(file: string): ReadReport[] {
  return parseReports(readText(file), file === '-' ? 'stdin' : file)
}

/** @throws FormatError TFP_ERR_MATCH_REPORT. */
export function parseReports(text: string, file: string): ReadReport[] {
  if (text.trim() === '') throw new FormatError('TFP_ERR_MATCH_REPORT', 'it is empty: no report was written', file, 0)
  const whole = parseJson(text)
  if (whole !== undefined) return [reportOf(whole, file, 0)]
  const lines = text.split('\n')
  const isLines =
    lines
      .find((line) => line.trim() !== '')
      ?.trim()
      .endsWith('}') === true
  if (!isLines) throw notAReport('it is not JSON, or was cut off', file, 0)
  return lines.flatMap((line, index) => {
    if (line.trim() === '') return []
    const value = parseJson(line)
    if (value === undefined) throw notAReport('the line is not JSON, or was cut off', file, index + 1)
    return [reportOf(value, file, index + 1)]
  })
}

function reportOf(value: unknown, file: string, line: number): ReadReport {
  const report = recordOf(value)
  if (report === undefined || !('verdict' in report) || !('schema' in report)) {
    throw notAReport('it has no verdict and no schema', file, line)
  }
  if (report['schema'] !== SCHEMA) {
    const why = `its schema is ${JSON.stringify(report['schema'])}, and this tracefp knows ${SCHEMA}: use a newer one`
    throw new FormatError('TFP_ERR_MATCH_REPORT', why, file, line)
  }
  const misses = arrayOf(report['misses'])
  const { missCount } = report
  if (misses === undefined) throw notAReport('its misses are no list', file, line)
  return {
    name: textOf(report['name']),
    session: textOf(report['session']),
    verdict: textOf(report['verdict']),
    missCount: Number.isSafeInteger(missCount) ? Math.max(missCount as number, misses.length) : misses.length,
    misses: misses.map((miss, index) => {
      const problem = problemOf(recordOf(miss))
      if (problem !== undefined) throw notAReport(`miss ${index + 1}: ${problem}`, file, line)
      const {
        depth = 2,
        action,
        layer,
        burst,
        isAlarm,
        ...rest
      } = miss as Omit<Miss, Later> & Partial<Pick<Miss, Later>>
      const found = { layer: layer === 'fault' ? layer : null, burst: Number(burst ?? 1), isAlarm: isAlarm !== false }
      return { ...rest, depth, ...found, action: ACTIONS.includes(action) ? action : 'alert' }
    }),
    libraries: (arrayOf(report['notes']) ?? []).flatMap((note) => libraryOf(note, textOf(report['startedAt']))),
    notes: (arrayOf(report['notes']) ?? []).map((note) => textOf(recordOf(note)?.['message'])),
  }
}

function libraryOf(note: unknown, at: string): Miss[] {
  const library = recordOf(recordOf(note)?.['library'])
  if (library === undefined) return []
  const { sha256 } = library
  const learned = (arrayOf(library['learned']) ?? []).map(textOf)
  const [program, path] = [textOf(library['program']), textOf(library['path'])]
  return [libraryMiss({ program, path, sha256: typeof sha256 === 'string' ? sha256 : null, learned }, 0, at)]
}

/** What is wrong with a miss. */
function problemOf(miss: Readonly<Record<string, unknown>> | undefined): string | undefined {
  if (miss === undefined) return 'it is no object'
  const badText = TEXTS.find((name) => typeof miss[name] !== 'string')
  if (badText !== undefined) return `${badText} is no text`
  // Older reports have none.
  const { depth = 2 } = miss
  if (typeof depth !== 'number' || !Number.isInteger(depth) || depth < 2 || depth > 8)
    return 'its depth is not from 2 to 8'
  const badNumber = NUMBERS.find((name) => !Number.isSafeInteger(miss[name]))
  if (badNumber !== undefined) return `${badNumber} is no whole number`
  const badList = LISTS.find((name) => arrayOf(miss[name])?.every((text) => typeof text === 'string') !== true)
  if (badList !== undefined) return `${badList} is no list of texts`
  return KINDS.includes(miss['kind']) ? undefined : `its kind is ${JSON.stringify(miss['kind'])}`
}

function readText(file: string): string {
  try {
    if (file === '-') return readFileSync(0, 'utf8')
    const { size } = statSync(file)
    if (size > MAX_BYTES) throw new Error('larger than 256 MiB')
    return readFileSync(file, 'utf8')
  } catch (cause) {
    throw new TracefpError('TFP_ERR_FILE', `${file}: ${(cause as Error).message}`, { cause })
  }
}

function notAReport(why: string, file: string, line: number): FormatError {
  return new FormatError(
    'TFP_ERR_MATCH_REPORT',
    `not a report of tracefp: ${why}: give what --report wrote`,
    file,
    line,
  )
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

function recordOf(value: unknown): Readonly<Record<string, unknown>> | undefined {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
    ? (value as Readonly<Record<string, unknown>>)
    : undefined
}

function arrayOf(value: unknown): readonly unknown[] | undefined {
  return Array.isArray(value) ? value : undefined
}

function textOf(value: unknown): string {
  return typeof value === 'string' ? value : ''
}
