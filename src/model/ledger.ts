// The source of truth of learning: which runs brought what. A fingerprint is derived from it and depends only on the set of
// runs, never on the order in which they were added. A run that was revoked never comes back, whoever offers it.
import { TracefpError } from '../errors.ts'
import { isSpecial, type Mapping } from '../syscall/mapping.ts'
import { sealFingerprint } from './codec-fingerprint.ts'
import { contextRunsOf, deriveProgram } from './derive.ts'
import { assertSameSettings, type Fingerprint, type ProgramFingerprint, type Settings } from './fingerprint.ts'
import { lastOf } from './language.ts'
import { isFaultRun, joinImages, type ProgramDelta, type RunDelta, type RunInfo } from './learner.ts'
import { RunSet } from './run-set.ts'
import type { Image } from './stream.ts'
import { byScenario, SoleHolders } from './tally.ts'

/** Context -> next symbol -> runs. A context is all that was known of a track, up to depth-1 symbols. */
export type Transitions = Map<string, Map<string, RunSet>>

export interface LedgerProgram {
  image: Image
  /** Images that this one came after, and the runs that they ran in. */
  formers: readonly FormerImage[]
  /** Runs in which the program ran at all, and those in which it was the root. */
  runs: RunSet
  roots: RunSet
  readonly execs: Map<string, RunSet>
  readonly transitions: Transitions
}

export interface FormerImage {
  readonly image: Image
  readonly runs: RunSet
}

/** What a run brought. */
export interface AddedRun {
  /** False: the ledger had this run already, or it was revoked. */
  readonly isNew: boolean
  /** Transitions, in the sense of the paper (depth 2), that no earlier run had. */
  readonly newTransitionCount: number
  /** Sequences of full depth that no earlier run had. */
  readonly newSequenceCount: number
  /** Programs in exec sets that no earlier run had there. */
  readonly newExecCount: number
  /** Distinct transitions of the ledger now. */
  readonly transitionCount: number
}

export interface AddOptions {
  /** A program may be another file than was learned: what was learned is kept, as that of a former image. */
  readonly isUpgrade?: boolean
}

export class Ledger {
  readonly settings: Settings
  readonly #runs: RunInfo[]
  readonly #ids: Set<string>
  readonly #revoked: Set<string>
  readonly #programs: Map<string, LedgerProgram>
  /** `from to` of each program, once it was asked for. */
  readonly #pairs = new Map<string, Set<string>>()

  private constructor(
    settings: Settings,
    runs: RunInfo[],
    revoked: Iterable<string>,
    programs: Map<string, LedgerProgram>,
  ) {
    this.settings = settings
    this.#runs = runs
    this.#ids = new Set(runs.map((run) => run.id))
    this.#revoked = new Set(revoked)
    this.#programs = programs
  }

  static empty(settings: Settings): Ledger {
    return new Ledger(settings, [], [], new Map())
  }

  /** For the codec and for joins: takes over what it is given. */
  static restore(
    settings: Settings,
    runs: RunInfo[],
    revoked: Iterable<string>,
    programs: Map<string, LedgerProgram>,
  ): Ledger {
    return new Ledger(settings, runs, revoked, programs)
  }

  /** In the order in which they were added; run sets hold indexes of this list. */
  get runs(): readonly RunInfo[] {
    return this.#runs
  }

