// The judge that compares: one table per program, a bit test per record, and a Miss for what is not allowed. One miss per
// record at most: after it the track goes on from the longest suffix that the fingerprint knows.
import { TracefpError } from '../errors.ts'
import { encodeFingerprint } from '../model/codec-fingerprint.ts'
import {
  assertMapping,
  checkDepthOf,
  type Fingerprint,
  type ProgramFingerprint,
  SET_IMAGE,
} from '../model/fingerprint.ts'
import { joinImages } from '../model/learner.ts'
import {
  type FloodCounts,
  type Image,
  type LentProgram,
  type PassedTracks,
  programKeyOf,
  type StreamDecision,
  type StreamNote,
} from '../model/stream.ts'
import { TransitionTable } from '../model/table.ts'
import { TRANSPARENT_SYMBOL } from '../model/table-layout.ts'
import type { Mapping } from '../syscall/mapping.ts'
import { CheckedProgram, type Known } from './checked-program.ts'
import { isKnownFault } from './faults.ts'
import { callFlags, callIndex } from './flags.ts'
import { type BurstOptions, FRAME_LENGTH, LocalityFrame } from './frame.ts'
import type { Judge } from './judge.ts'
import { CONTEXT_LENGTH, MISS_LIMIT, type Miss, type MissAction } from './miss.ts'
import { Notes } from './notes.ts'
import { printable } from './printable.ts'
import { END_SEVERITY, EXEC_SEVERITY, IMAGE_SEVERITY, STRAY_SEVERITY, severityOfCall } from './severity.ts'
import { JOINED, NO_STATE, type Track, UNSEEN_START } from './track.ts'

export interface CheckerOptions {
  /** The first one that holds a program judges it. */
  readonly fingerprints: readonly Fingerprint[]
  readonly mapping: Mapping
  /** Order in which the source delivers calls; default: that of the fingerprints. */
  readonly order?: 'entry' | 'return'
  /** Length of the sequences checked, at most that learned; default: 2, the paper's. */
  readonly depth?: number
  /** When misses are an alarm; default: always. */
  readonly burst?: BurstOptions
  /** Where the stream is now: a time or a line number. Asked for misses only. */
  readonly at?: () => string
  /** An image whose hash is not known makes a live session inconclusive; a log can never have one. Default: live. */
  readonly source?: 'live' | 'log'
  /** Called for each miss that is kept. Must not throw. */
  readonly onMiss?: (miss: Miss) => void
  /** Tables of earlier sessions, to use again: under the same mapping and depth, whose fingerprints are the same objects. */
  readonly tables?: Map<ProgramFingerprint, TransitionTable>
  /** Somebody decides about each miss: those that are not kept are made and told, too. */
  readonly tellsAll?: boolean
  /** A program that is known begins, for the first time; its process waits, where it is a live one. */
  readonly onProgram?: (image: Image, tid: number) => void
  /** More fingerprints, for an image that those above do not hold. */
  readonly find?: (image: Image) => readonly Fingerprint[]
  /**
   * The session has no first program. `some`: of all that runs only what has a fingerprint is meant; `all`: everything is.
   * Default: it has one.
   */
  readonly meant?: 'some' | 'all'
}

/** What a miss is, beside where it is. */
type Finding = Pick<Miss, 'kind' | 'to' | 'expected' | 'severity' | 'depth'>

export class Checker implements Judge<CheckedProgram> {
  /** How the fingerprints want tracks to be made. */
  readonly tracks: 'thread' | 'log'
  readonly misses: Miss[] = []
  readonly notes: Notes = new Notes()
  /** All misses; `misses` holds the first MISS_LIMIT. */
  missCount = 0
  /** Those that make the session abnormal. */
  alarmCount = 0
  /** Those that are known from runs in which calls were made to fail. */
  faultMissCount = 0
  /** Transitions judged. */
  transitionCount = 0
  /** The first program of the session; null: none was named. */
  root: CheckedProgram | null = null
  #score = 0
  #floodCount = 0
  readonly #options: CheckerOptions
  readonly #mapping: Mapping
  readonly #programs = new Map<string, CheckedProgram>()
  /** Whose fingerprint is another one by now: what runs under it goes on so. */
  readonly #former: CheckedProgram[] = []
  /** One table and one count per section, whatever keys it serves (scope `set`). */
  readonly #sections = new Map<object, CheckedProgram>()

