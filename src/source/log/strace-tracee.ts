// What a reader of strace's output remembers of a process and of a thread: only what is needed to tell the same stream as an
// engine would, which reads these facts from the kernel. Data, and the few rules that belong to it.

import type { SignalAction } from './strace-args.ts'
import type { Place } from './strace-position.ts'

const BITS_LIMIT = 32
const ALL_SIGNALS = -1

/** Which signals have a handler. Shared by the threads of a process, as in the kernel. */
export class Dispositions {
  /** Bits of the signals below 32 that start a handler whenever they come, and of those that never do. */
  caughtBits = 0
  ignoredBits = 0
  /** Another process has them, too. */
  isShared = false
  /** False: the process was met while it ran, so what was set before is not known. */
  readonly #isWhole: boolean
  readonly #actions = new Map<number, SignalAction>()
  /** Threads are read one after the other, so what is undone by one may not be undone yet for the other. */
  readonly #keepsCaught: boolean

  constructor(isWhole: boolean, keepsCaught: boolean) {
    this.#isWhole = isWhole
    this.#keepsCaught = keepsCaught
    if (isWhole) this.ignoredBits = ALL_SIGNALS
  }

  set(action: SignalAction): void {
    if (action.handler === null) return
    if (this.#keepsCaught && this.#actions.get(action.signal)?.handler === 'caught') return
    this.#actions.set(action.signal, action)
    if (action.signal >= BITS_LIMIT) return
    const bit = 1 << action.signal
    const isCaught = action.handler === 'caught'
    this.caughtBits = isCaught && !action.isOnce ? this.caughtBits | bit : this.caughtBits & ~bit
    this.ignoredBits = !isCaught && action.handler !== undefined ? this.ignoredBits | bit : this.ignoredBits & ~bit
  }

  /** Of several signals: the bits of those that have a handler from here on, and of those that have none. */
  setBits(caughtBits: number, ignoredBits: number): void {
    for (let signal = 1; signal < BITS_LIMIT; signal += 1) {
      const isCaught = ((caughtBits >>> signal) & 1) !== 0
      if (!isCaught && ((ignoredBits >>> signal) & 1) === 0) continue
      this.set({ signal, handler: isCaught ? 'caught' : 'default', isOnce: false })
    }
  }

  /** Whether a handler starts now; undefined: not known. SA_RESETHAND takes effect. */
  deliver(signal: number): boolean | undefined {
    const action = this.#actions.get(signal)
    if (action === undefined) return this.#isWhole ? false : undefined
    if (action.handler === undefined) return undefined
    if (action.handler === 'caught' && action.isOnce) this.set({ ...action, handler: 'default', isOnce: false })
    return action.handler === 'caught'
  }

  /** Of a child that does not share them. `withoutHandlers`: CLONE_CLEAR_SIGHAND. */
  copy(withoutHandlers: boolean): Dispositions {
    const copy = new Dispositions(this.#isWhole || withoutHandlers, this.#keepsCaught)
    if (withoutHandlers) return copy
    for (const [signal, action] of this.#actions) copy.#actions.set(signal, action)
    copy.caughtBits = this.caughtBits
    copy.ignoredBits = this.ignoredBits
    return copy
  }
}

export class Process {
  /** As told to the handler. */
  readonly tgid: number
  dispositions: Dispositions
  /** Of the program that runs; null: not known. */
  path: string | null
  /** In a pid namespace of its own: pids that its calls return are not those of the log. */
  isForeign = false
  /** Its next children will be. */
  makesForeign = false
  /** A thread of it called exit_group. */
  isEnding = false
  /** The call by which threads of it are about to be killed: exit_group, an exec, or a kill. */
  doom: string | null = null
  threadCount = 1

  constructor(tgid: number, dispositions: Dispositions, path: string | null) {
    this.tgid = tgid
    this.dispositions = dispositions
    this.path = path
  }
}

/** A call whose end was not read yet. */
export interface OpenCall {
  readonly name: string
  /** What is there of its arguments; empty for calls whose arguments do not matter. */
  readonly args: string
}

/** A call that was read and not told yet, and where it stood. */
export interface LaterCall extends Place {
  readonly name: string
}

export class Tracee {
  /** In the log; 0: the log does not say. */
  tid: number
  /** As told to the handler: the same, but where the log names no pid or two of them alike. */
  told: number
  process: Process
  /** Before its first exec succeeded: what strace does to start the program is no part of it. */
  isLaunching = false
  /** A line of it was read. */
  isSeen = false
  /** It ended, or is followed no longer. */
  isGone = false
  /** Called exit or exit_group. */
  isEnding = false
  /** What it gave to exit or exit_group. */
  exitCode = 0
  /** A call was entered that strace could not read. */
  hasHole = false
  /** Not native, as in `[ Process PID=1 runs in 32 bit mode. ]`. Empty: native. */
  mode = ''
  /** Calls since the exec, while the mode of the program is not known; null: it is. */
  held: (LaterCall & { readonly isRestart: boolean })[] | null = null
  /** A call that may never have been made. */
  doubtful: (LaterCall & { readonly args: string; readonly nr: number }) | null = null
  open: OpenCall | null = null
  /** The call that the kernel will repeat when this frame goes on. */
  restart: string | null = null
  /** The same of what handlers interrupted, innermost last. */
  frames: (string | null)[] = []

  constructor(tid: number, told: number, process: Process) {
    this.tid = tid
    this.told = told
    this.process = process
  }
}

/** Nothing is pending for it that an ordinary call would change, or that would change what is told of one. */
export function isPlain({ restart, held, doubtful, isLaunching, hasHole, mode, process }: Tracee): boolean {
  const isSettled = restart === null && held === null && doubtful === null
  return isSettled && !isLaunching && !hasHole && mode === '' && process.doom === null
}

/** As many as src/match keeps: handlers left by siglongjmp never return. */
const FRAME_LIMIT = 4096

export function pushFrame(tracee: Tracee): void {
  if (tracee.frames.length === FRAME_LIMIT) tracee.frames.shift()
  tracee.frames.push(tracee.restart)
  tracee.restart = null
}

/** `isInterrupted`: the frame goes on with EINTR, so what it interrupted is not repeated. */
export function popFrame(tracee: Tracee, isInterrupted: boolean): void {
  const restart = tracee.frames.pop() ?? null
  tracee.restart = isInterrupted ? null : restart
}
