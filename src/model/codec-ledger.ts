// Ledger <-> the text of a `.tfl` file. Runs are numbered in order of their ULIDs, one line each. What came with the same runs
// shares one line `set N RUNS`, numbered in the order in which the programs below name them. Format 1 is read too
// (codec-ledger-old.ts).
import type { Mapping } from '../syscall/mapping.ts'
import { frameText, LineReader, type TextKind, writeWord } from './canonical.ts'
import { MAX_RUN_COUNT } from './codec-fingerprint.ts'
import { readOldPrograms, readOldRun } from './codec-ledger-old.ts'
import { inOrder, readContext } from './codec-sets.ts'
import {
  readImage,
  readImageFacts,
  readSettings,
  writeImage,
  writeImageFacts,
  writeSettings,
} from './codec-settings.ts'
import { compareContexts } from './language.ts'
import type { RunInfo } from './learner.ts'
import { type FormerImage, Ledger, type LedgerProgram, type Transitions } from './ledger.ts'
import { RunSet } from './run-set.ts'
import { type Image, programKeyOf } from './stream.ts'

export const LEDGER_KIND: TextKind = { magic: 'tracefp-ledger', version: 2, noun: 'ledger' }

const LAYERS = ['normal', 'fault'] as const
const ORIGINS = ['run', 'review'] as const

export function encodeLedger(ledger: Ledger, mapping: Mapping): string {
  const order = ledger.runs.map((_, index) => index).sort((a, b) => compare(idOf(ledger, a), idOf(ledger, b)))
  const sets = new SetWriter(order)
  const programs: string[] = []
  for (const key of [...ledger.programs.keys()].sort()) {
    programs.push(...writeProgram(ledger.programs.get(key) as LedgerProgram, sets))
  }
  return frameText(LEDGER_KIND, [
    ...writeSettings(ledger.settings, mapping.hashOf(ledger.symbols())),
    ...ledger.revoked.map((id) => `revoked ${writeWord(id)}`),
    ...order.map((index, ordinal) => writeRun(ordinal + 1, ledger.runs[index] as RunInfo)),
    ...sets.lines,
    ...programs,
  ])
}

/**
 * Reads the text of a file; `fileName` is for messages.
 * @throws FormatError TFP_ERR_MODEL_VERSION, TFP_ERR_MODEL_CHECKSUM, TFP_ERR_MODEL_FORMAT; TFP_ERR_MODEL_MAPPING when it
 * was made with other numbers.
 */
export function decodeLedger(text: string, fileName: string, mapping: Mapping): Ledger {
  const reader = new LineReader(LEDGER_KIND, text, fileName)
  const { settings, mappingHash } = readSettings(reader)
  const isOld = reader.version === 1
  const revoked = isOld ? [] : readRevoked(reader)
  const isRevoked = new Set(revoked)
  const runs: RunInfo[] = []
  for (let rest = reader.take('run'); rest !== undefined; rest = reader.take('run')) {
    const run = (isOld ? readOldRun : readRun)(reader, rest, runs.length + 1)
    reader.ascending(runs.at(-1)?.id, run.id)
    if (isRevoked.has(run.id)) reader.fail('a run that was revoked')
    runs.push(run)
  }
  const programs = isOld
    ? readOldPrograms(reader, settings.depth, runs.length)
    : readPrograms(reader, settings.depth, runs.length)
  reader.end()
  const ledger = Ledger.restore(settings, runs, revoked, programs)
  if (settings.mapping !== mapping.name || mapping.hashOf(ledger.symbols()) !== mappingHash) {
    reader.fail(
      `made with mapping ${settings.mapping}, whose numbers are not those of ${mapping.name}`,
      'TFP_ERR_MODEL_MAPPING',
    )
  }
  return ledger
}

