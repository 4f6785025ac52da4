// What a difference between fingerprints says to people: sequences in groups by what their last call can do, images, budgets.
// Text and Markdown are made of it.

import { printable } from '../match/printable.ts'
import type { FaultDiff, ProgramDiff } from '../model/diff.ts'
import { type BudgetChange, isNearer } from '../model/mimicry.ts'
import type { Sequence } from '../model/sequences.ts'
import type { Image } from '../model/stream.ts'
import { ABILITIES, type Ability, abilityOf, abilityText, isTargetAbility } from '../syscall/abilities.ts'

/** Symbols of a way that are shown. */
const PATH_LIMIT = 12

export interface ChangeGroup {
  readonly ability: Ability
  readonly text: string
  readonly isTarget: boolean
  readonly added: readonly Sequence[]
  readonly removed: readonly Sequence[]
}

/** Those that are not empty; those that attacks end in first. */
export function groupsOf({ added, removed }: Pick<FaultDiff, 'added' | 'removed'>): ChangeGroup[] {
  const ofAbility = (sequences: readonly Sequence[], ability: Ability): Sequence[] =>
    sequences.filter((sequence) => abilityOf(sequence.at(-1) as string) === ability)
  return ABILITIES.map((ability) => ({
    ability,
    text: abilityText(ability),
    isTarget: isTargetAbility(ability),
    added: ofAbility(added, ability),
    removed: ofAbility(removed, ability),
  })).filter((group) => group.added.length + group.removed.length > 0)
}

export function sequenceText(sequence: Sequence): string {
  return sequence.map((symbol) => printable(symbol)).join(' -> ')
}

/** A way, without its middle where it is long. */
export function pathText(path: Sequence): string {
  if (path.length <= PATH_LIMIT) return sequenceText(path)
  const [head, tail] = [path.slice(0, PATH_LIMIT - 4), path.slice(-3)]
  return `${sequenceText(head)} -> (${path.length - PATH_LIMIT + 1} more) -> ${sequenceText(tail)}`
}

/** `sha256 aaaa -> bbbb`. */
export function imageChange(old: Image | null, now: Image | null): string {
  const changes: string[] = []
  const tell = (what: string, a: string | null | undefined, b: string | null | undefined): void => {
    if ((a ?? null) !== (b ?? null)) changes.push(`${what} ${shortHash(a)} -> ${shortHash(b)}`)
  }
  tell('sha256', old?.sha256, now?.sha256)
  tell('build-id', old?.buildId, now?.buildId)
  tell('script', old?.script?.sha256, now?.script?.sha256)
  return changes.join(', ')
}

/** `execve at depth 2: 2 calls after read, 5 before: read -> dup2 -> execve`. */
export function budgetText(change: BudgetChange): string {
  const { depth, call, oldDistance, newDistance, newPath } = change
  const what = `${printable(call)} at depth ${depth}`
  const was = oldDistance === null ? 'out of reach before' : `${oldDistance} before`
  if (newDistance === null) return `${what}: out of reach, ${was}`
  const calls = `${newDistance} ${newDistance === 1 ? 'call' : 'calls'}`
  return `${what}: ${calls} after ${printable(newPath[0] ?? '')}, ${was}: ${pathText(newPath)}`
}

export function nearer(programs: readonly ProgramDiff[]): readonly BudgetChange[] {
  return programs.flatMap(({ budget }) => budget.filter(isNearer))
}

function shortHash(hash: string | null | undefined): string {
  return hash === null || hash === undefined ? '(not known)' : hash.slice(0, 12)
}
