// Where the step of a miss is known from, though it is a miss: as a shorter sequence, from which scenarios, in other programs,
// or only while calls were made to fail. Works on a fingerprint, and says more where its ledger is there.

import type { Miss } from '../match/miss.ts'
import { printable } from '../match/printable.ts'
import { type Fingerprint, isStartSymbol, type ProgramFingerprint, SET_IMAGE } from '../model/fingerprint.ts'
import { isFaultRun } from '../model/learner.ts'
import type { Ledger } from '../model/ledger.ts'
import { KnownSequences, lastSymbols, projectedTo } from '../model/sequences.ts'

export interface KnownLength {
  readonly sequence: readonly string[]
  readonly isKnown: boolean
  /** It is known, but only from runs in which calls were made to fail. */
  readonly isFaultOnly: boolean
  /** Runs that had it, by scenario; empty without a ledger. */
  readonly scenarios: Readonly<Record<string, number>>
}

export interface Elsewhere {
  /** From the pair up to the depth that was learned; of an exec one. */
  readonly lengths: readonly KnownLength[]
  /** Other programs of the fingerprint that know the pair, or execute the program. */
  readonly programs: readonly string[]
}

/** Null: the program is not in the fingerprint, or the miss is about a file. */
export function elsewhereOf(miss: Miss, fingerprint: Fingerprint, ledger: Ledger | null): Elsewhere | null {
  const program = programOf(miss, fingerprint)
  if (program === undefined || miss.kind === 'image') return null
  const others = [...fingerprint.programs.values()].filter((other) => other !== program)
  if (miss.kind === 'exec') return elsewhereOfExec(execOf(miss), program, others, ledger)
  const { depth } = fingerprint.settings
  const context = contextOf(miss, depth)
  const known = new KnownSequences(projectedTo(program.successors, depth))
  const faulty = program.faults === null ? known : new KnownSequences(projectedTo(program.faults.successors, depth))
  const lengths: KnownLength[] = []
  for (let length = 1, cut = ''; cut !== context && context !== ''; length += 1) {
    cut = lastSymbols(context, length)
    const isKnown = known.has(cut, miss.to)
    const scenarios = ledger === null ? {} : scenariosOf(ledger, program.key, cut, miss.to)
    const isFaultOnly = !isKnown && faulty.has(cut, miss.to)
    lengths.push({ sequence: [...cut.split(' '), miss.to], isKnown, isFaultOnly, scenarios })
  }
  const pair = lastSymbols(context, 1)
  return {
    lengths,
    programs: others
      .filter((other) => new KnownSequences(projectedTo(other.successors, 2)).has(pair, miss.to))
      .map(({ key }) => key),
  }
}

function elsewhereOfExec(
  exec: string,
  program: ProgramFingerprint,
  others: readonly ProgramFingerprint[],
  ledger: Ledger | null,
): Elsewhere {
  const isKnown = program.execs.has(exec)
  const runs = ledger?.programs.get(program.key)?.execs.get(exec) ?? []
  const one = {
    sequence: [`exec:${exec}`],
    isKnown,
    isFaultOnly: !isKnown && program.faults?.execs.has(exec) === true,
    scenarios: ledger === null ? {} : countsOf(ledger, runs),
  }
  return { lengths: [one], programs: others.filter(({ execs }) => execs.has(exec)).map(({ key }) => key) }
}

/** Lines for `explain`. What is longer than something unknown is unknown too, and not worth a line. */
export function elsewhereText(elsewhere: Elsewhere): string[] {
  const lines: string[] = []
  for (const { sequence, isKnown, isFaultOnly, scenarios } of elsewhere.lengths) {
    const names = Object.entries(scenarios).map(([name, runs]) => `${printable(name)} (${runs})`)
    const from = names.length === 0 ? '' : `, from the runs of ${names.join(', ')}`
    const how = isKnown ? `known${from}` : isFaultOnly ? `known only while calls fail${from}` : 'not known'
    lines.push(`${sequence.map((symbol) => printable(symbol)).join(' -> ')}: ${how}`)
    if (!isKnown && !isFaultOnly) break
  }
  if (elsewhere.programs.length > 0) {
    lines.push(`known in other programs: ${elsewhere.programs.map((key) => printable(key)).join(', ')}`)
  }
  return lines
}

/** The program that a miss of kind `exec` is about. */
export function execOf({ to }: Miss): string {
  return to.replace(/^exec:/, '')
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
  return countsOf(ledger, runs)
}

/** Runs by scenario; those with faults apart. */
function countsOf(ledger: Ledger, runs: Iterable<number>): Record<string, number> {
  const counts: Record<string, number> = Object.create(null)
  for (const index of runs) {
    const run = ledger.runs[index]
    const name = run === undefined ? '' : isFaultRun(run) ? `${run.scenario} with faults` : run.scenario
    counts[name] = (counts[name] ?? 0) + 1
  }
  return counts
}
