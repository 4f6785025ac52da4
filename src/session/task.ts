// One task, start to end, in whatever thread this is: the engine is started here and its ring is drained here.

import { toPlainError } from './plain-error.ts'
import type { Decided, HostMessage, Miss, WorkerMessage, WorkerTask } from './protocol.ts'

export interface RunningTask {
  /** Resolves when the last message was told; never rejects. */
  readonly done: Promise<void>
  /** What the host says while the task runs. */
  hear(message: HostMessage): void
}

/** Tells `started`, then misses, questions and `rootExited`, then one of `checked`, `learned`, `recorded` and `failed`. */
export function startTask(task: WorkerTask, tell: (message: WorkerMessage) => void): RunningTask {
  let stop: (() => void) | null = null
  let isStopped = false
  const questions = new Questions(tell)
  const run = async (): Promise<WorkerMessage> => {
    const life: Life = {
      onStart: (pid) => tell({ type: 'started', pid }),
      onRootExit: () => tell({ type: 'rootExited' }),
    }
    const begin = await beginTask(task, tell, life, questions)
    stop = begin.stop
    if (isStopped) stop()
    return await begin.done
  }
  return {
    done: run().then(tell, (error: unknown) => tell({ type: 'failed', error: toPlainError(error) })),
    hear: (message) => {
      if (message.type === 'decision') {
        questions.decide(message.question, message.decided)
      } else {
        isStopped = true
        stop?.()
      }
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

/** Questions that wait for the host. */
class Questions {
  readonly #tell: (message: WorkerMessage) => void
  readonly #open = new Map<number, (decided: Decided) => void>()
  #count = 0

  constructor(tell: (message: WorkerMessage) => void) {
    this.#tell = tell
  }

  ask(miss: Miss, signal: AbortSignal): Promise<Decided> {
    this.#count += 1
    const question = this.#count
    return new Promise((resolve) => {
      this.#open.set(question, resolve)
      signal.addEventListener('abort', () => this.#give(question), { once: true })
      this.#tell({ type: 'question', question, miss })
    })
  }

  decide(question: number, decided: Decided): void {
    this.#open.get(question)?.(decided)
    this.#open.delete(question)
  }

  #give(question: number): void {
    if (!this.#open.has(question)) return
    this.decide(question, { decision: 'kill', isDefault: false })
    this.#tell({ type: 'questionOver', question })
  }
}

// Each story is loaded only when it is told: start-up counts in short runs.

async function beginTask(
  task: WorkerTask,
  tell: (message: WorkerMessage) => void,
  life: Life,
  questions: Questions,
): Promise<Begun> {
  switch (task.kind) {
    case 'check':
      return await beginCheck(task, tell, life, questions)
    case 'learn':
      return await beginLearn(task, life)
    case 'record':
      return await beginRecord(task, life)
  }
}

async function beginCheck(
  { options }: WorkerTask & { kind: 'check' },
  tell: (message: WorkerMessage) => void,
  life: Life,
  questions: Questions,
): Promise<Begun> {
  const { checkLive } = await import('../check.ts')
  const check = checkLive({
    ...options,
    ...life,
    onMiss: (miss) => tell({ type: 'miss', miss }),
    ask: (miss, signal) => questions.ask(miss, signal),
  })
  return { done: check.done.then((result) => ({ type: 'checked', result })), stop: check.stop }
}

async function beginLearn({ options }: WorkerTask & { kind: 'learn' }, life: Life): Promise<Begun> {
  const { learnLive } = await import('../learn.ts')
  const learn = learnLive({ ...options, ...life })
  const done = learn.done.then(async (run): Promise<WorkerMessage> => {
    if (!run.isLearned) return { type: 'learned', run }
    const env = options.target.kind === 'launch' ? options.target.launch.env : []
    const { learnLibraries } = await import('./learn-libraries.ts')
    return await learnLibraries(run.file, env, options.home).then(
      () => ({ type: 'learned', run }),
      // What was learned was learned.
      ({ message }: Error) => ({ type: 'learned', run: { ...run, notes: [...run.notes, message] } }),
    )
  })
  return { done, stop: learn.stop }
}

async function beginRecord({ options }: WorkerTask & { kind: 'record' }, life: Life): Promise<Begun> {
  const { recordLive } = await import('../record.ts')
  const record = recordLive({ ...options, ...life })
  return { done: record.done.then((run) => ({ type: 'recorded', run })), stop: record.stop }
}
