// Threads that read logs side by side: one per core, each of which reads one job after the other. What they say is told in the order
// of the jobs, as if one thread had read them all.

import { statSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { join } from 'node:path'
import { Worker } from 'node:worker_threads'
import { PACKAGE_ROOT } from '../package.ts'
import type { LogFormatName } from '../source/log/log-reader.ts'
import { logInputsOf } from '../source/log/log-sets.ts'
import type { LogEvent, LogJob, LogMessage, LogTask } from './log-protocol.ts'

/** Always the built one: a worker runs no TypeScript. */
const ENTRY: string = join(PACKAGE_ROOT, 'lib', 'session', 'log-worker.js')
/** Logs with fewer bytes are read sooner than a second thread is warm: those of strace much sooner, others about then. */
const WORTH_BYTES = 64 << 20
/** Small logs are given out together. */
const JOB_BYTES = 2 << 20

export interface PoolOptions {
  readonly logs: readonly string[]
  readonly format: LogFormatName | 'auto'
  /** Default: one per core. 1: no thread is started. */
  readonly threadCount?: number
  /** Logs with fewer bytes are read in this thread. */
  readonly worthBytes?: number
}

/** What is to be read, and by how many threads; undefined: threads would not pay. */
export async function planJobs(options: PoolOptions): Promise<{ jobs: LogJob[]; threadCount: number } | undefined> {
  const jobs = options.logs.includes('-') ? [] : await jobsOf(options)
  const threadCount = Math.min(options.threadCount ?? availableParallelism(), jobs.length)
  return threadCount < 2 ? undefined : { jobs, threadCount }
}

async function jobsOf({ logs, format, worthBytes = WORTH_BYTES }: PoolOptions): Promise<LogJob[]> {
  if (logs.length < 2 || sizeOf(logs) < worthBytes) return []
  const jobs: { paths: string[] }[] = []
  const limit = Math.min(JOB_BYTES, worthBytes)
  let bytes = limit
  for (const { paths } of await logInputsOf(logs, { format })) {
    bytes += sizeOf(paths)
    if (bytes > limit) {
      jobs.push({ paths: [] })
      bytes = sizeOf(paths)
    }
    jobs.at(-1)?.paths.push(...paths)
  }
  return jobs
}

function sizeOf(paths: readonly string[]): number {
  return paths.reduce((sum, path) => sum + (statSync(path, { throwIfNoEntry: false })?.size ?? 0), 0)
}

export class LogPool {
  readonly #workers: readonly Worker[]
  readonly #failed: Promise<never>
  #jobs: readonly LogJob[] = []
  #tell: (event: LogEvent) => void = () => {}
  /** What was said of jobs that are not due yet. */
  #waiting: LogEvent[][] = []
  #nextJob = 0
  /** The job that is told as it goes. */
  #due = 0

  /** Starts the threads; `close` ends them. */
  constructor(task: LogTask, threadCount: number) {
    this.#workers = Array.from({ length: threadCount }, () => new Worker(ENTRY, { workerData: task, execArgv: [] }))
    this.#failed = Promise.race(this.#workers.map((worker) => this.#failureOf(worker)))
    this.#failed.catch(() => {})
    for (const worker of this.#workers) worker.setMaxListeners(0)
  }

  /** Resolves when all was told of all jobs. */
  async run(jobs: readonly LogJob[], tell: (event: LogEvent) => void): Promise<void> {
    this.#jobs = jobs
    this.#tell = tell
    this.#waiting = jobs.map(() => [])
    this.#nextJob = 0
    this.#due = 0
    await Promise.race([this.#failed, Promise.all(this.#workers.map((worker) => this.#employ(worker)))])
  }

  async close(): Promise<void> {
    await Promise.all(this.#workers.map((worker) => worker.terminate()))
  }

  #failureOf(worker: Worker): Promise<never> {
    return new Promise((_, reject) => {
      worker.once('error', reject)
      worker.once('exit', () => reject(new Error('a thread ended before its logs were read')))
    })
  }

  /** Resolves when there is no job left. */
  #employ(worker: Worker): Promise<void> {
    return new Promise((resolve) => {
      const give = (): void => {
        const job = this.#nextJob
        this.#nextJob += 1
        const given = this.#jobs[job]
        if (given !== undefined) {
          worker.postMessage({ ...given, job })
          return
        }
        worker.off('message', hear)
        resolve()
      }
      const hear = ({ job, event }: LogMessage): void => {
        this.#hear(job, event)
        if (event.type === 'done') give()
      }
      worker.on('message', hear)
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
}
