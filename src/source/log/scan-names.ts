// The names of calls and the form of what stands before them, for the native scanner: taken over from lines that the reader has
// read, so that nothing is known there that it does not know.

import {
  MEANS_NOTHING,
  MEANS_OWN_TID,
  MEANS_TO_CLONE,
  MEANS_TO_EXECUTE,
  MEANS_TO_EXIT,
  MEANS_TO_FORK,
  MEANS_TO_GROW,
  MEANS_TO_HANDLE,
  MEANS_TO_RETURN,
} from '../../addon/log-lives.ts'
import {
  type LogPrefix,
  type LogScanner,
  NAME_LIMIT,
  NOT_WATCHED,
  SPECIAL_NAME,
  WATCHED_CLOSES,
  WATCHED_OPENS,
} from '../../addon/log-scanner.ts'
import type { CallNumber } from '../../syscall/naming.ts'
import { signalNumberOf } from './strace-args.ts'
import { isOrdinaryCall, isUnreadCall, type Reach, reachOf } from './strace-calls.ts'
import { descriptorCall, isWatchedCall } from './strace-filter.ts'
import type { StraceLine } from './strace-line.ts'
import type { OpenCall } from './strace-tracee.ts'

/** A name in the log: of a call, or of a signal. */
export interface ScannedName {
  readonly name: string
  /** Nothing matters of its calls but that they were entered. */
  readonly isOrdinary: boolean
  /** For whom its calls or signals may mean something. */
  readonly reach: Reach
  /** Its lines tell no call. */
  readonly isUnread: boolean
  /** MEANS_... */
  readonly meaning: number
  /** What a thread has open when it entered such a call. */
  readonly open: OpenCall
}

/** Of calls that most often mean nothing more, or what the scanner knows to do. */
const MEANINGS: ReadonlyMap<string, number> = new Map([
  ['set_tid_address', MEANS_OWN_TID],
  ['gettid', MEANS_OWN_TID],
  ['rt_sigaction', MEANS_TO_HANDLE],
  ['sigaction', MEANS_TO_HANDLE],
  ['clone', MEANS_TO_CLONE],
  ['clone3', MEANS_TO_CLONE],
  ['fork', MEANS_TO_FORK],
  ['vfork', MEANS_TO_FORK],
  ['execve', MEANS_TO_EXECUTE],
  ['rt_sigreturn', MEANS_TO_RETURN],
  ['sigreturn', MEANS_TO_RETURN],
  ['brk', MEANS_TO_GROW],
  ['exit', MEANS_TO_EXIT],
  ['exit_group', MEANS_TO_EXIT],
])
/** The scanner's masks have so many. */
const SIGNAL_LIMIT = 32

export class ScannedNames {
  /** By their number in the scanner. */
  readonly all: ScannedName[] = []
  /** Of each of them, in native mode; -1: `resolve` was not asked yet. */
  readonly abis: Int32Array = new Int32Array(NAME_LIMIT).fill(-1)
  readonly numbers: Int32Array = new Int32Array(NAME_LIMIT)
  readonly #scanner: LogScanner
  readonly #numberOf: (name: string) => CallNumber
  /** True: ordinary. */
  readonly #names = new Map<string, boolean>()
  #prefix: string | undefined
  /** The prefix that was looked at last; null: none was. */
  #sample: string | null = null
  #isWatching = true
  /** Each line says which thread it is of. */
  hasTids = false

  constructor(scanner: LogScanner, numberOf: (name: string) => CallNumber) {
    this.#scanner = scanner
    this.#numberOf = numberOf
  }

  /** Whether the form of the log is known; some forms never are. */
  get isReady(): boolean {
    return this.#prefix !== undefined
  }

