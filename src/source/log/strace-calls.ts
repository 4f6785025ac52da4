// Calls and signals in strace's output: what each does to the tracee, and what the handler is told of it. A call is told when
// it is entered. A call that the kernel repeats is told as a restart, as a live engine tells it:
//
//   read = ? ERESTARTSYS, no handler:   signal line ........................... read again       -> restart
//   read = ? ERESTARTSYS, a handler:    signal line, push .. rt_sigreturn = 0, pop .. read again -> restart
//   the same, without SA_RESTART:       signal line, push .. rt_sigreturn = -1 EINTR, pop .. read -> two calls

import type { Image, StreamHandler } from '../../model/stream.ts'
import type { CallNumber } from '../../syscall/naming.ts'
import type { Mode, StraceAbi } from './strace-abi.ts'
import { cloneFlagsOf, signalActionOf, signalNumberOf } from './strace-args.ts'
import type { FilterSigns } from './strace-filter.ts'
import { imageOfExec, UNKNOWN_PATH } from './strace-image.ts'
import type { StraceLife } from './strace-life.ts'
import type { Place, Position } from './strace-position.ts'
import type { CallResult } from './strace-result.ts'
import { type OpenCall, type Process, popFrame, pushFrame, type Tracee } from './strace-tracee.ts'

type Special = 'exec' | 'clone' | 'action' | 'return' | 'exit' | 'unshare' | 'tid' | 'unread'

/** Calls that mean more than themselves. */
const SPECIAL: ReadonlyMap<string, Special> = new Map<string, Special>([
  ['execve', 'exec'],
  ['execveat', 'exec'],
  ['clone', 'clone'],
  ['clone2', 'clone'],
  ['clone3', 'clone'],
  ['fork', 'clone'],
  ['vfork', 'clone'],
  ['rt_sigaction', 'action'],
  ['sigaction', 'action'],
  ['signal', 'action'],
  ['rt_sigreturn', 'return'],
  ['sigreturn', 'return'],
  ['exit', 'exit'],
  ['exit_group', 'exit'],
  ['unshare', 'unshare'],
  ['gettid', 'tid'],
  ['set_tid_address', 'tid'],
  ['???', 'unread'],
  ['????', 'unread'],
])

/** Whether the end of the call matters, too. */
export function isSpecialCall(name: string): boolean {
  return SPECIAL.has(name)
}

/** Of whose calls the arguments matter, those of the following aside. */
const WANTED: ReadonlySet<string> = new Set(
  'execve execveat clone clone2 clone3 rt_sigaction sigaction signal exit exit_group unshare kill tgkill tkill'.split(
    ' ',
  ),
)

/** A call about which the killing of a thread makes strace say what is not so. */
const KILLING: ReadonlySet<string> = new Set(['kill', 'tgkill', 'tkill'])

/** Whether nothing matters of its calls but that they were entered, once a log is no longer watched for signs of a filter. */
export function isOrdinaryCall(name: string): boolean {
  return !SPECIAL.has(name) && !KILLING.has(name) && !name.startsWith('exec') && !name.includes('?')
}

/** Whether it stands for a call that strace could not read. */
export function isUnreadCall(name: string): boolean {
  return SPECIAL.get(name) === 'unread'
}

/** For whom a call may mean something: its thread, which has no other call open; all threads of its process; others, too. */
export type Reach = 'thread' | 'process' | 'all'

export function reachOf(name: string): Reach {
  const special = SPECIAL.get(name)
  if (special === 'action' || special === 'return' || special === 'tid' || isOrdinaryCall(name)) return 'thread'
  return special === 'exec' || special === 'exit' ? 'process' : 'all'
}

/** Calls after an exec that wait for a sign of the mode of the program. */
const HELD_LIMIT = 16

export interface CallsOptions {
  readonly handler: StreamHandler
  readonly abi: StraceAbi
  readonly life: StraceLife
  readonly signs: FilterSigns
  /** No call may wait. */
  readonly inOrder: boolean
  /** Where the record being told stands; the reader sets it for each line. */
  readonly position: Position
  /** Each thread has a file of its own: an exec ends the other threads, so theirs must be read before it is told. */
  readonly hold?: (process: Process, tell: () => void) => void
}

export class StraceCalls {
  readonly #options: CallsOptions
  readonly #handler: StreamHandler
  #untracedCount = 0

  constructor(options: CallsOptions) {
    this.#options = options
    this.#handler = options.handler
  }

