// Between a log and a walker: the walker is made once it is known which program runs, as a live source does it, and programs
// get the names that the fingerprints have for them. Where a log begins without an exec, nobody says what runs.

import type {
  BirthKind,
  Image,
  JudgedCalls,
  LentTrack,
  StreamDecision,
  StreamHandler,
  StreamNote,
} from '../model/stream.ts'

export interface BegunSession {
  readonly handler: StreamHandler
  /** The image as the fingerprints call it. */
  readonly resolve: (image: Image) => Image
}

export class LogHandler implements StreamHandler {
  /** Codes of the notes that the log's reader told. */
  readonly noteCodes: Set<string> = new Set()
  readonly #begin: (image: Image | null) => BegunSession
  #session: BegunSession | null = null
  /** What came before the program was known: births, notes. */
  #early: ((handler: StreamHandler) => void)[] = []

  /** `begin`: null, where the log does not say what runs. */
  constructor(begin: (image: Image | null) => BegunSession) {
    this.#begin = begin
  }

  onBirth(tid: number, parentTid: number, tgid: number, kind: BirthKind, image?: Image): void {
    if (image !== undefined) {
      const { handler, resolve } = this.#session ?? this.begin(image)
      handler.onBirth(tid, parentTid, tgid, kind, resolve(image))
    } else {
      this.#tell((handler) => handler.onBirth(tid, parentTid, tgid, kind))
    }
  }

  onExec(tid: number, formerTid: number, image: Image): void {
    const { handler, resolve } = this.#session ?? this.begin(image)
    handler.onExec(tid, formerTid, resolve(image))
  }

  onCall(tid: number, abi: number, nr: number, isRestart: boolean): void {
    const { handler } = this.#session ?? this.begin(null)
    handler.onCall(tid, abi, nr, isRestart)
  }

  onRefused(tid: number): void {
    this.#tell((handler) => handler.onRefused(tid))
  }

  onDecided(tid: number, decision: StreamDecision): void {
    this.#tell((handler) => handler.onDecided?.(tid, decision))
  }

  onSignal(tid: number, signal: number): void {
    this.#tell((handler) => handler.onSignal(tid, signal))
  }

  onExit(tid: number, code: number, signal: number): void {
    this.#tell((handler) => handler.onExit(tid, code, signal))
  }

  onGap(tid: number, count: number): void {
    this.#tell((handler) => handler.onGap(tid, count))
  }

  lend(tid: number, recall: (tid: number) => void): LentTrack | null {
    return this.#session?.handler.lend?.(tid, recall) ?? null
  }

  giveBack(tid: number, judged: JudgedCalls): void {
    this.#session?.handler.giveBack?.(tid, judged)
  }

  onNote(note: StreamNote): void {
    this.noteCodes.add(note.code)
    this.#tell((handler) => handler.onNote(note))
  }

  /** Begins the session, where it has not begun. */
  begin(image: Image | null): BegunSession {
    if (this.#session !== null) return this.#session
    const session = this.#begin(image)
    this.#session = session
    for (const tell of this.#early) tell(session.handler)
    this.#early = []
    return session
  }

  #tell(tell: (handler: StreamHandler) => void): void {
    if (this.#session !== null) tell(this.#session.handler)
    else this.#early.push(tell)
  }
}
