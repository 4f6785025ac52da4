// Checks many logs on all cores: a thread per core, each of which reads one log after the other, and one table for all of them.
// What they say is told in the order of the logs, as if one thread had read them all.

import { statSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { join } from 'node:path'
import { Worker } from 'node:worker_threads'
import { type CheckLogsOptions, checkLogs, LogChecks } from '../check-logs.ts'
import { PACKAGE_ROOT } from '../package.ts'
import { logInputsOf } from '../source/log/log-sets.ts'
import type { LogEvent, LogJob, LogMessage, LogTask, OpenedLog } from './log-protocol.ts'
import { fromPlainError } from './plain-error.ts'

/** Always the built one: a worker runs no TypeScript. */
const ENTRY: string = join(PACKAGE_ROOT, 'lib', 'session', 'log-worker.js')
/** A thread takes as long to start as so many bytes to read. */
const WORTH_BYTES = 16 << 20
/** Small logs are given out together. */
const JOB_BYTES = 2 << 20

export interface ThreadedOptions extends Omit<CheckLogsOptions, 'onOpen'> {
  readonly onOpen?: (log: OpenedLog) => void
  /** Default: one per core. 1: no thread is started. */
  readonly threadCount?: number
  /** Logs with fewer bytes are read in this thread. */
  readonly worthBytes?: number
}

/** As checkLogs. @throws what the fingerprints are wrong with. */
export async function checkLogsInThreads(options: ThreadedOptions): Promise<void> {
  const jobs = options.follow === null && !options.logs.includes('-') ? await jobsOf(options) : []
  const threadCount = Math.min(options.threadCount ?? availableParallelism(), jobs.length)
  if (threadCount < 2) return await checkLogs(options)
  const tables = new LogChecks(options).compile()
  await new Pool({ ...taskOf(options), ...(tables === undefined ? {} : { tables }) }, jobs, options).run(threadCount)
}

/** None, where threads would not pay. */
async function jobsOf({ logs, format, worthBytes = WORTH_BYTES }: ThreadedOptions): Promise<LogJob[]> {
  if (logs.length < 2 || sizeOf(logs) < worthBytes) return []
  const jobs: { job: number; paths: string[] }[] = []
  const limit = Math.min(JOB_BYTES, worthBytes)
  let bytes = limit
  for (const { paths } of await logInputsOf(logs, { format })) {
    bytes += sizeOf(paths)
    if (bytes > limit) {
      jobs.push({ job: jobs.length, paths: [] })
      bytes = sizeOf(paths)
    }
    jobs.at(-1)?.paths.push(...paths)
  }
  return jobs
}

function sizeOf(paths: readonly string[]): number {
  return paths.reduce((sum, path) => sum + (statSync(path, { throwIfNoEntry: false })?.size ?? 0), 0)
}

function taskOf({ format, mapping, files, home, requireSignature, depth, burst }: ThreadedOptions): LogTask {
  return {
    format,
    mapping,
    files,
    home,
    depth,
    ...(requireSignature === undefined ? {} : { requireSignature }),
    ...(burst === undefined ? {} : { burst }),
  }
}

class Pool {
  readonly #task: LogTask
  readonly #jobs: readonly LogJob[]
  readonly #options: ThreadedOptions
  /** What was said of jobs that are not due yet. */
  readonly #waiting: LogEvent[][]
  #nextJob = 0
  /** The job that is told as it goes. */
  #due = 0

  constructor(task: LogTask, jobs: readonly LogJob[], options: ThreadedOptions) {
    this.#task = task
    this.#jobs = jobs
    this.#options = options
    this.#waiting = jobs.map(() => [])
  }

  async run(threadCount: number): Promise<void> {
    const workers = Array.from(
      { length: threadCount },
      () => new Worker(ENTRY, { workerData: this.#task, execArgv: [] }),
    )
    try {
      await Promise.all(workers.map((worker) => this.#employ(worker)))
    } finally {
      await Promise.all(workers.map((worker) => worker.terminate()))
    }
  }

  /** Resolves when there is no job left. */
  #employ(worker: Worker): Promise<void> {
    return new Promise((resolve, reject) => {
      const give = (): void => {
        const job = this.#jobs[this.#nextJob]
        this.#nextJob += 1
        if (job === undefined) resolve()
        else worker.postMessage(job)
      }
      worker.on('message', ({ job, event }: LogMessage) => {
        this.#hear(job, event)
        if (event.type === 'done') give()
      })
      worker.once('error', reject)
      worker.once('exit', () => reject(new Error('a thread ended before its logs were read')))
      give()
    })
  }

  #hear(job: number, event: LogEvent): void {
    if (job !== this.#due) {
      if (event.type !== 'progress') this.#waiting[job]?.push(event)
      return
    }
    this.#tell(event)
    for (let last: LogEvent | undefined = event; last?.type === 'done'; ) {
      this.#due += 1
      const waiting = this.#waiting[this.#due] ?? []
      for (const known of waiting) this.#tell(known)
      last = waiting.at(-1)
      waiting.length = 0
    }
  }

  #tell(event: LogEvent): void {
    const { onOpen, onMiss, onResult, onFailure, onProgress } = this.#options
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
      case 'done':
        return
    }
  }
}
