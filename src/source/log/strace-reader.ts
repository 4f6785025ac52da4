// Reads strace's text: each line as facts, the facts to the tracee they are about, and so to the handler.
//
//   bytes -> LineSplitter -> CurrentLine -> LineOwners: whose line? -> LineDeeds -> StraceLife: births, execs, ends
//                                              waits for another one            -> StraceCalls: calls, restarts, signals
//
// The scanner of strace-scan.ts reads ordinary lines faster and tells them by `told`; every other line comes here.

import { TracefpError } from '../../errors.ts'
import type { StreamHandler } from '../../model/stream.ts'
import type { CallNumber } from '../../syscall/naming.ts'
import { LineSplitter } from './line-splitter.ts'
import { countUnparsed, type LogCounts, type LogReader, type LogReaderOptions, newCounts } from './log-reader.ts'
import type { ScannedFacts } from './scan-facts.ts'
import { CurrentLine } from './strace-current.ts'
import { LineDeeds } from './strace-deeds.ts'
import type { OpenDescriptors } from './strace-filter.ts'
import { lineBehind } from './strace-line.ts'
import { StraceLives } from './strace-lives.ts'
import { LineTime, type Position } from './strace-position.ts'
import { openScan, type ScannedReader, type StraceScan } from './strace-scan.ts'
import { finishSession, forgetOpen, openStraceSession, type StraceSession } from './strace-session.ts'
import { isPlain, type Tracee } from './strace-tracee.ts'
import { type WaitingLine, WaitingLines } from './strace-waiting.ts'
import { LineOwners } from './strace-whose.ts'

