// The notes of a session: each fact once, and no more than a hundred, since a hostile stream could make them without end.
import type { StreamNote } from '../model/stream.ts'

const LIMIT = 100

export class Notes {
  readonly #notes = new Map<string, StreamNote>()
  #isInconclusive = false

  add(note: StreamNote): void {
    if (note.inconclusive) this.#isInconclusive = true
    if (this.#notes.size < LIMIT) this.#notes.set(`${note.code} ${note.message}`, note)
  }

  /** Whether any note, listed or not, forbids the verdict authentic. */
  get isInconclusive(): boolean {
    return this.#isInconclusive
  }

  list(): StreamNote[] {
    return [...this.#notes.values()]
  }
}
