// Ledgers are joined run by run: what both know counts once, whoever is first, and a run that one of them revoked stays away. So
// joining is commutative, associative and idempotent, as far as it is possible at all (test/model/join.property.test.ts).
import { TracefpError } from '../errors.ts'
import { assertSameSettings } from './fingerprint.ts'
import { lastOf } from './language.ts'
import { joinImages, type RunInfo } from './learner.ts'
import { type FormerImage, Ledger, type LedgerProgram, type Transitions } from './ledger.ts'
import type { RunSet } from './run-set.ts'
import type { Image } from './stream.ts'

/**
 * What either of them knows. `what` names the second one in messages.
 * @throws TracefpError TFP_ERR_MODEL_SETTINGS, TFP_ERR_MODEL_MAPPING: they were made differently.
 * @throws TracefpError TFP_ERR_MODEL_IDENTITY: a program of one is another file than that of the other.
 * @throws TracefpError TFP_ERR_MODEL_LEDGER: they tell of one run in two ways.
 */
export function joinLedgers(a: Ledger, b: Ledger, what: string): Ledger {
  assertSameSettings(a.settings, b.settings, what)
  const revoked = new Set([...a.revoked, ...b.revoked])
  const infos = new Map<string, RunInfo>()
  for (const info of [...a.runs, ...b.runs]) {
    const known = infos.get(info.id)
    if (known !== undefined && JSON.stringify(plain(known)) !== JSON.stringify(plain(info))) {
      throw new TracefpError(
        'TFP_ERR_MODEL_LEDGER',
        `${what} tells of run ${info.id} otherwise: one of them was altered`,
      )
    }
    infos.set(info.id, info)
  }
  const runs = [...infos.values()].filter(({ id }) => !revoked.has(id)).sort((x, y) => (x.id < y.id ? -1 : 1))
  const indexes = new Map(runs.map(({ id }, index) => [id, index]))
  const programs = new Map<string, LedgerProgram>()
  for (const ledger of [a, b]) {
    const renumbered = ledger.runs.map(({ id }) => indexes.get(id) ?? -1)
    for (const [key, program] of ledger.programs) {
      const moved = moveProgram(program, renumbered)
      const known = programs.get(key)
      programs.set(key, known === undefined ? moved : joinPrograms(known, moved, key, what))
    }
  }
  for (const [key, program] of programs) {
    if (program.runs.count === 0) programs.delete(key)
    else settleImage(program)
  }
  return Ledger.restore(a.settings, runs, revoked, programs)
}

/** The ledger without these runs and all that only they brought; they never come back. */
export function revokeRuns(ledger: Ledger, ids: readonly string[]): Ledger {
  return joinLedgers(ledger, Ledger.restore(ledger.settings, [], ids, new Map()), 'it')
}

/** By run: distinct transitions (pairs and execs) that only it brought. */
export function soleTransitionCounts(ledger: Ledger): number[] {
  const counts = ledger.runs.map(() => 0)
  const count = (runs: RunSet): void => {
    if (runs.count === 1) counts[runs.first] = (counts[runs.first] as number) + 1
  }
  for (const program of ledger.programs.values()) {
    const pairs = new Map<string, Map<string, RunSet>>()
    for (const [context, next] of program.transitions) {
      const last = lastOf(context, 1)
      pairs.set(last, joinSets(pairs.get(last) ?? new Map(), next))
    }
    for (const next of pairs.values()) for (const runs of next.values()) count(runs)
    for (const runs of program.execs.values()) count(runs)
  }
  return counts
}

/** Undefined fields and absent ones are the same. */
function plain({ id, at, scenario, host, kernel, libc, tool, command, layer, origin }: RunInfo): unknown[] {
  return [id, at, scenario, host, kernel, libc ?? '', tool, command, layer ?? 'normal', origin ?? 'run']
}

function moveProgram(program: LedgerProgram, renumbered: readonly number[]): LedgerProgram {
  const moved = new Map<RunSet, RunSet>()
  const move = (runs: RunSet): RunSet => {
    let set = moved.get(runs)
    if (set === undefined) {
      set = runs.renumbered(renumbered)
      moved.set(runs, set)
    }
    return set
  }
  return {
    image: program.image,
    formers: program.formers.map(({ image, runs }) => ({ image, runs: move(runs) })),
    runs: move(program.runs),
    roots: move(program.roots),
    execs: moveSets(program.execs, move),
    transitions: moveTransitions(program.transitions, move),
  }
}

