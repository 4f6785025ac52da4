// A fingerprint for people and other programs: the arrays of the paper, a graph for Graphviz, a summary, JSON.
import type { Mapping } from '../syscall/mapping.ts'
import { writeWord } from './canonical.ts'
import type { Fingerprint, ProgramFingerprint } from './fingerprint.ts'
import { sequenceCounts } from './language.ts'
import { dangersAmong } from './never-learned.ts'
import { pairsOf } from './path.ts'

/** The view of the paper: each call with its number, and the calls seen right after it. One line per call. */
export function renderArrays(program: ProgramFingerprint, mapping: Mapping): string {
  const name = (symbol: string): string => {
    const number = mapping.hasNumbers ? mapping.numberOf(symbol) : undefined
    return number === undefined ? symbol : `${symbol}(${number.nr})`
  }
  const lines = [...pairsOf(program)].map(([symbol, next]) => `${name(symbol)}: ${next.map(name).join(' ')}\n`)
  return `# ${writeWord(program.key)}\n${lines.join('')}`
}

/** One directed graph of pairs; an arrow is labelled with the number of runs that had it. */
export function renderDot(program: ProgramFingerprint): string {
  const lines = [`digraph ${dotWord(program.key)} {`, '  node [shape=box];']
  for (const [context, next] of program.successors) {
    if (context.includes(' ')) break
    for (const [symbol, runs] of next) lines.push(`  ${dotWord(context)} -> ${dotWord(symbol)} [label=${runs}];`)
  }
  return `${lines.join('\n')}\n}\n`
}

export function renderSummary(fingerprint: Fingerprint): string {
  const { settings } = fingerprint
  const lines = [
    `sha256       ${fingerprint.sha256}`,
    `mapping      ${writeWord(settings.mapping)}`,
    `settings     depth ${settings.depth}, tracks ${settings.tracks}, scope ${settings.scope}, order ${settings.order}`,
    `transparent  ${settings.transparent.join(' ') || '(none)'}`,
    `runs         ${fingerprint.runCount}${fingerprint.faultRunCount > 0 ? `, and ${fingerprint.faultRunCount} in which calls were made to fail` : ''}`,
  ]
  for (const program of fingerprint.programs.values()) {
    const root = fingerprint.roots.includes(program.key) ? ' (root)' : ''
    lines.push(
      `program      ${writeWord(program.key)}${root}: ${program.alphabet.length} symbols, ` +
        `${transitionCountOf(program)} transitions, ${program.execs.size} programs in the exec set`,
    )
    if (settings.depth > 2) {
      const counts = sequenceCounts(program.successors, settings.depth).map((count, at) => `${count} of ${at + 2}`)
      lines.push(`             sequences  ${counts.join(', ')} calls`)
    }
    const faultCount = faultTransitionCount(program)
    if (faultCount > 0) lines.push(`             faults     ${faultCount} transitions besides, abnormal but authentic`)
    const dangers = dangersAmong(program.alphabet)
    if (dangers.length > 0) lines.push(`             dangerous  ${dangers.join(' ')}: never learned unless asked for`)
  }
  return `${lines.join('\n')}\n`
}

/** Plain data for JSON.stringify. */
export function toJson(fingerprint: Fingerprint): object {
  return {
    settings: fingerprint.settings,
    mappingHash: fingerprint.mappingHash,
    sha256: fingerprint.sha256,
    runCount: fingerprint.runCount,
    faultRunCount: fingerprint.faultRunCount,
    tally: fingerprint.tally,
    scenarios: entries(fingerprint.scenarios),
    kernels: fingerprint.kernels,
    libcs: fingerprint.libcs,
    roots: fingerprint.roots,
    programs: [...fingerprint.programs.values()].map((program) => ({
      key: program.key,
      image: program.image,
      alphabet: program.alphabet,
      transitionCount: transitionCountOf(program),
      execs: entries(program.execs),
      successors: entries(program.successors, entries),
      faults:
        program.faults === null
          ? null
          : { execs: entries(program.faults.execs), successors: entries(program.faults.successors, entries) },
    })),
  }
}

/** Distinct transitions of one program, in the sense of the paper (depth 2). */
export function transitionCountOf(program: ProgramFingerprint): number {
  let count = 0
  for (const [context, next] of program.successors) if (!context.includes(' ')) count += next.size
  return count
}

/** Distinct transitions and execs that were seen only while calls were made to fail. */
export function faultTransitionCount({ successors, faults }: ProgramFingerprint): number {
  if (faults === null) return 0
  let count = faults.execs.size
  for (const [context, next] of faults.successors) {
    if (context.includes(' ')) continue
    const known = successors.get(context)
    for (const symbol of next.keys()) if (known?.has(symbol) !== true) count += 1
  }
  return count
}

/** Without a prototype, so that no key of a file can reach it. */
function entries<T>(map: ReadonlyMap<string, T>, value: (item: T) => unknown = (item) => item): object {
  const object: Record<string, unknown> = Object.create(null)
  for (const [key, item] of map) object[key] = value(item)
  return object
}

/** Quoted for Graphviz; what is not ASCII stands as \uXXXX. */
function dotWord(text: string): string {
  const ascii = text.replace(/[^ -~]/g, (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`)
  return `"${ascii.replace(/["\\]/g, '\\$&')}"`
}