  isWanted(tracee: Tracee, name: string): boolean {
    return WANTED.has(name) || tracee.held !== null || this.#options.signs.isWatching
  }

  /**
   * A call is entered. `nr` is what -n prints, or -1; `args` is empty for calls that are not wanted. `isTold`: the handler knows of
   * it, and nothing was pending.
   */
  entry(tracee: Tracee, name: string, args: string, nr: number, isTold = false): void {
    const special = SPECIAL.get(name)
    if (tracee.isLaunching) {
      if (special === 'exec') return
      this.#options.life.joinLaunched(tracee)
    }
    this.settle(tracee)
    if (special === 'unread') {
      tracee.hasHole = true
      return
    }
    if (tracee.open !== null && SPECIAL.get(tracee.open.name) === 'clone') this.#options.life.cloneFailed(tracee)
    if (!isTold) this.#tell(tracee, name, args, nr, special !== undefined)
    if (special !== undefined) this.#specialEntry(tracee, special, name, args)
    else if (KILLING.has(name)) this.#doom(name, args)
    if (this.#options.signs.isWatching) this.#options.signs.entry(tracee, name, args)
  }

  /**
   * A call is entered by a thread of a process that is about to be killed, and its end is not there. strace may have found the
   * thread dead, and then prints the name of whatever call it read last: what comes next tells.
   */
  doubt(tracee: Tracee, name: string, args: string, nr: number): void {
    this.settle(tracee)
    if (this.#options.inOrder) this.entry(tracee, name, args, nr)
    else if (SPECIAL.get(name) === 'unread') tracee.hasHole = true
    else tracee.doubtful = { name, args, nr, ...this.#options.position.keep() }
  }

  /** A call ended with the thread that made it. */
  endedByDeath(tracee: Tracee): void {
    if (tracee.doubtful?.name === tracee.process.doom) tracee.doubtful = null
    if (!tracee.hasHole) this.settle(tracee)
  }

  /** The thread goes on: what was doubtful was so, and what strace could not read was a call. */
  settle(tracee: Tracee): void {
    const { doubtful } = tracee
    if (doubtful !== null) {
      tracee.doubtful = null
      const { name, args, nr } = doubtful
      this.#at(doubtful, () => this.entry(tracee, name, args, nr))
    }
    if (!tracee.hasHole) return
    tracee.hasHole = false
    this.settleMode(tracee, '')
    this.#handler.onGap(tracee.told, 1)
  }

  /** Calls that waited for the mode of their program are told. */
  settleMode(tracee: Tracee, mode: Mode): void {
    const { held } = tracee
    if (held === null) return
    tracee.held = null
    tracee.mode = mode
    for (const call of held) {
      const number = this.#options.abi.numberOf(mode, call.name, -1)
      this.#at(call, () => this.#handler.onCall(tracee.told, number.abi, number.nr, call.isRestart))
    }
  }

  #tell(tracee: Tracee, name: string, args: string, nr: number, isSpecial: boolean): void {
    const { abi, position } = this.#options
    const isRestart = tracee.restart !== null && (name === tracee.restart || name === 'restart_syscall')
    tracee.restart = null
    if (tracee.held !== null) {
      const mode = nr >= 0 ? abi.modeByNumber(name, nr) : abi.modeByCall(name, args)
      if (mode === undefined && !isSpecial && tracee.held.length < HELD_LIMIT) {
        tracee.held.push({ name, isRestart, ...position.keep() })
        return
      }
      this.settleMode(tracee, mode ?? '')
    }
    const number: CallNumber = abi.numberOf(tracee.mode, name, nr)
    this.#handler.onCall(tracee.told, number.abi, number.nr, isRestart)
  }

  /** Tells something that was read before. */
  #at(place: Place, tell: () => void): void {
    const { position } = this.#options
    const now = position.keep()
    position.set(place)
    tell()
    position.set(now)
  }

  /** A call returned, or is known not to. */
  returned(tracee: Tracee, { name, args }: OpenCall, result: CallResult): void {
    if (result.error.startsWith('ERESTART')) tracee.restart = name
    // An address that no 32-bit program has.
    if (tracee.held !== null && result.value > 0xffffffff) this.settleMode(tracee, '')
    const special = SPECIAL.get(name)
    if (special !== undefined) this.#specialReturn(tracee, special, { name, args }, result)
    if (this.#options.signs.isWatching) this.#options.signs.result(tracee, name, result)
  }

  signal(tracee: Tracee, name: string): void {
    if (tracee.isLaunching) return
    this.settle(tracee)
    this.settleMode(tracee, '')
    const signal = signalNumberOf(name)
    const isCaught = signal === undefined ? undefined : tracee.process.dispositions.deliver(signal)
    if (isCaught === true && signal !== undefined) {
      this.#handler.onSignal(tracee.told, signal)
      pushFrame(tracee)
    } else if (isCaught === undefined) {
      // A handler may begin here or not: nothing is judged across it.
      this.#handler.onGap(tracee.told, 0)
    }
  }

  #specialEntry(tracee: Tracee, special: Special, name: string, args: string): void {
    if (special === 'exit') {
      tracee.isEnding = true
      tracee.exitCode = Number.parseInt(args.replace(/^[a-z_]+=/, ''), 10) & 0xff
      if (name === 'exit_group') {
        tracee.process.isEnding = true
        tracee.process.doom = name
      }
    } else if (special === 'exec') {
      tracee.process.doom = name
    } else if (special === 'clone') {
      const flags = cloneFlagsOf(name, args)
      if (flags?.isUntraced === true) this.#noteUntraced()
      this.#options.life.cloneEntered(tracee, name, flags)
      if (flags?.sharesFiles === true && !flags.isThread) this.#options.signs.shareFiles(tracee.process)
    } else if (special === 'unshare') {
      if (/\bCLONE_NEWPID\b/.test(args)) tracee.process.makesForeign = true
    }
  }

  #specialReturn(tracee: Tracee, special: Special, call: OpenCall, result: CallResult): void {
    const isDone = result.error === '' && !Number.isNaN(result.value)
    if (special === 'exec') {
      tracee.process.doom = null
      if (isDone) this.#exec(tracee, call)
    } else if (special === 'clone') {
      const { life } = this.#options
      if (isDone && result.value > 0) life.cloneReturned(tracee, result.outerPid || result.value, result.outerPid > 0)
      else life.cloneFailed(tracee)
    } else if (special === 'action') {
      const action = isDone ? signalActionOf(call.name, call.args) : undefined
      if (action !== undefined) tracee.process.dispositions.set(action)
    } else if (special === 'return') {
      popFrame(tracee, result.error === 'EINTR')
    } else if (special === 'tid') {
      const tid = result.outerPid || result.value
      if (isDone && tracee.tid > 0 && tid !== tracee.tid) tracee.process.isForeign = true
    }
  }