function moveTransitions(transitions: Transitions, move: (runs: RunSet) => RunSet): Transitions {
  const moved: Transitions = new Map()
  for (const [context, next] of transitions) {
    const left = moveSets(next, move)
    if (left.size > 0) moved.set(context, left)
  }
  return moved
}

/** What no run is left of is left out. */
function moveSets(sets: ReadonlyMap<string, RunSet>, move: (runs: RunSet) => RunSet): Map<string, RunSet> {
  const moved = new Map<string, RunSet>()
  for (const [name, runs] of sets) {
    const set = move(runs)
    if (set.count > 0) moved.set(name, set)
  }
  return moved
}

function joinPrograms(a: LedgerProgram, b: LedgerProgram, key: string, what: string): LedgerProgram {
  const { image, formers } = joinIdentities(a, b, key, what)
  return {
    image,
    formers,
    runs: a.runs.union(b.runs),
    roots: a.roots.union(b.roots),
    execs: joinSets(a.execs, b.execs),
    transitions: joinTransitions(a.transitions, b.transitions),
  }
}

/** One of them may have come after the other, by an upgrade that it knows of. */
function joinIdentities(
  a: LedgerProgram,
  b: LedgerProgram,
  key: string,
  what: string,
): { image: Image; formers: readonly FormerImage[] } {
  const same = joinImages(a.image, b.image)
  const [after, before] = same === undefined && isFormer(b.image, a) ? [a, b] : [b, a]
  if (same === undefined && (!isFormer(before.image, after) || isFormer(after.image, before))) {
    const hashes = [a, b].map(({ image }) => (image.script?.sha256 ?? image.sha256 ?? 'none').slice(0, 12)).join(', ')
    const why = `${key}: in ${what} it is another file (sha256 ${hashes}); learn --upgrade tells which came after which`
    throw new TracefpError('TFP_ERR_MODEL_IDENTITY', why)
  }
  const all = [...after.formers, ...before.formers]
  if (same === undefined) all.push({ image: before.image, runs: currentRuns(before) })
  const formers: FormerImage[] = []
  for (const former of all) {
    const at = formers.findIndex((known) => joinImages(known.image, former.image) !== undefined)
    const known = formers[at]
    if (known === undefined) formers.push(former)
    else formers[at] = { image: joinImages(known.image, former.image) as Image, runs: known.runs.union(former.runs) }
  }
  return { image: same ?? after.image, formers }
}

function isFormer(image: Image, { formers }: LedgerProgram): boolean {
  return formers.some((former) => joinImages(former.image, image) !== undefined)
}

function currentRuns({ runs, formers }: LedgerProgram): RunSet {
  return formers.reduce((rest, former) => rest.without(former.runs), runs)
}

/** Where no run is left of an image, it is not known any more; the one before it is the current one again. */
function settleImage(program: LedgerProgram): void {
  program.formers = program.formers.filter(({ runs }) => runs.count > 0)
  if (program.formers.length === 0 || currentRuns(program).count > 0) return
  const latest = program.formers.reduce((a, b) => (latestRun(b.runs) > latestRun(a.runs) ? b : a))
  program.image = latest.image
  program.formers = program.formers.filter((former) => former !== latest)
}

function latestRun(runs: RunSet): number {
  return [...runs].at(-1) ?? -1
}

function joinTransitions(a: Transitions, b: Transitions): Transitions {
  const joined: Transitions = new Map(a)
  for (const [context, next] of b) {
    const known = joined.get(context)
    joined.set(context, known === undefined ? next : joinSets(known, next))
  }
  return joined
}

function joinSets(a: ReadonlyMap<string, RunSet>, b: ReadonlyMap<string, RunSet>): Map<string, RunSet> {
  const joined = new Map(a)
  for (const [name, runs] of b) joined.set(name, joined.get(name)?.union(runs) ?? runs)
  return joined
}
