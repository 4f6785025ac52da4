// Source `live`: starts an engine, drains its ring and tells a StreamHandler, record by record. It runs in tracefp's own
// worker (or a test): the thread that drains may take its time, the tracee waits; a host's thread must not.
//
//   doorbell -> drain -> records? look again in 4 ms : after 25 empty looks sleep until the doorbell
//
// Engine ebpf reads its own ring in steps of some milliseconds, and rings once in each: unless there is much, we sleep at once.

import {
  type AttachOptions,
  DECISION,
  type Decision,
  type EngineResult,
  type ExecImage,
  type FollowOptions,
  type LaunchOptions,
  loadAddon,
  type NativeEngine,
  type NativeSession,
  SHARING,
} from '../addon/addon.ts'
import { UsageError } from '../errors.ts'
import { type Above, type BirthKind, type Image, type StreamHandler, tellCalls } from '../model/stream.ts'
import {
  BIRTH_KIND,
  NOTE_KIND,
  RECORD_ASKED,
  RECORD_KIND,
  RECORD_KNOWN,
  RECORD_MAYBE_RESTART,
  RECORD_RESTART,
  RING_STATE,
} from '../ring/layout.gen.ts'
import { RingReader } from '../ring/reader.ts'
import type { Clock } from './clock.ts'
import { ancestorNames, filterCountOf } from './host.ts'
import { type Identified, type ImageCache, identifyExec, identifyImage } from './image.ts'
import { noteOf } from './notes.ts'

/** What the engine notify could not do where another engine can. */
const NO_LISTENER = 'seccomp(listener)'
const LOOK_MS = 4
const EMPTY_LOOKS_BEFORE_SLEEP = 25
/** Engine ebpf: after more records than these another look is cheaper than a doorbell. */
const FEW = 256
/** Bounds one turn of the event loop, so that a stop request is heard within a few milliseconds. */
const BATCH = 16_384
/** Engine ebpf, in place of a signal at an end: it goes on, and is followed no longer. */
const LET_GO = 255
const MAX_KNOWN_IMAGES = 2048

/** `auto`: notify, and trace where the kernel (or a listener above us) does not let it work. */
export type Engine = 'auto' | 'notify' | 'trace' | 'ebpf'

export interface LiveOptions {
  readonly engine: Engine | 'attach' | 'scripted'
  readonly launch?: LaunchOptions
  readonly attach?: AttachOptions
  /** Engine ebpf: in place of `launch`. */
  readonly follow?: FollowOptions
  readonly script?: Uint32Array
  readonly imageCache: ImageCache
  /** Records; a power of two. */
  readonly capacity?: number
  /** Ticks before records are told. */
  readonly clock?: Clock
  /** Called once the program's first image is known, before its first instruction. */
  readonly onStart?: (rootPid: number) => void
  /** The program itself is gone, and its pid may soon be another's; what it started may live on. */
  readonly onRootExit?: () => void
  /** For `auto`: the program is known to need a listener of its own, which notify leaves no room for. */
  readonly needsTrace?: boolean
  /** Under notify, taken by `auto`, the program asked for a listener: it got EBUSY. */
  readonly onListener?: () => void
  /**
   * Engine ebpf: what the program that now runs in `tid` is judged by in the kernel, where calls that are no misses are then
   * only counted (onSkipped). Null: every call is told.
   */
  readonly tableOf?: (tid: number) => SharedArrayBuffer | null
  /** Engine ebpf: a repeated call need be told apart only where it would be a miss (onRepeat). */
  readonly guessesRestarts?: boolean
  /** Engine ebpf: bits of VIEW for the program that now runs in `tid`, whether it has a table or not. */
  readonly viewOf?: (tid: number) => number
  /** What waited in a ring that was pinned is told: so many records. What comes now happens now. */
  readonly onCaughtUp?: (recordCount: number) => void
  /** Guard mode: the engine judges every call before it runs, and waits for a decision at each miss. */
  readonly guard?: Guard
}

/** Who decides in guard mode. */
export interface Guard {
  /**
   * The handler was told of a call that the engine found to be a miss (`isExec` false), or of any exec or process that was
   * met, and the tracee waits.
   * `signal` aborts when it is gone: then the decision is of no account. Rejecting ends the session.
   */
  decide(tid: number, isExec: boolean, signal: AbortSignal): Decision | Promise<Decision>
  /** What the program that now runs in `tid` is judged by; null: nothing. */
  tableOf(tid: number): SharedArrayBuffer | null
}

/** Makes the handler of a session, once it is known which program runs: that decides what it is held against. */
export type BeginHandler = (image: Image) => StreamHandler