  /** Ids of runs that were revoked, sorted. */
  get revoked(): readonly string[] {
    return [...this.#revoked].sort()
  }

  get programs(): ReadonlyMap<string, LedgerProgram> {
    return this.#programs
  }

  /** Distinct transitions in the sense of the paper (depth 2), of both layers. */
  get transitionCount(): number {
    let count = 0
    for (const key of this.#programs.keys()) count += this.#pairsOf(key).size
    return count
  }

  has(id: string): boolean {
    return this.#ids.has(id)
  }

  /** Runs without faults, and those with. */
  get layers(): { readonly normal: RunSet; readonly faulty: RunSet } {
    const all = [...this.#runs.keys()]
    const isFaulty = (index: number): boolean => isFaultRun(this.#runs[index] as RunInfo)
    return { normal: RunSet.of(all.filter((index) => !isFaulty(index))), faulty: RunSet.of(all.filter(isFaulty)) }
  }

  /** Runs that estimates are made of: without faults, of the images as they are now, and not written by a review. */
  get countedRuns(): RunSet {
    let counted = RunSet.of(
      [...this.#runs.entries()]
        .filter(([, run]) => !isFaultRun(run) && run.origin !== 'review')
        .map(([index]) => index),
    )
    for (const { formers } of this.#programs.values()) {
      for (const { runs } of formers) counted = counted.without(runs)
    }
    return counted
  }

  /**
   * Adds a run, whole or not at all. A run with a known id, or a revoked one, changes nothing.
   * @throws TracefpError TFP_ERR_MODEL_SETTINGS, TFP_ERR_MODEL_MAPPING: it was learned under other settings.
   * @throws TracefpError TFP_ERR_MODEL_IDENTITY: a program of it is not the one that the ledger knows.
   */
  addRun(delta: RunDelta, options: AddOptions = {}): AddedRun {
    assertSameSettings(this.settings, delta.settings, 'the ledger')
    if (this.#ids.has(delta.info.id) || this.#revoked.has(delta.info.id)) {
      const { transitionCount } = this
      return { isNew: false, newTransitionCount: 0, newSequenceCount: 0, newExecCount: 0, transitionCount }
    }
    const images = this.#checkedImages(delta, options.isUpgrade === true)
    const run = this.#runs.length
    this.#runs.push(delta.info)
    this.#ids.add(delta.info.id)
    const grown = new Map<RunSet, RunSet>()
    const own = RunSet.of([run])
    let newSequenceCount = 0
    let newTransitionCount = 0
    let newExecCount = 0
    const addTo = (sets: Map<string, RunSet>, name: string): number => {
      const known = sets.get(name)
      // Transitions that came with the same runs share one set, and go on sharing one.
      const set = known === undefined ? own : (grown.get(known) ?? known.with(run))
      if (known !== undefined) grown.set(known, set)
      sets.set(name, set)
      return known === undefined ? 1 : 0
    }
    for (const [key, seen] of delta.programs) {
      const program = this.#program(key, images.get(key) as Image)
      program.runs = program.runs.with(run)
      if (seen.isRoot) program.roots = program.roots.with(run)
      for (const exec of seen.execs) newExecCount += addTo(program.execs, exec)
      const pairs = this.#pairsOf(key)
      for (const [context, symbols] of seen.transitions) {
        let next = program.transitions.get(context)
        if (next === undefined) {
          next = new Map()
          program.transitions.set(context, next)
        }
        for (const symbol of symbols) {
          if (addTo(next, symbol) === 0) continue
          newSequenceCount += 1
          const before = pairs.size
          newTransitionCount += pairs.add(`${lastOf(context, 1)} ${symbol}`).size - before
        }
      }
    }
    return { isNew: true, newTransitionCount, newSequenceCount, newExecCount, transitionCount: this.transitionCount }
  }

  /** The fingerprint that these runs make. @throws TracefpError TFP_ERR_MODEL_MAPPING for a mapping of another name. */
  fingerprint(mapping: Mapping): Fingerprint {
    assertMappingName(this.settings, mapping)
    const { depth } = this.settings
    const { normal, faulty } = this.layers
    const sole = new SoleHolders(depth)
    const programs = new Map<string, ProgramFingerprint>()
    for (const key of [...this.#programs.keys()].sort()) {
      const program = this.#programs.get(key) as LedgerProgram
      const contexts = contextRunsOf(program.transitions, depth, normal)
      sole.add(program, contexts, normal)
      programs.set(key, deriveProgram(key, program, contexts, depth, normal, faulty))
    }
    const counted = this.countedRuns
    const told = (of: (run: RunInfo) => string): string[] =>
      [...new Set(this.#runs.map(of))].filter((text) => text !== '').sort()
    return sealFingerprint({
      settings: this.settings,
      mappingHash: mapping.hashOf(this.symbols()),
      runCount: normal.count,
      faultRunCount: faulty.count,
      roots: [...programs.keys()].filter((key) => (this.#programs.get(key) as LedgerProgram).roots.count > 0),
      tally: sole.tally(counted),
      scenarios: new Map([...byScenario(this.#runs, counted)].map(([name, runs]) => [name, sole.tally(runs)])),
      kernels: told((run) => run.kernel),
      libcs: told((run) => run.libc ?? ''),
      programs,
    })
  }

  /** Every symbol of every program. */
  symbols(): Set<string> {
    const symbols = new Set<string>()
    for (const program of this.#programs.values()) {
      for (const [context, next] of program.transitions) {
        for (const symbol of [...context.split(' '), ...next.keys()]) symbols.add(symbol)
      }
    }
    return symbols
  }

  /** The same ledger where calls learned as `sys_N` bear the names that the mapping has for them by now. */
  renamed(mapping: Mapping): Ledger {
    assertMappingName(this.settings, mapping)
    const names = new Map<string, string>()
    for (const symbol of this.symbols()) {
      const number = isSpecial(symbol) ? undefined : mapping.numberOf(symbol)
      const name = number === undefined ? symbol : mapping.symbolOf(number.abi, number.nr)
      if (name !== symbol) names.set(symbol, name)
    }
    if (names.size === 0) return this
    const rename = (text: string): string =>
      text
        .split(' ')
        .map((symbol) => names.get(symbol) ?? symbol)
        .join(' ')
    const programs = new Map<string, LedgerProgram>()
    for (const [key, program] of this.#programs) {
      const transitions: Transitions = new Map()
      for (const [context, symbols] of program.transitions) {
        const next = transitions.get(rename(context)) ?? new Map<string, RunSet>()
        transitions.set(rename(context), next)
        for (const [symbol, runs] of symbols) {
          const known = next.get(rename(symbol))
          next.set(rename(symbol), known === undefined ? runs : known.union(runs))
        }
      }
      programs.set(key, { ...program, transitions })
    }
    return new Ledger(this.settings, this.#runs, this.#revoked, programs)
  }

  #program(key: string, image: Image): LedgerProgram {
    let program = this.#programs.get(key)
    if (program === undefined) {
      const none = RunSet.EMPTY
      program = { image, formers: [], runs: none, roots: none, execs: new Map(), transitions: new Map() }
      this.#programs.set(key, program)
    } else if (joinImages(program.image, image) === undefined) {
      const formers = program.formers.filter((former) => joinImages(former.image, image) === undefined)
      let runs = program.runs
      for (const former of program.formers) runs = runs.without(former.runs)
      program.formers = [...formers, { image: program.image, runs }]
    }
    program.image = image
    return program
  }

  #checkedImages(delta: RunDelta, isUpgrade: boolean): Map<string, Image> {
    const changed = delta.changedImages[0]
    if (changed !== undefined) throw identityError(changed, 'its file changed while the run went on')
    const images = new Map<string, Image>()
    for (const [key, seen] of delta.programs) {
      const known = this.#programs.get(key)?.image
      const joined = known === undefined ? seen.image : joinImages(known, seen.image)
      const image = joined ?? (isUpgrade ? seen.image : undefined)
      if (image === undefined)
        throw identityError(key, `its file is not the one that was learned${hashes(known, seen)}`)
      images.set(key, image)
    }
    return images
  }

  #pairsOf(key: string): Set<string> {
    let pairs = this.#pairs.get(key)
    if (pairs === undefined) {
      pairs = new Set()
      for (const [context, next] of this.#programs.get(key)?.transitions ?? []) {
        const last = lastOf(context, 1)
        for (const symbol of next.keys()) pairs.add(`${last} ${symbol}`)
      }
      this.#pairs.set(key, pairs)
    }
    return pairs
  }
}

function assertMappingName(settings: Settings, mapping: Mapping): void {
  if (settings.mapping === mapping.name) return
  const what = `the ledger was made with mapping ${settings.mapping}, not ${mapping.name}`
  throw new TracefpError('TFP_ERR_MODEL_MAPPING', what)
}

function identityError(key: string, why: string): TracefpError {
  return new TracefpError('TFP_ERR_MODEL_IDENTITY', `${key}: ${why}; learn it into a new fingerprint`)
}

function hashes(known: Image | undefined, seen: ProgramDelta): string {
  const [a, b] = [known?.sha256 ?? null, seen.image.sha256]
  return a === null || b === null || a === b ? '' : ` (sha256 ${a.slice(0, 12)}..., now ${b.slice(0, 12)}...)`
}
