// A task in a process of its own, as its host sees it: started, fed, and heard of when it ends too early.

import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { PACKAGE_ROOT } from '../package.ts'
import { frameOf, frameReader } from './frames.ts'
import type { HostMessage, LaunchOptions, WorkerMessage, WorkerTask } from './protocol.ts'

/** Where the two talk to each other, in the other process. */
export const CHANNEL = 3

/** What a worker says, and: */
export type JudgeMessage =
  | WorkerMessage
  | { readonly type: 'wantsTask' }
  /** Its privileges were not given up. */
  | { readonly type: 'kept'; readonly why: string }

/** After these the program is gone, or was killed. */
const LAST: readonly JudgeMessage['type'][] = ['rootExited', 'checked', 'learned', 'recorded', 'failed']
/** For what is left to be written. */
const STOP_MS = 30_000
const ENTRY = join(PACKAGE_ROOT, 'lib', 'session', 'judge.js')

export interface JudgeEvents {
  readonly hear: (message: WorkerMessage) => void
  readonly fail: (error: unknown) => void
  readonly onKept: (why: string) => void
}

/**
 * What the process says is believed only as far as it harms nobody else: bytes that are no message end it. `stopMs`: so long after it
 * was told to stop it has done so, or is killed.
 */
export function startInProcess(
  task: WorkerTask,
  { hear, fail, onKept }: JudgeEvents,
  stopMs: number = STOP_MS,
): (message: HostMessage) => void {
  const passed: number[] = []
  const given = withDescriptors(task, passed)
  /** The program, while it runs. */
  let program: number | null = null
  const isLaunch = task.kind === 'record' || task.options.target.kind === 'launch'
  const starting = import('node:child_process').then(({ spawn }) => {
    // The name of the channel says to Node that whatever it executes in its own place has it, too.
    const child = spawn(process.execPath, [ENTRY, `/proc/self/fd/${CHANNEL}`], {
      stdio: ['inherit', 'inherit', 'inherit', 'pipe', ...passed],
    })
    const channel = child.stdio[CHANNEL] as import('node:net').Socket
    const read = frameReader((message) => {
      const told = message as JudgeMessage
      if (told.type === 'wantsTask') channel.write(frameOf(given))
      else if (told.type === 'kept') onKept(told.why)
      else {
        if (told.type === 'started' && isLaunch && parentOf(told.pid) === child.pid) program = told.pid
        if (LAST.includes(told.type)) program = null
        hear(told)
      }
    })
    channel.on('data', (bytes: Buffer) => {
      try {
        read(bytes)
      } catch (error) {
        fail(error)
        channel.destroy()
        child.kill('SIGKILL')
      }
    })
    channel.on('error', () => {})
    child.once('error', fail)
    child.once('close', () => {
      // Nobody judges it any more.
      if (program !== null) kill(program)
      fail(new Error("tracefp's process ended before its task was done"))
    })
    const send = (message: HostMessage): void => {
      channel.write(frameOf(message))
      if (message.type === 'stop') setTimeout(() => child.kill('SIGKILL'), stopMs).unref()
    }
    return send
  })
  starting.catch(fail)
  return (message) => {
    starting.then((send) => send(message)).catch(fail)
  }
}

/** Null: it is gone. */
function parentOf(pid: number): number | null {
  try {
    return Number(/^PPid:\t(\d+)$/m.exec(readFileSync(`/proc/${pid}/status`, 'latin1'))?.[1])
  } catch {
    return null
  }
}

function kill(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL')
  } catch {
    // It is gone.
  }
}

/** With the numbers that the program's streams have there; those that are to be passed are added to `passed`. */
function withDescriptors(task: WorkerTask, passed: number[]): WorkerTask {
  const renumbered = (launch: LaunchOptions): LaunchOptions => {
    const [stdin, stdout, stderr] = launch.stdio.map((descriptor) =>
      descriptor < CHANNEL ? descriptor : CHANNEL + passed.push(descriptor),
    ) as [number, number, number]
    return { ...launch, stdio: [stdin, stdout, stderr] }
  }
  if (task.kind === 'record') {
    return { ...task, options: { ...task.options, launch: renumbered(task.options.launch) } }
  }
  const { target } = task.options
  if (target.kind !== 'launch') return task
  const there = { ...target, launch: renumbered(target.launch) }
  return { ...task, options: { ...task.options, target: there } } as WorkerTask
}