  /** @throws TracefpError TFP_ERR_MODEL_MAPPING or _SETTINGS when the fingerprints cannot judge such a stream. */
  constructor(options: CheckerOptions) {
    this.#options = options
    this.#mapping = options.mapping
    this.tracks = options.fingerprints[0]?.settings.tracks ?? 'thread'
    const order = options.order ?? options.fingerprints[0]?.settings.order
    for (const fingerprint of options.fingerprints) this.#assertFits(fingerprint, order)
  }

  /** Depth of the check. */
  get depth(): number {
    return checkDepthOf(this.#options.depth)
  }

  /** The most misses that a frame of one track held. */
  get burst(): { readonly frame: number; readonly threshold: number | null; readonly score: number } {
    const { frame = FRAME_LENGTH, threshold = null } = this.#options.burst ?? {}
    return { frame, threshold, score: this.#score }
  }

  /** Misses that came too fast to be told one by one; they are in missCount. */
  get floodCount(): number {
    return this.#floodCount
  }

  /** The files that judge, in their order. */
  fingerprintTexts(): string[] {
    return this.#options.fingerprints.map((fingerprint) => fingerprint.text ?? encodeFingerprint(fingerprint))
  }

  /** In the order in which they were first entered. */
  get programs(): CheckedProgram[] {
    const all = [...new Set([...this.#former, ...this.#programs.values()])]
    return this.#options.meant === 'some' ? all.filter(({ known }) => known !== null) : all
  }

  call(track: Track<CheckedProgram>, program: CheckedProgram, abi: number, nr: number): number {
    const known = program.known
    if (known === null) return NO_STATE
    const table = known.table
    const state = track.state
    const symbol = table.symbolOf(abi, nr)
    if (state >= 0 && symbol >= 0) {
      this.transitionCount += 1
      if (table.allows(state, symbol)) {
        const word = state * table.wordsPerRow + (symbol >>> 5)
        known.used[word] = (known.used[word] as number) | (1 << (symbol & 31))
      } else {
        this.#missCall(track, program, symbol, abi, nr)
      }
      return table.next(state, symbol)
    }
    return this.#callOutside(track, program, table, symbol, abi, nr)
  }

  calls(
    track: Track<CheckedProgram>,
    program: CheckedProgram,
    abi: number,
    numbers: Int32Array,
    begin: number,
    end: number,
  ): number {
    const { known, flags } = program
    const firstFlag = callIndex(abi, 0)
    if (known === null || track.state < 0 || firstFlag < 0) return 0
    const count = known.table.follow(track, known.used, abi, numbers, begin, end, flags, firstFlag)
    this.transitionCount += count
    return count
  }

  skipped(count: number): void {
    // The first call that follows was judged too.
    this.transitionCount += count + 1
  }

  lent(program: CheckedProgram): LentProgram | null {
    return program.lent
  }

  judged(count: number): void {
    this.transitionCount += count
  }

  lentExec(program: LentProgram, image: Image): LentProgram | null {
    const key = programKeyOf(image)
    const target = this.#programs.get(key)
    const isExpected = this.#programOfLent(program)?.known?.program.execs.has(key) === true
    if (!isExpected || target?.known == null || !target.hasBegun || !this.#isSaid(target, image)) return null
    return target.known.table.specialOf('<exec>') < 0 ? null : target.lent
  }

  /** Whether all is said of the image that there is to say when it begins. */
  #isSaid({ key, notedImage, known }: CheckedProgram, image: Image): boolean {
    if (key === SET_IMAGE.path) return true
    const isAlike = known !== null && joinImages(known.program.image, image) !== undefined
    return isAlike && notedImage !== null && image.sha256 === null
  }

  passed(program: LentProgram, { callCount, transparentCount, endCount }: PassedTracks): void {
    this.transitionCount += callCount + endCount
    const own = this.#programOfLent(program)
    if (own !== undefined) own.recordCount += callCount + transparentCount
  }

  #programOfLent(program: LentProgram): CheckedProgram | undefined {
    return [...this.#former, ...this.#programs.values()].find(({ lent }) => lent === program)
  }

  flood(program: CheckedProgram, { callCount, missCount, unjudgedCount }: FloodCounts): void {
    this.transitionCount += callCount - unjudgedCount
    this.missCount += missCount
    program.missCount += missCount
    this.alarmCount += missCount
    program.alarmCount += missCount
    this.#floodCount += missCount
  }

  isMiss(state: number, { known }: CheckedProgram, abi: number, nr: number): boolean {
    if (known === null) return false
    const symbol = known.table.symbolOf(abi, nr)
    if (symbol < 0) return symbol !== TRANSPARENT_SYMBOL
    return state >= 0 && !known.table.allows(state, symbol)
  }

  goOn(state: number, { known }: CheckedProgram, abi: number, nr: number): number {
    if (known === null) return NO_STATE
    const symbol = known.table.symbolOf(abi, nr)
    if (symbol < 0) return symbol === TRANSPARENT_SYMBOL ? state : NO_STATE
    return state < 0 ? known.table.resync(symbol) : known.table.next(state, symbol)
  }

  stray(track: Track<CheckedProgram>, program: CheckedProgram, abi: number, nr: number): void {
    if (program.known === null) return
    const to = this.#mapping.symbolOf(abi, nr)
    const expected = program.expectedAfter(track.state)
    this.#miss(track, program, { kind: 'call', to, expected, severity: STRAY_SEVERITY, depth: 2 })
  }

  end(track: Track<CheckedProgram>, program: CheckedProgram): void {
    if (program.known === null || track.state < 0) return
    const { table, used } = program.known
    const symbol = table.specialOf('<end>')
    this.transitionCount += 1
    if (table.allows(track.state, symbol)) {
      const word = track.state * table.wordsPerRow + (symbol >>> 5)
      used[word] = (used[word] as number) | (1 << (symbol & 31))
    } else {
      const expected = program.expectedAfter(track.state)
      const depth = symbol < 0 ? 2 : table.missDepth(track.state, symbol)
      this.#miss(track, program, { kind: 'end', to: '<end>', expected, severity: END_SEVERITY, depth })
    }
  }

  exec(track: Track<CheckedProgram>, former: CheckedProgram, image: Image): boolean {
    if (former.known === null) return false
    const key = programKeyOf(image)
    if (former.known.program.execs.has(key)) return true
    const expected = former.expectedExecs()
    this.#miss(track, former, { kind: 'exec', to: `exec:${key}`, expected, severity: EXEC_SEVERITY, depth: 2 })
    return false
  }

  enter(track: Track<CheckedProgram>, image: Image, isRoot: boolean, isExpected: boolean): CheckedProgram {
    const program = this.#programOf(image)
    const { meant } = this.#options
    if (this.root === null && (meant === undefined ? isRoot : program.known !== null)) this.root = program
    // The outcome knows about a root without a fingerprint: its note alone does not make the session inconclusive.
    if (program.known !== null && !program.hasBegun) this.#options.onProgram?.(image, track.tid)
    program.hasBegun = true
    if (program.known !== null) this.#checkImage(track, program, image)
    else if (meant === 'some') return program
    else if (isRoot && meant === undefined)
      this.#note('no_fingerprint', `there is no fingerprint for ${printable(program.key)}`, false)
    else if (isExpected && program !== this.root) {
      this.#note('unchecked_program', `${printable(program.key)} has no fingerprint: it was not judged`, true)
    }
    return program
  }

  start(program: CheckedProgram, symbol: string): number {
    if (program.known === null) return NO_STATE
    const state = program.known.table.specialOf(symbol)
    return state < 0 ? UNSEEN_START : state
  }

  /** What was decided about a miss that was told by `onMiss`. Reports tell it. */
  settle(miss: Miss, action: MissAction): Miss {
    const told = { ...miss, action }
    const at = this.misses.lastIndexOf(miss)
    if (at >= 0) this.misses[at] = told
    return told
  }

  decided(track: Track<CheckedProgram>, decision: StreamDecision): void {
    const index = Math.max(0, track.recordCount - 1)
    const { misses } = this
    for (let at = misses.length - 1; at >= 0; at -= 1) {
      const miss = misses[at] as Miss
      // The thread that executed is the leader by now.
      if (miss.tid !== track.tid && (miss.kind === 'call' || miss.tgid !== track.tgid)) continue
      if (miss.index !== index || miss.kind === 'end') return
      misses[at] = { ...miss, action: decision }
    }
  }

  note(note: StreamNote): void {
    this.notes.add(note)
  }

  /** A call the program was never seen to make, or one where no state is known. */
  #callOutside(
    track: Track<CheckedProgram>,
    program: CheckedProgram,
    table: TransitionTable,
    symbol: number,
    abi: number,
    nr: number,
  ): number {
    const isJudged = track.state >= 0 || track.state === UNSEEN_START
    if (isJudged) this.transitionCount += 1
    if (isJudged || (symbol < 0 && track.state !== JOINED)) this.#missCall(track, program, symbol, abi, nr)
    return symbol < 0 ? NO_STATE : table.resync(symbol)
  }

  #missCall(track: Track<CheckedProgram>, program: CheckedProgram, symbol: number, abi: number, nr: number): void {
    const to = this.#mapping.symbolOf(abi, nr)
    const expected = program.expectedAfter(track.state)
    const isPlaced = track.state >= 0 && symbol >= 0
    const depth = isPlaced ? (program.known?.table.missDepth(track.state, symbol) ?? 2) : 2
    this.#miss(track, program, { kind: 'call', to, expected, severity: severityOfCall(to, symbol >= 0, depth), depth })
  }

  #miss(track: Track<CheckedProgram>, program: CheckedProgram, finding: Finding): void {
    const { kind, to, expected, severity, depth } = finding
    this.missCount += 1
    program.missCount += 1
    const isKept = this.misses.length < MISS_LIMIT
    const context = track.history.texts(this.#mapping, CONTEXT_LENGTH)
    const layer = isKnownFault(program.known?.program.faults, finding, context, this.depth) ? 'fault' : null
    const burst = layer === null ? this.#burstOf(track, kind) : 0
    const isAlarm = layer === null && this.#isAlarm(kind, burst)
    if (layer === 'fault') this.faultMissCount += 1
    if (isAlarm) {
      this.alarmCount += 1
      program.alarmCount += 1
    }
    if (!isKept && this.#options.tellsAll !== true) return
    const from = context.at(-1) ?? '<gap>'
    const miss: Miss = {
      tid: track.tid,
      tgid: track.tgid,
      ppid: track.ppid,
      ancestors: track.ancestors,
      kind,
      image: program.key,
      // A call is counted before it is judged; what comes with an exec stands at the execve; an end is past the last.
      index: kind === 'end' ? track.recordCount : Math.max(0, track.recordCount - 1),
      at: this.#options.at?.() ?? new Date().toISOString(),
      context,
      from,
      to,
      depth,
      expected,
      path: kind === 'call' || kind === 'end' ? program.pathBetween(from, to) : [],
      severity: layer === 'fault' ? 'low' : severity,
      layer,
      burst,
      isAlarm,
      action: 'alert',
    }
    if (isKept) this.misses.push(miss)
    this.#options.onMiss?.(miss)
  }

  /** Misses that the fault layer knows are not counted. */
  #burstOf(track: Track<CheckedProgram>, kind: Miss['kind']): number {
    track.frame ??= new LocalityFrame()
    const place = track.recordCount - track.transparentCount + (kind === 'end' ? 1 : 0)
    const burst = track.frame.add(place, this.#options.burst?.frame ?? FRAME_LENGTH)
    this.#score = Math.max(this.#score, burst)
    return burst
  }

  /** Another program than any that was learned is never chance. */
  #isAlarm(kind: Miss['kind'], burst: number): boolean {
    const threshold = this.#options.burst?.threshold
    return threshold === undefined || kind === 'exec' || kind === 'image' || burst >= threshold
  }

  /** Other fingerprints may be found from now on: what begins next is judged by those. What runs goes on as it is. */
  renew(): void {
    for (const [key, program] of this.#programs) {
      const { known, image } = program
      const now = known === null ? undefined : this.#options.find?.(image)[0]
      if (known !== null && now?.sha256 === known.fingerprint.sha256) continue
      if (known !== null) this.#former.push(program)
      this.#programs.delete(key)
    }
  }

  #programOf(image: Image): CheckedProgram {
    const key = programKeyOf(image)
    let program = this.#programs.get(key)
    if (program === undefined) {
      program = this.#findProgram(key, image)
      this.#programs.set(key, program)
    }
    return program
  }

  #findProgram(key: string, image: Image): CheckedProgram {
    for (const fingerprint of this.#fingerprintsFor(image)) {
      const section = fingerprint.programs.get(fingerprint.settings.scope === 'set' ? SET_IMAGE.path : key)
      if (section === undefined) continue
      let program = this.#sections.get(section)
      if (program === undefined) {
        const { transparent } = fingerprint.settings
        const { tables } = this.#options
        const table = tables?.get(section) ?? TransitionTable.compile(section, this.#mapping, this.depth, transparent)
        tables?.set(section, table)
        const used = new Uint32Array(table.stateCount * table.wordsPerRow)
        const known: Known = { fingerprint, program: section, table, used }
        const flags = callFlags(this.#mapping, transparent)
        program = new CheckedProgram(section.key, image, flags, known)
        this.#sections.set(section, program)
      }
      return program
    }
    return new CheckedProgram(key, image, callFlags(this.#mapping, []), null)
  }

  *#fingerprintsFor(image: Image): Generator<Fingerprint> {
    yield* this.#options.fingerprints
    for (const fingerprint of this.#options.find?.(image) ?? []) {
      this.#assertFits(fingerprint, this.#options.order)
      yield fingerprint
    }
  }

  #checkImage(track: Track<CheckedProgram>, program: CheckedProgram, image: Image): void {
    const learned = program.known?.program.image
    if (learned === undefined || program.key === SET_IMAGE.path || program.notedImage === image) return
    if (joinImages(learned, image) === undefined) {
      program.imageMissCount += 1
      const expected = [imageText(learned)]
      this.#miss(track, program, { kind: 'image', to: imageText(image), expected, severity: IMAGE_SEVERITY, depth: 2 })
    } else if (image.sha256 === null || (image.script !== null && image.script.sha256 === null)) {
      const message = `the image ${printable(program.key)} could not be compared with the one learned`
      program.notedImage = image
      this.#note('image_unverified', message, this.#options.source !== 'log')
    } else if (learned.sha256 === null || (learned.script !== null && learned.script.sha256 === null)) {
      this.#note('image_unverified', `the fingerprint of ${printable(program.key)} holds no hash of its image`, false)
    }
  }

  #assertFits({ settings, ...rest }: Fingerprint, order: 'entry' | 'return' | undefined): void {
    assertMapping({ settings, ...rest }, this.#mapping, 'the fingerprint')
    const fail = (what: string): never => {
      throw new TracefpError(
        'TFP_ERR_MODEL_SETTINGS',
        `the fingerprint was made with ${what}; use the same, or learn anew`,
      )
    }
    if (order !== undefined && settings.order !== order) fail(`order ${settings.order}, not ${order}`)
    if (settings.tracks !== this.tracks) fail(`tracks ${settings.tracks}, another one with ${this.tracks}`)
    const depth = this.#options.depth
    if (depth !== undefined && depth > settings.depth) fail(`depth ${settings.depth}, below ${depth}`)
  }

  #note(code: string, message: string, inconclusive: boolean): void {
    this.notes.add({ code, message, inconclusive })
  }
}

/** The hash that tells images apart: the script's where there is one that could be read. */
function imageText(image: Image): string {
  if (image.script !== null && image.script.sha256 !== null) return `image:script-sha256:${image.script.sha256}`
  if (image.sha256 !== null) return `image:sha256:${image.sha256}`
  return image.buildId === null ? 'image:unknown' : `image:build-id:${image.buildId}`
}
