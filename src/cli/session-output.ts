// What `run` and `attach` say of a live session: when it freezes, its report, its summary, its exit code.

import { constants } from 'node:os'
import { missLine } from '../match/explain.ts'
import type { Miss } from '../match/miss.ts'
import { printable } from '../match/printable.ts'
import type { Report } from '../match/report.ts'
import type { Outcome } from '../match/verdict.ts'
import type { Output } from './output.ts'
import { counted, shellWord } from './words.ts'

const SIGNAL_EXIT = 128

/** Said when a session freezes. */
export function frozenText(miss: Miss, session: string): string {
  return [
    `tracefp: frozen at: ${missLine(miss).replace(/^tracefp: abnormal: /, '')}`,
    `tracefp: nothing of it goes on until: tracefp release ${session} --allow, or --kill`,
  ].join('\n')
}

export async function writeReport(file: string, report: Report, output: Output): Promise<void> {
  const text = `${JSON.stringify(report, null, 2)}\n`
  if (file === '-') output.data(text)
  else await (await import('../model/files.ts')).writeAtomic(file, text)
}

/** How the program ended, as a shell says it; 0: it did not end. */
export function exitCodeOf({ exit }: Report): number {
  if (exit.signal === null) return exit.code ?? 0
  const known = constants.signals[exit.signal as NodeJS.Signals]
  return SIGNAL_EXIT + (known ?? Number(exit.signal.replace(/\D/g, '')))
}

/** The last words on a session, on stderr. `howToLearn` is the command by which its program is learned. */
export function summaryOf(
  report: Report,
  outcome: Outcome,
  howToLearn: string = `tracefp learn --runs 20 -- ${report.argv.map(shellWord).join(' ')}`,
): string {
  const verdict = outcome === 'no_fingerprint' ? 'no fingerprint' : outcome
  const root = report.programs[0]
  const counts = [
    `${counted(report.missCount, 'miss')} in ${counted(report.recordCount, 'call')} of ${counted(report.trackCount, 'track')}`,
  ]
  if (root !== undefined && root.fingerprint !== null) counts.push(`coverage ${(root.coverage * 100).toFixed(0)} %`)
  if (report.gapCount > 0)
    counts.push(`${counted(report.gapCount, 'gap')}, ${counted(report.droppedCount, 'record')} dropped`)
  const unlisted = report.missCount - report.misses.length
  if (unlisted > 0) counts.push(`${counted(unlisted, 'miss')} more than are listed`)
  const lines = [`tracefp: ${verdict}: ${printable(report.name)}: ${counts.join(', ')}`]
  for (const note of report.notes) lines.push(`tracefp: note: ${note.message}`)
  if (outcome === 'no_fingerprint') {
    lines.push(`tracefp: learn it first: ${howToLearn}`)
  }
  return `${lines.join('\n')}\n`
}
