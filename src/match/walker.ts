// Walks a stream record by record: which track a record belongs to, which frame it is in and where its chain begins or
// breaks (README.md has the rules). It never decides whether a transition is right; that is the judge's.

import { signalSymbol } from '../model/fingerprint.ts'
import {
  type Above,
  type BirthKind,
  type FloodCounts,
  type Image,
  type JudgedCalls,
  type LentProgram,
  type LentTrack,
  type PassedTracks,
  RECENT_COUNT,
  type StreamDecision,
  type StreamHandler,
  type StreamNote,
} from '../model/stream.ts'
import type { Mapping } from '../syscall/mapping.ts'
import { callFlags, callIndex, ENDS_FRAME, ENDS_TRACK, TRANSPARENT, UNSEEN_WORK } from './flags.ts'
import type { Judge, WalkedProgram } from './judge.ts'
import { JOINED, NO_STATE, Track } from './track.ts'
import { baseName, Tracks } from './tracks.ts'

export interface WalkerOptions {
  readonly mapping: Mapping
  /** `log`: one track for everything, top to bottom; births, signals and exits do not split it. */
  readonly tracks: 'thread' | 'log'
  /** What runs in tracks met mid-stream when nothing tells: the program that was attached to. */
  readonly joinImage?: Image | null
  /** Who started the root: its parent and the names above it, nearest first. */
  readonly rootPpid?: number
  readonly rootAncestors?: readonly string[]
  /** False: the source tells no signals, so that a return from a handler is a call like any other. Default: true. */
  readonly tellsSignals?: boolean
}

export class Walker<P extends WalkedProgram> implements StreamHandler {
  /** Records but restarts: transparent calls too. */
  recordCount = 0
  /** Calls that the kernel repeated; they are not in recordCount. */
  restartCount = 0
  trackCount = 0
  gapCount = 0
  /** Records known to be missing. */
  droppedCount = 0
  /** How the root ended; null: not seen. */
  rootExit: { readonly code: number; readonly signal: number } | null = null

  readonly #judge: Judge<P>
  readonly #plainFlags: Uint8Array
  readonly #joinImage: Image | null
  readonly #tellsSignals: boolean
  readonly #tracks: Tracks<P>
  /** The one track of `log`; null: a track per thread. */
  readonly #log: Track<P> | null
  #rootTgid = 0
  #hasRoot = false

