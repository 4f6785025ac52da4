// Turns a stream into the records of a capture (layout.ts). It knows what the decoder will know at the same place: the
// dictionaries, the track gone to last and the ones before it, the time.

import type { BirthKind, Image, StreamDecision, StreamHandler, StreamNote } from '../../model/stream.ts'
import type { ByteWriter } from './bytes.ts'
import { BIRTH_HAS_IMAGE, BIRTH_KINDS, DECISIONS, MAX_IMAGES, MAX_SYMBOLS, NEAR_CALL_COUNT, OP } from './layout.ts'
import { Recency } from './recency.ts'

/** Symbols of these ABIs and numbers are looked up in an array. */
const FLAT_ABIS = 8
const FLAT_NUMBERS = 1024

export interface RecordEncoderOptions {
  readonly bytes: ByteWriter
  /** Milliseconds since 1970, whole ones. */
  readonly now: () => number
  readonly startMs: number
  /** A record is whole: the bytes may be taken away. */
  readonly onRecord: () => void
}

export class RecordEncoder implements StreamHandler {
  /** When the record told last was told. */
  timeMs: number
  readonly #bytes: ByteWriter
  readonly #now: () => number
  readonly #onRecord: () => void
  readonly #tracks = new Recency()
  readonly #flat = new Int32Array(FLAT_ABIS * FLAT_NUMBERS).fill(-1)
  readonly #far = new Map<string, number>()
  #symbolCount = 0
  readonly #images = new Map<string, number>()

  constructor({ bytes, now, startMs, onRecord }: RecordEncoderOptions) {
    this.#bytes = bytes
    this.#now = now
    this.timeMs = startMs
    this.#onRecord = onRecord
  }

  onCall(tid: number, abi: number, nr: number, isRestart: boolean): void {
    this.#begin(tid)
    if (isRestart) this.#bytes.byte(OP.restart)
    const symbol = this.#symbolOf(abi, nr)
    if (symbol < 0) {
      this.#bytes.byte(OP.newCall)
      this.#bytes.byte(abi)
      this.#bytes.signed(nr)
    } else if (symbol < NEAR_CALL_COUNT) {
      this.#bytes.byte(OP.call + symbol)
    } else {
      this.#bytes.byte(OP.farCall)
      this.#bytes.number(symbol)
    }
    this.#onRecord()
  }

  onBirth(tid: number, parentTid: number, tgid: number, kind: BirthKind, image?: Image): void {
    this.#stamp()
    const track = this.#tracks.current
    this.#bytes.byte(OP.birth)
    this.#bytes.byte(BIRTH_KINDS.indexOf(kind) + (image === undefined ? 0 : BIRTH_HAS_IMAGE))
    this.#bytes.signed(tid - track)
    this.#bytes.signed(parentTid - track)
    this.#bytes.signed(tgid - tid)
    if (image !== undefined) this.#image(image)
    this.#onRecord()
  }

  onExec(tid: number, formerTid: number, image: Image): void {
    this.#begin(tid)
    this.#bytes.byte(OP.exec)
    this.#bytes.signed(formerTid - tid)
    this.#image(image)
    this.#onRecord()
  }

  onSignal(tid: number, signal: number): void {
    this.#begin(tid)
    this.#bytes.byte(OP.signal)
    this.#bytes.number(signal)
    this.#onRecord()
  }

  onExit(tid: number, code: number, signal: number): void {
    this.#begin(tid)
    this.#bytes.byte(OP.exit)
    this.#bytes.signed(code)
    this.#bytes.number(signal)
    this.#onRecord()
  }

  onGap(tid: number, count: number): void {
    this.#begin(tid)
    this.#bytes.byte(OP.gap)
    this.#bytes.number(count)
    this.#onRecord()
  }

  onNote({ code, message, inconclusive }: StreamNote): void {
    this.#stamp()
    this.#bytes.byte(OP.note)
    this.#bytes.byte(inconclusive ? 1 : 0)
    this.#bytes.json([code, message])
    this.#onRecord()
  }

  onRefused(tid: number): void {
    this.#begin(tid)
    this.#bytes.byte(OP.refused)
    this.#onRecord()
  }

  onDecided(tid: number, decision: StreamDecision): void {
    this.#begin(tid)
    this.#bytes.byte(OP.decided)
    this.#bytes.byte(DECISIONS.indexOf(decision))
    this.#onRecord()
  }

  #begin(tid: number): void {
    this.#stamp()
    if (tid !== this.#tracks.current) this.#goTo(tid)
  }

  #stamp(): void {
    const now = this.#now()
    if (now === this.timeMs) return
    this.#bytes.byte(OP.time)
    this.#bytes.signed(now - this.timeMs)
    this.timeMs = now
  }

  #goTo(tid: number): void {
    const place = this.#tracks.placeOf(tid)
    if (place >= 0) {
      this.#bytes.byte(OP.recentTrack + place)
      this.#tracks.recall(place)
    } else {
      this.#bytes.byte(OP.track)
      this.#bytes.signed(tid - this.#tracks.current)
      this.#tracks.goTo(tid)
    }
  }

  #image(image: Image): void {
    const json = JSON.stringify(image)
    const known = this.#images.get(json)
    this.#bytes.number(known ?? this.#images.size)
    if (known !== undefined) return
    this.#bytes.json(image)
    if (this.#images.size < MAX_IMAGES) this.#images.set(json, this.#images.size)
  }

  /** Negative: it was not in the dictionary, and is from now on if there is room. */
  #symbolOf(abi: number, nr: number): number {
    if (abi < FLAT_ABIS && nr >= 0 && nr < FLAT_NUMBERS) {
      const at = abi * FLAT_NUMBERS + nr
      const symbol = this.#flat[at] as number
      if (symbol < 0 && this.#symbolCount < MAX_SYMBOLS) this.#flat[at] = this.#symbolCount++
      return symbol
    }
    const key = `${abi} ${nr}`
    const symbol = this.#far.get(key) ?? -1
    if (symbol < 0 && this.#symbolCount < MAX_SYMBOLS) this.#far.set(key, this.#symbolCount++)
    return symbol
  }
}
