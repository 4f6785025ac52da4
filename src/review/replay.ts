// Kept captures and logs, judged by two fingerprints: which verdicts would have been others.

import { checkLogs } from '../check-logs.ts'
import type { Result } from '../match/report.ts'
import type { Verdict } from '../match/verdict.ts'

export interface ReplayedSession {
  readonly log: string
  readonly session: string
  readonly before: Verdict
  readonly after: Verdict
  readonly missCountBefore: number
  readonly missCountAfter: number
}

export interface ReplayOptions {
  readonly logs: readonly string[]
  readonly before: string
  readonly after: string
  readonly home: string
  readonly depth: number | null
}

/** @throws what the first log that cannot be read is wrong with. */
export async function replay({ logs, before, after, home, depth }: ReplayOptions): Promise<ReplayedSession[]> {
  const sessions: ReplayedSession[] = []
  for (const log of logs) {
    const [old, now] = [await judged(log, before, home, depth), await judged(log, after, home, depth)]
    for (const [index, { report }] of old.entries()) {
      const other = now[index]?.report
      if (other === undefined) continue
      sessions.push({
        log,
        session: report.session,
        before: report.verdict,
        after: other.verdict,
        missCountBefore: report.missCount,
        missCountAfter: other.missCount,
      })
    }
  }
  return sessions
}

async function judged(log: string, file: string, home: string, depth: number | null): Promise<Result[]> {
  const results: Result[] = []
  let failure: unknown
  await checkLogs({
    logs: [log],
    format: 'auto',
    mapping: null,
    files: [file],
    home,
    depth,
    follow: null,
    onMiss: () => {},
    onResult: (result) => results.push(result),
    onFailure: (error) => {
      failure = error
    },
  })
  if (failure !== undefined) throw failure
  return results
}