function writeRun(ordinal: number, run: RunInfo): string {
  const kind = [run.layer ?? 'normal', run.origin ?? 'run']
  const words = [run.id, run.at, run.scenario, run.host, run.kernel, run.libc ?? '', run.tool, ...kind, ...run.command]
  return `run ${ordinal} ${words.map(writeWord).join(' ')}`
}

function readRun(reader: LineReader, rest: string, ordinal: number): RunInfo {
  const [number, id, at, scenario, host, kernel, libc, tool, layer, origin, ...command] = reader.words(rest)
  const isLayer = LAYERS.some((known) => known === layer)
  if (!isLayer || !ORIGINS.some((known) => known === origin)) {
    reader.fail('expected "run N ULID AT SCENARIO HOST KERNEL LIBC TOOL normal|fault run|review COMMAND..."')
  }
  if (number !== `${ordinal}` || ordinal > MAX_RUN_COUNT) reader.fail(`expected run number ${ordinal}`)
  return {
    ...{ id: id!, at: at!, scenario: scenario!, host: host!, kernel: kernel!, tool: tool!, command },
    ...(libc === '' ? {} : { libc: libc! }),
    ...(layer === 'fault' ? { layer } : {}),
    ...(origin === 'review' ? { origin } : {}),
  }
}

function readRevoked(reader: LineReader): string[] {
  const revoked: string[] = []
  for (let rest = reader.take('revoked'); rest !== undefined; rest = reader.take('revoked')) {
    const id = reader.word(rest)
    reader.ascending(revoked.at(-1), id)
    revoked.push(id)
  }
  return revoked
}

function writeProgram(program: LedgerProgram, sets: SetWriter): string[] {
  const lines = [...writeImage(program.image), `runs ${sets.number(program.runs)}`]
  if (program.roots.count > 0) lines.push(`root ${sets.number(program.roots)}`)
  const formers = program.formers.map((former) => ({ ...former, facts: writeImageFacts(former.image) }))
  for (const { facts, runs } of formers.sort((a, b) => compare(a.facts, b.facts))) {
    lines.push(`former ${facts} ${sets.number(runs)}`)
  }
  for (const [exec, runs] of sorted(program.execs)) lines.push(`exec ${writeWord(exec)} ${sets.number(runs)}`)
  for (const context of [...program.transitions.keys()].sort(compareContexts)) {
    const next = sorted(program.transitions.get(context) as ReadonlyMap<string, RunSet>)
    lines.push(`after ${context} -> ${next.map(([symbol, runs]) => `${symbol}:${sets.number(runs)}`).join(' ')}`)
  }
  return lines
}

function readPrograms(reader: LineReader, depth: number, runCount: number): Map<string, LedgerProgram> {
  const sets = new SetReader(reader, runCount)
  const programs = new Map<string, LedgerProgram>()
  let previous: string | undefined
  for (let image = readImage(reader); image !== undefined; image = readImage(reader)) {
    const key = programKeyOf(image)
    reader.ascending(previous, key)
    const runs = sets.named(reader.need('runs'))
    const rootsText = reader.take('root')
    const roots = rootsText === undefined ? RunSet.EMPTY : sets.named(rootsText)
    const formers = readFormers(reader, image, sets)
    const execs = readExecs(reader, sets)
    programs.set(key, { image, formers, runs, roots, execs, transitions: readTransitions(reader, depth, sets) })
    previous = key
  }
  sets.finish()
  return programs
}

function readFormers(reader: LineReader, current: Image, sets: SetReader): FormerImage[] {
  const formers: FormerImage[] = []
  let previous: string | undefined
  for (let rest = reader.take('former'); rest !== undefined; rest = reader.take('former')) {
    const space = rest.lastIndexOf(' ')
    const facts = rest.slice(0, Math.max(0, space))
    reader.ascending(previous, facts)
    formers.push({ image: readImageFacts(reader, facts, current), runs: sets.named(rest.slice(space + 1)) })
    previous = facts
  }
  return formers
}

