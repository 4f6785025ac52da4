// Calls and signals in strace's output: what each does to the tracee, and what the handler is told of it. A call is told when
// it is entered. A call that the kernel repeats is told as a restart, as a live engine tells it:
//
//   read = ? ERESTARTSYS, no handler:   signal line ........................... read again       -> restart
//   read = ? ERESTARTSYS, a handler:    signal line, push .. rt_sigreturn = 0, pop .. read again -> restart
//   the same, without SA_RESTART:       signal line, push .. rt_sigreturn = -1 EINTR, pop .. read -> two calls

import type { StreamHandler } from '../../model/stream.ts'
import type { CallNumber, NamingMapping } from '../../syscall/naming.ts'
import { cloneFlagsOf, execArgumentsOf, signalActionOf, signalNumberOf } from './strace-args.ts'
import type { FilterSigns } from './strace-filter.ts'
import { imageOfExec } from './strace-image.ts'
import type { StraceLife } from './strace-life.ts'
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

export function isSpecialCall(name: string): boolean {
  return SPECIAL.has(name)
}

export interface CallsOptions {
  readonly handler: StreamHandler
  readonly mapping: NamingMapping
  readonly life: StraceLife
  readonly signs: FilterSigns
  /** Each thread has a file of its own: an exec ends the other threads, so theirs must be read before it is told. */
  readonly hold?: (process: Process, tell: () => void) => void
}

export class StraceCalls {
  readonly #options: CallsOptions
  readonly #handler: StreamHandler
  /** By mode, then by name in the log. */
  readonly #numbers = new Map<string, Map<string, CallNumber>>()
  readonly #unknownNames = new Set<string>()
  #untracedCount = 0

  constructor(options: CallsOptions) {
    this.#options = options
    this.#handler = options.handler
  }

  get unknownNameCount(): number {
    return this.#unknownNames.size
  }

  /** A call is entered. `nr` is what -n prints, or -1. */
  entry(tracee: Tracee, name: string, args: string, nr: number): void {
    const special = SPECIAL.get(name)
    if (tracee.isLaunching) {
      if (special === 'exec') return
      this.#options.life.joinLaunched(tracee)
    }
    if (tracee.hasHole) this.#tellHole(tracee)
    if (special === 'unread') {
      tracee.hasHole = true
      return
    }
    if (tracee.open !== null && SPECIAL.get(tracee.open.name) === 'clone') this.#options.life.cloneFailed(tracee)
    this.tell(tracee, name, this.numberOf(tracee, name, nr))
    if (special !== undefined) this.#specialEntry(tracee, special, name, args)
    if (this.#options.signs.isWatching) this.#options.signs.entry(tracee, name, args)
  }

  /** Tells a call of which nothing but its number matters. */
  tell(tracee: Tracee, name: string, { abi, nr }: CallNumber): void {
    const { restart } = tracee
    if (restart === null) {
      this.#handler.onCall(tracee.told, abi, nr, false)
      return
    }
    tracee.restart = null
    this.#handler.onCall(tracee.told, abi, nr, name === restart || name === 'restart_syscall')
  }

  /** A call returned, or is known not to. */
  returned(tracee: Tracee, { name, args }: OpenCall, result: CallResult): void {
    if (result.error.startsWith('ERESTART')) tracee.restart = name
    const special = SPECIAL.get(name)
    if (special !== undefined) this.#specialReturn(tracee, special, { name, args }, result)
    if (this.#options.signs.isWatching) this.#options.signs.result(tracee, name, result)
  }

  signal(tracee: Tracee, name: string): void {
    if (tracee.isLaunching) return
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
      if (name === 'exit_group') tracee.process.isEnding = true
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
    const { life, signs, hold } = this.#options
    const image = imageOfExec(execArgumentsOf(name, args), caller.process.path)
    const tell = (): void => {
      life.exec(caller, image)
      signs.exec(caller.process)
    }
    if (hold !== undefined && caller.process.threadCount > 1) hold(caller.process, tell)
    else tell()
  }

  /** What a name means in the mode of the tracee. `printed` is what -n prints, or -1. */
  numberOf(tracee: Tracee, name: string, printed: number): CallNumber {
    let numbers = this.#numbers.get(tracee.mode)
    if (numbers === undefined) {
      numbers = new Map()
      this.#numbers.set(tracee.mode, numbers)
    }
    let number = numbers.get(name)
    if (number === undefined) {
      number = this.#resolve(tracee.mode, name, printed)
      numbers.set(name, number)
    }
    return number
  }

  #resolve(mode: string, name: string, printed: number): CallNumber {
    const { mapping } = this.#options
    const bare = bareName(name, printed)
    const own = mode === '' ? bare : `${mode}:${bare}`
    // -q hides that a process is in 32 bit mode; some names are of that mode only.
    const isForeign = mode === '' && !mapping.knows(bare) && mapping.knows(`i386:${bare}`)
    const before = mapping.unknownNames.size
    const text = isForeign ? `i386:${bare}` : own
    const number = mapping.intern(text)
    if (mapping.unknownNames.size > before || mapping.unknownNames.has(text)) this.#unknownNames.add(text)
    return number
  }

  /** A call that strace could not read was made before this one. */
  #tellHole(tracee: Tracee): void {
    tracee.hasHole = false
    this.#handler.onGap(tracee.told, 1)
  }

  #noteUntraced(): void {
    this.#untracedCount += 1
    if (this.#untracedCount > 1) return
    const message = 'a child that nobody may trace (CLONE_UNTRACED) was made: what it did is not in the log'
    this.#handler.onNote({ code: 'untraced', message, inconclusive: true })
  }
}

/** `syscall_0x270f` is number 9999 without a name; numbers have 32 bits. */
function bareName(name: string, printed: number): string {
  const match = /^syscall_(0x[\da-f]{1,16}|\d{1,20})$/.exec(name)
  if (match === null) return name
  const number = printed >= 0 ? BigInt(printed) : BigInt(match[1] as string)
  return `sys_${BigInt.asIntN(32, number)}`
}
