// What a check of logs tells, in its order: all but what every session has of its own.

import { checkLogs } from '../../src/check-logs.ts'

/** `home`: of tracefp; `file`: the fingerprint. */
export async function toldOfLogs(
  logs: readonly string[],
  { home, file, depth }: { readonly home: string; readonly file: string; readonly depth: number | null },
): Promise<unknown[]> {
  const events: unknown[] = []
  await checkLogs({
    logs,
    format: 'strace',
    mapping: null,
    files: [file],
    home,
    depth,
    burst: { threshold: 2 },
    follow: null,
    onMiss: (miss) => events.push(miss),
    onResult: ({ report, outcome }) => events.push({ ...report, session: '', startedAt: '', endedAt: '', outcome }),
    onFailure: (error) => events.push({ error: String(error) }),
  })
  return events
}
