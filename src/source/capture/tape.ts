// What a capture holds of a session, as it is played: calls as codes, and between them where the clock moved and whose
// calls follow. The decoder keeps its state here, in memory that native code shares (native/match/tape.h has the same
// layout), so that calls which are nothing new can be played many at once (player.ts), and only the others are told.
//
//   head     words: at, count of recent slots, current slot, 16 recent slots (a ring), taken, where the ring begins, unused; then the
//            time as a float
//   slots    SLOT_WORDS each: tid, memo, state, former state, count of calls, unused; then 16 bytes: call n of them at n % 16
//   places   slot + 1 by tid, open addressing

import { RECENT_TRACK_COUNT } from './layout.ts'

export const HEAD: {
  readonly at: 0
  readonly recentCount: 1
  readonly current: 2
  readonly recent: 3
  readonly taken: 19
  readonly first: 20
} = { at: 0, recentCount: 1, current: 2, recent: 3, taken: 19, first: 20 }
const HEAD_BYTES = 96
const TIME_AT = 11 // in floats

/** `memo`: whose entries say what is known of its calls, 0 = none; `state`: what it did last, 0 = not known. */
export const SLOT: { readonly tid: 0; readonly memo: 1; readonly state: 2; readonly former: 3; readonly count: 4 } = {
  tid: 0,
  memo: 1,
  state: 2,
  former: 3,
  count: 4,
}
export const SLOT_WORDS = 12
export const HISTORY_BYTES = 16
/** In a slot. */
export const HISTORY_AT = 32

const SLOT_COUNT = 8192
const PLACE_COUNT = 2 * SLOT_COUNT
/** Of tids; as in native/match/tape.cc. */
const HASH = 0x9e3779b1

export class Tape {
  readonly head: Uint32Array
  readonly slots: Uint32Array
  readonly places: Uint32Array
  /** The slots as bytes, for their histories. */
  readonly slotBytes: Uint8Array
  readonly #time: Float64Array
  /** Of each symbol of the dictionary. */
  readonly abis: number[] = []
  readonly numbers: number[] = []
  /** The records of one block. */
  bytes: Uint8Array = new Uint8Array(0)
  readonly #onFull: () => void
  #slotCount = 1 // the first is that of track 0

  /** `onFull`: slots lose their numbers after this call; what they hold is to be taken out. */
  constructor(startMs: number, onFull: () => void) {
    this.#onFull = onFull
    const slotBytes = SLOT_COUNT * SLOT_WORDS * 4
    const buffer = new ArrayBuffer(HEAD_BYTES + slotBytes + 4 * PLACE_COUNT)
    this.head = new Uint32Array(buffer, 0, HEAD_BYTES / 4)
    this.#time = new Float64Array(buffer, 0, HEAD_BYTES / 8)
    this.slots = new Uint32Array(buffer, HEAD_BYTES, slotBytes / 4)
    this.slotBytes = new Uint8Array(buffer, HEAD_BYTES, slotBytes)
    this.places = new Uint32Array(buffer, HEAD_BYTES + slotBytes, PLACE_COUNT)
    this.timeMs = startMs
  }

  /** Where the next record stands in `bytes`. */
  get at(): number {
    return this.head[HEAD.at] as number
  }

  set at(at: number) {
    this.head[HEAD.at] = at
  }

  get timeMs(): number {
    return this.#time[TIME_AT] as number
  }

  set timeMs(timeMs: number) {
    this.#time[TIME_AT] = timeMs
  }

  /** Whose records follow. */
  get tid(): number {
    return this.slots[(this.head[HEAD.current] as number) * SLOT_WORDS] as number
  }

  get currentSlot(): number {
    return this.head[HEAD.current] as number
  }

  get slotCount(): number {
    return this.#slotCount
  }

  /** Goes to a track that is not among the recent ones. */
  goTo(tid: number): void {
    const slot = this.findSlot(tid) ?? this.#addSlot(tid)
    const count = Math.min((this.head[HEAD.recentCount] as number) + 1, RECENT_TRACK_COUNT)
    this.head[HEAD.recentCount] = count
    // The ring turns by one: where all its places are taken, the last one becomes the first.
    this.head[HEAD.first] = (this.head[HEAD.first] as number) - 1
    this.head[this.#recent(0)] = this.head[HEAD.current] as number
    this.head[HEAD.current] = slot
  }

  /** Goes back to the track that was left `place` tracks ago. False: there is none. */
  recall(place: number): boolean {
    if (place >= (this.head[HEAD.recentCount] as number)) return false
    const { head } = this
    const slot = head[this.#recent(place)] as number
    for (let i = place; i > 0; i -= 1) head[this.#recent(i)] = head[this.#recent(i - 1)] as number
    head[this.#recent(0)] = head[HEAD.current] as number
    head[HEAD.current] = slot
    return true
  }

  findSlot(tid: number): number | undefined {
    if (tid === 0) return 0
    for (let place = hashOf(tid); ; place = (place + 1) & (PLACE_COUNT - 1)) {
      const found = this.places[place] as number
      if (found === 0) return undefined
      if (this.slots[(found - 1) * SLOT_WORDS] === tid) return found - 1
    }
  }

  /** The word of the slot that was left `place` tracks ago. */
  #recent(place: number): number {
    return HEAD.recent + (((this.head[HEAD.first] as number) + place) & (RECENT_TRACK_COUNT - 1))
  }

  #addSlot(tid: number): number {
    if (this.#slotCount === SLOT_COUNT) {
      this.#onFull()
      this.#forgetSlots()
    }
    const slot = this.#slotCount
    this.#slotCount += 1
    this.slots.fill(0, slot * SLOT_WORDS, (slot + 1) * SLOT_WORDS)
    this.slots[slot * SLOT_WORDS + SLOT.tid] = tid
    if (tid !== 0) this.#place(slot, tid)
    return slot
  }

  #place(slot: number, tid: number): void {
    let place = hashOf(tid)
    while (this.places[place] !== 0) place = (place + 1) & (PLACE_COUNT - 1)
    this.places[place] = slot + 1
  }

  /** Of tracks without a slot nothing is lost but time. Those that records may go back to keep theirs, under other numbers. */
  #forgetSlots(): void {
    const { head } = this
    const words = [HEAD.current, ...Array.from({ length: head[HEAD.recentCount] as number }, (_, i) => this.#recent(i))]
    const tids = words.map((word) => this.slots[(head[word] as number) * SLOT_WORDS] as number)
    this.places.fill(0)
    this.#slotCount = 1
    for (const [i, word] of words.entries()) {
      const tid = tids[i] as number
      head[word] = this.findSlot(tid) ?? this.#addSlot(tid)
    }
  }
}

/** Sixteen tids in a row are in a row, and so in one line of the cache. */
function hashOf(tid: number): number {
  return ((Math.imul(tid >>> 4, HASH) << 4) | (tid & 15)) & (PLACE_COUNT - 1)
}
