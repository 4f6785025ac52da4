// A handler that hands on what it is told to another one, which may not be there yet when the first record comes.

import type {
  Above,
  BirthKind,
  Image,
  JudgedCalls,
  LentProgram,
  LentTrack,
  PassedTracks,
  StreamDecision,
  StreamHandler,
  StreamNote,
} from './stream.ts'

export abstract class ForwardingHandler implements StreamHandler {
  /** Whom records go to; null: nobody yet. */
  protected target: StreamHandler | null = null

  /** A record came while nobody was there: it is told to whoever is made now, or later. */
  protected abstract early(tell: (target: StreamHandler) => void): void

  onBirth(tid: number, parentTid: number, tgid: number, kind: BirthKind, image?: Image, above?: Above): void {
    if (this.target !== null) this.target.onBirth(tid, parentTid, tgid, kind, image, above)
    else this.early((target) => target.onBirth(tid, parentTid, tgid, kind, image, above))
  }

  onExec(tid: number, formerTid: number, image: Image): void {
    if (this.target !== null) this.target.onExec(tid, formerTid, image)
    else this.early((target) => target.onExec(tid, formerTid, image))
  }

  onCall(tid: number, abi: number, nr: number, isRestart: boolean): void {
    if (this.target !== null) this.target.onCall(tid, abi, nr, isRestart)
    else this.early((target) => target.onCall(tid, abi, nr, isRestart))
  }

  onRefused(tid: number): void {
    if (this.target !== null) this.target.onRefused(tid)
    else this.early((target) => target.onRefused(tid))
  }

  onDecided(tid: number, decision: StreamDecision): void {
    if (this.target !== null) this.target.onDecided?.(tid, decision)
    else this.early((target) => target.onDecided?.(tid, decision))
  }

  onSignal(tid: number, signal: number): void {
    if (this.target !== null) this.target.onSignal(tid, signal)
    else this.early((target) => target.onSignal(tid, signal))
  }

  onExit(tid: number, code: number, signal: number): void {
    if (this.target !== null) this.target.onExit(tid, code, signal)
    else this.early((target) => target.onExit(tid, code, signal))
  }

  onGap(tid: number, count: number): void {
    if (this.target !== null) this.target.onGap(tid, count)
    else this.early((target) => target.onGap(tid, count))
  }

  onNote(note: StreamNote): void {
    if (this.target !== null) this.target.onNote(note)
    else this.early((target) => target.onNote(note))
  }

  /** Nothing is lent of what was not told. */
  lend(tid: number, recall: (tid: number) => void): LentTrack | null {
    return this.target?.lend?.(tid, recall) ?? null
  }

  giveBack(tid: number, judged: JudgedCalls): void {
    this.target?.giveBack?.(tid, judged)
  }

  lendExec(program: LentProgram, image: Image): LentProgram | null {
    return this.target?.lendExec?.(program, image) ?? null
  }

  onPassed(program: LentProgram, passed: PassedTracks): void {
    this.target?.onPassed?.(program, passed)
  }
}