/** A file of a set with fewer lines is read without a scanner. */
const WORTH_LINES = 1000
/** Lines that wait until one of them names their tracee. */
const AHEAD_LINES = 64
const OWN_TID = /\bset_tid_address\([^"]*\) += (\d+)\b/
/** `[`: of `[pid 12] `, or of nothing that has a pid. */
const BRACKET = 91

export class StraceReader implements LogReader, ScannedReader {
  readonly counts: LogCounts = newCounts()
  readonly splitter: LineSplitter = new LineSplitter()
  readonly lives: StraceLives
  readonly #options: LogReaderOptions
  readonly #session: StraceSession
  readonly #position: Position
  /** -ff: all lines are of this thread. */
  readonly #fileTid: number
  readonly #line: CurrentLine
  readonly #owners: LineOwners
  readonly #deeds: LineDeeds
  readonly #waiting = new WaitingLines()
  readonly #resolved: number[] = []
  #summaryCount = 0
  #hasPidColumn = false
  /** Lines of a tracee that no line has named yet; null: none wait. */
  #ahead: WaitingLine[] | null = null
  /** Null: there is none here. */
  #scan: StraceScan | null | undefined

  constructor(options: LogReaderOptions, session?: StraceSession, fileTid = 0) {
    this.#options = options
    this.#fileTid = fileTid
    this.#session = session ?? openStraceSession(options, undefined, (tid) => this.#resolved.push(tid))
    this.#position = this.#session.position
    this.lives = new StraceLives(this.#session)
    this.#line = new CurrentLine(this.splitter)
    this.#owners = new LineOwners(this.#session, options.handler, fileTid)
    this.#deeds = new LineDeeds(this.#line, this.#session, {
      onAttached: (tid) => this.#owners.attached(tid),
      onUnparsed: (text, tracee) => this.#unparsed(text, tracee),
    })
  }

  write(chunk: Uint8Array): void {
    this.splitter.push(chunk)
    this.readOn(() => false)
  }

  /** Reads what was pushed, up to a line after which it is to wait. */
  readOn(mustWait: () => boolean): void {
    while (!this.#canScan()) if (!this.next() || mustWait()) return
    this.#scan?.run(() => this.#stepUp(), mustWait)
    this.#position.keep()
    while (!mustWait() && this.next());
  }

  /** Whether the lines that come are such that the scanner can tell them. */
  #canScan(): boolean {
    if (!this.splitter.isAtLineStart) return false
    // A set may have thousands of files, and a scanner takes some memory.
    if (this.#fileTid > 0 && this.counts.lineCount < WORTH_LINES) return false
    if (this.#scan === undefined) this.#scan = openScan(this)
    return this.#scan?.isReady === true
  }

  /** Reads one line of what was pushed. False: there is none. */
  next(): boolean {
    const { splitter } = this
    if (!splitter.next()) return false
    this.#scan?.settleLives()
    this.counts.lineCount += 1
    const text = splitter.bytes.toString('latin1', splitter.start, splitter.end)
    this.#read(text, splitter.number, splitter.isCut)
    this.#scan?.learn(text, this.#line.facts)
    this.#replayResolved()
    return true
  }

  nextOf(facts: ScannedFacts, tracee: Tracee | undefined): void {
    const line = this.#line
    line.take(facts)
    this.counts.lineCount += 1
    const { bytes, start, end, number } = this.splitter
    this.#position.stand(number, bytes, start, end)
    if (tracee === undefined || this.#ahead !== null) {
      this.#understand()
    } else {
      if (line.first !== BRACKET) this.#hasPidColumn = true
      this.#understandFor(tracee)
    }
    if (this.#resolved.length > 0) this.#scan?.settle()
    this.#replayResolved()
  }

  traceeOf(tid: number): Tracee | undefined {
    return this.#session.life.tracees.get(tid)
  }

  get isWatching(): boolean {
    return this.#session.signs.isWatching
  }

  get handler(): StreamHandler {
    return this.#options.handler
  }

  plainTracee(tid: number, last: Tracee | null): Tracee | null {
    const { life, signs } = this.#session
    const lineTid = tid || this.#fileTid
    const tracee = lineTid === 0 ? (last ?? this.#owners.last) : life.tracees.get(lineTid)
    if (lineTid === 0 && (tracee?.isSeen !== true || life.tracees.seenCount !== 1)) return null
    if (tracee == null || tracee === this.#deeds.glued || this.#ahead !== null || !isPlain(tracee)) return null
    if (signs.isWatching && !signs.isSettled(tracee.process)) return null
    life.tracees.see(tracee)
    return tracee
  }

  isStillPlain(tid: number, tracee: Tracee): boolean {
    if (this.#ahead !== null || tracee === this.#deeds.glued || !isPlain(tracee)) return false
    return !tracee.isGone && tracee.tid === tid
  }

  openDescriptors({ process }: Tracee): OpenDescriptors | null {
    return this.#session.signs.openDescriptors(process)
  }

  numberOf(name: string): CallNumber {
    return this.#session.abi.numberOf('', name, -1)
  }

  told(last: Tracee | null, callCount: number): void {
    this.#owners.last = last
    this.#deeds.callCount += callCount
    this.#session.signs.counted(callCount)
  }

  /** The line that is being told by the scanner is where the reader stands. */
  #stepUp(): void {
    const scan = this.#scan
    if (scan?.isTelling !== true) return
    this.#owners.last = scan.tracee
    scan.standAt(this.#position)
  }

  end(): void {
    this.splitter.finish()
    while (this.next());
    if (this.#fileTid === 0) this.finish()
  }

  settle(): void {
    this.#scan?.finish()
  }

  gap(): void {
    this.settle()
    if (this.#ahead !== null) this.#readAhead()
    this.#resolveAll()
    forgetOpen(this.#session)
    this.#deeds.glued = null
    this.#scan?.forget()
  }

  /** The session is over: what can only be known now is told. @throws TracefpError TFP_ERR_SOURCE_LOG. */
  finish(): void {
    this.settle()
    this.#readAhead()
    if (this.#deeds.callCount === 0 && this.#summaryCount > 0) throw noOrder(this.#options.name)
    this.#resolveAll()
    finishSession(this.#session, this.#options)
    this.counts.unknownNameCount = this.#session.abi.unknownNames.size
  }

  at(): string {
    this.#stepUp()
    const { last } = this.#owners
    const thread = last === null || last.tid === 0 || last.told === last.tid ? '' : `, thread ${last.tid}`
    const time = this.#position.time.text
    return `line ${this.#position.line}${time === '' ? '' : ` at ${time}`}${thread}`
  }

  #read(raw: string, number: number, isCut: boolean): void {
    const line = this.#line
    line.read(raw, isCut)
    this.#position.set({ line: number, time: new LineTime(line.facts.time, true) })
    this.#understand()
  }

  /** What the line means, as it was read. */
  #understand(): void {
    const line = this.#line
    const { facts } = line
    if (facts.tid > 0 && line.first !== BRACKET) this.#hasPidColumn = true
    if (this.#ahead !== null || this.#owners.isNameless(facts)) {
      this.#lookAhead({ text: line.textFrom(0), number: this.#position.line, isCut: line.isCut })
      return
    }
    switch (facts.kind) {
      case 'aside':
        return
      case 'summary':
        this.#summaryCount += 1
        return
      case 'attached':
        return this.#owners.attached(facts.value)
      case 'detached':
        return this.#session.life.detach(facts.value)
      case 'other':
        return this.#other()
      case 'call':
        if (!this.#isCall()) return this.#other()
    }
    const tracee = this.#owners.whose(facts)
    if (tracee === 'waits') this.#wait(facts.tid || this.#fileTid)
    else if (tracee !== null) this.#understandFor(tracee)
  }

  #understandFor(tracee: Tracee): void {
    const { kind } = this.#line.facts
    this.#owners.last = tracee
    this.#session.life.tracees.see(tracee)
    if (kind === 'call') this.#deeds.call(tracee)
    else if (kind === 'resumed') this.#deeds.resume(tracee)
    else if (!this.#deeds.other(tracee)) this.#owners.last = null
  }

  /** A name that no mapping knows is one when its call is whole; words of the program itself are not. */
  #isCall(): boolean {
    const { name, rest } = this.#line.facts
    this.#line.readResult(rest)
    if (this.#line.result.kind !== 'none') return true
    const { mapping } = this.#options
    return name.startsWith('???') || mapping.knows(name) || /^syscall_0x/.test(name)
  }

  /** libc asks for its tid at once: so the number of a tracee that no line names is known before anything is told of it. */
  #lookAhead(line: WaitingLine): void {
    const { kind, tid, name } = this.#line.facts
    this.#ahead ??= []
    this.#ahead.push(line)
    const found = tid > 0 ? null : OWN_TID.exec(line.text)
    const isOver = tid > 0 || (kind !== 'call' && kind !== 'aside') || /^(?:v?fork|clone\d?)$/.test(name)
    if (found === null && !isOver && this.#ahead.length < AHEAD_LINES) return
    this.#owners.foundAhead(Number(found?.[1] ?? 0))
    this.#readAhead()
  }

  #readAhead(): void {
    const lines = this.#ahead ?? []
    this.#ahead = null
    this.#owners.endAhead()
    for (const { text, number, isCut } of lines) this.#read(text, number, isCut)
  }

  #wait(tid: number): void {
    this.#waiting.add(tid, { text: this.#line.textFrom(0), number: this.#position.line, isCut: false })
    if (this.#waiting.isFull) this.#session.life.resolveAll()
  }

  #resolveAll(): void {
    this.#session.life.resolveAll()
    this.#replayResolved()
  }

  /** Lines whose tracees are known now. */
  #replayResolved(): void {
    while (this.#resolved.length > 0) this.#replay(this.#resolved.shift() as number)
  }

  #replay(tid: number): void {
    const now = this.#position.keep()
    for (const { text, number, isCut } of this.#waiting.take(tid)) this.#read(text, number, isCut)
    this.#position.set(now)
  }

  /** The rest of a call; a call behind words of the program, which share stderr with strace; or nothing known. */
  #other(): void {
    if (this.#deeds.finishGlued()) return
    const { facts, isCut } = this.#line
    const text = this.#line.textFrom(0)
    const { mapping } = this.#options
    const start = this.#hasPidColumn ? -1 : lineBehind(text, (name) => mapping.numberOf(name) !== undefined)
    if (start > 0) this.#read(text.slice(start), this.#position.line, isCut)
    else this.#unparsed(text, this.#session.life.tracees.get(facts.tid) ?? null)
  }

  #unparsed(text: string, tracee: Tracee | null): void {
    countUnparsed(this.counts, this.#position.line, text)
    // It may have been a call of this thread.
    if (tracee !== null && !tracee.isLaunching) this.#options.handler.onGap(tracee.told, 1)
  }
}

function noOrder(name: string): TracefpError {
  const why = 'it is a summary (strace -c), which counts calls and does not hold their order'
  return new TracefpError('TFP_ERR_SOURCE_LOG', `${name}: ${why}: record it without -c`)
}