  /** The reader has read the line of a call itself. True: lines have another form from here on. */
  learn(text: string, { name, body }: StraceLine): boolean {
    const known = this.#names.get(name)
    if (known === false || !text.startsWith(name, body) || text.charCodeAt(body + name.length) !== 40) return false
    const isOrdinary = known ?? isOrdinaryCall(name)
    const isNewForm = isOrdinary && !isAlike(text, body, this.#sample) && this.#learnPrefix(text.slice(0, body))
    if (known === undefined) this.#addCall(name, isOrdinary)
    return isNewForm
  }

  learnSignal(name: string): void {
    if (this.#names.has(name) || this.all.length === NAME_LIMIT) return
    this.#scanner.setName(name, SPECIAL_NAME)
    const signal = signalNumberOf(name) ?? 0
    if (signal < SIGNAL_LIMIT) this.#scanner.setSignal(this.all.length, signal)
    const open = { name, args: '' }
    this.#add({ name, isOrdinary: false, reach: 'thread', isUnread: true, meaning: MEANS_NOTHING, open })
  }

  #addCall(name: string, isOrdinary: boolean): void {
    if (this.all.length === NAME_LIMIT) return
    const watched = this.#isWatching ? descriptorCall(name) : undefined
    const isHeld = this.#isWatching && watched === undefined && isWatchedCall(name)
    this.#scanner.setName(name, isOrdinary && !isHeld ? this.all.length : SPECIAL_NAME)
    if (isOrdinary && watched !== undefined)
      this.#scanner.setWatched(this.all.length, watched === 'opens' ? WATCHED_OPENS : WATCHED_CLOSES)
    const meaning = MEANINGS.get(name) ?? MEANS_NOTHING
    this.#scanner.setMeaning(this.all.length, meaning)
    const [reach, isUnread] = [reachOf(name), isUnreadCall(name)]
    this.#add({ name, isOrdinary, reach, isUnread, meaning, open: { name, args: '' } })
  }

  #add(name: ScannedName): void {
    this.#names.set(name.name, name.isOrdinary)
    this.all.push(name)
    this.#scanner.setWord(name.name, this.all.length)
  }

  /** What was watched is ordinary from here on. */
  endWatch(): void {
    this.#isWatching = false
    for (const [number, { name, isOrdinary }] of this.all.entries()) {
      if (!isOrdinary || !isWatchedCall(name)) continue
      this.#scanner.setName(name, number)
      this.#scanner.setWatched(number, NOT_WATCHED)
    }
  }

  /** Answers the ABI. */
  resolve(name: number): number {
    const { abi, nr } = this.#numberOf((this.all[name] as ScannedName).name)
    this.abis[name] = abi
    this.numbers[name] = nr
    return abi
  }

  /** A log has one form; where two were joined, the last one counts. */
  #learnPrefix(text: string): boolean {
    this.#sample = text
    const prefix = prefixOf(text)
    if (prefix === undefined) return false
    const { pid, time, hasDelta, hasPointer } = prefix
    const form = `${pid} ${time} ${hasDelta} ${hasPointer}`
    if (form === this.#prefix) return false
    this.#prefix = form
    this.hasTids = pid === 'column'
    this.#scanner.setPrefix(prefix)
    return true
  }
}

/** Whether `text` begins as the sample does, but for its digits: then its prefix has the same form. */
function isAlike(text: string, length: number, sample: string | null): boolean {
  if (sample?.length !== length) return false
  for (let at = 0; at < length; at += 1) {
    const code = text.charCodeAt(at)
    const other = sample.charCodeAt(at)
    if (code !== other && !(isDigit(code) && isDigit(other))) return false
  }
  return true
}

function isDigit(code: number): boolean {
  return code >= 48 && code <= 57
}

const PREFIX =
  /^(?:(\d{1,7}(?:<[^<>]*>)? +)|\[pid +\d+(?:<[^<>]*>)?\] )?(?:(\d\d:\d\d:\d\d(?:\.\d+)? )|(\d{8,}(?:\.\d+)? ))?((?:\(\+ *\d+(?:\.\d+)?\)| *\d+(?:\.\d+)?) )?(\[(?:[\da-f]+|\?+)\] )?$/

/** The form of what stands before a call; undefined: none that the scanner knows. */
export function prefixOf(text: string): LogPrefix | undefined {
  const match = PREFIX.exec(text)
  if (match === null) return undefined
  const [, column, clock, epoch, delta, pointer] = match
  return {
    pid: column === undefined ? 'bracket' : 'column',
    time: clock !== undefined ? 'clock' : epoch !== undefined ? 'epoch' : 'none',
    hasDelta: delta !== undefined,
    hasPointer: pointer !== undefined,
  }
}
