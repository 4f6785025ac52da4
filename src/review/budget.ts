// The mimicry budgets of a fingerprint, for `show`: text and plain data.

import { printable } from '../match/printable.ts'
import type { Fingerprint, ProgramFingerprint } from '../model/fingerprint.ts'
import { cheapestReaches, type InputReach, mimicryBudget } from '../model/mimicry.ts'
import { projectedTo } from '../model/sequences.ts'
import { pathText } from './diff-words.ts'

export interface ProgramBudget {
  readonly program: string
  /** Depth of the check that it is about. */
  readonly depth: number
  readonly inputs: readonly InputReach[]
}

/** At depth 2 and at the depth that was learned. */
export function budgetsOf(programs: readonly ProgramFingerprint[], { settings }: Fingerprint): ProgramBudget[] {
  const depths = [...new Set([2, settings.depth])]
  return programs.flatMap(({ key, successors }) =>
    depths.map((depth) => ({ program: key, depth, inputs: mimicryBudget(projectedTo(successors, depth)) })),
  )
}

/** Empty: no program takes input, or none makes a call that attacks end in. */
export function budgetSummary(programs: readonly ProgramFingerprint[], fingerprint: Fingerprint): string {
  const lines = budgetsOf(programs, fingerprint).flatMap(({ program, depth, inputs }) => {
    const reaches = cheapestReaches(inputs)
    if (reaches.length === 0) return []
    const share = Math.round(100 * Math.max(...inputs.map(({ reachableShare }) => reachableShare)))
    return [
      `mimicry      ${printable(program)}, checked at depth ${depth}: from an input ${share} % of the calls can be reached`,
      ...reaches.map(({ call, distance, path }) => {
        const way = distance === null ? 'out of reach' : `${distance}: ${pathText(path)}`
        return `             ${printable(call).padEnd(14)} ${way}`
      }),
    ]
  })
  const bound =
    '             (calls to make after an input, all of them allowed: a lower bound, which ignores arguments)'
  return lines.length === 0 ? '' : `${[...lines, bound].join('\n')}\n`
}
