// What people decided about the misses of reports, as a run that a ledger takes: `allow` makes a step authentic, `abnormal` adds
// it to the layer of what is abnormal but authentic, `incident` and `skip` change nothing. Being a run of its own, it is seen in
// the ledger and can be revoked.

import { UsageError } from '../errors.ts'
import type { Miss } from '../match/miss.ts'
import { printable } from '../match/printable.ts'
import { END_SYMBOL, type Fingerprint, SET_IMAGE } from '../model/fingerprint.ts'
import { type RunDelta, type RunInfo, RunObservation } from '../model/learner.ts'
import { KnownSequences, projectedTo } from '../model/sequences.ts'
import { contextOf, execOf, programOf } from './elsewhere.ts'

export const DECISIONS = ['allow', 'abnormal', 'incident', 'skip'] as const
export type TriageDecision = (typeof DECISIONS)[number]

/** Misses that are the same step of the same program: one decision is about all of them. */
export interface TriageCase {
  /** From 1. */
  readonly number: number
  readonly miss: Miss
  readonly sessions: readonly string[]
  readonly missCount: number
  /** Why it cannot be allowed; null: it can. */
  readonly obstacle: string | null
}

export interface DecidedCase extends TriageCase {
  readonly decision: TriageDecision
}

export function casesOf(
  reports: readonly { readonly session: string; readonly misses: readonly Miss[] }[],
  fingerprint: Fingerprint,
): TriageCase[] {
  const cases = new Map<string, { miss: Miss; sessions: Set<string>; missCount: number }>()
  for (const { session, misses } of reports) {
    for (const miss of misses) {
      const key = JSON.stringify([miss.image, miss.kind, contextOf(miss, fingerprint.settings.depth), miss.to])
      const known = cases.get(key) ?? { miss, sessions: new Set<string>(), missCount: 0 }
      known.sessions.add(session)
      known.missCount += 1
      cases.set(key, known)
    }
  }
  return [...cases.values()].map(({ miss, sessions, missCount }, index) => ({
    number: index + 1,
    miss,
    sessions: [...sessions],
    missCount,
    obstacle: obstacleOf(miss, fingerprint),
  }))
}

/** `3=allow`, `1-4=abnormal`, `all=skip`; later ones win. @throws UsageError. */
export function parseDecisions(words: readonly string[], caseCount: number): Map<number, TriageDecision> {
  const decided = new Map<number, TriageDecision>()
  for (const word of words) {
    const [, first, last, name] = /^(?:all|([1-9]\d{0,8})(?:-([1-9]\d{0,8}))?)=([a-z]+)$/.exec(word) ?? []
    const decision = DECISIONS.find((known) => known === name)
    if (decision === undefined) {
      throw new UsageError(`${word}: expected N=, N-M= or all= and one of ${DECISIONS.join(', ')}`)
    }
    const from = first === undefined ? 1 : Number(first)
    const to = last === undefined ? (first === undefined ? caseCount : from) : Number(last)
    if (from > to || to > caseCount) throw new UsageError(`${word}: the cases are numbered 1 to ${caseCount}`)
    for (let number = from; number <= to; number += 1) decided.set(number, decision)
  }
  return decided
}

/**
 * What the cases of one decision teach. Null: nothing, since none was decided so.
 * @throws UsageError: one of them cannot be allowed.
 */
export function runOfCases(cases: readonly TriageCase[], fingerprint: Fingerprint, info: RunInfo): RunDelta | null {
  if (cases.length === 0) return null
  const run = new RunObservation(fingerprint.settings, info)
  for (const { number, miss, obstacle } of cases) {
    const section = programOf(miss, fingerprint)
    if (obstacle !== null || section === undefined) throw new UsageError(`case ${number}: ${obstacle ?? 'no program'}`)
    const program = run.enterProgram(section.key === SET_IMAGE.path ? SET_IMAGE : section.image, false)
    if (miss.kind === 'exec') {
      program.observeExec(execOf(miss))
      continue
    }
    const context = contextOf(miss, fingerprint.settings.depth).split(' ')
    const isLearned = program.observe(
      context.map((symbol) => program.symbol(symbol)),
      program.symbol(miss.to),
    )
    if (!isLearned) throw new UsageError(`case ${number}: ${printable(miss.to)} is never learned`)
  }
  return run.finish()
}

/** Whether what was allowed as abnormal stayed out of what is authentic. */
export function staysApart(cases: readonly TriageCase[], before: Fingerprint, after: Fingerprint): boolean {
  const { depth } = before.settings
  const knows = (fingerprint: Fingerprint, miss: Miss): boolean => {
    const program = programOf(miss, fingerprint)
    if (program === undefined) return false
    if (miss.kind === 'exec') return program.execs.has(execOf(miss))
    return new KnownSequences(projectedTo(program.successors, depth)).has(contextOf(miss, depth), miss.to)
  }
  return cases.every(({ miss }) => knows(before, miss) || !knows(after, miss))
}

function obstacleOf(miss: Miss, fingerprint: Fingerprint): string | null {
  const { depth } = fingerprint.settings
  if (miss.kind === 'image')
    return 'a program that was replaced is not allowed but learned: the fingerprint names its file'
  if (programOf(miss, fingerprint) === undefined) return `${printable(miss.image)} is not in the fingerprint: learn it`
  if (miss.kind === 'exec') return null
  if (miss.to.startsWith('<') && miss.to !== END_SYMBOL) return 'it is no call'
  const context = contextOf(miss, depth)
  if (context === '') return 'what came before it is not known'
  const length = context.split(' ').length
  if (length < depth - 1 && !context.startsWith('<')) return 'too little of what came before it is known'
  return null
}
