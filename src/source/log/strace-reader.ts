// Reads strace's text: each line as facts, the facts to the tracee they are about, and so to the handler.
//
//   bytes -> LineSplitter -> readLine -> whose line? -> StraceLife: births, execs, ends
//                                                    -> StraceCalls: calls, restarts, signals
//
// The scanner of strace-scan.ts reads ordinary lines faster and tells them by `ordinary`; every other line comes here.

import { TracefpError } from '../../errors.ts'
import type { StreamHandler } from '../../model/stream.ts'
import type { CallNumber } from '../../syscall/naming.ts'
import { LineSplitter } from './line-splitter.ts'
import { countUnparsed, type LogCounts, type LogReader, type LogReaderOptions, newCounts } from './log-reader.ts'
import type { ScannedFacts } from './scan-facts.ts'
import { signalNumberOf } from './strace-args.ts'
import { isSpecialCall } from './strace-calls.ts'
import type { OpenDescriptors } from './strace-filter.ts'
import { newLine, readLine, type StraceLine, withoutColours } from './strace-line.ts'
import { StraceLives } from './strace-lives.ts'
import { LineTime, type Position } from './strace-position.ts'
import { type CallResult, newResult, readResult } from './strace-result.ts'
import { openScan, type ScannedReader, type StraceScan } from './strace-scan.ts'
import { finishSession, openStraceSession, type StraceSession } from './strace-session.ts'
import { isPlain, type Tracee } from './strace-tracee.ts'
import { type WaitingLine, WaitingLines } from './strace-waiting.ts'

