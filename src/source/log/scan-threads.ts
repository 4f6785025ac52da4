// The threads whose ordinary lines the native scanner tells: in which slot each stands, what it has open, and whose track it has
// borrowed. What the scanner knows of a thread and what its tracee knows are brought together here.

import { PROCESS, PROCESS_WORDS } from '../../addon/log-lives.ts'
import {
  AWAY,
  DESCRIPTOR_SETS,
  DESCRIPTOR_WORDS,
  type LogScanner,
  NOTHING_OPEN,
  OPEN_ELSEWHERE,
  THREAD,
  THREAD_SLOTS,
  THREAD_WORDS,
} from '../../addon/log-scanner.ts'
import type { ScanJudging, ScannedThread } from './scan-judging.ts'
import type { ScannedName, ScannedNames } from './scan-names.ts'
import type { OpenDescriptors } from './strace-filter.ts'
import type { StraceLives } from './strace-lives.ts'
import type { OpenCall, Tracee } from './strace-tracee.ts'

export interface TakenThread extends ScannedThread {
  readonly tid: number
  readonly tracee: Tracee
  /** What it had open when its slot was last looked at. */
  open: OpenCall | null
}

/** What is asked of the reader: see ScannedReader. */
export interface ThreadsReader {
  readonly lives: StraceLives
  isStillPlain(tid: number, tracee: Tracee): boolean
}

export class ScannedThreads {
  readonly #scanner: LogScanner
  readonly #names: ScannedNames
  readonly #judging: ScanJudging
  readonly #reader: ThreadsReader
  /** The words of all slots. */
  readonly #words: Uint32Array
  readonly #processes: Uint32Array
  /** The threads of the slots. */
  readonly #slots: (TakenThread | null)[] = Array<TakenThread | null>(THREAD_SLOTS).fill(null)
  /** Those threads. */
  readonly #taken: TakenThread[] = []
  /** Of which processes it is followed what they have open, by number of the set. */
  readonly #followed: OpenDescriptors[] = []
  readonly #recall: (told: number) => void

  constructor(scanner: LogScanner, names: ScannedNames, judging: ScanJudging, reader: ThreadsReader) {
    this.#scanner = scanner
    this.#names = names
    this.#judging = judging
    this.#reader = reader
    this.#words = scanner.threads
    this.#processes = scanner.processes
    this.#recall = (told) => {
      for (const thread of this.#taken) if (thread.told === told && thread.isLent) judging.giveBack(thread)
    }
  }

  /** Lines without a tid are of one of them. */
  get hasNameless(): boolean {
    return this.#slots[0]?.tid === 0
  }

  get count(): number {
    return this.#taken.length
  }

  /** Null: nobody, or somebody whom only the scanner knows. */
  inSlot(slot: number): TakenThread | null {
    return this.#slots[slot] ?? null
  }

  /** Who stands there, as far as the reader knows. */
  traceeIn(slot: number): Tracee | null {
    const thread = this.#slots[slot]
    return thread?.tid === this.tidIn(slot) ? thread.tracee : null
  }

