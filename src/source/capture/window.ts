// Keeps the captures that evidence is made of while a session runs: one of the whole session while it is small, then the
// segments in which there were misses and the one before each. Of the first calls nothing is written as long as there is no
// miss. A segment that begins in the middle tells the tracks that live as joined, so that it can be checked by itself. The
// files go unless they are wanted in the end.

import { join } from 'node:path'
import type { TracefpError } from '../../errors.ts'
import { removeFile } from '../../model/remove-file.ts'
import type { BirthKind, Image, StreamDecision, StreamHandler, StreamNote } from '../../model/stream.ts'
import { HeldStream } from './held-stream.ts'
import type { CaptureSession, CaptureTrailer } from './values.ts'
import { CaptureWriter } from './writer.ts'

export interface CaptureWindowOptions {
  /** Made by whoever asks for a window; files of it begin with the session's name. */
  readonly folder: string
  readonly mappingName: string
  /** When a segment is full; default 2 MiB, about two million calls. */
  readonly segmentBytes?: number
  /** Milliseconds since 1970. Default: Date.now. */
  readonly now?: () => number
}

/** One process of the session. */
export interface SeenProcess {
  readonly pid: number
  readonly parentTid: number
  /** What it ran, one after the other: paths and hashes. */
  readonly images: readonly { readonly path: string; readonly sha256: string | null }[]
  readonly exit: { readonly code: number; readonly signal: number } | null
}

export interface KeptCaptures {
  readonly files: readonly string[]
  readonly isWhole: boolean
  readonly processes: readonly SeenProcess[]
}

interface Segment {
  readonly file: string
  readonly writer: CaptureWriter
  hasMiss: boolean
}

interface Track {
  readonly parentTid: number
  readonly tgid: number
  readonly image: Image | null
}

const DEFAULT_SEGMENT_BYTES = 2 << 20
/** Segments with misses; what comes after them is in the report only. */
const MAX_KEPT = 4
/** 5 MB once they are there: few programs make more, and writing them down costs as much as checking them. */
const HELD_CALLS = 1 << 18
const MAX_PROCESSES = 1000
const MAX_IMAGES = 20

export class CaptureWindow implements StreamHandler {
  readonly #options: CaptureWindowOptions
  readonly #now: () => number
  readonly #tracks = new Map<number, Track>()
  readonly #processes = new Map<number, { -readonly [K in keyof SeenProcess]: SeenProcess[K] }>()
  #segments: Segment[] = []
  #session: CaptureSession | null = null
  #current: Segment
  #stream: StreamHandler | null = null
  /** Told to `#stream` when there is a miss or no more room. */
  #held: HeldStream | null = null
  /** When what is told now was told first; null: now. */
  #time: number | null = null
  #count = 1
  #isWhole = true
  #isTaken = false

  /** @throws TracefpError TFP_ERR_FILE. */
  constructor(options: CaptureWindowOptions, session: string) {
    this.#options = options
    this.#now = options.now ?? Date.now
    this.#current = this.#open(session)
  }

  /** Why what is kept ends early; null: it does not. */
  get failure(): TracefpError | null {
    return this.#current.writer.failure
  }

  begin(session: CaptureSession): StreamHandler {
    this.#session = session
    this.#held = new HeldStream(HELD_CALLS, this.#now)
    this.#stream = this.#held
    return this
  }

  at(): string {
    this.#write()
    return this.#current.writer.at()
  }

  /** There was a miss. */
  flush(): void {
    this.#write()
    this.#current.hasMiss = true
  }

