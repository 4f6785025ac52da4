// The locality frame (Hofmeyr, Forrest and Somayaji, 1998): how many of the last transitions of a track were misses. One miss may
// be chance; what breaks in comes with many at once. Costs nothing where there is no miss.

/** Transitions that a frame looks back over. */
export const FRAME_LENGTH = 20

export interface BurstOptions {
  /** Transitions of a track; default FRAME_LENGTH. */
  readonly frame?: number
  /** So many misses among them are an alarm, fewer are none. Absent: every miss is an alarm. */
  readonly threshold?: number
}

export class LocalityFrame {
  /** Of the misses that are still in the frame. */
  #places: number[] = []

  /** A miss at this transition of the track, counted from its beginning. How many there are now in the last `length` ones. */
  add(place: number, length: number): number {
    this.#places.push(place)
    while ((this.#places[0] as number) <= place - length) this.#places.shift()
    return this.#places.length
  }
}
