// The entry of a thread that checks logs, or learns from them: one job after the other, until the host ends it.

import { parentPort, workerData } from 'node:worker_threads'
import { LogChecks } from '../check-logs.ts'
import { LogRuns } from '../learn-logs.ts'
import { type LogInput, logInputsOf } from '../source/log/log-sets.ts'
import type { OpenLog } from '../source/log/log-source.ts'
import type { CheckTask, LearnTask, LogEvent, LogMessage, LogTask, NumberedJob } from './log-protocol.ts'
import { toPlainError } from './plain-error.ts'

/** Progress that nobody would see is not sent. */
const PROGRESS_MS = 100

const port = parentPort
if (port === null) throw new Error('this file is the entry of a worker')

const task = workerData as LogTask
let job = 0
let progressAt = 0
const tell = (event: LogEvent): void => port.postMessage({ job, event } satisfies LogMessage)
const telling = {
  onOpen: ({ name, format, reason }: OpenLog): void =>
    tell({ type: 'opened', log: { name, format: { name: format.name }, reason } }),
  onFailure: (error: unknown, log: string): void => tell({ type: 'failure', error: toPlainError(error), log }),
  onProgress: (log: string, position: number, size: number | null): void => {
    const now = Date.now()
    if (now < progressAt) return
    progressAt = now + PROGRESS_MS
    tell({ type: 'progress', log, position, size })
  },
}

function checking(checkTask: CheckTask): (input: LogInput) => Promise<void> {
  const checks = new LogChecks({
    ...checkTask,
    ...telling,
    logs: [],
    follow: null,
    onMiss: (miss, log) => tell({ type: 'miss', miss, log }),
    onResult: (result) => tell({ type: 'result', result }),
  })
  return (input) => checks.check(input)
}

function learning(learnTask: LearnTask): LogRuns {
  return new LogRuns({
    ...learnTask,
    ...telling,
    onRun: (run) => tell({ type: 'run', run }),
    onSession: (session) => tell({ type: 'session', session }),
  })
}

const runs = task.kind === 'learn' ? learning(task) : null
const read = task.kind === 'learn' ? (input: LogInput) => runs?.read(input) : checking(task)

port.on('message', async ({ job: next, paths, known }: NumberedJob) => {
  job = next
  if (known !== undefined) runs?.remember(known)
  for (const input of await logInputsOf(paths, { format: task.format })) await read(input)
  tell({ type: 'done' })
})
