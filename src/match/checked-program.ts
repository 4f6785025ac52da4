// One program of a session under check: its table, what the session used of it, and counts. The table is null for a
// program without a fingerprint: its calls are counted, not judged.
import type { Fingerprint, ProgramFingerprint } from '../model/fingerprint.ts'
import { shortestPath } from '../model/path.ts'
import type { Image, LentProgram } from '../model/stream.ts'
import type { TransitionTable } from '../model/table.ts'
import { TRANSPARENT_SYMBOL } from '../model/table-layout.ts'
import { callIndex, ENDS_FRAME, ENDS_TRACK, TRANSPARENT } from './flags.ts'
import type { WalkedProgram } from './judge.ts'

/** What judging needs of a fingerprint. */
export interface Known {
  readonly fingerprint: Fingerprint
  readonly program: ProgramFingerprint
  readonly table: TransitionTable
  /** As the table's rows: the bit is set when the session made the transition. */
  readonly used: Uint32Array
}

export class CheckedProgram implements WalkedProgram {
  readonly key: string
  readonly image: Image
  readonly flags: Uint8Array
  readonly known: Known | null
  /** For those who judge its calls elsewhere; null: nobody can. */
  readonly lent: LentProgram | null
  recordCount = 0
  missCount = 0
  /** Those that are an alarm, and those of kind `image` among them. */
  alarmCount = 0
  imageMissCount = 0
  /** Of which it was noted that it could not be compared. */
  notedImage: Image | null = null
  /** Whether a track of it has begun. */
  hasBegun = false
  readonly #expected = new Map<number, readonly string[]>()
  readonly #paths = new Map<string, readonly string[]>()

  constructor(key: string, image: Image, flags: Uint8Array, known: Known | null) {
    this.key = key
    this.image = image
    this.flags = flags
    this.known = known
    this.lent = known === null ? null : this.#lend(known.table, known.used)
  }

  #lend(table: TransitionTable, used: Uint32Array): LentProgram {
    return {
      table: table.buffer,
      used,
      symbolOf: (abi, nr) => this.#symbolOf(table, abi, nr),
      endingSymbolOf: (abi, nr) => this.#endingSymbolOf(table, abi, nr),
      endSymbol: table.specialOf('<end>'),
    }
  }

  /** Texts of what may follow a state, by the number of runs that had it. */
  expectedAfter(state: number): readonly string[] {
    if (this.known === null || state < 0) return []
    let texts = this.#expected.get(state)
    if (texts === undefined) {
      const { table, program } = this.known
      // Of longer contexts the runs are not looked up: this only sorts.
      const support = program.successors.get(table.symbols[table.lastOf(state)] as string)
      texts = bySupport(
        table.successorsOf(state).map((symbol) => {
          const text = table.symbols[symbol] as string
          return [text, support?.get(text) ?? 0] as const
        }),
      )
      this.#expected.set(state, texts)
    }
    return texts
  }

  /** Exec set as texts of misses. */
  expectedExecs(): readonly string[] {
    return bySupport(this.known?.program.execs ?? []).map((key) => `exec:${key}`)
  }

  pathBetween(from: string, to: string): readonly string[] {
    if (this.known === null) return []
    const key = `${from} ${to}`
    let path = this.#paths.get(key)
    if (path === undefined) {
      path = shortestPath(this.known.program, from, to) ?? []
      this.#paths.set(key, path)
    }
    return path
  }

  /** Share of the fingerprint's transitions that this session used: of pairs, whatever the depth of the check. */
  get coverage(): number {
    if (this.known === null || this.known.table.transitionCount === 0) return 0
    const { table, used } = this.known
    const { wordsPerRow } = table
    const pairs = new Uint32Array(table.symbolCount * wordsPerRow)
    for (let state = 0; state < table.stateCount; state += 1) {
      const base = table.lastOf(state) * wordsPerRow
      for (let at = 0; at < wordsPerRow; at += 1) {
        pairs[base + at] = (pairs[base + at] as number) | (used[state * wordsPerRow + at] as number)
      }
    }
    let count = 0
    for (const word of pairs) count += bitCount(word)
    return count / table.transitionCount
  }

  /** Calls that are looked at twice are told. */
  #symbolOf(table: TransitionTable, abi: number, nr: number): number {
    const flags = this.#flagsOf(abi, nr)
    if (flags === TRANSPARENT) return TRANSPARENT_SYMBOL
    return flags === 0 ? Math.max(table.symbolOf(abi, nr), -1) : -1
  }

  #endingSymbolOf(table: TransitionTable, abi: number, nr: number): number {
    const flags = this.#flagsOf(abi, nr)
    return flags === ENDS_TRACK || flags === ENDS_FRAME ? Math.max(table.symbolOf(abi, nr), -1) : -1
  }

  #flagsOf(abi: number, nr: number): number {
    const index = callIndex(abi, nr)
    return index < 0 ? 0 : (this.flags[index] as number)
  }
}

/** Keys by falling count, then by text. */
function bySupport(counts: Iterable<readonly [string, number]>): string[] {
  return [...counts].sort(([a, m], [b, n]) => n - m || (a < b ? -1 : 1)).map(([text]) => text)
}

function bitCount(word: number): number {
  let count = 0
  for (let rest = word; rest !== 0; rest &= rest - 1) count += 1
  return count
}
