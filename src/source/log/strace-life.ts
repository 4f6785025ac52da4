// Births, execs and ends in strace's output: from lines of tids to tracees, told to the handler as a live engine tells them. A
// child's lines may come before its parent's clone has returned; then it is the child of the one clone that is open. Where
// several are, its lines wait until one of them returns with its tid.

import type { Image, StreamHandler } from '../../model/stream.ts'
import { type CloneFlags, cloneFlagsOf } from './strace-args.ts'
import { Dispositions, Process, Tracee } from './strace-tracee.ts'
import { Tracees } from './strace-tracees.ts'

interface OpenClone {
  readonly parent: Tracee
  readonly name: string
  readonly flags: CloneFlags | undefined
  /** Its child was met before the call returned. */
  isMet: boolean
}

export interface LifeOptions {
  readonly handler: StreamHandler
  /** Each thread has a file of its own: what one undoes may come before what another did. */
  readonly isSet: boolean
  /** No line may wait. */
  readonly inOrder: boolean
  /** The tid is known now: lines of it that waited can be read. */
  readonly onResolved: (tid: number) => void
  /** A tracee was born or met. */
  readonly onBirth?: (tracee: Tracee) => void
}

/** Told for tracees of which the log says no pid, or one that another has: above all pids that Linux gives. */
const FIRST_MADE_UP = 1 << 23
/** Told for the one tracee of a log that names none. */
const NAMELESS = 1

export class StraceLife {
  readonly tracees: Tracees = new Tracees()
  /** Of the process that was told first, which is the session's; 0: none was. */
  rootTid = 0
  readonly #options: LifeOptions
  readonly #open = new Map<Tracee, OpenClone>()
  readonly #waiting = new Set<number>()
  /** Told as NAMELESS; the log may have said its tid since. */
  #firstNameless: Tracee | null = null
  #nextMadeUp = FIRST_MADE_UP

  constructor(options: LifeOptions) {
    this.#options = options
  }

