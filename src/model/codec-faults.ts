// The lines of the fault layer of one program: sets that are not those without faults. `fault CONTEXT` alone: with faults the
// context has the set of its end.
import type { LineReader } from './canonical.ts'
import {
  checkListed,
  inOrder,
  readContext,
  readCounts,
  readExecs,
  type SetLimits,
  writeCounts,
  writeExecs,
} from './codec-sets.ts'
import type { FaultLayer, Successors } from './fingerprint.ts'
import { compareContexts, isKnown, lengthOf, type NextCounts, nextAfter } from './language.ts'

export function writeFaults({ successors, execs }: FaultLayer, normal: Successors): string[] {
  const lines = writeExecs('fault-exec', execs)
  const contexts = new Set([...normal.keys(), ...successors.keys()])
  for (const context of [...contexts].sort(compareContexts)) {
    const next = successors.get(context)
    if (next === undefined) lines.push(`fault ${context}`)
    else if (next !== normal.get(context)) lines.push(`fault ${context} ->${writeCounts(next)}`)
  }
  return lines
}

/** Null: there are none. */
export function readFaults(
  reader: LineReader,
  limits: SetLimits & { readonly faultRunCount: number },
  normal: Successors,
  execs: ReadonlyMap<string, number>,
): FaultLayer | null {
  const allCount = limits.runCount + limits.faultRunCount
  const faultExecs = readExecs(reader, 'fault-exec', limits.faultRunCount)
  for (const exec of faultExecs.keys())
    if (execs.has(exec)) reader.fail('a program that is executed without faults too')
  const changed = new Map<string, NextCounts | null>()
  let previous: string | undefined
  for (let rest = reader.take('fault'); rest !== undefined; rest = reader.take('fault')) {
    const arrow = rest.search(/ ->(?: |$)/)
    const text = arrow < 0 ? rest : rest.slice(0, arrow)
    if (limits.upTo < limits.depth && lengthOf(text) >= limits.upTo) {
      reader.skip('fault')
      break
    }
    const context = readContext(reader, text, limits.depth)
    const next = arrow < 0 ? null : readCounts(reader, rest.slice(arrow + 4), allCount)
    inOrder(reader, previous, context)
    const known = normal.get(context)
    if (next === null ? known === undefined : known !== undefined && isSame(known, next)) reader.fail('not a change')
    changed.set(context, next)
    previous = context
  }
  if (changed.size === 0 && faultExecs.size === 0) return null
  const successors = changed.size === 0 ? normal : joined(reader, normal, changed)
  return { successors, execs: faultExecs }
}

/** The sets with faults, checked: they hold all that the sets without faults do. */
function joined(reader: LineReader, normal: Successors, changed: ReadonlyMap<string, NextCounts | null>): Successors {
  const successors = new Map<string, NextCounts>()
  const contexts = new Set([...normal.keys(), ...changed.keys()])
  for (const context of [...contexts].sort(compareContexts)) {
    const next = changed.get(context) === undefined ? normal.get(context) : changed.get(context)
    if (next === undefined || next === null) continue
    checkListed(reader, successors, context, next)
    successors.set(context, next)
  }
  for (const context of contexts) {
    if (!normal.has(context) && !isKnown(normal, context)) continue
    const all = nextAfter(successors, context)
    for (const symbol of nextAfter(normal, context)?.keys() ?? []) {
      if (all?.has(symbol) !== true) reader.fail('what was seen without faults is missing')
    }
  }
  return successors
}

function isSame(a: NextCounts, b: NextCounts): boolean {
  return a.size === b.size && [...a.keys()].every((symbol) => b.has(symbol))
}
