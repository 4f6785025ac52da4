// One program of a session under check: its table, what the session used of it, and counts. The table is null for a
// program without a fingerprint: its calls are counted, not judged.
import type { Fingerprint, ProgramFingerprint } from '../model/fingerprint.ts'
import { shortestPath } from '../model/path.ts'
import type { Image } from '../model/stream.ts'
import type { TransitionTable } from '../model/table.ts'
import type { Mapping } from '../syscall/mapping.ts'
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
  recordCount = 0
  missCount = 0
  /** Misses of kind `image` among them. */
  imageMissCount = 0
  readonly #mapping: Mapping
  readonly #expected = new Map<number, readonly string[]>()
  readonly #paths = new Map<string, readonly string[]>()

  constructor(key: string, image: Image, mapping: Mapping, flags: Uint8Array, known: Known | null) {
    this.key = key
    this.image = image
    this.flags = flags
    this.known = known
    this.#mapping = mapping
  }

  /** Texts of what may follow a state, by the number of runs that had it. */
  expectedAfter(state: number): readonly string[] {
    if (this.known === null || state < 0) return []
    let texts = this.#expected.get(state)
    if (texts === undefined) {
      const { table, program } = this.known
      const support = supportOf(program, table, state)
      texts = bySupport(table.successorsOf(state).map((symbol) => [table.symbols[symbol] as string, 0] as const)).sort(
        (a, b) => (support.get(b) ?? 0) - (support.get(a) ?? 0),
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

  /** Share of the fingerprint's transitions that this session used. */
  get coverage(): number {
    if (this.known === null || this.known.table.transitionCount === 0) return 0
    const { table, program, used } = this.known
    let count = 0
    for (const state of fullStates(program, table, this.#mapping)) {
      for (let at = state * table.wordsPerRow; at < (state + 1) * table.wordsPerRow; at += 1) {
        count += bitCount(used[at] as number)
      }
    }
    return count / table.transitionCount
  }
}

/** Keys by falling count, then by text. */
function bySupport(counts: Iterable<readonly [string, number]>): string[] {
  return [...counts].sort(([a, m], [b, n]) => n - m || (a < b ? -1 : 1)).map(([text]) => text)
}

/** Number of runs per next symbol after the state's last call. Deeper contexts are not told apart: this only sorts. */
function supportOf(program: ProgramFingerprint, table: TransitionTable, state: number): Map<string, number> {
  const last = state < table.symbolCount ? (table.symbols[state] as string) : null
  const support = new Map<string, number>()
  for (const [context, next] of program.successors) {
    if (last !== null && context.slice(context.lastIndexOf(' ') + 1) !== last) continue
    for (const [text, runCount] of next) support.set(text, Math.max(support.get(text) ?? 0, runCount))
  }
  return support
}

/** The states that hold the transitions of the fingerprint; others are suffixes of them, used after a miss or a gap. */
function fullStates(program: ProgramFingerprint, table: TransitionTable, mapping: Mapping): Set<number> {
  const states = new Set<number>()
  for (const context of program.successors.keys()) {
    let state = -1
    for (const text of context.split(' ').slice(1 - table.depth)) {
      const call = mapping.numberOf(text)
      const symbol = call === undefined ? table.specialOf(text) : table.symbolOf(call.abi, call.nr)
      state = state < 0 ? symbol : table.next(state, symbol)
    }
    if (state >= 0) states.add(state)
  }
  return states
}

function bitCount(word: number): number {
  let count = 0
  for (let rest = word; rest !== 0; rest &= rest - 1) count += 1
  return count
}
