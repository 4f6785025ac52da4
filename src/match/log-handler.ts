// Between a log and a walker: the walker is made once it is known which program runs, as a live source does it, and programs
// get the names that the fingerprints have for them. Where a log begins without an exec, nobody says what runs.

import { ForwardingHandler } from '../model/forwarding-handler.ts'
import type { Above, BirthKind, Image, LentProgram, StreamHandler, StreamNote } from '../model/stream.ts'

export interface BegunSession {
  readonly handler: StreamHandler
  /** The image as the fingerprints call it. */
  readonly resolve: (image: Image) => Image
}

export class LogHandler extends ForwardingHandler {
  /** Codes of the notes that the log's reader told. */
  readonly noteCodes: Set<string> = new Set()
  readonly #begin: (image: Image | null) => BegunSession
  #session: BegunSession | null = null
  /** What came before the program was known: births, notes. */
  #early: ((handler: StreamHandler) => void)[] = []

  /** `begin`: null, where the log does not say what runs. */
  constructor(begin: (image: Image | null) => BegunSession) {
    super()
    this.#begin = begin
  }

  override onBirth(tid: number, parent: number, tgid: number, kind: BirthKind, image?: Image, above?: Above): void {
    const known = image === undefined ? undefined : (this.#session ?? this.begin(image)).resolve(image)
    super.onBirth(tid, parent, tgid, kind, known, above)
  }

  override onExec(tid: number, formerTid: number, image: Image): void {
    const { handler, resolve } = this.#session ?? this.begin(image)
    handler.onExec(tid, formerTid, resolve(image))
  }

  override lendExec(program: LentProgram, image: Image): LentProgram | null {
    return this.#session === null ? null : super.lendExec(program, this.#session.resolve(image))
  }

  override onCall(tid: number, abi: number, nr: number, isRestart: boolean): void {
    const target = this.target ?? this.begin(null).handler
    target.onCall(tid, abi, nr, isRestart)
  }

  override onNote(note: StreamNote): void {
    this.noteCodes.add(note.code)
    super.onNote(note)
  }

  /** Begins the session, where it has not begun. */
  begin(image: Image | null): BegunSession {
    if (this.#session !== null) return this.#session
    const session = this.#begin(image)
    this.#session = session
    this.target = session.handler
    for (const tell of this.#early) tell(session.handler)
    this.#early = []
    return session
  }

  protected override early(tell: (handler: StreamHandler) => void): void {
    this.#early.push(tell)
  }
}