function readExecs(reader: LineReader, sets: SetReader): Map<string, RunSet> {
  const execs = new Map<string, RunSet>()
  let previous: string | undefined
  for (let rest = reader.take('exec'); rest !== undefined; rest = reader.take('exec')) {
    const [exec = '', number = '', ...more] = reader.words(rest)
    if (more.length > 0) reader.fail('expected "exec PROGRAM SET"')
    reader.ascending(previous, exec)
    execs.set(exec, sets.named(number))
    previous = exec
  }
  return execs
}

function readTransitions(reader: LineReader, depth: number, sets: SetReader): Transitions {
  const transitions: Transitions = new Map()
  let previous: string | undefined
  for (let rest = reader.take('after'); rest !== undefined; rest = reader.take('after')) {
    const arrow = rest.indexOf(' -> ')
    if (arrow < 0) reader.fail('expected "after CONTEXT -> SYMBOL:SET ..."')
    const context = readContext(reader, rest.slice(0, arrow), depth)
    inOrder(reader, previous, context)
    const next = new Map<string, RunSet>()
    let last: string | undefined
    for (const word of rest.slice(arrow + 4).split(' ')) {
      const colon = word.lastIndexOf(':')
      const symbol = word.slice(0, Math.max(0, colon))
      if (!reader.isSymbol(symbol)) reader.fail('not SYMBOL:SET')
      reader.ascending(last, symbol)
      next.set(symbol, sets.named(word.slice(colon + 1)))
      last = symbol
    }
    transitions.set(context, next)
    previous = context
  }
  return transitions
}

/** Numbers sets as they are first named. */
class SetWriter {
  readonly lines: string[] = []
  /** Undefined: runs are in order of their ULIDs already. */
  readonly #ordinals: readonly number[] | undefined
  readonly #bySet = new Map<RunSet, number>()
  readonly #byText = new Map<string, number>()

  constructor(order: readonly number[]) {
    if (order.every((index, ordinal) => index === ordinal)) return
    const ordinals: number[] = []
    for (const [ordinal, index] of order.entries()) ordinals[index] = ordinal
    this.#ordinals = ordinals
  }

  number(set: RunSet): number {
    const known = this.#bySet.get(set)
    if (known !== undefined) return known
    const text = (this.#ordinals === undefined ? set : set.renumbered(this.#ordinals)).toString()
    let number = this.#byText.get(text)
    if (number === undefined) {
      number = this.lines.length + 1
      this.lines.push(`set ${number} ${text}`)
      this.#byText.set(text, number)
    }
    this.#bySet.set(set, number)
    return number
  }
}

/** Reads the `set` lines, and refuses sets that are not numbered as they are first named. */
class SetReader {
  readonly #reader: LineReader
  readonly #sets: RunSet[] = []
  #namedCount = 0

  constructor(reader: LineReader, runCount: number) {
    this.#reader = reader
    const texts = new Set<string>()
    for (let rest = reader.take('set'); rest !== undefined; rest = reader.take('set')) {
      const [number, text = '', ...more] = rest.split(' ')
      const set = RunSet.parse(text, runCount)
      if (set === undefined || set.count === 0) reader.fail(`not a set of the runs 1 to ${runCount}`)
      if (number !== `${this.#sets.length + 1}` || more.length > 0) reader.fail('expected "set N RUNS", N one more')
      if (texts.has(text)) reader.fail('the same set stood before')
      texts.add(text)
      this.#sets.push(set)
    }
  }

  named(text: string): RunSet {
    const number = this.#reader.count(text, this.#sets.length)
    if (number > this.#namedCount + 1) this.#reader.fail(`expected set ${this.#namedCount + 1} to be named before`)
    this.#namedCount = Math.max(this.#namedCount, number)
    return this.#sets[number - 1] as RunSet
  }

  finish(): void {
    if (this.#namedCount < this.#sets.length) this.#reader.failAtNext(`nothing names set ${this.#namedCount + 1}`)
  }
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
