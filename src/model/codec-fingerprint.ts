// Fingerprint <-> the text of a `.tfp` file. One line per successor set that is listed, short contexts first, then by code unit,
// so that the same content has the same bytes and `git diff` reads well. Format 1, where only whole contexts stood, is read too.
import { frameText, LineReader, sha256OfText, type TextKind, writeWord } from './canonical.ts'
import { readFaults, writeFaults } from './codec-faults.ts'
import { readExecs, readListed, readWhole, writeExecs, writeListed } from './codec-sets.ts'
import { readImage, readSettings, writeImage, writeSettings } from './codec-settings.ts'
import {
  alphabetOf,
  type Fingerprint,
  MAX_DEPTH,
  MAX_SYMBOL_COUNT,
  type ProgramFingerprint,
  type Tally,
} from './fingerprint.ts'
import { programKeyOf } from './stream.ts'

export const FINGERPRINT_KIND: TextKind = { magic: 'tracefp-fingerprint', version: 2, noun: 'fingerprint' }

/** Runs that a file may claim. */
export const MAX_RUN_COUNT = 1_000_000_000

export function encodeFingerprint(fingerprint: Omit<Fingerprint, 'sha256'>): string {
  const { tally } = fingerprint
  const lines = [
    ...writeSettings(fingerprint.settings, fingerprint.mappingHash),
    `runs ${fingerprint.runCount}`,
    ...(fingerprint.faultRunCount > 0 ? [`faults ${fingerprint.faultRunCount}`] : []),
    ...[...fingerprint.roots].sort().map((key) => `root ${writeWord(key)}`),
    ...(tally === null ? [] : [`tally ${writeTally(tally)}`]),
    ...[...fingerprint.scenarios].map(([name, own]) => `scenario ${writeWord(name)} ${writeTally(own)}`),
    ...fingerprint.kernels.map((text) => `kernel ${writeWord(text)}`),
    ...fingerprint.libcs.map((text) => `libc ${writeWord(text)}`),
  ]
  for (const key of [...fingerprint.programs.keys()].sort()) {
    const program = fingerprint.programs.get(key) as ProgramFingerprint
    lines.push(...writeImage(program.image))
    lines.push(...writeExecs('exec', program.execs), ...writeListed(program.successors))
    if (program.faults !== null) lines.push(...writeFaults(program.faults, program.successors))
  }
  return frameText(FINGERPRINT_KIND, lines)
}

/** Adds the hash of the file that the fingerprint makes. */
export function sealFingerprint(fingerprint: Omit<Fingerprint, 'sha256'>): Fingerprint {
  return { ...fingerprint, sha256: sha256OfText(encodeFingerprint(fingerprint)) }
}

/** Where the canonical text of a file ends and its signatures begin (signature.ts); empty where there are none. */
export function splitSignatures(text: string): readonly [canonical: string, signatures: string] {
  const end = '\nend\n'
  const at = text.indexOf(`${end}epoch `)
  return at < 0 ? [text, ''] : [text.slice(0, at + end.length), text.slice(at + end.length)]
}

/**
 * Reads the text of a file; `fileName` is for messages. Signatures are not looked at. `depth`: only the contexts of a check at
 * that depth are read, which is a small part of those learned; what stands in the lines of others is not looked at.
 * @throws FormatError TFP_ERR_MODEL_VERSION, TFP_ERR_MODEL_CHECKSUM (altered, truncated) or TFP_ERR_MODEL_FORMAT.
 */
export function decodeFingerprint(text: string, fileName: string, depth: number = MAX_DEPTH): Fingerprint {
  const [canonical] = splitSignatures(text)
  const reader = new LineReader(FINGERPRINT_KIND, canonical, fileName)
  const { settings, mappingHash } = readSettings(reader)
  const runCount = reader.count(reader.need('runs'), MAX_RUN_COUNT, 0)
  const isOld = reader.version === 1
  const faultsText = isOld ? undefined : reader.take('faults')
  const faultRunCount = faultsText === undefined ? 0 : reader.count(faultsText, MAX_RUN_COUNT)
  const roots = readWords(reader, 'root')
  const tallyText = isOld ? undefined : reader.take('tally')
  const tally = tallyText === undefined ? null : readTally(reader, tallyText.split(' '), runCount, settings.depth)
  const scenarios = isOld ? new Map<string, Tally>() : readScenarios(reader, runCount, settings.depth)
  const kernels = isOld ? [] : readWords(reader, 'kernel')
  const libcs = isOld ? [] : readWords(reader, 'libc')
  const programs = new Map<string, ProgramFingerprint>()
  const limits: Limits = { depth: settings.depth, upTo: depth, runCount, faultRunCount }
  let previous: string | undefined
  for (;;) {
    const program = readProgram(reader, limits, previous)
    if (program === undefined) break
    previous = program.key
    programs.set(program.key, program)
  }
  for (const root of roots) if (!programs.has(root)) reader.failAtNext('a root is not among the programs')
  reader.end()
  const learned = { runCount, faultRunCount, roots, tally, scenarios, kernels, libcs }
  const isPart = depth < settings.depth
  return {
    settings,
    mappingHash,
    ...learned,
    programs,
    sha256: sha256OfText(canonical),
    ...(isPart ? { text: canonical } : {}),
  }
}

interface Limits {
  readonly depth: number
  readonly upTo: number
  readonly runCount: number
  readonly faultRunCount: number
}

function readProgram(
  reader: LineReader,
  limits: Limits,
  previousKey: string | undefined,
): ProgramFingerprint | undefined {
  const image = readImage(reader)
  if (image === undefined) return undefined
  const key = programKeyOf(image)
  reader.ascending(previousKey, key)
  const execs = readExecs(reader, 'exec', limits.runCount)
  const successors = reader.version === 1 ? readWhole(reader, limits) : readListed(reader, limits)
  const faults = limits.faultRunCount === 0 ? null : readFaults(reader, limits, successors, execs)
  const alphabet = alphabetOf(successors)
  if (alphabet.length > MAX_SYMBOL_COUNT) reader.fail(`more than ${MAX_SYMBOL_COUNT} symbols in one program`)
  return { key, image, alphabet, successors, execs, faults }
}

function readWords(reader: LineReader, keyword: string): string[] {
  const words: string[] = []
  for (let rest = reader.take(keyword); rest !== undefined; rest = reader.take(keyword)) {
    const word = reader.word(rest)
    reader.ascending(words.at(-1), word)
    words.push(word)
  }
  return words
}

function writeTally({ runCount, newRunCounts }: Tally): string {
  return [runCount, ...newRunCounts].join(' ')
}

function readTally(reader: LineReader, words: readonly string[], runCount: number, depth: number): Tally {
  const [first = '', ...rest] = words
  const counted = reader.count(first, runCount, 0)
  const newRunCounts = rest.map((word) => reader.count(word, counted, 0))
  const isRising = newRunCounts.every((count, at) => at === 0 || count >= (newRunCounts[at - 1] as number))
  if (newRunCounts.length !== depth - 1 || !isRising)
    reader.fail('expected RUNS, and those that were new at each depth')
  return { runCount: counted, newRunCounts }
}

function readScenarios(reader: LineReader, runCount: number, depth: number): Map<string, Tally> {
  const scenarios = new Map<string, Tally>()
  let previous: string | undefined
  for (let rest = reader.take('scenario'); rest !== undefined; rest = reader.take('scenario')) {
    const [name = '', ...words] = reader.words(rest)
    reader.ascending(previous, name)
    scenarios.set(name, readTally(reader, words, runCount, depth))
    previous = name
  }
  return scenarios
}
