// Ledger <-> the text of a `.tfl` file. Runs are numbered in order of their ULIDs, one line each; what they brought stands
// as ranges of those numbers, one line per transition.
import type { Mapping } from '../syscall/mapping.ts'
import { frameText, LineReader, type TextKind, writeWord } from './canonical.ts'
import { MAX_RUN_COUNT, readContext } from './codec-fingerprint.ts'
import { readImage, readSettings, writeImage, writeSettings } from './codec-settings.ts'
import type { RunInfo } from './learner.ts'
import { Ledger, type LedgerProgram } from './ledger.ts'
import { RunSet } from './run-set.ts'
import { programKeyOf } from './stream.ts'

export const LEDGER_KIND: TextKind = { magic: 'tracefp-ledger', version: 1, noun: 'ledger' }

export function encodeLedger(ledger: Ledger, mapping: Mapping): string {
  const order = ledger.runs.map((_, index) => index).sort((a, b) => compare(idOf(ledger, a), idOf(ledger, b)))
  const ordinals: number[] = []
  for (const [ordinal, index] of order.entries()) ordinals[index] = ordinal
  const isInOrder = ordinals.every((ordinal, index) => ordinal === index)
  const write = (runs: RunSet): string =>
    (isInOrder ? runs : RunSet.of([...runs].map((index) => ordinals[index] as number))).toString()

  const lines = writeSettings(ledger.settings, mapping.hashOf(ledger.symbols()))
  for (const [ordinal, index] of order.entries()) lines.push(writeRun(ordinal + 1, ledger.runs[index] as RunInfo))
  for (const key of [...ledger.programs.keys()].sort()) {
    const program = ledger.programs.get(key) as LedgerProgram
    lines.push(...writeImage(program.image), `runs ${write(program.runs)}`)
    if (program.roots.count > 0) lines.push(`root ${write(program.roots)}`)
    for (const [exec, runs] of sorted(program.execs)) lines.push(`exec ${writeWord(exec)} ${write(runs)}`)
    for (const [context, next] of sorted(program.transitions)) {
      for (const [symbol, runs] of sorted(next)) lines.push(`after ${context} -> ${symbol} ${write(runs)}`)
    }
  }
  return frameText(LEDGER_KIND, lines)
}

/**
 * Reads the text of a file; `fileName` is for messages.
 * @throws FormatError TFP_ERR_MODEL_VERSION, TFP_ERR_MODEL_CHECKSUM, TFP_ERR_MODEL_FORMAT; TFP_ERR_MODEL_MAPPING when it
 * was made with other numbers.
 */
export function decodeLedger(text: string, fileName: string, mapping: Mapping): Ledger {
  const reader = new LineReader(LEDGER_KIND, text, fileName)
  const { settings, mappingHash } = readSettings(reader)
  const runs: RunInfo[] = []
  for (let rest = reader.take('run'); rest !== undefined; rest = reader.take('run')) {
    const run = readRun(reader, rest, runs.length + 1)
    reader.ascending(runs.at(-1)?.id, run.id)
    runs.push(run)
  }
  const programs = new Map<string, LedgerProgram>()
  let previous: string | undefined
  for (let image = readImage(reader); image !== undefined; image = readImage(reader)) {
    const key = programKeyOf(image)
    reader.ascending(previous, key)
    const seenIn = readRunSet(reader, reader.need('runs'), runs.length)
    const rootsText = reader.take('root')
    const roots = rootsText === undefined ? RunSet.empty() : readRunSet(reader, rootsText, runs.length)
    const execs = readExecs(reader, runs.length)
    const transitions = readTransitions(reader, settings.depth, runs.length)
    programs.set(key, { image, runs: seenIn, roots, execs, transitions })
    previous = key
  }
  reader.end()
  const ledger = Ledger.restore(settings, runs, programs)
  if (settings.mapping !== mapping.name || mapping.hashOf(ledger.symbols()) !== mappingHash) {
    reader.fail(
      `made with mapping ${settings.mapping}, whose numbers are not those of ${mapping.name}`,
      'TFP_ERR_MODEL_MAPPING',
    )
  }
  return ledger
}

function writeRun(ordinal: number, run: RunInfo): string {
  const words = [run.id, run.at, run.scenario, run.host, run.kernel, run.tool, ...run.command]
  return `run ${ordinal} ${words.map(writeWord).join(' ')}`
}

function readRun(reader: LineReader, rest: string, ordinal: number): RunInfo {
  const [number, id, at, scenario, host, kernel, tool, ...command] = reader.words(rest)
  if (tool === undefined) reader.fail('expected "run N ULID AT SCENARIO HOST KERNEL TOOL COMMAND..."')
  if (number !== `${ordinal}` || ordinal > MAX_RUN_COUNT) reader.fail(`expected run number ${ordinal}`)
  return { id: id!, at: at!, scenario: scenario!, host: host!, kernel: kernel!, tool, command }
}

function readExecs(reader: LineReader, runCount: number): Map<string, RunSet> {
  const execs = new Map<string, RunSet>()
  let previous: string | undefined
  for (let rest = reader.take('exec'); rest !== undefined; rest = reader.take('exec')) {
    const [exec = '', runs = '', ...more] = reader.words(rest)
    if (more.length > 0) reader.fail('expected "exec PROGRAM RUNS"')
    reader.ascending(previous, exec)
    execs.set(exec, readRunSet(reader, runs, runCount))
    previous = exec
  }
  return execs
}

function readTransitions(reader: LineReader, depth: number, runCount: number): Map<string, Map<string, RunSet>> {
  const transitions = new Map<string, Map<string, RunSet>>()
  let previousContext: string | undefined
  let previousSymbol: string | undefined
  for (let rest = reader.take('after'); rest !== undefined; rest = reader.take('after')) {
    const arrow = rest.indexOf(' -> ')
    const [symbol = '', runs = '', ...more] = arrow < 0 ? [] : rest.slice(arrow + 4).split(' ')
    if (!reader.isSymbol(symbol) || more.length > 0) reader.fail('expected "after CONTEXT -> SYMBOL RUNS"')
    const context = readContext(reader, rest.slice(0, arrow), depth)
    let next = transitions.get(context)
    if (next === undefined) {
      reader.ascending(previousContext, context)
      next = new Map()
      transitions.set(context, next)
    } else {
      if (context !== previousContext) reader.fail('out of order')
      reader.ascending(previousSymbol, symbol)
    }
    next.set(symbol, readRunSet(reader, runs, runCount))
    previousContext = context
    previousSymbol = symbol
  }
  return transitions
}

function readRunSet(reader: LineReader, text: string, runCount: number): RunSet {
  const set = RunSet.parse(text, runCount)
  if (set === undefined) reader.fail(`not ascending ranges of the runs 1 to ${runCount}`)
  return set
}

function idOf(ledger: Ledger, index: number): string {
  return (ledger.runs[index] as RunInfo).id
}

function sorted<T>(map: ReadonlyMap<string, T>): [string, T][] {
  return [...map].sort(([a], [b]) => compare(a, b))
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0
}
