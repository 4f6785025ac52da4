// Program fingerprint -> the bytes of a transition table, laid out as table-layout.ts says.
import { TracefpError, UsageError } from '../errors.ts'
import { isSpecial, type Mapping } from '../syscall/mapping.ts'
import { contextsOf } from './contexts.ts'
import {
  alphabetOf,
  MAX_DEPTH,
  MAX_SYMBOL_COUNT,
  type ProgramFingerprint,
  type Successors,
  signalOf,
} from './fingerprint.ts'
import { knownContexts, lengthOf, listedContexts, type NextCounts } from './language.ts'
import { buildStates, type States, wordsPerRowOf } from './states.ts'
import {
  ABI_LIMIT,
  HEADER_BYTES,
  LOOKUP_SIZE,
  SIGNAL_LIMIT,
  TABLE_MAGIC,
  TABLE_VERSION,
  TRANSPARENT_SYMBOL,
  WORD,
} from './table-layout.ts'
import { transparentCalls } from './transparent.ts'

const MAX_TABLE_BYTES = 1 << 29

interface Numbered {
  readonly abi: number
  readonly nr: number
  readonly symbol: number
}

/** Depth learned, as far as its contexts show it. */
export function depthOf(program: ProgramFingerprint): number {
  let length = 1
  for (const context of program.successors.keys()) length = Math.max(length, lengthOf(context))
  return length + 1
}

export function compileTable(
  program: ProgramFingerprint,
  mapping: Mapping,
  wantedDepth?: number,
  transparent: Iterable<string> = [],
): SharedArrayBuffer {
  const depth = wantedDepth ?? depthOf(program)
  if (!Number.isInteger(depth) || depth < 2 || depth > MAX_DEPTH) throw new UsageError(`depth ${depth} is not possible`)
  const successors = withNames(program, mapping)
  const symbols = alphabetOf(successors)
  if (symbols.length > MAX_SYMBOL_COUNT) throw tooLarge(program.key)
  const numbers = [
    ...numbersOf(symbols, mapping),
    // Last, so that they win over symbols: a call that is transparent now may have been learned as none.
    ...transparentCalls(mapping, transparent).map((call) => ({ ...call, symbol: TRANSPARENT_SYMBOL })),
  ]
  return writeTable(depth, symbols, buildStates(successors, symbols, depth), numbers)
}

/** `sys_N` of a number that has a name by now becomes that name, so that one number has one symbol. */
function withNames(program: ProgramFingerprint, mapping: Mapping): Successors {
  const { successors } = program
  const names = new Map<string, string>()
  for (const text of program.alphabet) {
    const number = isSpecial(text) ? undefined : mapping.numberOf(text)
    const name = number === undefined ? text : mapping.symbolOf(number.abi, number.nr)
    if (name !== text) names.set(text, name)
  }
  if (names.size === 0) return successors
  const depth = depthOf(program)
  const nameOf = (text: string): string => names.get(text) ?? text
  const renamed = function* (): Generator<[string, [string, number][]]> {
    for (const [context, next] of knownContexts(successors, depth)) {
      yield [context.split(' ').map(nameOf).join(' '), [...next].map(([symbol, count]) => [nameOf(symbol), count])]
    }
  }
  // What was listed for one name may now be what the other has too.
  const contexts = contextsOf(renamed(), depth, Math.max)
  return new Map(listedContexts(contexts).map((context) => [context, contexts.get(context) as NextCounts]))
}

