// What one run did, collected while it goes on. The walker calls observePair (depth 2) or observe (any depth) for every
// transition; only the first time in a run costs more than a look into a byte matrix. The result is a RunDelta: plain
// data that a ledger joins in any order.
import { TracefpError } from '../errors.ts'
import { isSymbolText, SET_IMAGE, type Settings } from './fingerprint.ts'
import { isAmong, NEVER_LEARNED } from './never-learned.ts'
import { type Image, programKeyOf } from './stream.ts'

/** The provenance of one run. */
export interface RunInfo {
  /** ULID; a run is added once, however often it is offered. */
  readonly id: string
  /** RFC 3339. */
  readonly at: string
  readonly scenario: string
  readonly host: string
  readonly kernel: string
  /** Name and version of the C library; absent: not known. */
  readonly libc?: string
  /** Name and version of what learned it. */
  readonly tool: string
  readonly command: readonly string[]
  /** `fault`: calls were made to fail in it. What only such runs brought is a layer of its own. Default `normal`. */
  readonly layer?: 'normal' | 'fault'
  /** `review`: nothing ran; somebody decided that this is authentic. Estimates leave it out. Default `run`. */
  readonly origin?: 'run' | 'review'
}

export function isFaultRun(run: RunInfo): boolean {
  return run.layer === 'fault'
}

export interface ProgramDelta {
  readonly image: Image
  readonly isRoot: boolean
  /** Context (symbol texts joined by a space) -> next symbols. */
  readonly transitions: ReadonlyMap<string, ReadonlySet<string>>
  /** Keys of the programs it was seen to exec. */
  readonly execs: ReadonlySet<string>
}

export interface RunDelta {
  readonly settings: Settings
  readonly info: RunInfo
  readonly programs: ReadonlyMap<string, ProgramDelta>
  /** Keys of programs whose image changed within the run; no ledger takes such a run. */
  readonly changedImages: readonly string[]
  /** Calls that were made but are never learned, sorted. */
  readonly leftOut: readonly string[]
}

/** Whether nothing happened: no transition was made, no program executed another. */
export function isIdle({ programs }: RunDelta): boolean {
  for (const { transitions, execs } of programs.values()) if (transitions.size > 0 || execs.size > 0) return false
  return true
}

export interface ObservationOptions {
  /** Names never learned, default NEVER_LEARNED. They hold for every ABI; `foreign-abi` is all calls of other ABIs. */
  readonly neverLearned?: readonly string[]
}

export class RunObservation {
  readonly settings: Settings
  #info: RunInfo
  #isCut = false
  readonly #neverLearned: ReadonlySet<string>
  readonly #programs = new Map<string, ProgramObservation>()
  readonly #changedImages = new Set<string>()

  constructor(settings: Settings, info: RunInfo, options: ObservationOptions = {}) {
    this.settings = settings
    this.#info = info
    this.#neverLearned = new Set(options.neverLearned ?? NEVER_LEARNED)
  }

