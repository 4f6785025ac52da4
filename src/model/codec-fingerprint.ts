// Fingerprint <-> the text of a `.tfp` file. One line per successor set, sorted by plain code-unit order, so that the same
// content has the same bytes and `git diff` reads well.
import { frameText, LineReader, sha256Of, type TextKind, writeWord } from './canonical.ts'
import { readImage, readSettings, writeImage, writeSettings } from './codec-settings.ts'
import {
  alphabetOf,
  type Fingerprint,
  isStartSymbol,
  MAX_SYMBOL_COUNT,
  type ProgramFingerprint,
} from './fingerprint.ts'
import { programKeyOf } from './stream.ts'

export const FINGERPRINT_KIND: TextKind = { magic: 'tracefp-fingerprint', version: 1, noun: 'fingerprint' }

/** Runs that a file may claim. */
export const MAX_RUN_COUNT = 1_000_000_000

export function encodeFingerprint(fingerprint: Omit<Fingerprint, 'sha256'>): string {
  const lines = [
    ...writeSettings(fingerprint.settings, fingerprint.mappingHash),
    `runs ${fingerprint.runCount}`,
    ...[...fingerprint.roots].sort().map((key) => `root ${writeWord(key)}`),
  ]
  for (const key of [...fingerprint.programs.keys()].sort()) {
    const program = fingerprint.programs.get(key) as ProgramFingerprint
    lines.push(...writeImage(program.image))
    for (const [exec, count] of sorted(program.execs)) lines.push(`exec ${writeWord(exec)}:${count}`)
    for (const [context, next] of sorted(program.successors)) {
      lines.push(
        `after ${context} -> ${sorted(next)
          .map(([symbol, count]) => `${symbol}:${count}`)
          .join(' ')}`,
      )
    }
  }
  return frameText(FINGERPRINT_KIND, lines)
}

/** Adds the hash of the file that the fingerprint makes. */
export function sealFingerprint(fingerprint: Omit<Fingerprint, 'sha256'>): Fingerprint {
  return { ...fingerprint, sha256: sha256Of(encodeFingerprint(fingerprint)) }
}

/** Where the canonical text of a file ends and its signatures begin (signature.ts); empty where there are none. */
export function splitSignatures(text: string): readonly [canonical: string, signatures: string] {
  const end = '\nend\n'
  const at = text.indexOf(`${end}epoch `)
  return at < 0 ? [text, ''] : [text.slice(0, at + end.length), text.slice(at + end.length)]
}

/**
 * Reads the text of a file; `fileName` is for messages. Signatures are not looked at.
 * @throws FormatError TFP_ERR_MODEL_VERSION, TFP_ERR_MODEL_CHECKSUM (altered, truncated) or TFP_ERR_MODEL_FORMAT.
 */
export function decodeFingerprint(text: string, fileName: string): Fingerprint {
  const [canonical] = splitSignatures(text)
  const reader = new LineReader(FINGERPRINT_KIND, canonical, fileName)
  const { settings, mappingHash } = readSettings(reader)
  const runsText = reader.need('runs')
  const runCount = runsText === '0' ? 0 : reader.count(runsText, MAX_RUN_COUNT)
  const roots: string[] = []
  for (let word = reader.take('root'); word !== undefined; word = reader.take('root')) {
    const key = reader.word(word)
    reader.ascending(roots.at(-1), key)
    roots.push(key)
  }
  const programs = new Map<string, ProgramFingerprint>()
  let previous: string | undefined
  for (;;) {
    const program = readProgram(reader, settings.depth, runCount, previous)
    if (program === undefined) break
    previous = program.key
    programs.set(program.key, program)
  }
  for (const root of roots) if (!programs.has(root)) reader.failAtNext('a root is not among the programs')
  reader.end()
  return { settings, mappingHash, runCount, roots, programs, sha256: sha256Of(canonical) }
}

function readProgram(
  reader: LineReader,
  depth: number,
  runCount: number,
  previousKey: string | undefined,
): ProgramFingerprint | undefined {
  const image = readImage(reader)
  if (image === undefined) return undefined
  const key = programKeyOf(image)
  reader.ascending(previousKey, key)
  const execs = new Map<string, number>()
  let previous: string | undefined
  for (let rest = reader.take('exec'); rest !== undefined; rest = reader.take('exec')) {
    const colon = rest.lastIndexOf(':')
    const exec = reader.word(rest.slice(0, Math.max(0, colon)))
    reader.ascending(previous, exec)
    execs.set(exec, reader.count(rest.slice(colon + 1), runCount))
    previous = exec
  }
  const successors = new Map<string, ReadonlyMap<string, number>>()
  previous = undefined
  for (let rest = reader.take('after'); rest !== undefined; rest = reader.take('after')) {
    const arrow = rest.indexOf(' -> ')
    if (arrow < 0) reader.fail('expected "after CONTEXT -> SYMBOL:RUNS ..."')
    const context = readContext(reader, rest.slice(0, arrow), depth)
    reader.ascending(previous, context)
    successors.set(context, readCounts(reader, rest.slice(arrow + 4), runCount))
    previous = context
  }
  const alphabet = alphabetOf(successors)
  if (alphabet.length > MAX_SYMBOL_COUNT) reader.fail(`more than ${MAX_SYMBOL_COUNT} symbols in one program`)
  return { key, image, alphabet, successors, execs }
}

/** depth-1 symbols, or fewer after a START symbol. Used by both codecs. */
export function readContext(reader: LineReader, text: string, depth: number): string {
  const symbols = text.split(' ')
  for (const symbol of symbols) if (!reader.isSymbol(symbol)) reader.fail('not a symbol in a context')
  const isShort = symbols.length < depth - 1
  if (symbols.length >= depth || (isShort && !isStartSymbol(symbols[0] as string))) {
    reader.fail(`a context has ${depth - 1} symbols at depth ${depth}, or begins with a START symbol`)
  }
  return text
}

/** Walks the line by hand: this is most of the time that reading a file takes. */
function readCounts(reader: LineReader, text: string, runCount: number): Map<string, number> {
  const counts = new Map<string, number>()
  let previous = ''
  for (let from = 0; from <= text.length; ) {
    const space = text.indexOf(' ', from)
    const end = space < 0 ? text.length : space
    const colon = text.lastIndexOf(':', end - 1)
    const symbol = text.slice(from, Math.max(from, colon))
    if (!reader.isSymbol(symbol)) reader.fail('not SYMBOL:RUNS')
    if (symbol <= previous) reader.ascending(previous, symbol)
    counts.set(symbol, reader.count(text.slice(colon + 1, end), runCount))
    previous = symbol
    from = end + 1
  }
  return counts
}

function sorted<T>(map: ReadonlyMap<string, T>): [string, T][] {
  return [...map].sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0))
}
