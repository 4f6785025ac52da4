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

/** How near one call is, by input. */
export interface CallBudget {
  readonly call: string
  /** From the nearest input; null: out of reach of all. */
  readonly distance: number | null
  readonly path: readonly string[]
  /** Nearest first. */
  readonly byInput: readonly { readonly input: string; readonly distance: number | null }[]
}

const LOWER_BOUND =
  '             (calls to make after an input, all of them allowed: a lower bound, which ignores arguments)'

/** At depth 2 and at the depth that was learned. */
export function budgetsOf(programs: readonly ProgramFingerprint[], { settings }: Fingerprint): ProgramBudget[] {
  const depths = [...new Set([2, settings.depth])]
  return programs.flatMap(({ key, successors }) =>
    depths.map((depth) => ({ program: key, depth, inputs: mimicryBudget(projectedTo(successors, depth)) })),
  )
}

/** Nearest first. */
export function callBudgets(inputs: readonly InputReach[]): CallBudget[] {
  return cheapestReaches(inputs).map(({ call, distance, path }) => ({
    call,
    distance,
    path,
    byInput: inputs
      .map(({ input, reaches }) => ({
        input,
        distance: reaches.find((reach) => reach.call === call)?.distance ?? null,
      }))
      .sort((a, b) => (a.distance ?? Number.POSITIVE_INFINITY) - (b.distance ?? Number.POSITIVE_INFINITY)),
  }))
}

/** `read 100 %, pread64 90 %`: of all calls of the program, those that can be reached. */
export function shareText(inputs: readonly InputReach[]): string {
  return inputs
    .map(({ input, reachableShare }) => `${printable(input)} ${Math.round(100 * reachableShare)} %`)
    .join(', ')
}

/** Empty: no program takes input, or none makes a call that attacks end in. Programs of one budget are told together. */
export function budgetSummary(programs: readonly ProgramFingerprint[], fingerprint: Fingerprint): string {
  const programsOf = new Map<string, string[]>()
  for (const { program, depth, inputs } of budgetsOf(programs, fingerprint)) {
    const budgets = callBudgets(inputs)
    if (budgets.length === 0) continue
    const head = `checked at depth ${depth}: of its calls can be reached from ${shareText(inputs)}`
    const text = [head, ...budgets.map(budgetLine)].join('\n')
    programsOf.set(text, [...(programsOf.get(text) ?? []), program])
  }
  const blocks = [...programsOf].map(([text, [first = '', ...others]]) => {
    const more = others.length === 0 ? '' : ` and ${others.length} more ${others.length === 1 ? 'program' : 'programs'}`
    return `mimicry      ${printable(first)}${more}, ${text}`
  })
  return blocks.length === 0 ? '' : `${[...blocks, LOWER_BOUND].join('\n')}\n`
}

/** `execve  2: read -> close -> execve; recvfrom 4, accept4 never`. */
function budgetLine({ call, distance, path, byInput }: CallBudget): string {
  const others = byInput.slice(1).map(({ input, distance: far }) => `${printable(input)} ${far ?? 'never'}`)
  const way = distance === null ? 'out of reach' : `${distance}: ${pathText(path)}`
  const rest = distance === null || others.length === 0 ? '' : `; from ${others.join(', ')}`
  return `             ${printable(call).padEnd(14)} ${way}${rest}`
}
