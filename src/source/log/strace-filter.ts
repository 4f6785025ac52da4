// Signs that calls are missing from a strace log (-e trace=, -z, -Z, -P, --status): strace leaves no word of it in the log, but
// what is left contradicts itself. Looked for at the beginning only: a filter holds for the whole log. A log without a sign
// may still be filtered (-e trace='!write').

import type { CallResult } from './strace-result.ts'
import type { Process, Tracee } from './strace-tracee.ts'

/** Call lines looked at. */
const WATCHED_CALLS = 20_000
/** A program with so many calls and no memory of its own was not linked with any libc. */
const CALLS_WITHOUT_MEMORY = 10
const MANY_FAILED = 8

const OPENERS: ReadonlySet<string> = new Set(['open', 'openat', 'openat2', 'creat', 'socket', 'epoll_create1'])
const MEMORY: ReadonlySet<string> = new Set(['brk', 'mmap', 'mmap2', 'old_mmap', 'set_tid_address'])

/** Whether there may be a sign in a call of this name, whatever was before it. */
export function isWatchedCall(name: string): boolean {
  return OPENERS.has(name) || name.startsWith('close') || name.startsWith('io_uring') || name === 'unshare'
}

/** What the scanner can follow of a call of this name; undefined: nothing, or there is nothing. */
export function descriptorCall(name: string): 'opens' | 'closes' | undefined {
  return OPENERS.has(name) ? 'opens' : name === 'close' ? 'closes' : undefined
}

/** What a process did since its exec; a process whose beginning was not seen has none. */
interface Beginning {
  callCount: number
  hasMemory: boolean
  hasThreadPointer: boolean
}

/** The descriptors that a process has open. */
export class OpenDescriptors {
  /** The first ones, as bits. */
  readonly bits: Uint32Array = new Uint32Array(32)
  readonly #others = new Set<number>()

  has(descriptor: number): boolean {
    if (!isLow(descriptor)) return this.#others.has(descriptor)
    return (((this.bits[descriptor >>> 5] as number) >>> (descriptor & 31)) & 1) === 1
  }

  add(descriptor: number): void {
    if (!isLow(descriptor)) this.#others.add(descriptor)
    else this.bits[descriptor >>> 5] = (this.bits[descriptor >>> 5] as number) | (1 << (descriptor & 31))
  }

  delete(descriptor: number): void {
    if (!isLow(descriptor)) this.#others.delete(descriptor)
    else this.bits[descriptor >>> 5] = (this.bits[descriptor >>> 5] as number) & ~(1 << (descriptor & 31))
  }
}

function isLow(descriptor: number): boolean {
  return descriptor >= 0 && descriptor < 1024
}

export class FilterSigns {
  /** Whether calls are still looked at. */
  isWatching = true
  readonly #onSign: (why: string) => void
  /** False: the order of calls of two threads is not known. */
  readonly #isOrdered: boolean
  readonly #beginnings = new WeakMap<Process, Beginning>()
  readonly #descriptors = new WeakMap<Process, OpenDescriptors>()
  #callCount = 0
  #resultCount = 0
  #successCount = 0
  #isFiltered = false
  /** Descriptors that come and go without a call of their own. */
  #hasIoUring = false

  constructor(onSign: (why: string) => void, isOrdered: boolean) {
    this.#onSign = onSign
    this.#isOrdered = isOrdered
  }

  exec(process: Process): void {
    this.#judgeBeginning(process)
    this.#descriptors.delete(process)
    if (this.isWatching) {
      this.#beginnings.set(process, { callCount: 0, hasMemory: false, hasThreadPointer: false })
    }
  }

  entry(tracee: Tracee, name: string, args: string): void {
    this.counted(1)
    const beginning = this.#beginnings.get(tracee.process)
    if (beginning !== undefined) {
      beginning.callCount += 1
      if (MEMORY.has(name)) beginning.hasMemory = true
      else if (name === 'arch_prctl' || name === 'set_thread_area') beginning.hasThreadPointer = true
    }
    if (name.startsWith('close')) this.#close(tracee.process, name, args)
    else if (name.startsWith('io_uring')) this.#hasIoUring = true
    else if (name === 'unshare') this.#descriptors.delete(tracee.process)
  }

  /** Whether calls of the process that are not watched can be no sign any more: `counted` is enough for them. */
  isSettled(process: Process): boolean {
    return this.#successCount > 0 && this.#beginnings.get(process)?.hasMemory !== false
  }

  /** So many calls were entered that can be no sign. */
  counted(callCount: number): void {
    this.#callCount += callCount
    if (this.#callCount > WATCHED_CALLS) this.isWatching = false
  }

  result(tracee: Tracee, name: string, result: CallResult): void {
    if (Number.isNaN(result.value)) return
    this.#resultCount += 1
    if (result.value === -1 && result.error !== '') return
    this.#successCount += 1
    if (OPENERS.has(name)) this.#open(tracee.process, name, result.value)
  }

  /** A child that shares descriptors without being a thread: what either closes is not followed. */
  shareFiles(process: Process): void {
    this.#descriptors.delete(process)
    this.#hasIoUring = true
  }

  /** It ended by itself. */
  end({ process, isEnding }: Tracee): void {
    if (process.threadCount <= 1) this.#judgeBeginning(process)
    else if (!this.#isOrdered) return
    if (isEnding || process.isEnding || process.doom !== null) return
    this.#tell('a process ended without calling exit')
  }

  finish(): void {
    if (this.#resultCount >= MANY_FAILED && this.#successCount === 0) this.#tell('all of its calls failed')
  }

  #judgeBeginning(process: Process): void {
    const beginning = this.#beginnings.get(process)
    if (beginning === undefined) return
    this.#beginnings.delete(process)
    if (!this.isWatching || beginning.hasMemory) return
    if (beginning.callCount < CALLS_WITHOUT_MEMORY && !beginning.hasThreadPointer) return
    this.#tell('a program ran without brk, mmap and set_tid_address')
  }

  #open(process: Process, name: string, descriptor: number): void {
    if (this.#hasIoUring || (!this.#isOrdered && process.threadCount > 1)) return
    const open = this.#descriptorsOf(process)
    if (open.has(descriptor)) this.#tell(`${name} returned descriptor ${descriptor}, which was not closed before`)
    open.add(descriptor)
  }

  /** Those that calls of the process open and close, to be followed elsewhere for a while; null: they are not followed. */
  openDescriptors(process: Process): OpenDescriptors | null {
    return this.#hasIoUring || !this.#isOrdered ? null : this.#descriptorsOf(process)
  }

  #descriptorsOf(process: Process): OpenDescriptors {
    let open = this.#descriptors.get(process)
    if (open === undefined) {
      open = new OpenDescriptors()
      this.#descriptors.set(process, open)
    }
    return open
  }

  #close(process: Process, name: string, args: string): void {
    if (name === 'close') this.#descriptors.get(process)?.delete(Number.parseInt(args.replace(/^[a-z]+=/, ''), 10))
    else this.#descriptors.delete(process)
  }

  #tell(why: string): void {
    if (this.#isFiltered) return
    this.#isFiltered = true
    this.#onSign(why)
  }
}
