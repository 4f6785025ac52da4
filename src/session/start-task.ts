// Runs one task, in a worker of its own or in this thread, and turns its messages into a promise and callbacks.

import { realpathSync } from 'node:fs'
import { join } from 'node:path'
import { PACKAGE_ROOT } from '../package.ts'
import type { JudgeEvents } from './judge-process.ts'
import { fromPlainError } from './plain-error.ts'
import type {
  Decided,
  HostMessage,
  LearnedRun,
  LiveResult,
  Miss,
  RecordedRun,
  WorkerMessage,
  WorkerTask,
} from './protocol.ts'

/** Always the built one: a worker runs no TypeScript. */
const ENTRY = join(PACKAGE_ROOT, 'lib', 'session', 'worker.js')

/**
 * Which thread drains the ring. `worker`: tracefp's own, so that a busy host holds up nobody. `this`: the calling one, for a
 * process that does nothing else; it saves the start of a worker. `process`: one of a process of its own, which under engine
 * ebpf gives up all privileges that this takes not; a program that it starts has those of the host.
 */
export type TaskThread = 'worker' | 'this' | 'process'

export interface TaskEvents {
  readonly onStart: (pid: number) => void
  readonly onRootExit: () => void
  readonly onMiss: (miss: Miss) => void
  /** Guard mode: nothing goes on until it is decided. `signal` aborts when nothing is left to decide about. */
  readonly onQuestion?: (miss: Miss, signal: AbortSignal) => Promise<Decided>
  /** `process`: its privileges were not given up. */
  readonly onKept?: (why: string) => void
}

/** What a task came to. */
export type TaskEnd = LiveResult | LearnedRun | RecordedRun

export interface TaskHandle {
  readonly done: Promise<TaskEnd>
  /** Kills the program; `done` then settles. */
  stop(): void
}

export function startTaskIn(thread: TaskThread, task: WorkerTask, events: TaskEvents): TaskHandle {
  let settle: { resolve(value: TaskEnd): void; reject(error: unknown): void } | undefined
  const done = new Promise<TaskEnd>((resolve, reject) => {
    settle = { resolve, reject }
  })
  const questions = new Map<number, AbortController>()
  /** Of the host's own making: told once the program is gone. */
  let trouble: { readonly error: unknown } | null = null
  const askHost = (question: number, miss: Miss): void => {
    const abort = new AbortController()
    questions.set(question, abort)
    const decided = events.onQuestion?.(miss, abort.signal) ?? Promise.reject(new Error('nobody decides here'))
    decided.then((made) => {
      if (questions.delete(question)) send({ type: 'decision', question, decided: made })
    }, giveUp)
  }
  // Who waits for a decision that nobody will make would wait for ever.
  const giveUp = (error: unknown): void => {
    trouble ??= { error }
    send({ type: 'stop' })
  }
  const hear = (message: WorkerMessage): void => {
    switch (message.type) {
      case 'started':
        return events.onStart(message.pid)
      case 'rootExited':
        return events.onRootExit()
      case 'miss':
        return events.onMiss(message.miss)
      case 'question':
        return askHost(message.question, message.miss)
      case 'questionOver':
        questions.get(message.question)?.abort()
        questions.delete(message.question)
        return
      case 'checked':
        return end(message.result)
      case 'learned':
      case 'recorded':
        return end(message.run)
      case 'failed':
        return settle?.reject(fromPlainError(message.error))
    }
  }
  const fail = (error: unknown): void => settle?.reject(trouble === null ? error : trouble.error)
  const end = (result: TaskEnd): void => (trouble === null ? settle?.resolve(result) : fail(trouble.error))
  const send =
    thread === 'process'
      ? startApart(task, { hear, fail, onKept: (why) => events.onKept?.(why) })
      : thread === 'worker' && isSomewhere()
        ? startInWorker(task, hear, fail)
        : startHere(task, hear, fail)
  return { done, stop: () => send({ type: 'stop' }) }
}

/** Node cannot start a worker where the working directory is gone; the task then runs in this thread. */
function isSomewhere(): boolean {
  try {
    realpathSync.native('.')
    return true
  } catch {
    return false
  }
}

type Hear = (message: WorkerMessage) => void
type Send = (message: HostMessage) => void

function startInWorker(task: WorkerTask, hear: Hear, fail: (error: unknown) => void): Send {
  const starting = import('node:worker_threads').then(({ Worker }) => {
    // The host's own flags are not for it: `node --input-type=module -e ...` could start no worker at all.
    // Descriptors that the addon opened are closed there too, of which Node would warn on the host's stderr.
    const worker = new Worker(ENTRY, { workerData: task, execArgv: [], trackUnmanagedFds: false })
    worker.on('message', hear)
    worker.once('error', fail)
    worker.once('exit', () => fail(new Error("tracefp's worker ended before its task was done")))
    return worker
  })
  starting.catch(fail)
  return (message) => {
    starting.then((worker) => worker.postMessage(message)).catch(fail)
  }
}

/** Loaded when it is wanted. */
function startApart(task: WorkerTask, events: JudgeEvents): Send {
  const starting = import('./judge-process.ts').then(({ startInProcess }) => startInProcess(task, events))
  starting.catch(events.fail)
  return (message) => {
    starting.then((send) => send(message)).catch(events.fail)
  }
}

function startHere(task: WorkerTask, hear: Hear, fail: (error: unknown) => void): Send {
  const starting = import('./task.ts').then(({ startTask }) => startTask(task, hear))
  starting.catch(fail)
  return (message) => {
    starting.then((running) => running.hear(message)).catch(fail)
  }
}
