// What a fingerprint is: the settings it was made under and, per program, the successor sets. Plain data; the codec writes
// it, the ledger derives it, the transition table is compiled from it.
import { TracefpError, UsageError } from '../errors.ts'
import { isSpecial, type Mapping } from '../syscall/mapping.ts'
import type { Image } from './stream.ts'

/** What decides how a stream becomes transitions. Two fingerprints compare only when all of it is the same. */
export interface Settings {
  /** Name of the mapping, e.g. `linux-x86_64`. */
  readonly mapping: string
  /** Whether calls are seen in order of entry or of return. */
  readonly order: 'entry' | 'return'
  /** `thread`: one track per thread. `log`: one sequence, top to bottom, as the paper does. */
  readonly tracks: 'thread' | 'log'
  /** `program`: successor sets of their own per program. `set`: shared ones, as the paper does. */
  readonly scope: 'program' | 'set'
  /** Length of the longest sequences, 2 (the paper) to 8. All shorter ones are known too. */
  readonly depth: number
  /** Names of calls that are no part of transitions; sorted. */
  readonly transparent: readonly string[]
}

export interface ProgramFingerprint {
  /** programKeyOf(image); scope `set`: `*`. */
  readonly key: string
  readonly image: Image
  /** Every symbol text of `successors`, sorted. */
  readonly alphabet: readonly string[]
  readonly successors: Successors
  /** Exec set: key of the program -> number of runs. */
  readonly execs: ReadonlyMap<string, number>
  /** The fault layer: what was seen besides while calls were made to fail. Null: nothing. */
  readonly faults: FaultLayer | null
}

/**
 * Context -> next symbol -> number of runs that had it. A context is 1 to depth-1 symbol texts joined by a space. One that is
 * not listed has the successor set of its longest suffix that is: see language.ts. The paper's sets are those of single symbols.
 */
export type Successors = ReadonlyMap<string, ReadonlyMap<string, number>>

/** What a program does when calls fail: abnormal, but authentic. */
export interface FaultLayer {
  /** Of all runs, those with faults and those without. */
  readonly successors: Successors
  /** Programs that were executed in runs with faults only. */
  readonly execs: ReadonlyMap<string, number>
}

/** How often runs still brought something new: what `estimate` makes a probability of. */
export interface Tally {
  readonly runCount: number
  /** Runs that hold a sequence, or an exec, that no other run holds: at depth 2, 3 ... up to the learned one. */
  readonly newRunCounts: readonly number[]
}

export interface Fingerprint {
  readonly settings: Settings
  /** mapping.hashOf over the symbols of all programs. */
  readonly mappingHash: string
  /** Runs without faults. */
  readonly runCount: number
  /** Runs in which calls were made to fail. */
  readonly faultRunCount: number
  /** Keys of the programs that were the root of a run; sorted. */
  readonly roots: readonly string[]
  /** Of all runs of these images; null: the file is too old to tell. */
  readonly tally: Tally | null
  /** By scenario, sorted. */
  readonly scenarios: ReadonlyMap<string, Tally>
  /** Where it was learned, sorted; empty: not known. */
  readonly kernels: readonly string[]
  readonly libcs: readonly string[]
  readonly programs: ReadonlyMap<string, ProgramFingerprint>
  /** SHA-256 of its canonical text: the file byte for byte, without signatures. */
  readonly sha256: string
  /** That text, where only what a check at some depth needs was read: then longer contexts are missing here. */
  readonly text?: string
}

export const MAX_DEPTH = 8

/** Depth of learning, unless asked for another. */
export const DEFAULT_DEPTH = 6

/** Depth of checks, unless asked for another: the paper's. */
export const DEFAULT_CHECK_DEPTH = 2

/** `asked`: null, undefined: nobody did. */
export function checkDepthOf(asked: number | null | undefined): number {
  return asked ?? DEFAULT_CHECK_DEPTH
}

/** Symbols of one program that the transition table can number. */
export const MAX_SYMBOL_COUNT = 32_000

/** Calls that come and go with the vDSO. */
export const DEFAULT_TRANSPARENT: readonly string[] = ['clock_gettime', 'getcpu', 'gettimeofday', 'time']

/** Calls whose work tracefp cannot see. */
export const UNSEEN_CALLS: readonly string[] = ['io_uring_enter', 'io_uring_register', 'io_uring_setup']

/** The image that stands for all programs under scope `set`. */
export const SET_IMAGE: Image = { path: '*', sha256: null, buildId: null, script: null, argv0: null }

