// A task in a process of its own, as its host sees it: started, fed, and heard of when it ends too early.

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
const ENTRY = join(PACKAGE_ROOT, 'lib', 'session', 'judge.js')

export interface JudgeEvents {
  readonly hear: (message: WorkerMessage) => void
  readonly fail: (error: unknown) => void
  readonly onKept: (why: string) => void
}

export function startInProcess(task: WorkerTask, { hear, fail, onKept }: JudgeEvents): (message: HostMessage) => void {
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
        if (told.type === 'started' && isLaunch) program = told.pid
        if (LAST.includes(told.type)) program = null
        hear(told)
      }
    })
    channel.on('data', read)
    channel.on('error', () => {})
    child.once('error', fail)
    child.once('close', () => {
      // Nobody judges it any more.
      if (program !== null) kill(program)
      fail(new Error("tracefp's process ended before its task was done"))
    })
    return channel
  })
  starting.catch(fail)
  return (message) => {
    starting.then((channel) => channel.write(frameOf(message))).catch(fail)
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
