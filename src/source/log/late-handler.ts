// A handler that is made when the first record comes: a log may turn out to hold several sessions, or none.

import type {
  BirthKind,
  Image,
  JudgedCalls,
  LentTrack,
  StreamDecision,
  StreamHandler,
  StreamNote,
} from '../../model/stream.ts'

export class LateHandler implements StreamHandler {
  readonly #make: () => StreamHandler
  #made: StreamHandler | null = null

  constructor(make: () => StreamHandler) {
    this.#make = make
  }

  onBirth(tid: number, parentTid: number, tgid: number, kind: BirthKind, image?: Image): void {
    this.#handler().onBirth(tid, parentTid, tgid, kind, image)
  }

  onExec(tid: number, formerTid: number, image: Image): void {
    this.#handler().onExec(tid, formerTid, image)
  }

  onCall(tid: number, abi: number, nr: number, isRestart: boolean): void {
    const made = this.#made ?? this.#handler()
    made.onCall(tid, abi, nr, isRestart)
  }

  onRefused(tid: number): void {
    this.#handler().onRefused(tid)
  }

  onDecided(tid: number, decision: StreamDecision): void {
    this.#handler().onDecided?.(tid, decision)
  }

  onSignal(tid: number, signal: number): void {
    this.#handler().onSignal(tid, signal)
  }

  onExit(tid: number, code: number, signal: number): void {
    this.#handler().onExit(tid, code, signal)
  }

  onGap(tid: number, count: number): void {
    this.#handler().onGap(tid, count)
  }

  lend(tid: number, recall: (tid: number) => void): LentTrack | null {
    return this.#made?.lend?.(tid, recall) ?? null
  }

  giveBack(tid: number, judged: JudgedCalls): void {
    this.#made?.giveBack?.(tid, judged)
  }

  onNote(note: StreamNote): void {
    this.#handler().onNote(note)
  }

  #handler(): StreamHandler {
    this.#made ??= this.#make()
    return this.#made
  }
}