  constructor(judge: Judge<P>, options: WalkerOptions) {
    this.#judge = judge
    this.#plainFlags = callFlags(options.mapping, [])
    this.#joinImage = options.joinImage ?? null
    this.#tellsSignals = options.tellsSignals ?? true
    this.#tracks = new Tracks(options.rootPpid ?? 0, options.rootAncestors ?? [])
    this.#log = options.tracks === 'log' ? new Track<P>(0, 0, 0, [], '<join>') : null
    if (this.#log !== null) this.#log.state = JOINED
  }

  onBirth(tid: number, parentTid: number, tgid: number, kind: BirthKind, image?: Image, above?: Above): void {
    const known = this.#tracks.take(tid)
    const parent = this.#tracks.parentOf(parentTid, tgid, kind)
    if (known?.isUnborn === true) {
      this.#nameUnborn(known, parent, tgid, kind)
      return
    }
    const track = this.#addTrack(tid, tgid, parent, kind, above)
    if (kind === 'exec') {
      if (this.#rootTgid === 0) this.#rootTgid = tgid
    } else if (kind === 'join') {
      if (this.#rootTgid === 0) this.#rootTgid = tgid
      this.#join(track, parent, image)
    } else if (parent !== null) {
      this.#inherit(track, parent, kind)
    } else if (image !== undefined && this.#log === null) {
      this.#orphan(track, image)
    } else {
      this.#note('unknown_parent', `the parent of ${kind} ${tid} was not seen`, false)
      this.#join(track, null)
    }
  }

  onExec(tid: number, formerTid: number, image: Image): void {
    const track = this.#tracks.take(formerTid) ?? this.#tracks.take(tid) ?? this.#addUnbornExec(tid)
    const former = track.program
    const isRoot = !this.#hasRoot && (former === null || this.#log !== null)
    if (this.#log !== null) {
      this.#execInLog(this.#log, track, image, isRoot)
      return
    }
    const isExpected = former === null || this.#judge.exec(track, former, image)
    this.#tracks.rename(track, tid)
    track.dropFrames()
    if (isRoot) this.#hasRoot = true
    this.#enter(track, image, isRoot, isExpected)
  }

  onCall(tid: number, abi: number, nr: number, isRestart: boolean): void {
    if (isRestart) {
      this.restartCount += 1
      return
    }
    let track = this.#tracks.last
    if (track === null || track.tid !== tid) track = this.#trackOf(tid)
    this.recordCount += 1
    const program = track.program
    if (program === null) {
      this.#callOfNoProgram(track, abi, nr)
      return
    }
    track.recordCount += 1
    program.recordCount += 1
    const index = callIndex(abi, nr)
    const flags = index < 0 ? 0 : (program.flags[index] as number)
    if (flags !== 0) {
      this.#flaggedCall(track, program, flags, abi, nr)
      return
    }
    track.lastFlags = 0
    track.formerState = track.state
    track.state = this.#judge.call(track, program, abi, nr)
    track.history.push(abi, nr)
  }

  onCalls(tid: number, abi: number, numbers: Int32Array, begin: number, end: number): number {
    let track = this.#tracks.last
    if (track === null || track.tid !== tid) track = this.#trackOf(tid)
    const program = track.program
    if (program === null) return 0
    const count = this.#judge.calls?.(track, program, abi, numbers, begin, end) ?? 0
    if (count === 0) return 0
    this.#count(track, program, count)
    track.lastFlags = 0
    const { history } = track
    for (let at = begin + Math.max(0, count - RECENT_COUNT); at < begin + count; at += 1)
      history.push(abi, numbers[at] as number)
    return count
  }

  onSignal(tid: number, signal: number): void {
    if (this.#log !== null) return
    const track = this.#trackOf(tid)
    if (track.program === null) return
    const symbol = signalSymbol(signal)
    track.pushFrame(this.#judge.start(track.program, symbol), symbol)
  }

  onExit(tid: number, code: number, signal: number): void {
    const track = this.#tracks.take(tid)
    if (track === undefined) return
    if (tid === this.#rootTgid) this.rootExit = { code, signal }
    if (this.#log === null && signal === 0) this.#end(track)
    this.#tracks.forget(track)
  }

  onRefused(tid: number): void {
    if (this.#log === null) this.#tracks.take(tid)?.undo()
  }

  onDecided(tid: number, decision: StreamDecision): void {
    const track = this.#tracks.take(tid)
    if (track !== undefined && this.#log === null) this.#judge.decided?.(track, decision)
  }

  onGap(tid: number, count: number): void {
    this.gapCount += 1
    this.droppedCount += count
    if (tid === 0) this.#tracks.recallAll()
    if (this.#log !== null) this.#log.breakChain()
    else if (tid === 0) for (const track of this.#tracks.all()) track.breakChain()
    else this.#tracks.take(tid)?.breakChain()
  }

  onSkipped(tid: number, count: number, transparentCount: number): void {
    const track = this.#tracks.take(tid)
    if (track?.program == null) return
    this.#count(track, track.program, count + transparentCount)
    track.transparentCount += transparentCount
    if (count === 0) return
    this.#judge.skipped?.(count)
    // The calls that follow say where it stands.
    track.begin(NO_STATE, '<gap>')
  }

  lend(tid: number, recall: (tid: number) => void): LentTrack | null {
    const track = this.#tracks.take(tid)
    if (track?.program == null || track.state < 0 || this.#log !== null) return null
    const program = this.#judge.lent?.(track.program) ?? null
    if (program === null) return null
    if (this.#tracks.last === track) this.#tracks.last = null
    track.recall = recall
    return { program, state: track.state }
  }

  giveBack(tid: number, { callCount, transparentCount, state, formerState, recent, recentCount }: JudgedCalls): void {
    const track = this.#tracks.get(tid)
    if (track?.program == null || track.recall === null) return
    track.recall = null
    this.#count(track, track.program, callCount + transparentCount)
    track.transparentCount += transparentCount
    if (callCount === 0) return
    track.state = state
    track.formerState = formerState
    track.lastFlags = 0
    track.history.pushAll(recent, recentCount)
    this.#judge.judged?.(callCount)
  }

  lendExec(program: LentProgram, image: Image): LentProgram | null {
    return this.#log === null ? (this.#judge.lentExec?.(program, image) ?? null) : null
  }

  onPassed(program: LentProgram, passed: PassedTracks): void {
    this.trackCount += passed.trackCount
    this.recordCount += passed.callCount + passed.transparentCount
    this.#judge.passed?.(program, passed)
  }

  onFlood(tid: number, counts: FloodCounts): void {
    const track = this.#tracks.get(tid)
    if (track?.program == null) return
    this.#count(track, track.program, counts.callCount)
    this.#judge.flood?.(track.program, counts)
    track.begin(NO_STATE, '<gap>')
  }

  onRepeat(tid: number, abi: number, nr: number): void {
    const track = this.#trackOf(tid)
    const isRepeat = track.program !== null && this.#judge.isMiss?.(track.state, track.program, abi, nr) === true
    this.onCall(tid, abi, nr, isRepeat)
  }

  onContext(tid: number, abi: number, nr: number): void {
    const track = this.#tracks.get(tid)
    if (track?.program == null) return
    const index = callIndex(abi, nr)
    track.lastFlags = index < 0 ? 0 : (track.program.flags[index] as number)
    track.state = this.#judge.goOn?.(track.state, track.program, abi, nr) ?? NO_STATE
    track.history.push(abi, nr)
  }

  onNote(note: StreamNote): void {
    this.#judge.note(note)
  }

  /** A process, and those below it that the session knows. */
  processesBelow(tgid: number): number[] {
    return this.#tracks.processesBelow(tgid)
  }

  /** What runs in a track; null: not known. */
  programOf(tid: number): P | null {
    return this.#tracks.get(tid)?.program ?? null
  }

  /** The stream is over. Tracks that still live are not judged at their end; the one track of `log` is. */
  finish(): void {
    this.#tracks.recallAll()
    if (this.#log !== null) this.#end(this.#log)
    this.#tracks.clear()
  }

  /** Records that are not told one by one. */
  #count(track: Track<P>, program: P, count: number): void {
    this.recordCount += count
    track.recordCount += count
    program.recordCount += count
  }

  #flaggedCall(track: Track<P>, program: P, flags: number, abi: number, nr: number): void {
    if (flags === TRANSPARENT) {
      track.transparentCount += 1
      return
    }
    track.lastFlags = flags
    if (flags === UNSEEN_WORK) this.#noteIoUring(track)
    if (flags === ENDS_FRAME && this.#log === null && this.#tellsSignals) {
      this.#endFrame(track, program, abi, nr)
      return
    }
    track.formerState = track.state
    track.state = this.#judge.call(track, program, abi, nr)
    track.history.push(abi, nr)
  }

  /** rt_sigreturn is a record of the handler's frame; after it the flow goes on where the signal interrupted it. */
  #endFrame(track: Track<P>, program: P, abi: number, nr: number): void {
    if (track.hasFrame) {
      this.#judge.call(track, program, abi, nr)
      track.popFrame()
      return
    }
    if (track.strayAllowance > 0) track.strayAllowance -= 1
    else this.#judge.stray(track, program, abi, nr)
    // Where it returned to was never seen.
    track.state = NO_STATE
    track.history.push(abi, nr)
  }

  /** Before its first exec the root is still the launcher; a joined track may have no known image. */
  #callOfNoProgram(track: Track<P>, abi: number, nr: number): void {
    const index = callIndex(abi, nr)
    if (index >= 0 && this.#plainFlags[index] === UNSEEN_WORK) this.#noteIoUring(track)
  }

  #end(track: Track<P>): void {
    if (track.program !== null && track.lastFlags === ENDS_TRACK) this.#judge.end(track, track.program)
  }

  #enter(track: Track<P>, image: Image, isRoot: boolean, isExpected: boolean): void {
    track.image = image
    const program = this.#judge.enter(track, image, isRoot, isExpected)
    track.program = program
    track.lastFlags = 0
    track.begin(this.#judge.start(program, '<exec>'), '<exec>')
  }

  /** In a log read as one sequence the first image names the program; later ones are only held against its exec set. */
  #execInLog(log: Track<P>, caller: Track<P>, image: Image, isRoot: boolean): void {
    this.#hasRoot = true
    this.#identify(log, caller)
    caller.image = image
    if (isRoot || log.program === null) this.#enter(log, image, isRoot, true)
    else this.#judge.exec(log, log.program, image)
  }

  #inherit(track: Track<P>, parent: Track<P>, kind: 'thread' | 'fork'): void {
    if (this.#log !== null) return
    track.image = parent.image
    track.program = parent.program
    if (kind === 'fork') track.copyFramesOf(parent)
    const start = `<${kind}>`
    track.begin(parent.program === null ? NO_STATE : this.#judge.start(parent.program, start), start)
  }

  /** A fork whose parent was killed before it could tell: it runs what the parent ran. */
  #orphan(track: Track<P>, image: Image): void {
    track.image = image
    track.program = this.#judge.enter(track, image, false, true)
    track.begin(this.#judge.start(track.program, '<fork>'), '<fork>')
  }

  #join(met: Track<P>, sibling: Track<P> | null, image: Image | null = this.#joinImage): void {
    const track = this.#log ?? met
    if (track.program !== null) return
    track.strayAllowance = 1
    track.begin(JOINED, '<join>')
    if (sibling !== null) {
      track.image = sibling.image
      track.program = sibling.program
    } else if (image !== null) {
      track.image = image
      const isRoot = !this.#hasRoot
      this.#hasRoot = true
      track.program = this.#judge.enter(track, image, isRoot, true)
    } else {
      this.#note('unknown_program', `what runs in track ${met.tid} is not known: its calls are not judged`, true)
    }
  }

  /** The birth came after the first calls: what is known now is taken over, the chain goes on unjudged. */
  #nameUnborn(track: Track<P>, parent: Track<P> | null, tgid: number, kind: BirthKind): void {
    track.isUnborn = false
    track.tgid = tgid
    this.#tracks.placeBelow(track, parent, kind)
    if (parent === null || parent.program === track.program) return
    track.image = parent.image
    track.program = parent.program
    track.breakChain()
  }

  #trackOf(tid: number): Track<P> {
    const track = this.#tracks.take(tid) ?? this.#addUnborn(tid)
    const log = this.#log
    if (log === null) {
      this.#tracks.last = track
      return track
    }
    this.#identify(log, track)
    this.#tracks.last = log
    return log
  }

  #addUnborn(tid: number): Track<P> {
    const track = this.#addTrack(tid, tid, null, 'join')
    track.isUnborn = true
    const isKnown = this.#log !== null || this.#joinImage !== null
    this.#note('unborn_track', `a track made calls before its birth was seen: first of them ${tid}`, !isKnown)
    this.#join(track, null)
    return track
  }

  /** A stream that begins with an exec has its root there. */
  #addUnbornExec(tid: number): Track<P> {
    if (this.#tracks.size > 0 || this.#hasRoot) return this.#addUnborn(tid)
    this.#rootTgid = tid
    return this.#addTrack(tid, tid, null, 'exec')
  }

  #addTrack(tid: number, tgid: number, parent: Track<P> | null, kind: BirthKind, above?: Above): Track<P> {
    this.trackCount = this.#log === null ? this.trackCount + 1 : 1
    return this.#tracks.add(tid, tgid, parent, kind, above)
  }

  #identify(log: Track<P>, track: Track<P>): void {
    log.tid = track.tid
    log.tgid = track.tgid
    log.ppid = track.ppid
    log.ancestors = track.ancestors
  }

  #noteIoUring(track: Track<P>): void {
    const name = baseName(track.image)
    this.#note('io_uring', `${name} used io_uring: what is done there makes no calls and was not seen`, true)
  }

  #note(code: string, message: string, inconclusive: boolean): void {
    this.#judge.note({ code, message, inconclusive })
  }
}
