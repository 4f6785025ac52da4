// One task, start to end, in whatever thread this is: the engine is started here and its ring is drained here.

import { toPlainError } from './plain-error.ts'
import type { WorkerMessage, WorkerTask } from './protocol.ts'

export interface RunningTask {
  /** Resolves when the last message was told; never rejects. */
  readonly done: Promise<void>
  /** Kills the program. */
  stop(): void
}

/** Tells `started`, then misses and `rootExited`, then one of `checked`, `learned` and `failed`. */
export function startTask(task: WorkerTask, tell: (message: WorkerMessage) => void): RunningTask {
  let stop: (() => void) | null = null
  let isStopped = false
  const run = async (): Promise<WorkerMessage> => {
    const life: Life = {
      onStart: (pid) => tell({ type: 'started', pid }),
      onRootExit: () => tell({ type: 'rootExited' }),
    }
    const begin = task.kind === 'check' ? await beginCheck(task, tell, life) : await beginLearn(task, life)
    stop = begin.stop
    if (isStopped) stop()
    return await begin.done
  }
  return {
    done: run().then(tell, (error: unknown) => tell({ type: 'failed', error: toPlainError(error) })),
    stop: () => {
      isStopped = true
      stop?.()
    },
  }
}

/** What becomes of the program itself. */
interface Life {
  onStart(pid: number): void
  onRootExit(): void
}

interface Begun {
  readonly done: Promise<WorkerMessage>
  stop(): void
}

// Each story is loaded only when it is told: start-up counts in short runs.

async function beginCheck(
  { options }: WorkerTask & { kind: 'check' },
  tell: (message: WorkerMessage) => void,
  life: Life,
): Promise<Begun> {
  const { checkLive } = await import('../check.ts')
  const check = checkLive({ ...options, ...life, onMiss: (miss) => tell({ type: 'miss', miss }) })
  return { done: check.done.then((result) => ({ type: 'checked', result })), stop: check.stop }
}

async function beginLearn({ options }: WorkerTask & { kind: 'learn' }, life: Life): Promise<Begun> {
  const { learnLive } = await import('../learn.ts')
  const learn = learnLive({ ...options, ...life })
  return { done: learn.done.then((run) => ({ type: 'learned', run })), stop: learn.stop }
}