/** The symbol of a track that ended by itself. */
export const END_SYMBOL = '<end>'

export function signalSymbol(signal: number): string {
  return `<signal:${signal}>`
}

/** What signalSymbol was given; undefined: it is another symbol. */
export function signalOf(symbol: string): number | undefined {
  const number = /^<signal:(\d+)>$/.exec(symbol)?.[1]
  return number === undefined ? undefined : Number(number)
}

/** A START symbol begins a context: `<exec>`, `<thread>`, `<fork>`, `<signal:N>`. */
export function isStartSymbol(symbol: string): boolean {
  return isSpecial(symbol) && symbol !== END_SYMBOL
}

/** Whether a text can stand as a symbol in a file: printable ASCII without space, quote and backslash; not `->`. */
export function isSymbolText(text: string): boolean {
  return text.length <= 255 && /^[!#-[\]-~]+$/.test(text) && text !== '->'
}

/** Settings with the usual values where none are given. @throws UsageError for a depth or a name that cannot be. */
export function makeSettings(mapping: Mapping, wanted: Partial<Settings> = {}): Settings {
  const depth = wanted.depth ?? DEFAULT_DEPTH
  if (!Number.isInteger(depth) || depth < 2 || depth > MAX_DEPTH) {
    throw new UsageError(`depth ${depth} is not possible: give a whole number from 2 to ${MAX_DEPTH}`)
  }
  const transparent = [...new Set(wanted.transparent ?? DEFAULT_TRANSPARENT)].sort()
  for (const name of transparent) {
    if (!isSymbolText(name)) throw new UsageError(`${JSON.stringify(name)} is not the name of a call`)
  }
  return {
    mapping: mapping.name,
    order: wanted.order ?? 'entry',
    tracks: wanted.tracks ?? 'thread',
    scope: wanted.scope ?? 'program',
    depth,
    transparent,
  }
}

/** What differs, as words for a message; undefined: nothing. */
export function settingsDifference(known: Settings, other: Settings): string | undefined {
  for (const name of ['mapping', 'order', 'tracks', 'scope', 'depth'] as const) {
    if (known[name] !== other[name]) return `${name} ${known[name]}, not ${other[name]}`
  }
  const [a, b] = [known.transparent.join(' '), other.transparent.join(' ')]
  return a === b ? undefined : `transparent "${a}", not "${b}"`
}

/** @throws TracefpError TFP_ERR_MODEL_SETTINGS (TFP_ERR_MODEL_MAPPING for the mapping) when they differ. */
export function assertSameSettings(known: Settings, other: Settings, what: string): void {
  const difference = settingsDifference(known, other)
  if (difference === undefined) return
  const code = known.mapping === other.mapping ? 'TFP_ERR_MODEL_SETTINGS' : 'TFP_ERR_MODEL_MAPPING'
  throw new TracefpError(code, `${what} was made with ${difference}; use the same, or learn anew`)
}

/** @throws TracefpError TFP_ERR_MODEL_MAPPING when the numbers of `mapping` are not those of the fingerprint. */
export function assertMapping(fingerprint: Fingerprint, mapping: Mapping, what: string): void {
  const made = fingerprint.settings.mapping
  if (made !== mapping.name) {
    throw new TracefpError('TFP_ERR_MODEL_MAPPING', `${what} was made with mapping ${made}, not ${mapping.name}`)
  }
  if (mapping.hashOf(symbolsOf(fingerprint.programs.values())) === fingerprint.mappingHash) return
  const why = `the numbers of mapping ${made} are not those it was made with`
  throw new TracefpError('TFP_ERR_MODEL_MAPPING', `${what}: ${why}; learn anew, or use the tracefp that made it`)
}

/** Every symbol of several programs, those of faults too. */
export function symbolsOf(programs: Iterable<ProgramFingerprint>): Set<string> {
  const symbols = new Set<string>()
  for (const { alphabet, faults } of programs) {
    for (const symbol of alphabet) symbols.add(symbol)
    for (const symbol of faults === null ? [] : alphabetOf(faults.successors)) symbols.add(symbol)
  }
  return symbols
}

/** Every symbol of successor sets: one of a longer context stands in a shorter one too. */
export function alphabetOf(successors: ReadonlyMap<string, ReadonlyMap<string, unknown>>): string[] {
  const symbols = new Set<string>()
  for (const [context, next] of successors) {
    if (context.includes(' ')) continue
    symbols.add(context)
    for (const symbol of next.keys()) symbols.add(symbol)
  }
  return [...symbols].sort()
}