  /** Whoever knows of it; -1: nobody. */
  tidIn(slot: number): number {
    return ((this.#words[slot * THREAD_WORDS + THREAD.tid] ?? 0) & ~AWAY) - 1
  }

  /** The counts of all begin anew. What the scanner alone knew was told before. */
  giveBackCounts(): void {
    for (const thread of this.#taken) {
      if (!thread.isLent) continue
      this.#judging.giveBack(thread)
      this.#judging.borrow(thread, this.#recall)
    }
  }

  /** Undefined: it is not taken. */
  of(tid: number): TakenThread | undefined {
    const thread = this.#slots[tid % THREAD_SLOTS]
    return thread?.tid === tid ? thread : undefined
  }

  /** Ordinary lines of the thread are told from here on. `open`: what its process has open, if that is to be followed. */
  take(tid: number, tracee: Tracee, open: OpenDescriptors | null): void {
    const number = tid % THREAD_SLOTS
    // A line without tid is of the only thread there is, which may be one of those that have one: none is taken twice.
    if (tid === 0) this.release()
    else if (this.hasNameless) this.#drop(this.#slots[0] as TakenThread)
    const former = this.#slots[number]
    if (former != null) this.#drop(former)
    const slot = number * THREAD_WORDS
    const thread = { tid, slot, tracee, told: tracee.told, open: tracee.open, isLent: false }
    const words = this.#words
    words[slot + THREAD.tid] = tid + 1
    words[slot + THREAD.open] = tracee.open === null ? NOTHING_OPEN : OPEN_ELSEWHERE
    words[slot + THREAD.program] = 0
    words[slot + THREAD.descriptors] = open === null ? 0 : this.#descriptorSet(open)
    this.#slots[number] = thread
    this.#taken.push(thread)
    this.#share(thread)
    this.#judging.borrow(thread, this.#recall)
  }

  /** The scanner has this thread in its slot already. */
  adopt(tid: number, tracee: Tracee): void {
    const number = tid % THREAD_SLOTS
    const thread = { tid, slot: number * THREAD_WORDS, tracee, told: tracee.told, open: tracee.open, isLent: false }
    this.#slots[number] = thread
    this.#taken.push(thread)
    this.settleOne(thread)
    this.lendAgain(thread)
  }

  /** What the scanner has in this thread's slot is of nobody. */
  clear(tid: number): void {
    this.#words[(tid % THREAD_SLOTS) * THREAD_WORDS + THREAD.tid] = 0
  }

  /** After something was told of its track, on which the scanner goes on. */
  lendAgain(thread: TakenThread): void {
    this.#judging.adopt(thread, this.#recall)
  }

  /** What the scanner needs to know of its process. */
  #share({ slot, tracee }: TakenThread): void {
    const words = this.#processes
    const process = (slot / THREAD_WORDS) * PROCESS_WORDS
    const { caughtBits, ignoredBits } = tracee.process.dispositions
    words[process + PROCESS.isAlone] = this.#reader.lives.isAlone(tracee) ? 1 : 0
    words[process + PROCESS.caught] = caughtBits
    words[process + PROCESS.ignored] = ignoredBits
  }

  /** Number + 1 of the set that follows what a process has open; 0: there is none. */
  #descriptorSet(open: OpenDescriptors): number {
    const known = this.#followed.indexOf(open)
    if (known >= 0) return known + 1
    if (this.#followed.length === DESCRIPTOR_SETS) return 0
    this.#scanner.descriptors.set(open.bits, this.#followed.length * DESCRIPTOR_WORDS)
    return this.#followed.push(open)
  }

  /** What all threads have open is in their tracees, too. */
  settle(): void {
    for (const thread of this.#taken) this.settleOne(thread)
  }

  settleOne(thread: TakenThread): void {
    const open = this.#words[thread.slot + THREAD.open] as number
    if (open !== OPEN_ELSEWHERE)
      thread.open = open === NOTHING_OPEN ? null : (this.#names.all[open] as ScannedName).open
    thread.tracee.open = thread.open
  }

  /** Lines were read: those leave whose ordinary lines are to be read, too, from here on. They were settled before. */
  check(): void {
    for (let at = this.#taken.length - 1; at >= 0; at -= 1) this.checkOne(this.#taken[at] as TakenThread)
  }

  checkOne(thread: TakenThread): void {
    const { tracee } = thread
    if (!this.#reader.isStillPlain(thread.tid, tracee) || thread.told !== tracee.told) {
      this.#leave(thread)
      return
    }
    if (tracee.open !== thread.open) {
      thread.open = tracee.open
      this.#words[thread.slot + THREAD.open] = tracee.open === null ? NOTHING_OPEN : OPEN_ELSEWHERE
    }
    this.#share(thread)
    if (!thread.isLent) this.#judging.borrow(thread, this.#recall)
  }

  /** All leave. What they have open is theirs again. */
  release(): void {
    for (let at = this.#taken.length - 1; at >= 0; at -= 1) this.#drop(this.#taken[at] as TakenThread)
    for (const [set, { bits }] of this.#followed.entries()) {
      const begin = set * DESCRIPTOR_WORDS
      bits.set(this.#scanner.descriptors.subarray(begin, begin + DESCRIPTOR_WORDS))
    }
    this.#followed.length = 0
  }

  #drop(thread: TakenThread): void {
    this.settleOne(thread)
    this.#leave(thread)
  }

  /** Ordinary lines of the thread are to be read from here on, or asked for anew. */
  #leave(thread: TakenThread): void {
    const { slot } = thread
    if (thread.isLent) this.#judging.giveBack(thread)
    this.lose(thread)
    this.#words[slot + THREAD.tid] = 0
  }

  /** Its slot is of nobody, or of somebody else, to the scanner. */
  lose(thread: TakenThread): void {
    const last = this.#taken.pop() as TakenThread
    if (last !== thread) this.#taken[this.#taken.indexOf(thread)] = last
    this.#slots[thread.slot / THREAD_WORDS] = null
  }
}
