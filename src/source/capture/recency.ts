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
    this.#leave(Math.min(this.#left.length, RECENT_TRACK_COUNT - 1))
    this.current = tid
  }

  /** Goes back to the track at `place`. False: there is none. */
  recall(place: number): boolean {
    const tid = this.#left[place]
    if (tid === undefined) return false
    this.#leave(place)
    this.current = tid
    return true
  }

  /** The current track becomes the first of the list; the one at `place` has gone. */
  #leave(place: number): void {
    for (let i = place; i > 0; i -= 1) this.#left[i] = this.#left[i - 1] as number
    this.#left[0] = this.current
  }
}
