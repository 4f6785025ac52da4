// Ledgers of format 1: no layers, no C library, and the runs of each transition on its own line.
import type { LineReader } from './canonical.ts'
import { MAX_RUN_COUNT } from './codec-fingerprint.ts'
import { readWholeContext } from './codec-sets.ts'
import { readImage } from './codec-settings.ts'
import type { RunInfo } from './learner.ts'
import type { LedgerProgram, Transitions } from './ledger.ts'
import { RunSet } from './run-set.ts'
import { programKeyOf } from './stream.ts'

export function readOldRun(reader: LineReader, rest: string, ordinal: number): RunInfo {
  const [number, id, at, scenario, host, kernel, tool, ...command] = reader.words(rest)
  if (tool === undefined) reader.fail('expected "run N ULID AT SCENARIO HOST KERNEL TOOL COMMAND..."')
  if (number !== `${ordinal}` || ordinal > MAX_RUN_COUNT) reader.fail(`expected run number ${ordinal}`)
  return { id: id!, at: at!, scenario: scenario!, host: host!, kernel: kernel!, tool, command }
}

export function readOldPrograms(reader: LineReader, depth: number, runCount: number): Map<string, LedgerProgram> {
  const known = new Map<string, RunSet>()
  const setOf = (text: string): RunSet => {
    const set = known.get(text) ?? RunSet.parseRanges(text, runCount)
    if (set === undefined) reader.fail(`not ascending ranges of the runs 1 to ${runCount}`)
    known.set(text, set)
    return set
  }
  const programs = new Map<string, LedgerProgram>()
  let previous: string | undefined
  for (let image = readImage(reader); image !== undefined; image = readImage(reader)) {
    const key = programKeyOf(image)
    reader.ascending(previous, key)
    const runs = setOf(reader.need('runs'))
    const rootsText = reader.take('root')
    const roots = rootsText === undefined ? RunSet.EMPTY : setOf(rootsText)
    const execs = readExecs(reader, setOf)
    programs.set(key, { image, formers: [], runs, roots, execs, transitions: readTransitions(reader, depth, setOf) })
    previous = key
  }
  return programs
}

function readExecs(reader: LineReader, setOf: (text: string) => RunSet): Map<string, RunSet> {
  const execs = new Map<string, RunSet>()
  let previous: string | undefined
  for (let rest = reader.take('exec'); rest !== undefined; rest = reader.take('exec')) {
    const [exec = '', runs = '', ...more] = reader.words(rest)
    if (more.length > 0) reader.fail('expected "exec PROGRAM RUNS"')
    reader.ascending(previous, exec)
    execs.set(exec, setOf(runs))
    previous = exec
  }
  return execs
}

function readTransitions(reader: LineReader, depth: number, setOf: (text: string) => RunSet): Transitions {
  const transitions: Transitions = new Map()
  let previousContext: string | undefined
  let previousSymbol: string | undefined
  for (let rest = reader.take('after'); rest !== undefined; rest = reader.take('after')) {
    const arrow = rest.indexOf(' -> ')
    const [symbol = '', runs = '', ...more] = arrow < 0 ? [] : rest.slice(arrow + 4).split(' ')
    if (!reader.isSymbol(symbol) || more.length > 0) reader.fail('expected "after CONTEXT -> SYMBOL RUNS"')
    const context = readWholeContext(reader, rest.slice(0, arrow), depth)
    let next = transitions.get(context)
    if (next === undefined) {
      reader.ascending(previousContext, context)
      next = new Map()
      transitions.set(context, next)
    } else {
      if (context !== previousContext) reader.fail('out of order')
      reader.ascending(previousSymbol, symbol)
    }
    next.set(symbol, setOf(runs))
    previousContext = context
    previousSymbol = symbol
  }
  return transitions
}