function writeTable(
  depth: number,
  symbols: readonly string[],
  states: States,
  numbers: readonly Numbered[],
): SharedArrayBuffer {
  const abis = [...new Set(numbers.filter((n) => isInLookup(n)).map((n) => n.abi))].sort()
  const extras = numbers.filter((n) => !isInLookup(n)).sort((a, b) => a.abi - b.abi || a.nr - b.nr)
  const wordsPerRow = wordsPerRowOf(symbols.length)
  const textLength = symbols.reduce((sum, symbol) => sum + symbol.length, 0)

  let end = HEADER_BYTES
  const place = (bytes: number): number => {
    const offset = end
    end = (end + bytes + 63) & ~63
    if (bytes > MAX_TABLE_BYTES || end > MAX_TABLE_BYTES) throw tooLarge(`depth ${depth}`)
    return offset
  }
  const rows = place(states.rows.byteLength)
  const next = states.next === undefined ? 0 : place(states.next.byteLength)
  const ends = states.ends === undefined ? 0 : place(states.ends.byteLength)
  const lookup = place((abis.length + 1) * LOOKUP_SIZE * 2)
  const extrasAt = place(extras.length * 12)
  const signals = place(SIGNAL_LIMIT * 2)
  const text = place((symbols.length + 1) * 4 + textLength)

  const buffer = new SharedArrayBuffer(end)
  const header = new Uint32Array(buffer, 0, HEADER_BYTES / 4)
  header[WORD.magic] = TABLE_MAGIC
  header[WORD.version] = TABLE_VERSION
  header[WORD.byteLength] = end
  header[WORD.depth] = depth
  header[WORD.symbolCount] = symbols.length
  header[WORD.stateCount] = states.count
  header[WORD.wordsPerRow] = wordsPerRow
  header[WORD.transitionCount] = states.transitionCount
  header[WORD.rows] = rows
  header[WORD.next] = next
  header[WORD.lookup] = lookup
  header[WORD.blockCount] = abis.length + 1
  header[WORD.extras] = extrasAt
  header[WORD.extraCount] = extras.length
  header[WORD.signals] = signals
  header[WORD.text] = text
  header[WORD.ends] = ends
  for (const kind of ['exec', 'thread', 'fork', 'end'] as const) header[WORD[kind]] = symbols.indexOf(`<${kind}>`)
  for (const [block, abi] of abis.entries()) header[WORD.abiBlock + abi] = block + 1

  new Uint32Array(buffer, rows, states.rows.length).set(states.rows)
  if (states.next !== undefined) new Uint32Array(buffer, next, states.next.length).set(states.next)
  if (states.ends !== undefined) new Uint32Array(buffer, ends, states.ends.length).set(states.ends)
  const lookupView = new Int16Array(buffer, lookup, (abis.length + 1) * LOOKUP_SIZE).fill(-1)
  for (const { abi, nr, symbol } of numbers) {
    if (isInLookup({ abi, nr })) lookupView[(abis.indexOf(abi) + 1) * LOOKUP_SIZE + nr] = symbol
  }
  new Int32Array(buffer, extrasAt, extras.length * 3).set(extras.flatMap(({ abi, nr, symbol }) => [abi, nr, symbol]))
  const signalsView = new Int16Array(buffer, signals, SIGNAL_LIMIT).fill(-1)
  for (const [index, symbol] of symbols.entries()) {
    const signal = signalOf(symbol)
    if (signal !== undefined && signal < SIGNAL_LIMIT) signalsView[signal] = index
  }
  writeTexts(buffer, text, symbols)
  return buffer
}

function writeTexts(buffer: SharedArrayBuffer, offset: number, symbols: readonly string[]): void {
  const starts = new Uint32Array(buffer, offset, symbols.length + 1)
  const bytes = new Uint8Array(buffer, offset + starts.byteLength)
  let at = 0
  for (const [index, symbol] of symbols.entries()) {
    starts[index] = at
    for (let i = 0; i < symbol.length; i += 1) bytes[at + i] = symbol.charCodeAt(i)
    at += symbol.length
  }
  starts[symbols.length] = at
}

function numbersOf(symbols: readonly string[], mapping: Mapping): Numbered[] {
  const numbers: Numbered[] = []
  for (const [symbol, text] of symbols.entries()) {
    const number = isSpecial(text) ? undefined : mapping.numberOf(text)
    if (number !== undefined) numbers.push({ ...number, symbol })
  }
  return numbers
}

function isInLookup({ abi, nr }: { readonly abi: number; readonly nr: number }): boolean {
  return abi < ABI_LIMIT && nr >= 0 && nr < LOOKUP_SIZE
}

function tooLarge(what: string): TracefpError {
  return new TracefpError('TFP_ERR_MODEL_FORMAT', `${what}: the transition table would be too large; use a lower depth`)
}
