// Starts the worker for one task and turns its messages into a promise and callbacks.

import { Worker } from 'node:worker_threads'
import { fromPlainError } from './plain-error.ts'
import type { HostMessage, LearnedRun, Miss, Result, WorkerMessage, WorkerTask } from './protocol.ts'

/** The sources run as .ts under a test runner and as .js when built. */
const ENTRY = new URL(import.meta.url.endsWith('.ts') ? '../../lib/session/worker.js' : './worker.js', import.meta.url)

export interface WorkerEvents {
  readonly onStart: (pid: number) => void
  readonly onMiss: (miss: Miss) => void
}

export interface TaskHandle {
  /** What the task came to. */
  readonly done: Promise<Result | LearnedRun>
  /** Kills the program; `done` then settles. */
  stop(): void
}

export function startWorker(task: WorkerTask, events: WorkerEvents): TaskHandle {
  // The host's own flags are not for it: `node --input-type=module -e ...` could start no worker at all.
  const worker = new Worker(ENTRY, { workerData: task, execArgv: [] })
  const done = new Promise<Result | LearnedRun>((resolve, reject) => {
    worker.on('message', (message: WorkerMessage) => {
      switch (message.type) {
        case 'started':
          events.onStart(message.pid)
          return
        case 'miss':
          events.onMiss(message.miss)
          return
        case 'checked':
          resolve(message.result)
          return
        case 'learned':
          resolve(message.run)
          return
        case 'failed':
          reject(fromPlainError(message.error))
      }
    })
    worker.once('error', reject)
    worker.once('exit', () => reject(new Error("tracefp's worker ended before its task was done")))
  })
  const message: HostMessage = 'stop'
  return { done, stop: () => worker.postMessage(message) }
}
