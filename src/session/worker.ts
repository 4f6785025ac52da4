// The entry of tracefp's own worker thread. It ends when its one task is done.

import { parentPort, workerData } from 'node:worker_threads'
import type { HostMessage, WorkerTask } from './protocol.ts'
import { startTask } from './task.ts'

const port = parentPort
if (port === null) throw new Error('this file is the entry of a worker')

const running = startTask(workerData as WorkerTask, (message) => port.postMessage(message))
port.on('message', (message: HostMessage) => {
  running.hear(message)
})
await running.done.finally(() => port.close())