/** A file of a set with fewer lines is read without a scanner. */
const WORTH_LINES = 1000
/** Lines that wait until one of them names their tracee. */
const AHEAD_LINES = 64
const OWN_TID = /\bset_tid_address\([^"]*\) += (\d+)\b/
const ATTACHED = /strace: Process (\d+) attached(?: with \d+ threads)?$/
const ANY_CALL = /([a-z_]\w*)\((?=.*(?:\) += |<unfinished \.\.\.>$))/g
const ANY_PID = /\[pid +\d+(?:<[^<>]*>)?\] /

export class StraceReader implements LogReader, ScannedReader {
  readonly counts: LogCounts = newCounts()
  readonly splitter: LineSplitter = new LineSplitter()
  readonly #options: LogReaderOptions
  readonly lives: StraceLives
  readonly #session: StraceSession
  readonly #position: Position
  /** -ff: all lines are of this thread. */
  readonly #fileTid: number
  readonly #line: StraceLine = newLine()
  readonly #result: CallResult = newResult()
  /** Of the line, without colours; null: it is in the splitter's bytes, and its facts are from the scanner. */
  #text: string | null = null
  /** The handler knows of the call in it. */
  #isJudged = false
  readonly #waiting = new WaitingLines()
  readonly #resolved: number[] = []
  /** Something was glued into its line: what is left of it stands at the beginning of a later one. */
  #glued: Tracee | null = null
  #last: Tracee | null = null
  #callCount = 0
  #summaryCount = 0
  #hasPidColumn = false
  #hasUnclear = false
  /** Lines of a tracee that no line has named yet; null: none wait. */
  #ahead: WaitingLine[] | null = null
  /** What was found in them: 0 is nothing. Undefined: nobody looked. */
  #aheadTid: number | undefined
  /** Null: there is none here. */
  #scan: StraceScan | null | undefined

  constructor(options: LogReaderOptions, session?: StraceSession, fileTid = 0) {
    this.#options = options
    this.#fileTid = fileTid
    this.#session = session ?? openStraceSession(options, undefined, (tid) => this.#resolved.push(tid))
    this.#position = this.#session.position
    this.lives = new StraceLives(this.#session)
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
    this.#scan?.learn(text, this.#line)
    while (this.#resolved.length > 0) this.#replay(this.#resolved.shift() as number)
    return true
  }

  nextOf(facts: ScannedFacts, tracee: Tracee | undefined): void {
    const { splitter } = this
    splitter.take(facts.fill(this.#line, this.#result))
    this.counts.lineCount += 1
    const { bytes, start, end, number } = splitter
    this.#text = null
    this.#position.stand(number, bytes, start, end)
    this.#isJudged = facts.isJudged
    if (tracee === undefined || this.#ahead !== null) {
      this.#understand(bytes[start] as number, false)
    } else {
      if (bytes[start] !== 91) this.#hasPidColumn = true
      this.#understandFor(tracee, false)
    }
    this.#isJudged = false
    if (this.#resolved.length > 0) this.#scan?.settle()
    while (this.#resolved.length > 0) this.#replay(this.#resolved.shift() as number)
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
    const tracee = lineTid === 0 ? (last ?? this.#last) : life.tracees.get(lineTid)
    if (lineTid === 0 && (tracee?.isSeen !== true || life.seenCount !== 1)) return null
    if (tracee == null || tracee === this.#glued || this.#ahead !== null || !isPlain(tracee)) return null
    if (signs.isWatching && !signs.isSettled(tracee.process)) return null
    life.see(tracee)
    return tracee
  }

  isStillPlain(tid: number, tracee: Tracee): boolean {
    if (this.#ahead !== null || tracee === this.#glued || !isPlain(tracee)) return false
    return !tracee.isGone && tracee.tid === tid
  }

  openDescriptors({ process }: Tracee): OpenDescriptors | null {
    return this.#session.signs.openDescriptors(process)
  }

  numberOf(name: string): CallNumber {
    return this.#session.abi.numberOf('', name, -1)
  }

  told(last: Tracee | null, callCount: number): void {
    this.#last = last
    this.#callCount += callCount
    this.#session.signs.counted(callCount)
  }

  /** The line that is being told by the scanner is where the reader stands. */
  #stepUp(): void {
    const scan = this.#scan
    if (scan?.isTelling !== true) return
    this.#last = scan.tracee
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

  /** The session is over: what can only be known now is told. @throws TracefpError TFP_ERR_SOURCE_LOG. */
  finish(): void {
    this.settle()
    this.#readAhead()
    if (this.#callCount === 0 && this.#summaryCount > 0) throw noOrder(this.#options.name)
    this.#session.life.resolveAll()
    while (this.#resolved.length > 0) this.#replay(this.#resolved.shift() as number)
    finishSession(this.#session, this.#options)
    this.counts.unknownNameCount = this.#session.abi.unknownNames.size
  }

  at(): string {
    this.#stepUp()
    const last = this.#last
    const thread = last === null || last.tid === 0 || last.told === last.tid ? '' : `, thread ${last.tid}`
    const time = this.#position.time.text
    return `line ${this.#position.line}${time === '' ? '' : ` at ${time}`}${thread}`
  }

  #read(raw: string, number: number, isCut: boolean): void {
    const text = withoutColours(raw)
    const line = this.#line
    readLine(text, line)
    this.#text = text
    this.#position.set({ line: number, time: new LineTime(line.time, true) })
    this.#understand(text.charCodeAt(0), isCut)
  }

  /** The line's text from there on. */
  #textFrom(at: number): string {
    if (this.#text !== null) return this.#text.slice(at)
    const { bytes, start, end } = this.splitter
    return bytes.toString('latin1', start + at, end)
  }

  /** What the line means, as it was read; `first` is its first character. */
  #understand(first: number, isCut: boolean): void {
    const line = this.#line
    if (line.tid > 0 && first !== 91) this.#hasPidColumn = true
    if (this.#ahead !== null || this.#isNameless(line)) {
      this.#lookAhead({ text: this.#textFrom(0), number: this.#position.line, isCut })
      return
    }
    switch (line.kind) {
      case 'aside':
        return
      case 'summary':
        this.#summaryCount += 1
        return
      case 'attached':
        return this.#attached(line.value)
      case 'detached':
        return this.#session.life.detach(line.value)
      case 'other':
        return this.#other(this.#textFrom(0), isCut)
      case 'call':
        if (!this.#isCall(line)) return this.#other(this.#textFrom(0), isCut)
    }
    const tracee = this.#whose(line)
    if (tracee !== null) this.#understandFor(tracee, isCut)
  }

  #understandFor(tracee: Tracee, isCut: boolean): void {
    const line = this.#line
    this.#last = tracee
    this.#session.life.see(tracee)
    if (line.kind === 'call') this.#call(tracee, isCut)
    else if (line.kind === 'resumed') this.#resume(tracee)
    else this.#lifeLine(tracee, line)
  }

  /** A name that no mapping knows is one when its call is whole; words of the program itself are not. */
  #isCall({ name, rest }: StraceLine): boolean {
    if (this.#text !== null) readResult(this.#text, rest, this.#result)
    if (this.#result.kind !== 'none') return true
    const { mapping } = this.#options
    return name.startsWith('???') || mapping.knows(name) || /^syscall_0x/.test(name)
  }

  #call(tracee: Tracee, isCut: boolean): void {
    const { calls } = this.#session
    const { name, rest, nr } = this.#line
    const result = this.#result
    const isWanted = calls.isWanted(tracee, name)
    this.#callCount += 1
    if (this.#glued === tracee) this.#glued = null
    if (result.kind !== 'none') {
      const args = isWanted ? this.#textFrom(rest) : ''
      if (result.kind === 'unfinished' && tracee.process.doom !== null) calls.doubt(tracee, name, args, nr)
      else calls.entry(tracee, name, args, nr, this.#isJudged)
      tracee.open = result.kind === 'unfinished' ? { name, args } : null
      if (result.kind === 'value') calls.returned(tracee, { name, args }, result)
      return
    }
    const text = this.#textFrom(0)
    const attached = ATTACHED.exec(text)
    const args = isWanted ? text.slice(rest, attached?.index ?? text.length) : ''
    calls.entry(tracee, name, args, nr)
    if (isCut && isSpecialCall(name)) this.#unparsed(text, tracee)
    tracee.open = { name, args }
    if (!isCut) this.#glued = tracee
    if (attached !== null) this.#attached(Number(attached[1]))
  }

  #resume(tracee: Tracee): void {
    const { name, rest } = this.#line
    let resumed = tracee
    // An exec ends under the tid of the leader, whoever called it.
    if (name.startsWith('exec') && tracee.open?.name !== name) {
      const { life } = this.#session
      const caller = life.execInside(tracee.process)
      if (caller !== undefined && caller !== tracee) {
        life.supersede(tracee.tid, caller.tid)
        resumed = caller
      }
    }
    const open = resumed.open
    const call = name.includes('?') && open !== null ? open : { name, args: open?.args ?? '' }
    if (this.#text !== null) readResult(this.#text, rest, this.#result)
    const isWanted = this.#session.calls.isWanted(resumed, call.name)
    this.#finishCall(resumed, { name: call.name, args: isWanted ? call.args + this.#textFrom(rest) : '' })
  }

  /** The rest of a call, wherever it stood. */
  #finishCall(tracee: Tracee, call: { readonly name: string; readonly args: string }): void {
    if (this.#result.kind === 'none') {
      this.#glued = tracee
    } else if (this.#result.kind === 'value') {
      const isDeath = Number.isNaN(this.#result.value) && this.#result.error === ''
      if (isDeath) this.#session.calls.endedByDeath(tracee)
      else this.#session.calls.settle(tracee)
      tracee.open = null
      this.#session.calls.returned(tracee, call, this.#result)
    }
  }

  #lifeLine(tracee: Tracee, line: StraceLine): void {
    const { abi, life, calls, signs } = this.#session
    if (line.kind === 'signal') {
      calls.signal(tracee, line.name)
    } else if (line.kind === 'mode') {
      calls.settle(tracee)
      calls.settleMode(tracee, '')
      tracee.mode = abi.modeOf(line.name)
    } else if (line.kind === 'superseded') {
      calls.supersede(tracee, line.value)
    } else if (line.kind === 'exited') {
      calls.settleMode(tracee, '')
      signs.end(tracee)
      life.end(tracee, line.value, 0)
      this.#last = null
    } else if (line.kind === 'killed') {
      calls.settleMode(tracee, '')
      life.end(tracee, 0, signalNumberOf(line.name) ?? 0)
      this.#last = null
    }
  }

  #attached(tid: number): void {
    const { life } = this.#session
    const known = life.tracees.get(tid)
    const tracee = known ?? (this.#last === null ? life.join(tid) : life.meet(tid, false))
    if (tracee !== null) life.see(tracee)
  }

  #whose(line: StraceLine): Tracee | null {
    const { life } = this.#session
    const tid = line.tid || this.#fileTid
    const isExec = line.kind === 'call' && line.name.startsWith('execve')
    if (tid === 0) return this.#whoseWithoutTid(line, isExec)
    const known = life.tracees.get(tid)
    if (known !== undefined) return known
    const isEnd = line.kind === 'exited' || line.kind === 'killed'
    if (isEnd && life.openCloneCount === 0 && !life.isWaiting(tid)) return null
    const { nameless } = life
    if (nameless !== null && (life.openCloneCount === 0 || nameless.open?.name === line.name)) return life.name(tid)
    const met = life.meet(tid, isExec)
    if (met === null) this.#wait(tid)
    return met
  }

  /** On stderr lines have a tid only while there is more than one tracee. */
  #whoseWithoutTid(line: StraceLine, isExec: boolean): Tracee | null {
    const { life } = this.#session
    const last = this.#last
    if (last?.isSeen === true && life.seenCount === 1) return last
    const all = life.running
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

  /** Whether it begins a tracee whose tid is not in its lines. */
  #isNameless({ kind, tid }: StraceLine): boolean {
    if (kind !== 'call' || tid > 0 || this.#fileTid > 0) return false
    return this.#aheadTid === undefined && this.#session.life.seenCount === 0
  }

  /** libc asks for its tid at once: so the number of a tracee that no line names is known before anything is told of it. */
  #lookAhead(line: WaitingLine): void {
    const { kind, tid, name } = this.#line
    this.#ahead ??= []
    this.#ahead.push(line)
    const found = tid > 0 ? null : OWN_TID.exec(line.text)
    const isOver = tid > 0 || (kind !== 'call' && kind !== 'aside') || /^(?:v?fork|clone\d?)$/.test(name)
    if (found === null && !isOver && this.#ahead.length < AHEAD_LINES) return
    this.#aheadTid = Number(found?.[1] ?? 0)
    this.#readAhead()
  }

  #readAhead(): void {
    const lines = this.#ahead ?? []
    this.#ahead = null
    this.#aheadTid ??= 0
    for (const { text, number, isCut } of lines) this.#read(text, number, isCut)
  }

  /** -qq hides ends: a line without a tid may then be of any tracee. */
  #unclear(): void {
    this.#options.handler.onGap(0, 1)
    if (this.#hasUnclear) return
    this.#hasUnclear = true
    const message = 'lines do not say which thread they are of: let strace write to a file (-o), or leave out -qq'
    this.#options.handler.onNote({ code: 'unclear_thread', message, inconclusive: true })
  }

  #wait(tid: number): void {
    this.#waiting.add(tid, { text: this.#textFrom(0), number: this.#position.line, isCut: false })
    if (this.#waiting.isFull) this.#session.life.resolveAll()
  }

  #replay(tid: number): void {
    const now = this.#position.keep()
    for (const { text, number, isCut } of this.#waiting.take(tid)) this.#read(text, number, isCut)
    this.#position.set(now)
  }

  /** The rest of a call; a call behind words of the program, which share stderr with strace; or nothing known. */
  #other(text: string, isCut: boolean): void {
    const glued = this.#glued
    if (glued?.open != null) {
      readResult(text, 0, this.#result)
      if (this.#result.kind !== 'none') {
        this.#glued = null
        this.#finishCall(glued, { name: glued.open.name, args: glued.open.args + text })
        return
      }
    }
    const start = this.#hasPidColumn ? -1 : this.#callIn(text)
    if (start > 0) this.#read(text.slice(start), this.#position.line, isCut)
    else this.#unparsed(text, this.#session.life.tracees.get(this.#line.tid) ?? null)
  }

  /** Where a line of strace begins behind something else; -1: nowhere. */
  #callIn(text: string): number {
    const pid = text.search(ANY_PID)
    if (pid > 0) return pid
    for (const match of text.matchAll(ANY_CALL)) {
      const name = match[1] as string
      for (let at = 0; at < name.length; at += 1) {
        if (this.#options.mapping.numberOf(name.slice(at)) !== undefined && match.index + at > 0)
          return match.index + at
      }
    }
    return -1
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
