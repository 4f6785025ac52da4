// What changed between two fingerprints: programs, images, exec sets, and sequences at the shortest length at which they are
// new or gone. Pure; how it is told is elsewhere. Fingerprints of two depths are compared at the lower one.
import { TracefpError } from '../errors.ts'
import { isSpecial } from '../syscall/mapping.ts'
import { type Fingerprint, type ProgramFingerprint, settingsDifference } from './fingerprint.ts'
import { type BudgetChange, budgetChanges } from './mimicry.ts'
import { KnownSequences, projectedTo, type Sequence, unknownSequences } from './sequences.ts'
import type { Image } from './stream.ts'

export interface ProgramDiff {
  readonly key: string
  readonly status: 'added' | 'removed' | 'changed'
  readonly oldImage: Image | null
  readonly newImage: Image | null
  readonly isImageChanged: boolean
  /** Calls that it makes now and never made, and the other way. */
  readonly addedCalls: readonly string[]
  readonly removedCalls: readonly string[]
  readonly added: readonly Sequence[]
  readonly removed: readonly Sequence[]
  readonly addedExecs: readonly string[]
  readonly removedExecs: readonly string[]
  /** The same of the fault layer: only while calls fail. What the layer without faults tells is not repeated. */
  readonly faults: FaultDiff
  /** Calls that an attack ends in whose shortest way from an input is another one now: checked at depth 2, and at that of the comparison. */
  readonly budget: readonly BudgetChange[]
}

export interface FaultDiff {
  readonly added: readonly Sequence[]
  readonly removed: readonly Sequence[]
  readonly addedExecs: readonly string[]
  readonly removedExecs: readonly string[]
}

export interface FingerprintSide {
  readonly sha256: string
  readonly depth: number
  readonly runCount: number
  readonly faultRunCount: number
}

export interface FingerprintDiff {
  /** Depth of the comparison. */
  readonly depth: number
  readonly old: FingerprintSide
  readonly new: FingerprintSide
  readonly addedRoots: readonly string[]
  readonly removedRoots: readonly string[]
  /** Those that differ, sorted by key. */
  readonly programs: readonly ProgramDiff[]
}

/**
 * `depth`: compare at this one, at most that of both.
 * @throws TracefpError TFP_ERR_MODEL_SETTINGS, TFP_ERR_MODEL_MAPPING: they cannot be compared.
 */
export function diffFingerprints(old: Fingerprint, now: Fingerprint, depth?: number): FingerprintDiff {
  const difference = settingsDifference({ ...old.settings, depth: 2 }, { ...now.settings, depth: 2 })
  if (difference !== undefined) {
    const code = old.settings.mapping === now.settings.mapping ? 'TFP_ERR_MODEL_SETTINGS' : 'TFP_ERR_MODEL_MAPPING'
    throw new TracefpError(code, `the two fingerprints cannot be compared: the old one was made with ${difference}`)
  }
  const common = Math.min(old.settings.depth, now.settings.depth, depth ?? Number.POSITIVE_INFINITY)
  const keys = [...new Set([...old.programs.keys(), ...now.programs.keys()])].sort()
  return {
    depth: common,
    old: sideOf(old),
    new: sideOf(now),
    addedRoots: missing(now.roots, old.roots),
    removedRoots: missing(old.roots, now.roots),
    programs: keys
      .map((key) => diffPrograms(key, old.programs.get(key), now.programs.get(key), common))
      .filter((program) => program !== null),
  }
}

/** Whether both allow the same. How many runs vouch for it may differ. */
export function isSameBehaviour({ programs, addedRoots, removedRoots }: FingerprintDiff): boolean {
  return programs.length + addedRoots.length + removedRoots.length === 0
}

function diffPrograms(
  key: string,
  old: ProgramFingerprint | undefined,
  now: ProgramFingerprint | undefined,
  depth: number,
): ProgramDiff | null {
  const [before, after] = [
    projectedTo(old?.successors ?? new Map(), depth),
    projectedTo(now?.successors ?? new Map(), depth),
  ]
  const diff: ProgramDiff = {
    key,
    status: old === undefined ? 'added' : now === undefined ? 'removed' : 'changed',
    oldImage: old?.image ?? null,
    newImage: now?.image ?? null,
    isImageChanged: old !== undefined && now !== undefined && imageText(old.image) !== imageText(now.image),
    addedCalls: missing(callsOf(now), callsOf(old)),
    removedCalls: missing(callsOf(old), callsOf(now)),
    added: unknownSequences(after, new KnownSequences(before)),
    removed: unknownSequences(before, new KnownSequences(after)),
    addedExecs: missing(now?.execs.keys() ?? [], old?.execs.keys() ?? []),
    removedExecs: missing(old?.execs.keys() ?? [], now?.execs.keys() ?? []),
    faults: {
      added: onlyWithFaults(now, old, depth),
      removed: onlyWithFaults(old, now, depth),
      addedExecs: missing(now?.faults?.execs.keys() ?? [], [...execsWithFaults(old), ...(now?.execs.keys() ?? [])]),
      removedExecs: missing(old?.faults?.execs.keys() ?? [], [...execsWithFaults(now), ...(old?.execs.keys() ?? [])]),
    },
    budget: [...new Set([2, depth])].flatMap((length) =>
      budgetChanges(
        projectedTo(old?.successors ?? new Map(), length),
        projectedTo(now?.successors ?? new Map(), length),
        length,
      ),
    ),
  }
  const isSame = diff.status === 'changed' && !diff.isImageChanged && isEmpty(diff) && isEmpty(diff.faults)
  return isSame ? null : diff
}

function isEmpty({ added, removed, addedExecs, removedExecs }: FaultDiff): boolean {
  return added.length + removed.length + addedExecs.length + removedExecs.length === 0
}

/** What the fault layer of one has, the other has nowhere, and the layer without faults has not either. */
function onlyWithFaults(
  one: ProgramFingerprint | undefined,
  other: ProgramFingerprint | undefined,
  depth: number,
): Sequence[] {
  if (one === undefined || one.faults === null) return []
  const own = new KnownSequences(projectedTo(one.successors, depth))
  const others = new KnownSequences(projectedTo(other?.faults?.successors ?? other?.successors ?? new Map(), depth))
  const sequences = unknownSequences(projectedTo(one.faults.successors, depth), others)
  return sequences.filter((sequence) => !own.has(sequence.slice(0, -1).join(' '), sequence.at(-1) as string))
}

function execsWithFaults(program: ProgramFingerprint | undefined): string[] {
  return [...(program?.execs.keys() ?? []), ...(program?.faults?.execs.keys() ?? [])]
}

function sideOf({ sha256, settings, runCount, faultRunCount }: Fingerprint): FingerprintSide {
  return { sha256, depth: settings.depth, runCount, faultRunCount }
}

/** What the first has and the second has not; sorted. */
function missing(from: Iterable<string>, other: Iterable<string>): string[] {
  const known = new Set(other)
  return [...from].filter((text) => !known.has(text)).sort()
}

function callsOf(program: ProgramFingerprint | undefined): string[] {
  return (program?.alphabet ?? []).filter((symbol) => !isSpecial(symbol))
}

function imageText({ sha256, buildId, script }: Image): string {
  return JSON.stringify([sha256, buildId, script?.sha256 ?? null])
}