const BIRTH_KINDS: ReadonlyMap<number, BirthKind> = new Map([
  [BIRTH_KIND.exec, 'exec'],
  [BIRTH_KIND.thread, 'thread'],
  [BIRTH_KIND.fork, 'fork'],
  [BIRTH_KIND.join, 'join'],
])
/** Notes whose argument is a number of something. */
const COUNTED: ReadonlySet<string> = new Set(['ioUring', 'lostMisses'])
const NOTE_NAMES = new Map(Object.entries(NOTE_KIND).map(([name, code]) => [code as number, name]))

export class LiveSource {
  readonly #options: LiveOptions
  readonly #begin: BeginHandler
  #handler: StreamHandler | null = null
  /** What came before the first exec: the birth of the root, notes on its launch. */
  readonly #early: Array<(handler: StreamHandler) => void> = []
  #ring: RingReader
  /** The engine that runs, once it runs. */
  engine: NativeEngine
  #native: NativeSession | null = null
  #rootTid = 0
  /** Engine ebpf: who began by an exec, of which more is known when that is told. */
  readonly #beginning = new Set<number>()
  /** Engine ebpf: by the numbers that the kernel gave them. */
  readonly #known = new Map<number, Image>()
  #timer: NodeJS.Timeout | null = null
  #emptyLookCount = 0
  #questionCount = 0
  /** The question that is being decided. */
  #open: { readonly tid: number; readonly abort: AbortController } | null = null
  #settle: { resolve(result: EngineResult): void; reject(error: unknown): void } | null = null

  constructor(options: LiveOptions, begin: BeginHandler) {
    if (options.engine === 'ebpf' && (options.guard !== undefined || options.launch?.fault !== undefined)) {
      throw new UsageError('engine ebpf sees a call when it can no longer be stopped: take notify or trace for that')
    }
    this.#options = options
    this.#begin = begin
    this.#ring = new RingReader(options.capacity)
    const first = options.needsTrace === true ? 'trace' : 'notify'
    this.engine = options.engine === 'auto' ? first : options.engine
  }

