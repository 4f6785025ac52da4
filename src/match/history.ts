// The last calls of one frame, for the context of a miss. Numbers only: texts are made when a miss is written.
import { RECENT_COUNT } from '../model/stream.ts'
import type { Mapping } from '../syscall/mapping.ts'

const CAPACITY = RECENT_COUNT
/** In the place of an ABI code: the entry is the mark that the flow began with. */
const MARK = -1

export class History {
  /** Pairs of ABI and number. No Int32Array: there is a history for each track and handler, and those cost ten times as much to make. */
  readonly #calls: number[]
  #mark: string
  #at: number
  #length: number

  /** `mark` is what the flow began with: a START symbol, `<join>` or `<gap>`. */
  constructor(mark: string) {
    this.#calls = Array<number>(CAPACITY * 2).fill(0)
    this.#mark = mark
    this.#at = 0
    this.#length = 0
    this.restart(mark)
  }

  push(abi: number, nr: number): void {
    const at = this.#at
    this.#calls[at] = abi
    this.#calls[at + 1] = nr
    this.#at = (at + 2) & (CAPACITY * 2 - 1)
    if (this.#length < CAPACITY) this.#length += 1
  }

  /** The first `count` pairs. */
  pushAll(pairs: Int32Array, count: number): void {
    const calls = this.#calls
    let at = this.#at
    for (let from = 0; from < 2 * count; from += 2) {
      calls[at] = pairs[from] as number
      calls[at + 1] = pairs[from + 1] as number
      at = (at + 2) & (CAPACITY * 2 - 1)
    }
    this.#at = at
    this.#length = Math.min(CAPACITY, this.#length + count)
  }

  /** The last call did not happen. What it pushed out of the history stays lost. */
  undo(): void {
    if (this.#length === 0) return
    this.#at = (this.#at - 2 + CAPACITY * 2) & (CAPACITY * 2 - 1)
    this.#length -= 1
  }

  /** Forgets what was before: the flow begins anew with `mark`. */
  restart(mark: string): void {
    this.#mark = mark
    this.#at = 0
    this.#length = 0
    this.push(MARK, 0)
  }

  copy(): History {
    const copy = new History(this.#mark)
    for (const [at, word] of this.#calls.entries()) copy.#calls[at] = word
    copy.#at = this.#at
    copy.#length = this.#length
    return copy
  }

  /** The last `count` entries at most, oldest first. */
  texts(mapping: Mapping, count: number): string[] {
    const texts: string[] = []
    const length = Math.min(count, this.#length)
    for (let back = length; back > 0; back -= 1) {
      const at = (this.#at - back * 2 + CAPACITY * 2) & (CAPACITY * 2 - 1)
      const abi = this.#calls[at] as number
      texts.push(abi === MARK ? this.#mark : mapping.symbolOf(abi, this.#calls[at + 1] as number))
    }
    return texts
  }
}