  /** The session is over, and nobody wants any of it, or `take` follows. */
  end(trailer: CaptureTrailer): void {
    if (this.#segments.some(({ hasMiss }) => hasMiss) || this.#current.hasMiss) this.#current.writer.end(trailer)
    else this.abandon()
  }

  /** Closes and removes everything, but for what was taken. */
  abandon(): void {
    if (this.#isTaken) return
    this.#current.writer.abandon()
    for (const { file } of [...this.#segments, this.#current]) removeFile(file)
    this.#segments = []
  }

  /** After `end`: the files are the caller's now. Null: there was no miss, or it could not be kept. */
  take(): KeptCaptures | null {
    const segments = [...this.#segments, this.#current]
    if (!segments.some(({ hasMiss }) => hasMiss) || this.failure !== null) {
      this.abandon()
      return null
    }
    this.#segments = []
    this.#isTaken = true
    const files = segments.map(({ file }) => file)
    return { files, isWhole: this.#isWhole, processes: [...this.#processes.values()] }
  }

  onBirth(tid: number, parentTid: number, tgid: number, kind: BirthKind, image?: Image): void {
    this.#turn()
    const known = image ?? this.#tracks.get(parentTid)?.image ?? null
    this.#tracks.set(tid, { parentTid, tgid, image: known })
    if (tid === tgid && this.#processes.size < MAX_PROCESSES) {
      const images = image === undefined ? [] : [imageOf(image)]
      this.#processes.set(tgid, { pid: tgid, parentTid, images, exit: null })
    }
    this.#stream?.onBirth(tid, parentTid, tgid, kind, image)
  }

  onExec(tid: number, formerTid: number, image: Image): void {
    this.#turn()
    const former = this.#tracks.get(formerTid)
    if (formerTid !== tid) this.#tracks.delete(formerTid)
    this.#tracks.set(tid, { parentTid: former?.parentTid ?? 0, tgid: tid, image })
    const process = this.#processes.get(tid)
    if (process !== undefined && process.images.length < MAX_IMAGES)
      process.images = [...process.images, imageOf(image)]
    this.#stream?.onExec(tid, formerTid, image)
  }

  onCall(tid: number, abi: number, nr: number, isRestart: boolean): void {
    if (this.#isFull()) this.#turn()
    if (this.#held?.isFull === true) this.#write()
    this.#stream?.onCall(tid, abi, nr, isRestart)
  }

  /** Where something is full is looked at call by call. */
  onCalls(tid: number, abi: number, numbers: Int32Array, begin: number, end: number): number {
    if (this.#held === null || this.#held.isFull) return 0
    return this.#held.onCalls(tid, abi, numbers, begin, end)
  }

  onRefused(tid: number): void {
    this.#stream?.onRefused(tid)
  }

  onDecided(tid: number, decision: StreamDecision): void {
    this.#stream?.onDecided?.(tid, decision)
  }

  onSignal(tid: number, signal: number): void {
    this.#stream?.onSignal(tid, signal)
  }

  onExit(tid: number, code: number, signal: number): void {
    this.#tracks.delete(tid)
    const process = this.#processes.get(tid)
    if (process !== undefined) process.exit = { code, signal }
    this.#stream?.onExit(tid, code, signal)
  }

  onGap(tid: number, count: number): void {
    this.#stream?.onGap(tid, count)
  }

  onNote(note: StreamNote): void {
    this.#stream?.onNote(note)
  }

  /** From here on everything is written down, and what was held is. */
  #write(): void {
    if (this.#held === null || this.#session === null) return
    const held = this.#held
    this.#held = null
    this.#stream = this.#current.writer.begin(this.#session)
    held.tell(this.#stream, (time) => {
      this.#time = time
    })
    this.#time = null
  }

  #isFull(): boolean {
    return this.#current.writer.byteCount >= (this.#options.segmentBytes ?? DEFAULT_SEGMENT_BYTES)
  }

  /** Goes on in a new segment when this one is full, and lets go of one that no miss is near. */
  #turn(): void {
    if (!this.#isFull() || this.#session === null || this.failure !== null) return
    this.#isWhole = false
    this.#current.writer.end({ endedAt: new Date().toISOString() })
    const kept = this.#segments.filter(({ hasMiss }) => hasMiss).length
    if (kept >= MAX_KEPT) this.#current.hasMiss = false
    this.#segments.push(this.#current)
    const [before, last] = this.#segments.slice(-2)
    if (before !== undefined && last !== undefined && !before.hasMiss && !last.hasMiss) this.#drop(before)
    this.#current = this.#open(this.#session.session)
    this.#stream = this.#current.writer.begin(this.#session)
    for (const [tid, { parentTid, tgid, image }] of this.#tracks) {
      this.#stream.onBirth(tid, parentTid, tgid, 'join', image ?? undefined)
    }
  }

  #drop(segment: Segment): void {
    removeFile(segment.file)
    this.#segments = this.#segments.filter((other) => other !== segment)
  }

  #open(session: string): Segment {
    const file = join(this.#options.folder, `.${session}-${this.#count}.cap`)
    this.#count += 1
    return {
      file,
      writer: new CaptureWriter({
        file,
        mappingName: this.#options.mappingName,
        now: () => this.#time ?? this.#now(),
        // What is wanted of it in the end is copied, and that is synced.
        isSynced: false,
      }),
      hasMiss: false,
    }
  }
}

function imageOf({ path, sha256 }: Image): { readonly path: string; readonly sha256: string | null } {
  return { path, sha256 }
}
