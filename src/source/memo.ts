// Answers that are asked for again and again: a log has few words, and many lines.

/** A log may have as many words as it has lines: then most are asked for once. */
const LIMIT = 256

export class Memo<T> {
  readonly #make: (text: string) => T
  readonly #known = new Map<string, T>()

  /** `make` depends on nothing but the text. */
  constructor(make: (text: string) => T) {
    this.#make = make
  }

  of(text: string): T {
    const known = this.#known.get(text)
    if (known !== undefined) return known
    const made = this.#make(text)
    if (this.#known.size === LIMIT) this.#known.clear()
    this.#known.set(text, made)
    return made
  }
}
