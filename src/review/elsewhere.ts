// Where the step of a miss is known from, though it is a miss: as a shorter sequence, from which scenarios, in other programs,
// or only while calls were made to fail. Works on a fingerprint, and says more where its ledger is there.

import type { Miss } from '../match/miss.ts'
import { printable } from '../match/printable.ts'
import { type Fingerprint, isStartSymbol, type ProgramFingerprint, SET_IMAGE } from '../model/fingerprint.ts'
import type { Ledger } from '../model/ledger.ts'
import { KnownSequences, lastSymbols, projectedTo } from '../model/sequences.ts'

export interface KnownLength {
  readonly sequence: readonly string[]
  readonly isKnown: boolean
  /** Runs that had it, by scenario; empty without a ledger. */
  readonly scenarios: Readonly<Record<string, number>>
}

export interface Elsewhere {
  /** From the pair up to the depth that was learned. */
  readonly lengths: readonly KnownLength[]
  /** Other programs of the fingerprint that know the pair. */
  readonly programs: readonly string[]
}

/** Null: the program is not in the fingerprint, or it is no miss of a call. */
export function elsewhereOf(miss: Miss, fingerprint: Fingerprint, ledger: Ledger | null): Elsewhere | null {
  const program = programOf(miss, fingerprint)
  if (program === undefined || (miss.kind !== 'call' && miss.kind !== 'end')) return null
  const context = contextOf(miss, fingerprint.settings.depth)
  const known = new KnownSequences(projectedTo(program.successors, fingerprint.settings.depth))
  const lengths: KnownLength[] = []
  for (let length = 1, cut = ''; cut !== context && context !== ''; length += 1) {
    cut = lastSymbols(context, length)
    const scenarios = ledger === null ? {} : scenariosOf(ledger, program.key, cut, miss.to)
    lengths.push({ sequence: [...cut.split(' '), miss.to], isKnown: known.has(cut, miss.to), scenarios })
  }
  const others = [...fingerprint.programs.values()].filter((other) => other !== program)
  const pair = lastSymbols(context, 1)
  return {
    lengths,
    programs: others
      .filter((other) => new KnownSequences(projectedTo(other.successors, 2)).has(pair, miss.to))
      .map(({ key }) => key),
  }
}

/** Lines for `explain`. */
export function elsewhereText(elsewhere: Elsewhere): string[] {
  const lines = elsewhere.lengths.map(({ sequence, isKnown, scenarios }) => {
    const names = Object.entries(scenarios).map(([name, runs]) => `${printable(name)} (${runs})`)
    const from = names.length === 0 ? '' : `, from the runs of ${names.join(', ')}`
    return `${sequence.map((symbol) => printable(symbol)).join(' -> ')}: ${isKnown ? `known${from}` : 'not known'}`
  })
  if (elsewhere.programs.length > 0) {
    lines.push(`known in other programs: ${elsewhere.programs.map((key) => printable(key)).join(', ')}`)
  }
  return lines
}

/** The section that judged the miss. */
export function programOf(miss: Miss, { settings, programs }: Fingerprint): ProgramFingerprint | undefined {
  return programs.get(settings.scope === 'set' ? SET_IMAGE.path : miss.image)
}

/** What was known of the track, as a context of at most depth-1 symbols; empty: nothing. */
export function contextOf({ context }: Miss, depth: number): string {
  const begin = Math.max(context.findLastIndex(isStartSymbol), context.lastIndexOf('<gap>') + 1, 0)
  return context
    .slice(begin)
    .slice(1 - depth)
    .join(' ')
}

function scenariosOf(ledger: Ledger, key: string, context: string, symbol: string): Record<string, number> {
  const runs = new Set<number>()
  for (const [known, next] of ledger.programs.get(key)?.transitions ?? []) {
    if (known !== context && !known.endsWith(` ${context}`)) continue
    for (const run of next.get(symbol) ?? []) runs.add(run)
  }
  const counts: Record<string, number> = Object.create(null)
  for (const run of runs) {
    const scenario = ledger.runs[run]?.scenario ?? ''
    counts[scenario] = (counts[scenario] ?? 0) + 1
  }
  return counts
}
