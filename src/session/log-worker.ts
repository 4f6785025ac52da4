// The entry of a thread that checks logs: one job after the other, until the host ends it.

import { parentPort, workerData } from 'node:worker_threads'
import { LogChecks } from '../check-logs.ts'
import { logInputsOf } from '../source/log/log-sets.ts'
import type { LogEvent, LogJob, LogMessage, LogTask } from './log-protocol.ts'
import { toPlainError } from './plain-error.ts'

/** Progress that nobody would see is not sent. */
const PROGRESS_MS = 100

const port = parentPort
if (port === null) throw new Error('this file is the entry of a worker')

const task = workerData as LogTask
let job = 0
let progressAt = 0
const tell = (event: LogEvent): void => port.postMessage({ job, event } satisfies LogMessage)
const checks = new LogChecks({
  ...task,
  logs: [],
  follow: null,
  onOpen: ({ name, format, reason }) => tell({ type: 'opened', log: { name, format: { name: format.name }, reason } }),
  onMiss: (miss, log) => tell({ type: 'miss', miss, log }),
  onResult: (result) => tell({ type: 'result', result }),
  onFailure: (error, log) => tell({ type: 'failure', error: toPlainError(error), log }),
  onProgress: (log, position, size) => {
    const now = Date.now()
    if (now < progressAt) return
    progressAt = now + PROGRESS_MS
    tell({ type: 'progress', log, position, size })
  },
})

port.on('message', async ({ job: next, paths }: LogJob) => {
  job = next
  for (const input of await logInputsOf(paths, { format: task.format })) await checks.check(input)
  tell({ type: 'done' })
})
