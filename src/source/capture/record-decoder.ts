// Turns the records of a capture back into the stream that was written, call by call. What no encoder writes is refused.

import type { Image, StreamHandler } from '../../model/stream.ts'
import { Borrower } from './borrower.ts'
import type { ByteReader } from './bytes.ts'
import { BIRTH_HAS_IMAGE, BIRTH_KINDS, DECISIONS, MAX_IMAGES, MAX_SYMBOLS, MAX_TIME_MS, OP } from './layout.ts'
import { Tape } from './tape.ts'
import { isImage, isNote } from './values.ts'

const MAX_SIGNAL = 255
const MAX_TID = 0xffff_ffff

export class RecordDecoder {
  /** Records told so far, and those that need not be told. */
  recordCount = 0
  readonly #handler: StreamHandler
  readonly #tape: Tape
  readonly #borrower: Borrower
  readonly #images: Image[] = []

  /** `form`: of the player, see src/addon/tape.ts. */
  constructor(handler: StreamHandler, startMs: number, form?: string) {
    this.#handler = handler
    this.#tape = new Tape(startMs, () => this.#borrower.giveBackAll())
    this.#borrower = new Borrower(handler, this.#tape, form)
  }

  /** When the record being told was told first. */
  get timeMs(): number {
    return this.#tape.timeMs
  }

  /** Tells the records of one block. @throws FormatError, with the byte. */
  decode(bytes: ByteReader): void {
    const tape = this.#tape
    tape.bytes = bytes.bytes
    while (!bytes.isAtEnd) {
      tape.at = bytes.at
      this.recordCount += this.#borrower.play()
      bytes.at = tape.at
      if (!bytes.isAtEnd) this.#record(bytes.byte(), bytes)
    }
  }

  #record(op: number, bytes: ByteReader): void {
    if (op >= OP.call) return this.#call(op, bytes, false)
    if (op >= OP.recentTrack) {
      if (!this.#tape.recall(op - OP.recentTrack)) bytes.fail('there is no such track')
      return
    }
    switch (op) {
      case OP.farCall:
      case OP.newCall:
        return this.#call(op, bytes, false)
      case OP.restart:
        return this.#call(bytes.byte(), bytes, true)
      case OP.track:
        return this.#tape.goTo(tidAfter(this.#tape.tid, bytes))
      case OP.time:
        return this.#move(bytes)
      case OP.birth:
        return this.#birth(bytes)
      case OP.exec:
        return this.#exec(bytes)
      case OP.note:
        return this.#note(bytes)
      default:
        return this.#ofTrack(op, bytes)
    }
  }

  #ofTrack(op: number, bytes: ByteReader): void {
    const tid = this.#tape.tid
    this.recordCount += 1
    switch (op) {
      case OP.signal:
        return this.#handler.onSignal(tid, signalOf(bytes))
      case OP.exit:
        return this.#handler.onExit(tid, bytes.signed(), signalOf(bytes))
      case OP.gap:
        return this.#handler.onGap(tid, bytes.number())
      case OP.refused:
        return this.#handler.onRefused(tid)
      case OP.decided:
        return this.#decided(tid, bytes)
      default:
        bytes.fail('a record of no known kind')
    }
  }

  #decided(tid: number, bytes: ByteReader): void {
    const decision = DECISIONS[bytes.byte()]
    if (decision === undefined) bytes.fail('a decision of no known kind')
    this.#handler.onDecided?.(tid, decision)
  }

  #call(op: number, bytes: ByteReader, isRestart: boolean): void {
    let symbol = op - OP.call
    if (symbol < 0) {
      if (op === OP.newCall) return this.#newCall(bytes, isRestart)
      if (op !== OP.farCall) bytes.fail('a restart of what is no call')
      symbol = bytes.number()
    }
    const abi = this.#tape.abis[symbol]
    if (abi === undefined) bytes.fail('there is no such symbol')
    this.recordCount += 1
    this.#handler.onCall(this.#tape.tid, abi, this.#tape.numbers[symbol] as number, isRestart)
  }

  #newCall(bytes: ByteReader, isRestart: boolean): void {
    const abi = bytes.byte()
    const nr = bytes.signed()
    if (nr !== (nr | 0)) bytes.fail('the number of a call has more than 32 bits')
    if (this.#tape.abis.length < MAX_SYMBOLS) {
      this.#tape.abis.push(abi)
      this.#tape.numbers.push(nr)
    }
    this.recordCount += 1
    this.#handler.onCall(this.#tape.tid, abi, nr, isRestart)
  }

  #move(bytes: ByteReader): void {
    const timeMs = this.timeMs + bytes.signed()
    if (Math.abs(timeMs) > MAX_TIME_MS) bytes.fail('there is no such time')
    this.#tape.timeMs = timeMs
  }

  #birth(bytes: ByteReader): void {
    const code = bytes.byte()
    const hasImage = code >= BIRTH_HAS_IMAGE
    const kind = BIRTH_KINDS[hasImage ? code - BIRTH_HAS_IMAGE : code]
    if (kind === undefined) bytes.fail('a birth of no known kind')
    const tid = tidAfter(this.#tape.tid, bytes)
    const parentTid = tidAfter(this.#tape.tid, bytes)
    const tgid = tidAfter(tid, bytes)
    const image = hasImage ? this.#image(bytes) : undefined
    this.recordCount += 1
    if (image === undefined) this.#handler.onBirth(tid, parentTid, tgid, kind)
    else this.#handler.onBirth(tid, parentTid, tgid, kind, image)
  }

  #exec(bytes: ByteReader): void {
    const tid = this.#tape.tid
    const formerTid = tidAfter(tid, bytes)
    const image = this.#image(bytes)
    this.recordCount += 1
    this.#handler.onExec(tid, formerTid, image)
  }

  #image(bytes: ByteReader): Image {
    const index = bytes.number()
    const known = this.#images[index]
    if (known !== undefined) return known
    if (index !== this.#images.length) bytes.fail('there is no such image')
    const image = bytes.json()
    if (!isImage(image)) bytes.fail('an image with other fields')
    if (index < MAX_IMAGES) this.#images.push(image)
    return image
  }

  #note(bytes: ByteReader): void {
    const inconclusive = bytes.byte()
    const value = bytes.json()
    if (inconclusive > 1 || !isNote(value)) bytes.fail('a note with other fields')
    const [code, message] = value
    this.recordCount += 1
    this.#handler.onNote({ code, message, inconclusive: inconclusive === 1 })
  }
}

function signalOf(bytes: ByteReader): number {
  const signal = bytes.number()
  if (signal > MAX_SIGNAL) bytes.fail('there is no such signal')
  return signal
}

function tidAfter(base: number, bytes: ByteReader): number {
  const tid = base + bytes.signed()
  if (tid < 0 || tid > MAX_TID) bytes.fail('there is no such tid')
  return tid
}