  /** The observation of the program that runs this image; one per key. Scope `set`: one for all. */
  enterProgram(image: Image, isRoot: boolean): ProgramObservation {
    const own = this.settings.scope === 'set' ? SET_IMAGE : image
    const key = programKeyOf(own)
    let program = this.#programs.get(key)
    if (program === undefined) {
      program = new ProgramObservation(own, this.settings.depth, this.#neverLearned)
      this.#programs.set(key, program)
    }
    const joined = joinImages(program.image, own)
    if (joined === undefined) this.#changedImages.add(key)
    else program.image = joined
    if (isRoot) program.isRoot = true
    return program
  }

  get info(): RunInfo {
    return this.#info
  }

  /** The run ends here, and the next one, whose provenance is `next`, begins in the middle of what goes on. */
  cut(next: RunInfo): RunDelta {
    const delta = this.finish()
    this.#info = next
    this.#isCut = true
    for (const program of this.#programs.values()) program.forget()
    return delta
  }

  /** The run as it stands now; the observation may go on. */
  finish(): RunDelta {
    const programs = new Map<string, ProgramDelta>()
    const leftOut = new Set<string>()
    for (const [key, program] of this.#programs) {
      // What was silent since the cut did not run in this run.
      if (!this.#isCut || !program.isSilent) programs.set(key, program.delta())
      for (const symbol of program.leftOut) leftOut.add(symbol)
    }
    const changedImages = [...this.#changedImages].sort()
    return { settings: this.settings, info: this.#info, programs, changedImages, leftOut: [...leftOut].sort() }
  }
}

export class ProgramObservation {
  readonly key: string
  image: Image
  isRoot = false
  readonly #contextLength: number
  readonly #neverLearned: ReadonlySet<string>
  readonly #indexes = new Map<string, number>()
  readonly #texts: string[] = []
  readonly #isNever: boolean[] = []
  readonly #execs = new Set<string>()
  #transitions = new Map<string, Set<string>>()
  #transitionCount = 0
  /** #seen[previous * #capacity + symbol] is 1 when the pair needs no second look. Depth 2 only. */
  #capacity = 64
  #seen = new Uint8Array(64 * 64)

  constructor(image: Image, depth: number, neverLearned: ReadonlySet<string>) {
    this.key = programKeyOf(image)
    this.image = image
    this.#contextLength = depth - 1
    this.#neverLearned = neverLearned
  }

  /** Distinct transitions learned from this run so far. */
  get transitionCount(): number {
    return this.#transitionCount
  }

  /**
   * The dense index of a symbol text, new on first use. Keep it: this is a Map lookup.
   * @throws TracefpError TFP_ERR_MODEL_MAPPING for a text that cannot stand in a file.
   */
  symbol(text: string): number {
    const known = this.#indexes.get(text)
    if (known !== undefined) return known
    if (!isSymbolText(text)) {
      throw new TracefpError('TFP_ERR_MODEL_MAPPING', `${JSON.stringify(text)} cannot be a symbol: check the mapping`)
    }
    const index = this.#texts.length
    this.#indexes.set(text, index)
    this.#texts.push(text)
    this.#isNever.push(isAmong(text, this.#neverLearned))
    if (index >= this.#capacity) this.#grow()
    return index
  }

  /** Depth 2: `symbol` came right after `previous` (-1: unknown, nothing is learned). True: learned just now. */
  observePair(previous: number, symbol: number): boolean {
    if (previous < 0) return false
    const at = previous * this.#capacity + symbol
    if (this.#seen[at] !== 0) return false
    this.#seen[at] = 1
    if (this.#isNever[previous] || this.#isNever[symbol]) return false
    return this.#learn(this.#texts[previous] as string, this.#texts[symbol] as string)
  }

  /** Whether nothing is learned into, out of or across the symbol. */
  isNever(symbol: number): boolean {
    return this.#isNever[symbol] === true
  }

  /** Those of the symbols so far. */
  get leftOut(): readonly string[] {
    return this.#texts.filter((_, index) => this.#isNever[index])
  }

  /**
   * Any depth: `symbol` came right after `context`, of which the last depth-1 symbols count. A shorter context is all that is
   * known of the track: it began there, or after a gap. True: learned just now.
   */
  observe(context: readonly number[], symbol: number): boolean {
    const from = Math.max(0, context.length - this.#contextLength)
    if (context.length === 0) return false
    if (this.#contextLength === 1) return this.observePair(context[from] as number, symbol)
    const texts: string[] = []
    for (let i = from; i < context.length; i += 1) {
      const index = context[i] as number
      // What is before it is as unknown as before a gap.
      if (index < 0 || this.#isNever[index]) texts.length = 0
      else texts.push(this.#texts[index] as string)
    }
    if (texts.length === 0 || this.#isNever[symbol]) return false
    return this.#learn(texts.join(' '), this.#texts[symbol] as string)
  }

  /** The program was seen to exec another one. */
  observeExec(key: string): void {
    this.#execs.add(key)
  }

  get isSilent(): boolean {
    return this.#transitions.size === 0 && this.#execs.size === 0
  }

  /** What was learned so far is of another run. Symbols keep their indexes. */
  forget(): void {
    this.#transitions = new Map()
    this.#transitionCount = 0
    this.#execs.clear()
    this.#seen.fill(0)
  }

  delta(): ProgramDelta {
    const transitions = new Map<string, ReadonlySet<string>>()
    for (const [context, next] of this.#transitions) transitions.set(context, new Set(next))
    return { image: this.image, isRoot: this.isRoot, transitions, execs: new Set(this.#execs) }
  }

  #learn(context: string, next: string): boolean {
    let set = this.#transitions.get(context)
    if (set === undefined) {
      set = new Set()
      this.#transitions.set(context, set)
    }
    if (set.has(next)) return false
    set.add(next)
    this.#transitionCount += 1
    return true
  }

  #grow(): void {
    const capacity = this.#capacity * 2
    const seen = new Uint8Array(capacity * capacity)
    for (let row = 0; row < this.#capacity; row += 1) {
      seen.set(this.#seen.subarray(row * this.#capacity, (row + 1) * this.#capacity), row * capacity)
    }
    this.#capacity = capacity
    this.#seen = seen
  }
}

/** Two sightings of one program as one image; a hash that could not be read agrees with any. Undefined: two images. */
export function joinImages(a: Image, b: Image): Image | undefined {
  const conflict = (x: string | null, y: string | null): boolean => x !== null && y !== null && x !== y
  const scriptA = a.script?.sha256 ?? null
  const scriptB = b.script?.sha256 ?? null
  if (conflict(a.sha256, b.sha256) || conflict(a.buildId, b.buildId) || conflict(scriptA, scriptB)) return undefined
  return {
    path: a.path,
    sha256: a.sha256 ?? b.sha256,
    buildId: a.buildId ?? b.buildId,
    script: a.script === null ? null : { path: a.script.path, sha256: scriptA ?? scriptB },
    argv0: a.argv0,
  }
}