  /** The tracee of a line. Null: it is not clear yet whose child it is, the line must wait. */
  meet(tid: number, isExec: boolean): Tracee | null {
    const known = this.tracees.get(tid)
    if (known !== undefined) return known
    if (this.#waiting.has(tid)) return null
    const open = [...this.#open.values()].filter(({ isMet }) => !isMet)
    if (open.length === 1) return this.#meetChild(tid, open[0] as OpenClone)
    if (open.length > 1 && this.#options.inOrder) return this.#meetChild(tid, open[0] as OpenClone)
    if (open.length > 1) {
      this.#waiting.add(tid)
      return null
    }
    const { foreign } = this.tracees
    if (foreign !== undefined) return this.tracees.rename(foreign, tid)
    return isExec ? this.launch(tid) : this.join(tid)
  }

  isWaiting(tid: number): boolean {
    return this.#waiting.has(tid)
  }

  /** Calls of the clone family that have not returned, and whose child was not met. */
  get openCloneCount(): number {
    let count = 0
    for (const { isMet } of this.#open.values()) if (!isMet) count += 1
    return count
  }

  /** The log ended, or too many lines wait: the parents are guessed, in the order in which they called. */
  resolveAll(): void {
    for (const tid of [...this.#waiting]) {
      if (!this.#waiting.delete(tid)) continue
      const clone = [...this.#open.values()].find(({ isMet }) => !isMet)
      if (clone === undefined) this.join(tid)
      else this.#meetChild(tid, clone)
      this.#note('unclear_parent', `whose child ${tid} is does not follow from the log`, true)
      this.#options.onResolved(tid)
    }
  }

  /** What strace starts: nothing of it is told before its exec. `tid` 0: the log does not name it. */
  launch(tid: number): Tracee {
    const tracee = this.#add(tid, new Dispositions(true, this.#options.isSet), null)
    tracee.isLaunching = true
    return tracee
  }

  /** A tracee that ran before the log began, or whose birth is not in it. */
  join(tid: number): Tracee {
    const tracee = this.#add(tid, new Dispositions(false, this.#options.isSet), null)
    this.#tellJoin(tracee)
    return tracee
  }

  /** It makes calls, but its exec was never seen. */
  joinLaunched(tracee: Tracee): void {
    tracee.isLaunching = false
    tracee.process.dispositions = new Dispositions(false, this.#options.isSet)
    this.#tellJoin(tracee)
  }

  cloneEntered(parent: Tracee, name: string, flags: CloneFlags | undefined): void {
    if (flags?.isUntraced === true) return
    this.#open.set(parent, { parent, name, flags, isMet: false })
  }

  /** The child of the call that this parent is in is known. */
  cloneMet(parent: Tracee): void {
    const open = this.#open.get(parent)
    if (open !== undefined) open.isMet = true
  }

  /** A child as fork makes it; the call has returned, or nothing else is to be told of it. */
  bear(parent: Tracee, tid: number): Tracee {
    return this.#bear({ parent, name: 'fork', flags: cloneFlagsOf('fork', ''), isMet: true }, tid, true)
  }

  /** Whether a tracee that is met now can only be the child of a clone that is open. */
  get isClear(): boolean {
    const { isSet, inOrder } = this.#options
    const { foreign, nameless } = this.tracees
    return foreign === undefined && this.#waiting.size === 0 && nameless === null && !isSet && !inOrder
  }

  cloneFailed(parent: Tracee): void {
    const open = this.#open.get(parent)
    // A call that the kernel repeats fails too, in a way; the child that was taken for its own is another's.
    if (open !== undefined) this.#open.delete(parent)
    this.#resolveLast()
  }

  /** How those that are open end is not known. */
  forgetClones(): void {
    this.#open.clear()
  }

  /** `tid`: what the call returned, as strace sees it where that is told. */
  cloneReturned(parent: Tracee, tid: number, isOuter: boolean): void {
    const open = this.#open.get(parent)
    if (open === undefined) return
    this.#open.delete(parent)
    const isTrusted = isOuter || !parent.process.isForeign
    if (!open.isMet) {
      if (this.#waiting.delete(tid)) {
        this.#meetChild(tid, open)
        this.#options.onResolved(tid)
      } else {
        this.#bear(open, tid, isTrusted)
      }
    }
    this.#resolveLast()
  }

  /** `+++ superseded by execve in pid THREAD +++`: from here on the thread has the tid of its leader. */
  supersede(leaderTid: number, threadTid: number): void {
    const thread = this.tracees.get(threadTid)
    const leader = this.tracees.get(leaderTid)
    // While there are two threads, strace names both.
    if (leaderTid === 0 || thread === undefined || thread === leader) return
    if (leader !== undefined) this.#forget(leader)
    this.tracees.rename(thread, leaderTid)
  }

  /** The thread of a process whose exec ends under the tid of its leader, where the log did not say so before (-qqq). */
  execInside(process: Process): Tracee | undefined {
    return [...this.tracees.byTid.values()].find(
      (tracee) => tracee.process === process && tracee.open?.name.startsWith('exec') === true,
    )
  }

  /** The exec of `caller` succeeded. */
  exec(caller: Tracee, image: Image): void {
    const { handler, isSet } = this.#options
    const { process } = caller
    if (caller.isLaunching) {
      caller.isLaunching = false
      this.rootTid ||= caller.told
      handler.onBirth(caller.told, 0, caller.told, 'exec')
      this.#options.onBirth?.(caller)
    }
    for (const tracee of this.tracees.byTid.values()) {
      if (tracee.process === process && tracee !== caller) this.#forget(tracee)
    }
    const former = caller.told
    caller.told = process.tgid
    process.path = image.path
    process.dispositions = new Dispositions(true, isSet)
    process.threadCount = 1
    process.isEnding = false
    process.doom = null
    caller.frames = []
    caller.restart = null
    caller.open = null
    handler.onExec(caller.told, former, image)
  }

  end(tracee: Tracee, code: number, signal: number): void {
    this.#forget(tracee)
    if (!tracee.isLaunching) this.#options.handler.onExit(tracee.told, code, signal)
  }

  /** It is followed no longer. */
  detach(tid: number): void {
    const tracee = this.tracees.get(tid)
    if (tracee !== undefined) this.#forget(tracee)
  }

  #meetChild(tid: number, open: OpenClone): Tracee {
    open.isMet = true
    return this.#bear(open, tid, true)
  }

  #bear(open: OpenClone, tid: number, isTrusted: boolean): Tracee {
    const { parent, flags } = open
    const isThread = flags?.isThread ?? open.name === 'clone3'
    if (flags === undefined) {
      this.#note('unknown_birth', `the log does not say whether ${open.name} made a thread or a process`, true)
    }
    const former = isTrusted ? this.tracees.get(tid) : undefined
    // The log does not tell ends (-qq).
    if (former !== undefined) this.end(former, 0, 0)
    const told = isTrusted ? this.#toldOf(tid) : this.#madeUp()
    const process = isThread ? parent.process : this.#processOf(parent, told, flags)
    if (isThread) process.threadCount += 1
    const child = new Tracee(tid, told, process)
    child.mode = parent.mode
    if (!isThread) child.frames = [...parent.frames]
    if (isTrusted) this.tracees.add(child)
    else this.tracees.addForeign(child)
    this.#options.handler.onBirth(told, parent.told, process.tgid, isThread ? 'thread' : 'fork')
    this.#options.onBirth?.(child)
    return child
  }

  #processOf(parent: Tracee, tgid: number, flags: CloneFlags | undefined): Process {
    const { dispositions, path } = parent.process
    const isShared = flags?.sharesHandlers === true
    if (isShared) dispositions.isShared = true
    const own = isShared ? dispositions : dispositions.copy(flags?.clearsHandlers === true)
    const process = new Process(tgid, own, path)
    process.isForeign = parent.process.isForeign || parent.process.makesForeign || flags?.newPidNamespace === true
    return process
  }

  /** One clone and one child are left: they belong together. */
  #resolveLast(): void {
    if (this.#waiting.size !== 1) return
    const open = [...this.#open.values()].filter(({ isMet }) => !isMet)
    if (open.length !== 1) return
    const [tid] = this.#waiting
    this.#waiting.clear()
    this.#meetChild(tid as number, open[0] as OpenClone)
    this.#options.onResolved(tid as number)
  }

  #add(tid: number, dispositions: Dispositions, path: string | null): Tracee {
    const told = this.#toldOf(tid)
    const tracee = new Tracee(tid, told, new Process(told, dispositions, path))
    if (tid === 0 && told === NAMELESS) this.#firstNameless = tracee
    this.tracees.add(tracee)
    return tracee
  }

  #tellJoin(tracee: Tracee): void {
    this.rootTid ||= tracee.told
    this.#options.handler.onBirth(tracee.told, 0, tracee.told, 'join')
    this.#options.onBirth?.(tracee)
  }

  #forget(tracee: Tracee): void {
    this.tracees.forget(tracee)
    tracee.process.threadCount -= 1
    if (this.#open.delete(tracee)) this.#resolveLast()
  }

  /** `tid` 0: the log does not say it. */
  #toldOf(tid: number): number {
    if (tid > NAMELESS) return tid
    const first = this.#firstNameless
    const isTaken = first?.isGone === false && first.tid !== NAMELESS
    return isTaken || (tid === 0 && this.tracees.get(NAMELESS) !== undefined) ? this.#madeUp() : NAMELESS
  }

  #madeUp(): number {
    this.#nextMadeUp += 1
    return this.#nextMadeUp
  }

  #note(code: string, message: string, inconclusive: boolean): void {
    this.#options.handler.onNote({ code, message, inconclusive })
  }
}