  #exec(caller: Tracee, { name, args }: OpenCall): void {
    const { hold } = this.#options
    const image = imageOfExec(name, args, caller.process.path)
    if (image.path === UNKNOWN_PATH) this.#noteUnknownImage(name)
    const tell = (): void => this.executed(caller, image)
    if (hold === undefined || caller.process.threadCount === 1) {
      tell()
      return
    }
    const place = this.#options.position.keep()
    hold(caller.process, () => this.#at(place, tell))
  }

  /** The process runs another program. */
  executed(caller: Tracee, image: Image): void {
    const { abi, life, signs, inOrder } = this.#options
    life.exec(caller, image)
    caller.held = abi.hasModes && !inOrder ? [] : null
    signs.exec(caller.process)
  }

  /** `+++ superseded by execve in pid THREAD +++` */
  supersede(leader: Tracee, threadTid: number): void {
    const { life, hold } = this.#options
    const supersede = (): void => life.supersede(leader.tid, threadTid)
    if (hold === undefined) supersede()
    else hold(leader.process, supersede)
  }

  /** SIGKILL was sent to a process: what its threads are said to do from now on may not be so. */
  #doom(name: string, args: string): void {
    if (!/\bSIGKILL\b|, (?:0x)?9$/.test(args.replace(/\).*$/, ''))) return
    const tgid = Number(/^(?:\w+=)?(\d+)/.exec(args)?.[1] ?? 0)
    const target = this.#options.life.tracees.get(tgid)
    if (target !== undefined) target.process.doom = name
  }

  #noteUnknownImage(name: string): void {
    const message = `the log does not say which program ${name} started: record it with strace -y`
    this.#handler.onNote({ code: 'unknown_image', message, inconclusive: true })
  }

  #noteUntraced(): void {
    this.#untracedCount += 1
    if (this.#untracedCount > 1) return
    const message = 'a child that nobody may trace (CLONE_UNTRACED) was made: what it did is not in the log'
    this.#handler.onNote({ code: 'untraced', message, inconclusive: true })
  }
}
