// Follows a log that somebody else writes, over rotations; each session in it is kept as one that runs.

import { checkLogs, type LogResult } from '../check-logs.ts'
import { isTold } from '../match/explain.ts'
import { printable } from '../match/printable.ts'
import type { Keeper } from '../session/keeper.ts'
import { MissTeller } from '../session/miss-teller.ts'
import type { LogEntry } from './config.ts'
import type { Attempt } from './entry.ts'
import { keeperFor } from './follow-session.ts'

export function logAttempt(entry: LogEntry, home: string): Attempt {
  return async (telling) => {
    const { file, format, mapping, fingerprints, requireSignature, depth, burst } = entry
    let keeper: Keeper | null = null
    let keeping: Promise<void> = Promise.resolve()
    let failure: unknown = null
    const teller = new MissTeller((line) => telling.say(line.replace(/^tracefp: /, '')))
    const end = (result: LogResult): void => {
      const ending = keeper ?? keeperFor({ home, telling })
      keeper = null
      telling.ended(result.outcome)
      telling.trouble(result.outcome === 'no_fingerprint' ? 'there is no fingerprint for what it is of' : null)
      keeping = keeping.then(() => ending.ended(result, result.judgedBy ?? null))
    }
    await checkLogs({
      logs: [file],
      format,
      mapping,
      files: fingerprints,
      home,
      requireSignature,
      depth,
      ...(burst === null ? {} : { burst }),
      wantsEvidence: true,
      follow: telling.stop,
      onBegin: ({ session }) => {
        keeper = keeperFor({ home, telling })
        keeper.begun({ session, name: entry.name, argv: [] })
        telling.running(session, null)
      },
      onMiss: (miss) => {
        if (!isTold(miss)) return
        telling.miss()
        keeper?.miss(miss)
        teller.tell(miss, `; ${printable(miss.at)}`)
      },
      onResult: end,
      onFailure: (error) => {
        failure = error
      },
    })
    teller.flush()
    await keeping
    if (failure !== null) throw failure
    return { isAgain: true }
  }
}
