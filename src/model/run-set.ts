// A set of runs: bits, one per index in the ledger's list. Sets never change, so that the thousands of transitions that came
// with the same runs share one. As text a set is ranges (`1-3,5`) or, where these are long, `=` and its bits in base64url.

/** Ranges of up to so many characters stand as they are. */
const READABLE_LENGTH = 80

export class RunSet {
  static readonly EMPTY: RunSet = new RunSet(new Uint32Array(0))

  /** 32 runs a word; the last word is never 0. */
  readonly #words: Uint32Array
  readonly count: number

  private constructor(words: Uint32Array) {
    let length = words.length
    while (length > 0 && words[length - 1] === 0) length -= 1
    this.#words = length === words.length ? words : words.slice(0, length)
    let count = 0
    for (const word of this.#words) count += bitCount(word)
    this.count = count
  }

  /** Of indexes in any order; repeated ones count once. */
  static of(indexes: Iterable<number>): RunSet {
    const list = [...indexes]
    if (list.length === 0) return RunSet.EMPTY
    const words = new Uint32Array((list.reduce((most, index) => Math.max(most, index), 0) >>> 5) + 1)
    for (const index of list) words[index >>> 5] = (words[index >>> 5] as number) | (1 << (index & 31))
    return new RunSet(words)
  }

  /** Reads what toString wrote, numbers from 1 to `max`; in memory they start at 0. Undefined: not in canonical form. */
  static parse(text: string, max: number): RunSet | undefined {
    const set = text.startsWith('=') ? bitmapOf(text.slice(1), max) : RunSet.parseRanges(text, max)
    return set !== undefined && set.toString() === text ? set : undefined
  }

  /** As parse, for files whose sets are ranges however long. */
  static parseRanges(text: string, max: number): RunSet | undefined {
    const words = new Uint32Array((max + 31) >>> 5)
    let previous = -1
    for (const part of text.split(',')) {
      const match = /^([1-9][0-9]{0,9})(?:-([1-9][0-9]{0,9}))?$/.exec(part)
      if (match === null) return undefined
      const first = Number(match[1]) - 1
      const last = match[2] === undefined ? first : Number(match[2]) - 1
      if (first <= previous || (match[2] !== undefined && last <= first) || last >= max) return undefined
      for (let index = first; index <= last; index += 1) {
        words[index >>> 5] = (words[index >>> 5] as number) | (1 << (index & 31))
      }
      previous = last + 1
    }
    return new RunSet(words)
  }

  has(index: number): boolean {
    return (((this.#words[index >>> 5] ?? 0) >>> (index & 31)) & 1) === 1
  }

  /** The lowest index; -1: there is none. */
  get first(): number {
    for (const [at, word] of this.#words.entries()) if (word !== 0) return at * 32 + 31 - Math.clz32(word & -word)
    return -1
  }

  with(index: number): RunSet {
    if (this.has(index)) return this
    const words = new Uint32Array(Math.max(this.#words.length, (index >>> 5) + 1))
    words.set(this.#words)
    words[index >>> 5] = (words[index >>> 5] as number) | (1 << (index & 31))
    return new RunSet(words)
  }

  /** The larger one itself where it holds the other. */
  union(other: RunSet): RunSet {
    if (other === this || other.isWithin(this)) return this
    if (this.isWithin(other)) return other
    const words = new Uint32Array(Math.max(this.#words.length, other.#words.length))
    for (let at = 0; at < words.length; at += 1) words[at] = (this.#words[at] ?? 0) | (other.#words[at] ?? 0)
    return new RunSet(words)
  }

  intersection(other: RunSet): RunSet {
    if (this.isWithin(other)) return this
    return new RunSet(this.#words.map((word, at) => word & (other.#words[at] ?? 0)))
  }

  without(other: RunSet): RunSet {
    return new RunSet(this.#words.map((word, at) => word & ~(other.#words[at] ?? 0)))
  }

  isWithin(other: RunSet): boolean {
    if (this.#words.length > other.#words.length) return false
    for (let at = 0; at < this.#words.length; at += 1) {
      if (((this.#words[at] as number) & ~(other.#words[at] as number)) !== 0) return false
    }
    return true
  }

  /** The set under other indexes: `newIndexes[old]`; those below 0 are left out. */
  renumbered(newIndexes: readonly number[]): RunSet {
    return RunSet.of([...this].map((index) => newIndexes[index] as number).filter((index) => index >= 0))
  }

  *[Symbol.iterator](): Generator<number> {
    for (const [at, word] of this.#words.entries()) {
      for (let rest = word; rest !== 0; rest &= rest - 1) yield at * 32 + 31 - Math.clz32(rest & -rest)
    }
  }

  toString(): string {
    const bitmap = this.#bitmap()
    const ranges = this.#ranges(Math.max(READABLE_LENGTH, bitmap.length))
    return ranges ?? `=${bitmap}`
  }

  #bitmap(): string {
    const bytes = Buffer.alloc(this.#words.length * 4)
    for (const [at, word] of this.#words.entries()) bytes.writeUInt32LE(word >>> 0, at * 4)
    let length = bytes.length
    while (length > 0 && bytes[length - 1] === 0) length -= 1
    return bytes.toString('base64url', 0, length)
  }

  /** `1-3,5`; undefined when that is longer than `limit`. */
  #ranges(limit: number): string | undefined {
    let text = ''
    let first = -1
    let last = -2
    const flush = (): void => {
      if (first < 0) return
      text += `${text === '' ? '' : ','}${first === last ? first + 1 : `${first + 1}-${last + 1}`}`
    }
    for (const index of this) {
      if (index !== last + 1) {
        flush()
        if (text.length > limit) return undefined
        first = index
      }
      last = index
    }
    flush()
    return text.length > limit ? undefined : text
  }
}

function bitmapOf(text: string, max: number): RunSet | undefined {
  if (!/^[\w-]+$/.test(text)) return undefined
  const bytes = Buffer.from(text, 'base64url')
  if (bytes.length * 8 >= max + 8) return undefined
  const indexes: number[] = []
  for (const [at, byte] of bytes.entries()) {
    for (let bit = 0; bit < 8; bit += 1) if (((byte >>> bit) & 1) === 1) indexes.push(at * 8 + bit)
  }
  return (indexes.at(-1) ?? 0) < max ? RunSet.of(indexes) : undefined
}

function bitCount(word: number): number {
  let rest = word - ((word >>> 1) & 0x55555555)
  rest = (rest & 0x33333333) + ((rest >>> 2) & 0x33333333)
  return Math.imul((rest + (rest >>> 4)) & 0x0f0f0f0f, 0x01010101) >>> 24
}
