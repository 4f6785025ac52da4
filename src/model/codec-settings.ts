// The head that fingerprints and ledgers share: mapping and its hash, order, tracks, scope, depth, transparent calls.
import type { LineReader } from './canonical.ts'
import { writeWord } from './canonical.ts'
import { MAX_DEPTH, type Settings } from './fingerprint.ts'
import { type Image, programKeyOf } from './stream.ts'

export function writeSettings(settings: Settings, mappingHash: string): string[] {
  return [
    `mapping ${writeWord(settings.mapping)} sha256:${mappingHash}`,
    `order ${settings.order}`,
    `tracks ${settings.tracks}`,
    `scope ${settings.scope}`,
    `depth ${settings.depth}`,
    settings.transparent.length === 0 ? 'transparent' : `transparent ${settings.transparent.join(' ')}`,
  ]
}

export function readSettings(reader: LineReader): { settings: Settings; mappingHash: string } {
  const [mapping = '', hash = '', ...rest] = reader.words(reader.need('mapping'))
  const mappingHash = /^sha256:([0-9a-f]{64})$/.exec(hash)?.[1]
  if (mappingHash === undefined || rest.length > 0) reader.fail('expected "mapping NAME sha256:HASH"')
  const settings: Settings = {
    mapping,
    order: oneOf(reader, 'order', ['entry', 'return']),
    tracks: oneOf(reader, 'tracks', ['thread', 'log']),
    scope: oneOf(reader, 'scope', ['program', 'set']),
    depth: readDepth(reader),
    transparent: readTransparent(reader),
  }
  return { settings, mappingHash }
}

/** The lines of a program that say what its file was. */
export function writeImage(image: Image): string[] {
  const lines = [`program ${writeWord(programKeyOf(image))}`]
  if (image.sha256 !== null) lines.push(`sha256 ${image.sha256}`)
  if (image.buildId !== null) lines.push(`build-id ${image.buildId}`)
  if (image.script !== null) lines.push(`script ${writeWord(image.script.path)}`)
  if (image.script !== null && image.script.sha256 !== null) lines.push(`script-sha256 ${image.script.sha256}`)
  if (image.argv0 !== null) lines.push(`argv0 ${writeWord(image.argv0)}`)
  return lines
}

/** What told a former image of a program apart, on one line; `-` where it was not known. */
export function writeImageFacts({ sha256, buildId, script }: Image): string {
  return `${sha256 ?? '-'} ${buildId ?? '-'} ${script?.sha256 ?? '-'}`
}

/** `current`: the image that came after it; only hashes differ. */
export function readImageFacts(reader: LineReader, text: string, current: Image): Image {
  const facts = text.split(' ')
  const [sha256, buildId, scriptSha256] = facts.map((fact) => (fact === '-' ? null : fact))
  const isRight = facts.every((fact) => fact === '-' || /^(?:[0-9a-f]{2}){1,64}$/.test(fact))
  if (facts.length !== 3 || !isRight || (current.script === null && scriptSha256 !== null)) {
    reader.fail('expected "former SHA256 BUILD-ID SCRIPT-SHA256 SET"')
  }
  const script = current.script === null ? null : { path: current.script.path, sha256: scriptSha256 ?? null }
  return { ...current, sha256: sha256 ?? null, buildId: buildId ?? null, script }
}

/** Undefined: no further program. */
export function readImage(reader: LineReader): Image | undefined {
  const word = reader.take('program')
  if (word === undefined) return undefined
  const key = reader.word(word)
  const sha256 = readHex(reader, 'sha256', 64)
  const buildId = readHex(reader, 'build-id', 0)
  const scriptWord = reader.take('script')
  const scriptPath = scriptWord === undefined ? undefined : reader.word(scriptWord)
  const script = scriptPath === undefined ? null : { path: scriptPath, sha256: readHex(reader, 'script-sha256', 64) }
  const argv0Word = reader.take('argv0')
  const argv0 = argv0Word === undefined ? null : reader.word(argv0Word)
  const tail = script !== null ? ` ${script.path}` : argv0 !== null ? ` [${argv0}]` : ''
  const image: Image = { path: key.slice(0, key.length - tail.length), sha256, buildId, script, argv0 }
  if (programKeyOf(image) !== key) reader.fail('the key of the program does not fit its script or argv0')
  return image
}

function readHex(reader: LineReader, keyword: string, length: number): string | null {
  const text = reader.take(keyword)
  if (text === undefined) return null
  const isRight = /^(?:[0-9a-f]{2})+$/.test(text) && (length === 0 ? text.length <= 128 : text.length === length)
  if (!isRight) reader.fail(`${keyword} is not lower-case hex of the right length`)
  return text
}

function oneOf<T extends string>(reader: LineReader, keyword: string, values: readonly T[]): T {
  const text = reader.need(keyword)
  const value = values.find((known) => known === text)
  if (value === undefined) reader.fail(`${keyword} must be ${values.join(' or ')}`)
  return value
}

function readDepth(reader: LineReader): number {
  const text = reader.need('depth')
  if (!/^[2-8]$/.test(text)) reader.fail(`depth must be from 2 to ${MAX_DEPTH}`)
  return Number(text)
}

function readTransparent(reader: LineReader): readonly string[] {
  const rest = reader.take('transparent')
  if (rest === undefined) {
    reader.literal('transparent')
    return []
  }
  const names = rest.split(' ')
  let previous: string | undefined
  for (const name of names) {
    if (!reader.isSymbol(name)) reader.fail('transparent: not the name of a call')
    reader.ascending(previous, name)
    previous = name
  }
  return names
}
