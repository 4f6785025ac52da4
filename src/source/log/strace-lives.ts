// What the native scanner has understood of processes by itself, told to the session as the reader would have told it of their lines;
// and what of a process the scanner must know for that.

import type { Image } from '../../model/stream.ts'
import type { StraceSession } from './strace-session.ts'
import type { Tracee } from './strace-tracee.ts'

export class StraceLives {
  readonly #session: StraceSession

  constructor(session: StraceSession) {
    this.#session = session
  }

  /** Whether a thread that is met now can only be the child of a clone that is open. */
  get isClear(): boolean {
    return this.#session.life.isClear
  }

  get openCloneCount(): number {
    return this.#session.life.openCloneCount
  }

  /** The threads that are known, by tid. */
  get tracees(): ReadonlyMap<number, Tracee> {
    return this.#session.life.tracees.byTid
  }

  get hasModes(): boolean {
    return this.#session.abi.hasModes
  }

  get rootTid(): number {
    return this.#session.life.rootTid
  }

  /** Whether nothing is to be known of its process but this thread and which signals have handlers. */
  isAlone({ tid, told, process, frames }: Tracee): boolean {
    const isOwn = process.threadCount === 1 && process.tgid === tid && told === tid
    return isOwn && frames.length === 0 && !process.isForeign && !process.makesForeign && !process.dispositions.isShared
  }

  bear(parentTid: number, tid: number, isSeen: boolean): Tracee {
    const { life } = this.#session
    const tracee = life.bear(life.tracees.get(parentTid) as Tracee, tid)
    if (isSeen) life.tracees.see(tracee)
    return tracee
  }

  execute(tracee: Tracee, image: Image, isModeKnown: boolean): void {
    this.#session.calls.executed(tracee, image)
    if (isModeKnown) tracee.held = null
  }

  interrupt(tracee: Tracee, signalName: string): void {
    this.#session.calls.signal(tracee, signalName)
  }

  /** It is in this call, which was judged. `hasChild`: the child that it makes is known. */
  enter(tracee: Tracee, name: string, args: string, hasChild: boolean): void {
    const { calls, life } = this.#session
    calls.entry(tracee, name, args, -1, true)
    tracee.open = { name, args }
    if (hasChild) life.cloneMet(tracee)
  }

  /** It makes this call, from which it does not return. `isOpen`: a line that says so is still to come. */
  exit(tracee: Tracee, name: string, args: string, isOpen: boolean): void {
    this.#session.calls.entry(tracee, name, args, -1)
    if (isOpen) tracee.open = { name, args }
  }

  /** The bits of the signals that have a handler from here on, and of those that have none. */
  handle({ process }: Tracee, caughtBits: number, ignoredBits: number): void {
    process.dispositions.setBits(caughtBits, ignoredBits)
  }

  end(tracee: Tracee, code: number): void {
    this.#session.life.end(tracee, code, 0)
  }
}
