// tracefp's own worker thread: it owns the engine and drains its ring, so that a host that is busy or waits synchronously
// never holds up a tracee. It ends when its one task is done.

import { parentPort, workerData } from 'node:worker_threads'
import { checkLive } from '../check.ts'
import { learnLive } from '../learn.ts'
import { toPlainError } from './plain-error.ts'
import type { HostMessage, WorkerMessage, WorkerTask } from './protocol.ts'

const port = parentPort
if (port === null) throw new Error('this file is the entry of a worker')

const task = workerData as WorkerTask
const tell = (message: WorkerMessage): void => port.postMessage(message)
const onStart = (pid: number): void => tell({ type: 'started', pid })

const running = start()
port.on('message', (message: HostMessage) => {
  if (message === 'stop') running.stop()
})
running.done
  .then(tell, (error: unknown) => tell({ type: 'failed', error: toPlainError(error) }))
  .finally(() => port.close())

function start(): { done: Promise<WorkerMessage>; stop(): void } {
  try {
    if (task.kind === 'check') {
      const check = checkLive({ ...task.options, onStart, onMiss: (miss) => tell({ type: 'miss', miss }) })
      return { done: check.done.then((result) => ({ type: 'checked', result })), stop: check.stop }
    }
    const learn = learnLive({ ...task.options, onStart })
    return { done: learn.done.then((run) => ({ type: 'learned', run })), stop: learn.stop }
  } catch (error) {
    return { done: Promise.reject(error as Error), stop: () => {} }
  }
}
