// Checks many logs on all cores, with one table for all of them.

import { type CheckLogsOptions, checkLogs, LogChecks } from '../check-logs.ts'
import { LogPool, type PoolOptions, planJobs } from './log-pool.ts'
import type { CheckTask, LogEvent, OpenedLog } from './log-protocol.ts'
import { fromPlainError } from './plain-error.ts'

export interface ThreadedOptions
  extends Omit<CheckLogsOptions, 'onOpen'>,
    Pick<PoolOptions, 'threadCount' | 'worthBytes'> {
  readonly onOpen?: (log: OpenedLog) => void
}

/** As checkLogs. @throws what the fingerprints are wrong with. */
export async function checkLogsInThreads(options: ThreadedOptions): Promise<void> {
  const plan = options.follow === null ? await planJobs(options) : undefined
  if (plan === undefined) return await checkLogs(options)
  const tables = new LogChecks(options).compile()
  const pool = new LogPool({ ...taskOf(options), ...(tables === undefined ? {} : { tables }) }, plan.threadCount)
  try {
    await pool.run(plan.jobs, (event) => tell(event, options))
  } finally {
    await pool.close()
  }
}

function taskOf(options: ThreadedOptions): CheckTask {
  const { format, mapping, files, home, requireSignature, depth, burst, wantsEvidence } = options
  return {
    kind: 'check',
    format,
    mapping,
    files,
    home,
    depth,
    ...(requireSignature === undefined ? {} : { requireSignature }),
    ...(burst === undefined ? {} : { burst }),
    ...(wantsEvidence === undefined ? {} : { wantsEvidence }),
  }
}

function tell(event: LogEvent, { onOpen, onMiss, onResult, onFailure, onProgress }: ThreadedOptions): void {
  switch (event.type) {
    case 'opened':
      return onOpen?.(event.log)
    case 'miss':
      return onMiss(event.miss, event.log)
    case 'result':
      return onResult(event.result)
    case 'failure':
      return onFailure(fromPlainError(event.error), event.log)
    case 'progress':
      return onProgress?.(event.log, event.position, event.size)
    case 'session':
    case 'run':
    case 'done':
      return
  }
}
