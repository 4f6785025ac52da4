// The tracees of a session that live: by the tid that the log has for them, and beside these the one of which no line says a tid, and
// those that the log must have under another one.

import type { Tracee } from './strace-tracee.ts'

export class Tracees {
  readonly byTid: Map<number, Tracee> = new Map()
  /** The tracee of lines without a tid, while its number is not known. */
  nameless: Tracee | null = null
  /** Those that have lines in the log. */
  seenCount = 0
  /** Born in a pid namespace of their own and never seen. */
  readonly #foreign = new Set<Tracee>()

  get(tid: number): Tracee | undefined {
    return this.byTid.get(tid)
  }

  /** `tid` 0: the log does not say it. */
  add(tracee: Tracee): void {
    if (tracee.tid === 0) this.nameless = tracee
    else this.byTid.set(tracee.tid, tracee)
  }

  /** The log has it under another tid. */
  addForeign(tracee: Tracee): void {
    this.#foreign.add(tracee)
  }

  /** The first of those. */
  get foreign(): Tracee | undefined {
    if (this.#foreign.size === 0) return undefined
    const [first] = this.#foreign
    return first
  }

  /** The log has it under this tid from here on. */
  rename(tracee: Tracee, tid: number): Tracee {
    this.#foreign.delete(tracee)
    if (this.nameless === tracee) this.nameless = null
    if (this.byTid.get(tracee.tid) === tracee) this.byTid.delete(tracee.tid)
    tracee.tid = tid
    this.byTid.set(tid, tracee)
    return tracee
  }

  /** It is gone, or followed no longer. */
  forget(tracee: Tracee): void {
    tracee.isGone = true
    if (this.byTid.get(tracee.tid) === tracee) this.byTid.delete(tracee.tid)
    if (this.nameless === tracee) this.nameless = null
    this.#foreign.delete(tracee)
    if (tracee.isSeen) this.seenCount -= 1
  }

  get all(): Tracee[] {
    return this.nameless === null ? [...this.byTid.values()] : [this.nameless, ...this.byTid.values()]
  }

  /** A line of it was read. */
  see(tracee: Tracee): void {
    if (tracee.isSeen) return
    tracee.isSeen = true
    this.seenCount += 1
  }

  /** Those that a line without a tid may be of: seen, and not about to end. */
  get running(): Tracee[] {
    return this.all.filter((tracee) => tracee.isSeen && !tracee.isEnding && !tracee.process.isEnding)
  }

  /** Born, and nothing else of them is in the log. */
  get unseenCount(): number {
    let count = 0
    for (const tracee of this.byTid.values()) if (!tracee.isSeen) count += 1
    return count + this.#foreign.size
  }
}