  /**
   * Runs the session to its end. A launch that failed is in the result, not thrown.
   * @throws what the handler throws: the session is then stopped.
   */
  async run(): Promise<EngineResult> {
    const result = await this.#runEngine()
    // No program has begun then, so nothing is lost by beginning anew.
    if (this.#options.engine !== 'auto' || result.failedOperation !== NO_LISTENER) return result
    this.engine = 'trace'
    this.#ring = new RingReader(this.#options.capacity)
    this.#questionCount = 0
    return await this.#runEngine()
  }

  /** Engine ebpf: see NativeSession.replaceTable. */
  replaceTable(old: SharedArrayBuffer, now: SharedArrayBuffer, view: number): boolean {
    return this.#native?.replaceTable(new Uint8Array(old), new Uint8Array(now), view) ?? false
  }

  /** Engine ebpf: what programs are judged by may be something else for those that begin from now on. */
  forgetImages(): void {
    this.#native?.forgetImages()
  }

  /** Engine ebpf: a signal for these processes, as far as they are followed; null: for all. */
  signal(tgids: readonly number[] | null, signal: number): void {
    for (const tgid of tgids ?? [0]) this.#native?.signal(tgid, signal)
  }

  #runEngine(): Promise<EngineResult> {
    const { NativeSession } = loadAddon()
    const { launch, attach, follow, script } = this.#options
    return new Promise((resolve, reject) => {
      this.#settle = { resolve, reject }
      this.#native = new NativeSession({
        engine: this.engine,
        ring: this.#ring.words,
        onDoorbell: () => this.#look(),
        isGuarded: this.#options.guard !== undefined,
        guessesRestarts: this.#options.guessesRestarts === true,
        ...(launch === undefined ? {} : { launch }),
        ...(attach === undefined ? {} : { attach }),
        ...(follow === undefined ? {} : { follow }),
        ...(script === undefined ? {} : { script }),
      })
    })
  }

  /** Engine ebpf: see NativeSession.followNames. */
  followNames(names: readonly string[]): void {
    this.#native?.followNames(names)
  }

  /** Engine ebpf: nothing of it stays pinned. */
  unpin(): void {
    this.#native?.unpin()
  }

  /** Kills the program and everything it started, or lets go of what was attached to; `run` then resolves. */
  stop(): void {
    this.#native?.stop()
  }

  #look(): void {
    if (this.#timer !== null) clearTimeout(this.#timer)
    this.#timer = null
    if (this.#native === null) return
    const state = this.#ring.state
    let count: number
    this.#options.clock?.tick()
    try {
      count = this.#ring.drain(this.#visit, BATCH, this.#visitCalls)
    } catch (error) {
      this.#fail(error)
      return
    }
    if (count === 0 && (state === RING_STATE.ended || state === RING_STATE.failed)) {
      const dropped = this.#ring.droppedCount
      if (dropped > 0) this.#tell((handler) => handler.onGap(0, dropped))
      this.#settle?.resolve(this.#finish())
      return
    }
    if (count === BATCH) {
      setImmediate(() => this.#look())
      return
    }
    this.#emptyLookCount = count > 0 ? 0 : this.#emptyLookCount + 1
    // The end rings no second time: if it was reached, the next look comes at once.
    const isOver = state === RING_STATE.ended || state === RING_STATE.failed
    const mayRest = this.engine === 'ebpf' ? count <= FEW : this.#emptyLookCount > EMPTY_LOOKS_BEFORE_SLEEP
    if (!isOver && mayRest && this.#ring.sleep()) return
    this.#timer = setTimeout(() => this.#look(), isOver ? 0 : LOOK_MS)
  }

  #fail(error: unknown): void {
    if (this.#native === null) return
    this.#finish()
    this.#settle?.reject(error)
  }

  #finish(): EngineResult {
    const native = this.#native as NativeSession
    this.#open?.abort.abort()
    this.#native = null
    native.stop()
    native.finish()
    return native.result()
  }

  readonly #visit = (tid: number, value: number, packed: number, extra: number): void => {
    const handler = this.#handler
    const flags = packed >>> 16
    const kind = packed & 0xff
    if (kind === RECORD_KIND.call && handler !== null) {
      if ((flags & RECORD_KNOWN) !== 0) {
        handler.onContext?.(tid, (packed >>> 8) & 0xff, value)
        return
      }
      if ((flags & RECORD_MAYBE_RESTART) !== 0 && handler.onRepeat !== undefined) {
        handler.onRepeat(tid, (packed >>> 8) & 0xff, value)
        return
      }
      handler.onCall(tid, (packed >>> 8) & 0xff, value, (flags & RECORD_RESTART) !== 0)
      if ((flags & RECORD_ASKED) !== 0) this.#ask(tid, false)
      return
    }
    switch (kind) {
      case RECORD_KIND.signal:
        return this.#tell((told) => told.onSignal(tid, value))
      case RECORD_KIND.birth:
        if (flags === BIRTH_KIND.met) return this.#meet(tid, extra, 'join')
        if (flags === BIRTH_KIND.orphan) return this.#meet(tid, extra, 'fork')
        if (flags === BIRTH_KIND.exec && this.#options.follow !== undefined) {
          this.#beginning.add(tid)
          return
        }
        return this.#tell((told) => told.onBirth(tid, value, extra, BIRTH_KINDS.get(flags) ?? 'join'))
      case RECORD_KIND.exec:
        return this.#exec(tid, value)
      case RECORD_KIND.exit:
        if (this.#open?.tid === tid) this.#open.abort.abort()
        this.#tell((told) => told.onExit(tid, value, flags))
        if (flags === LET_GO) return
        if (tid === this.#rootTid) this.#options.onRootExit?.()
        return
      case RECORD_KIND.skipped:
        return this.#tell((told) => told.onSkipped?.(tid, value >>> 0, extra))
      case RECORD_KIND.flood: {
        const unjudgedCount = ((packed >>> 8) & 0xff) * 0x1_0000 + flags
        const counts = { callCount: value >>> 0, missCount: extra, unjudgedCount }
        return this.#tell((told) => told.onFlood?.(tid, counts))
      }
      case RECORD_KIND.gap:
        return this.#tell((told) => told.onGap(tid, value))
      case RECORD_KIND.note:
        return this.#note(tid, NOTE_NAMES.get(value) ?? 'unknown', extra)
      default:
        throw new Error(`a ring record of kind ${kind} that cannot stand here`)
    }
  }

  readonly #visitCalls = (tid: number, abi: number, numbers: Int32Array, count: number): void => {
    const handler = this.#handler
    if (handler === null) throw new Error('a call in the ring before a program began')
    tellCalls(handler, tid, abi, numbers, 0, count)
  }

  #note(tid: number, name: string, argument: number): void {
    if (name === 'adopted') return
    if (name === 'caughtUp') return this.#options.onCaughtUp?.(argument)
    const isBusy = name === 'listener' && this.engine === 'notify'
    if (isBusy && this.#options.engine === 'auto') this.#options.onListener?.()
    this.#tell((handler) =>
      handler.onNote(noteOf(isBusy ? 'listenerBusy' : name, tid, COUNTED.has(name) ? argument : 0)),
    )
  }

  #tell(what: (handler: StreamHandler) => void): void {
    if (this.#handler === null) this.#early.push(what)
    else what(this.#handler)
  }

  /** The tracee waits before its first instruction until it is answered; under ebpf it goes on. */
  #exec(tid: number, formerTid: number): void {
    const began = this.#native?.execImage(this.#questionCount + 1) ?? null
    const { image, sharing } = this.#identify(tid, began, true)
    const handler = this.#handlerFor(tid, image)
    const isFirst = this.#beginning.delete(tid)
    if (isFirst) handler.onBirth(tid, 0, tid, 'exec', undefined, aboveOf(began))
    if (isFirst) this.#noteFilters(tid)
    handler.onExec(tid, formerTid, image)
    this.#ask(tid, true, sharing)
  }

  /** The first task of a process that already runs, or of one whose parent could not tell; it waits until it is answered. */
  #meet(tid: number, tgid: number, kind: BirthKind): void {
    const met = this.#native?.execImage(this.#questionCount + 1) ?? null
    const { image } = this.#identify(tid, met, false)
    this.#handlerFor(tgid, image).onBirth(tid, 0, tgid, kind, image, aboveOf(met))
    if (this.engine === 'ebpf') this.#noteFilters(tid)
    this.#ask(tid, true)
  }

  /** Of somebody whose earlier life nobody saw: filters of his own hide what they refuse. */
  #noteFilters(tid: number): void {
    if (filterCountOf(tid) > filterCountOf(process.pid)) this.#tell((told) => told.onNote(noteOf('ownFilter', tid)))
  }

  #identify(tid: number, began: ExecImage | null, isFresh: boolean): Identified {
    const { imageCache } = this.#options
    if (began === null) return { image: identifyImage(tid, imageCache, isFresh), sharing: SHARING.none }
    const known = began.isKnown ? this.#known.get(began.number) : undefined
    // The kernel knows the file again; of a script it knows the name.
    if (known !== undefined && known.script === null) return { image: known, sharing: SHARING.none }
    const identified = identifyExec(tid, began, imageCache)
    if (identified.sharing === SHARING.none) return identified
    if (this.#known.size >= MAX_KNOWN_IMAGES) this.#known.clear()
    this.#known.set(began.number, identified.image)
    return identified
  }

  #handlerFor(rootTid: number, image: Image): StreamHandler {
    if (this.#handler === null) {
      this.#handler = this.#begin(image)
      for (const what of this.#early.splice(0)) what(this.#handler)
      this.#rootTid = rootTid
      this.#options.onStart?.(rootTid)
    }
    return this.#handler
  }

  /** The tracee waits: the engine counts its questions, and so do we. */
  #ask(tid: number, isExec: boolean, sharing: number = SHARING.none): void {
    this.#questionCount += 1
    const question = this.#questionCount
    const { guard } = this.#options
    if (guard === undefined) {
      const table = isExec && this.engine === 'ebpf' ? (this.#options.tableOf?.(tid) ?? null) : null
      const view = isExec && this.engine === 'ebpf' ? (this.#options.viewOf?.(tid) ?? 0) : 0
      this.#native?.answer(question, DECISION.allow, table === null ? null : new Uint8Array(table), view, sharing)
      return
    }
    const answer = (decision: Decision): void => {
      if (decision === 'deny' && !isExec) this.#handler?.onRefused(tid)
      const table = isExec ? guard.tableOf(tid) : null
      this.#native?.answer(question, DECISION[decision], table === null ? null : new Uint8Array(table))
    }
    // The engine asks one question at a time: whom it asked about before is gone, though its end was not told yet.
    this.#open?.abort.abort()
    const abort = new AbortController()
    const decision = guard.decide(tid, isExec, abort.signal)
    if (typeof decision === 'string') {
      answer(decision)
      return
    }
    this.#open = { tid, abort }
    decision.then(
      (decided) => {
        if (this.#open?.abort === abort) this.#open = null
        // Whoever is gone has made no call; for it nothing was refused.
        answer(abort.signal.aborted ? 'allow' : decided)
      },
      (error: unknown) => this.#fail(error),
    )
  }
}

function aboveOf(image: ExecImage | null): Above | undefined {
  return image === null ? undefined : { ppid: image.parent, ancestors: ancestorNames(image.parent) }
}
