// The time of the records that are told: read once for each batch that is taken out of the ring. They came a few milliseconds
// before; asking for each of them took a third of all the time that telling them took (2026-11).

export class Clock {
  /** Milliseconds since 1970. */
  now: number = Date.now()

  tick(): void {
    this.now = Date.now()
  }
}
