// A set of runs as ascending ranges of their indexes. Runs are added at the end, so adding costs nothing and ten thousand
// runs that all had a transition are one range, in memory as in the file.

export class RunSet {
  /** first, last, first, last ...; inclusive, ascending, never touching. */
  readonly #bounds: number[]
  #count: number

  private constructor(bounds: number[], count: number) {
    this.#bounds = bounds
    this.#count = count
  }

  static empty(): RunSet {
    return new RunSet([], 0)
  }

  /** Of indexes in any order; repeated ones count once. */
  static of(indexes: Iterable<number>): RunSet {
    const set = RunSet.empty()
    for (const index of [...indexes].sort((a, b) => a - b)) set.add(index)
    return set
  }

  /** Reads `1-3,5`: numbers from 1 to `max`; in memory they start at 0. Undefined: not in canonical form. */
  static parse(text: string, max: number): RunSet | undefined {
    const bounds: number[] = []
    let count = 0
    let previous = -1
    for (const part of text.split(',')) {
      const match = /^([1-9][0-9]{0,9})(?:-([1-9][0-9]{0,9}))?$/.exec(part)
      if (match === null) return undefined
      const first = Number(match[1]) - 1
      const last = match[2] === undefined ? first : Number(match[2]) - 1
      if (first <= previous || (match[2] !== undefined && last <= first) || last >= max) return undefined
      bounds.push(first, last)
      count += last - first + 1
      previous = last + 1
    }
    return new RunSet(bounds, count)
  }

  static union(a: RunSet, b: RunSet): RunSet {
    return RunSet.of([...a, ...b])
  }

  get count(): number {
    return this.#count
  }

  /** `index` must not be lower than any index in the set. */
  add(index: number): void {
    const last = this.#bounds.length - 1
    const highest = last < 0 ? -2 : (this.#bounds[last] as number)
    if (index === highest) return
    if (index < highest) throw new RangeError(`run ${index} added after run ${highest}`)
    if (index === highest + 1) this.#bounds[last] = index
    else this.#bounds.push(index, index)
    this.#count += 1
  }

  *[Symbol.iterator](): Generator<number> {
    for (let i = 0; i < this.#bounds.length; i += 2) {
      const last = this.#bounds[i + 1] as number
      for (let index = this.#bounds[i] as number; index <= last; index += 1) yield index
    }
  }

  /** `1-3,5`. */
  toString(): string {
    const parts: string[] = []
    for (let i = 0; i < this.#bounds.length; i += 2) {
      const first = (this.#bounds[i] as number) + 1
      const last = (this.#bounds[i + 1] as number) + 1
      parts.push(first === last ? `${first}` : `${first}-${last}`)
    }
    return parts.join(',')
  }
}
