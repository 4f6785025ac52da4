// Judges evidence again: its captures or pieces of a log, by its fingerprints, with the settings of its report. What comes out must be what the
// evidence says, byte for byte.

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { checkLogs } from '../check-logs.ts'
import type { Report, Result } from '../match/report.ts'
import { LOG_FORMAT_NAMES } from '../source/log/formats.ts'
import type { Bundle, LogPart } from '../store/evidence.ts'

export interface Replay {
  readonly report: Report
  /** Per capture. */
  readonly captures: readonly { readonly isSame: boolean; readonly report: Report | null }[]
  readonly isSame: boolean
}

export async function replayBundle({ report, captures, fingerprints, isWhole }: Bundle): Promise<Replay> {
  const replayed: { isSame: boolean; report: Report | null }[] = []
  for (const { bytes, report: expected, log } of captures) {
    const capture = Buffer.from(bytes, 'base64')
    const found =
      log === undefined
        ? ((await judge(capture, fingerprints, report))?.report ?? null)
        : await judgeLog(capture, log, fingerprints, report)
    // Which tracefp says it may differ; what it says may not.
    const now = found === null ? null : { ...found, tracefp: report.tracefp }
    replayed.push({ isSame: now !== null && asText(now) === expected, report: now })
  }
  // Of a whole session the replay is the live report itself, but for where the records came from, and for notes on the machine.
  const isLive = !isWhole || replayed.every(({ report: now }) => now !== null && plain(now) === plain(report))
  const isSame = replayed.length > 0 && isLive && replayed.every((one) => one.isSame)
  return { report, captures: replayed, isSame }
}

export function asText(report: Report): string {
  return JSON.stringify(report)
}

function plain(report: Report): string {
  return asText({ ...report, source: { ...report.source, kind: 'capture' }, notes: [] })
}

/** A capture. Null: it could not be read. */
export async function judge(
  capture: Uint8Array,
  fingerprints: readonly string[],
  settings: Pick<Report, 'depth' | 'burst'>,
): Promise<Result | null> {
  const log = { format: 'capture', mapping: null, session: 0, firstLine: 1 }
  return await judgeAs(capture, log, fingerprints, settings)
}

/** Text of a log, which does not say when and where it was judged: that is as `report` says. Null: it could not be read. */
export async function judgeLog(
  text: Uint8Array,
  log: LogPart,
  fingerprints: readonly string[],
  report: Report,
): Promise<Report | null> {
  const judged = await judgeAs(text, log, fingerprints, report)
  if (judged === null) return null
  const { tracefp, session, name, host, machineId, uid, startedAt, endedAt } = report
  return { ...judged.report, tracefp, session, name, host, machineId, uid, startedAt, endedAt }
}

async function judgeAs(
  bytes: Uint8Array,
  { format, mapping, session }: LogPart,
  fingerprints: readonly string[],
  settings: Pick<Report, 'depth' | 'burst'>,
): Promise<Result | null> {
  const folder = mkdtempSync(join(tmpdir(), 'tracefp-replay-'))
  try {
    const log = join(folder, 'capture')
    writeFileSync(log, bytes, { mode: 0o600 })
    const files = fingerprints.map((text, index) => {
      const file = join(folder, `${index}.tfp`)
      writeFileSync(file, text, { encoding: 'latin1', mode: 0o600 })
      return file
    })
    const results: Result[] = []
    const { frame, threshold } = settings.burst ?? { threshold: null }
    await checkLogs({
      logs: [log],
      format: LOG_FORMAT_NAMES.find((name) => name === format) ?? 'auto',
      mapping,
      files,
      // Without fingerprints none is looked for: what the machine holds now is not what judged then.
      home: folder,
      depth: settings.depth,
      ...(frame === undefined ? {} : { burst: threshold === null ? { frame } : { frame, threshold } }),
      follow: null,
      onMiss: () => {},
      onResult: (result) => results.push(result),
      onFailure: () => {},
    })
    return results[session] ?? null
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}
