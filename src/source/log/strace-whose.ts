// Whose line it is: of the tracee that it names, or of the only one that it can be of.

import type { StreamHandler } from '../../model/stream.ts'
import type { StraceLine } from './strace-line.ts'
import type { StraceSession } from './strace-session.ts'
import type { Tracee } from './strace-tracee.ts'

export class LineOwners {
  /** Whose line was read last; null: it has ended, or none was read. */
  last: Tracee | null = null
  readonly #session: StraceSession
  readonly #handler: StreamHandler
  /** -ff: all lines are of this thread. */
  readonly #fileTid: number
  /** Of the tracee that no line names, as later lines say: 0 is nothing. Undefined: nobody looked. */
  #aheadTid: number | undefined
  #hasUnclear = false

  constructor(session: StraceSession, handler: StreamHandler, fileTid: number) {
    this.#session = session
    this.#handler = handler
    this.#fileTid = fileTid
  }

  /** `waits`: whose child it is follows from a later line. Null: it is of nobody, or nobody can say of whom. */
  whose(line: StraceLine): Tracee | 'waits' | null {
    const { life } = this.#session
    const tid = line.tid || this.#fileTid
    const isExec = line.kind === 'call' && line.name.startsWith('execve')
    if (tid === 0) return this.#whoseWithoutTid(line, isExec)
    const known = life.tracees.get(tid)
    if (known !== undefined) return known
    const isEnd = line.kind === 'exited' || line.kind === 'killed'
    if (isEnd && life.openCloneCount === 0 && !life.isWaiting(tid)) return null
    const { nameless } = life.tracees
    if (nameless !== null && (life.openCloneCount === 0 || nameless.open?.name === line.name))
      return life.tracees.rename(nameless, tid)
    return life.meet(tid, isExec) ?? 'waits'
  }

  /** On stderr lines have a tid only while there is more than one tracee. */
  #whoseWithoutTid(line: StraceLine, isExec: boolean): Tracee | null {
    const { life } = this.#session
    const { last } = this
    if (last?.isSeen === true && life.tracees.seenCount === 1) return last
    const all = life.tracees.running
    if (all.length === 1) return all[0] as Tracee
    if (all.length === 0) {
      const tid = this.#aheadTid ?? 0
      this.#aheadTid = undefined
      return isExec ? life.launch(tid) : life.join(tid)
    }
    const open = line.kind === 'resumed' ? all.filter((tracee) => tracee.open?.name === line.name) : []
    if (open.length === 1) return open[0] as Tracee
    this.#unclear()
    return null
  }

  /** -qq hides ends: a line without a tid may then be of any tracee. */
  #unclear(): void {
    this.#handler.onGap(0, 1)
    if (this.#hasUnclear) return
    this.#hasUnclear = true
    const message = 'lines do not say which thread they are of: let strace write to a file (-o), or leave out -qq'
    this.#handler.onNote({ code: 'unclear_thread', message, inconclusive: true })
  }

  /** `strace: Process 12 attached` */
  attached(tid: number): void {
    const { life } = this.#session
    const known = life.tracees.get(tid)
    const tracee = known ?? (this.last === null ? life.join(tid) : life.meet(tid, false))
    if (tracee !== null) life.tracees.see(tracee)
  }

  /** Whether the line begins a tracee whose tid is not in its lines, and nobody has looked for it in those that follow. */
  isNameless({ kind, tid }: StraceLine): boolean {
    if (kind !== 'call' || tid > 0 || this.#fileTid > 0) return false
    return this.#aheadTid === undefined && this.#session.life.tracees.seenCount === 0
  }

  /** What was found in the lines that follow; 0: nothing. */
  foundAhead(tid: number): void {
    this.#aheadTid = tid
  }

  /** No more lines are looked at for it. */
  endAhead(): void {
    this.#aheadTid ??= 0
  }
}
