// Learns from many logs on all cores. Threads read; the runs are added here, in the order of the logs, so that the ledger is the one
// that a single thread makes. Files are written while no thread reads, some hundred runs at a time.

import { LearnedRuns, type LearnLogsOptions, learnLogs } from '../learn-logs.ts'
import { LogPool, type PoolOptions, planJobs } from './log-pool.ts'
import type { LearnTask, LogEvent, LogJob, OpenedLog } from './log-protocol.ts'
import { fromPlainError } from './plain-error.ts'

export interface ThreadedLearning
  extends Omit<LearnLogsOptions, 'onOpen'>,
    Pick<PoolOptions, 'threadCount' | 'worthBytes'> {
  readonly onOpen?: (log: OpenedLog) => void
  /** Logs that are read before what was learned is written; default 256. */
  readonly roundCount?: number
}

/** As learnLogs. */
export async function learnLogsInThreads(options: ThreadedLearning): Promise<void> {
  const plan = await planJobs(options)
  if (plan === undefined) return await learnLogs(options)
  const runs = new LearnedRuns(options)
  const pool = new LogPool(taskOf(options), plan.threadCount)
  try {
    for (const round of roundsOf(plan.jobs, options.roundCount ?? 256)) {
      const jobs = round.map((job) => ({ ...job, known: runs.before }))
      await pool.run(jobs, (event) => tell(event, runs, options))
      await runs.writeFull()
    }
  } finally {
    await pool.close()
  }
  await runs.writeAll()
}

function* roundsOf(jobs: readonly LogJob[], limit: number): Generator<LogJob[]> {
  let round: LogJob[] = []
  let count = 0
  for (const job of jobs) {
    round.push(job)
    count += job.paths.length
    if (count < limit) continue
    yield round
    round = []
    count = 0
  }
  if (round.length > 0) yield round
}

function taskOf(options: ThreadedLearning): LearnTask {
  const { format, mapping, file, name, scenario, settings, neverLearned, home } = options
  const never = neverLearned === undefined ? {} : { neverLearned }
  return { kind: 'learn', format, mapping, file, name, scenario, settings, home, ...never }
}

function tell(event: LogEvent, runs: LearnedRuns, options: ThreadedLearning): void {
  switch (event.type) {
    case 'opened':
      return options.onOpen?.(event.log)
    case 'run':
      return runs.add(event.run)
    case 'session':
      return options.onSession(event.session)
    case 'failure':
      return options.onFailure(fromPlainError(event.error), event.log)
    case 'progress':
      return options.onProgress?.(event.log, event.position, event.size)
    case 'miss':
    case 'result':
    case 'done':
      return
  }
}
