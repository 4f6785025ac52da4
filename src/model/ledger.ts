// The source of truth of learning: which runs brought what. A fingerprint is derived from it and depends only on the set of
// runs, never on the order in which they were added.
import { TracefpError } from '../errors.ts'
import { isSpecial, type Mapping } from '../syscall/mapping.ts'
import { sealFingerprint } from './codec-fingerprint.ts'
import {
  alphabetOf,
  assertSameSettings,
  type Fingerprint,
  type ProgramFingerprint,
  type Settings,
} from './fingerprint.ts'
import { joinImages, type ProgramDelta, type RunDelta, type RunInfo } from './learner.ts'
import { RunSet } from './run-set.ts'
import type { Image } from './stream.ts'

export interface LedgerProgram {
  image: Image
  /** Runs in which the program ran at all, and those in which it was the root. */
  readonly runs: RunSet
  readonly roots: RunSet
  readonly execs: Map<string, RunSet>
  /** Context -> next symbol -> runs. */
  readonly transitions: Map<string, Map<string, RunSet>>
}

/** What a run brought. */
export interface AddedRun {
  /** False: the ledger had this run already. */
  readonly isNew: boolean
  /** Transitions that no earlier run had. */
  readonly newTransitionCount: number
  /** Programs in exec sets that no earlier run had there. */
  readonly newExecCount: number
  /** Distinct transitions of the ledger now. */
  readonly transitionCount: number
}

export class Ledger {
  readonly settings: Settings
  readonly #runs: RunInfo[]
  readonly #ids: Set<string>
  readonly #programs: Map<string, LedgerProgram>

  private constructor(settings: Settings, runs: RunInfo[], programs: Map<string, LedgerProgram>) {
    this.settings = settings
    this.#runs = runs
    this.#ids = new Set(runs.map((run) => run.id))
    this.#programs = programs
  }

  static empty(settings: Settings): Ledger {
    return new Ledger(settings, [], new Map())
  }

  /** For the codec: takes over what it is given. */
  static restore(settings: Settings, runs: RunInfo[], programs: Map<string, LedgerProgram>): Ledger {
    return new Ledger(settings, runs, programs)
  }

  /** In the order in which they were added; run sets hold indexes of this list. */
  get runs(): readonly RunInfo[] {
    return this.#runs
  }

  get programs(): ReadonlyMap<string, LedgerProgram> {
    return this.#programs
  }

  get transitionCount(): number {
    let count = 0
    for (const program of this.#programs.values()) for (const next of program.transitions.values()) count += next.size
    return count
  }

  /**
   * Adds a run, whole or not at all. A run with a known id changes nothing.
   * @throws TracefpError TFP_ERR_MODEL_SETTINGS, TFP_ERR_MODEL_MAPPING: it was learned under other settings.
   * @throws TracefpError TFP_ERR_MODEL_IDENTITY: a program of it is not the one that the ledger knows.
   */
  addRun(delta: RunDelta): AddedRun {
    assertSameSettings(this.settings, delta.settings, 'the ledger')
    if (this.#ids.has(delta.info.id)) {
      return { isNew: false, newTransitionCount: 0, newExecCount: 0, transitionCount: this.transitionCount }
    }
    const images = this.#checkedImages(delta)
    const run = this.#runs.length
    this.#runs.push(delta.info)
    this.#ids.add(delta.info.id)
    let newTransitionCount = 0
    let newExecCount = 0
    for (const [key, seen] of delta.programs) {
      const program = this.#program(key, images.get(key) as Image)
      program.runs.add(run)
      if (seen.isRoot) program.roots.add(run)
      for (const exec of seen.execs) newExecCount += addTo(program.execs, exec, run)
      for (const [context, symbols] of seen.transitions) {
        let next = program.transitions.get(context)
        if (next === undefined) {
          next = new Map()
          program.transitions.set(context, next)
        }
        for (const symbol of symbols) newTransitionCount += addTo(next, symbol, run)
      }
    }
    return { isNew: true, newTransitionCount, newExecCount, transitionCount: this.transitionCount }
  }

  /** The fingerprint that these runs make. @throws TracefpError TFP_ERR_MODEL_MAPPING for a mapping of another name. */
  fingerprint(mapping: Mapping): Fingerprint {
    assertMappingName(this.settings, mapping)
    const programs = new Map<string, ProgramFingerprint>()
    for (const key of [...this.#programs.keys()].sort()) {
      programs.set(key, deriveProgram(key, this.#programs.get(key) as LedgerProgram))
    }
    return sealFingerprint({
      settings: this.settings,
      mappingHash: mapping.hashOf(this.symbols()),
      runCount: this.#runs.length,
      roots: [...programs.keys()].filter((key) => (this.#programs.get(key) as LedgerProgram).roots.count > 0),
      programs,
    })
  }

  /** Every symbol of every program. */
  symbols(): Set<string> {
    const symbols = new Set<string>()
    for (const program of this.#programs.values()) {
      for (const symbol of alphabetOf(program.transitions)) symbols.add(symbol)
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
      const transitions = new Map<string, Map<string, RunSet>>()
      for (const [context, symbols] of program.transitions) {
        const next = transitions.get(rename(context)) ?? new Map<string, RunSet>()
        transitions.set(rename(context), next)
        for (const [symbol, runs] of symbols) {
          const known = next.get(rename(symbol))
          next.set(rename(symbol), known === undefined ? runs : RunSet.union(known, runs))
        }
      }
      programs.set(key, { ...program, transitions })
    }
    return new Ledger(this.settings, this.#runs, programs)
  }

  #program(key: string, image: Image): LedgerProgram {
    let program = this.#programs.get(key)
    if (program === undefined) {
      program = { image, runs: RunSet.empty(), roots: RunSet.empty(), execs: new Map(), transitions: new Map() }
      this.#programs.set(key, program)
    }
    program.image = image
    return program
  }

  #checkedImages(delta: RunDelta): Map<string, Image> {
    const changed = delta.changedImages[0]
    if (changed !== undefined) throw identityError(changed, 'its file changed while the run went on')
    const images = new Map<string, Image>()
    for (const [key, seen] of delta.programs) {
      const known = this.#programs.get(key)?.image
      const image = known === undefined ? seen.image : joinImages(known, seen.image)
      if (image === undefined)
        throw identityError(key, `its file is not the one that was learned${hashes(known, seen)}`)
      images.set(key, image)
    }
    return images
  }
}

function deriveProgram(key: string, program: LedgerProgram): ProgramFingerprint {
  const successors = new Map<string, ReadonlyMap<string, number>>()
  for (const context of [...program.transitions.keys()].sort()) {
    successors.set(context, sortedCounts(program.transitions.get(context) as Map<string, RunSet>))
  }
  return {
    key,
    image: program.image,
    alphabet: alphabetOf(successors),
    successors,
    execs: sortedCounts(program.execs),
  }
}

function sortedCounts(sets: ReadonlyMap<string, RunSet>): Map<string, number> {
  const counts = new Map<string, number>()
  for (const name of [...sets.keys()].sort()) counts.set(name, (sets.get(name) as RunSet).count)
  return counts
}

/** 1 when the name is new. */
function addTo(sets: Map<string, RunSet>, name: string, run: number): number {
  const known = sets.get(name)
  if (known !== undefined) {
    known.add(run)
    return 0
  }
  sets.set(name, RunSet.of([run]))
  return 1
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
