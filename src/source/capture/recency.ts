// The track that records are told of, and those that were left before it: encoder and decoder keep the same list, so that
// going back to one of them is one byte.

import { RECENT_TRACK_COUNT } from './layout.ts'

export class Recency {
  current = 0
  /** Left last first. */
  readonly #left: number[] = []

  /** How many tracks ago `tid` was left; negative: too many, or never. */
  placeOf(tid: number): number {
    return this.#left.indexOf(tid)
  }

  /** Goes to a track that is not in the list. */
  goTo(tid: number): void {
    if (this.#left.length === RECENT_TRACK_COUNT) this.#left.pop()
    this.#left.unshift(this.current)
    this.current = tid
  }

  /** Goes back to the track at `place`. False: there is none. */
  recall(place: number): boolean {
    const tid = this.#left[place]
    if (tid === undefined) return false
    this.#left.splice(place, 1)
    this.#left.unshift(this.current)
    this.current = tid
    return true
  }
}
