// The fingerprint store: a folder of .tfp files, found by the identity of the program that runs. There is no index to fall
// out of step: the programs that a file was learned for stand in its first lines (`root KEY`).

import { closeSync, constants, existsSync, fstatSync, openSync, readdirSync, readSync, statSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { sha256Of } from '../addon/hash.ts'
import { TracefpError, UsageError } from '../errors.ts'
import { writeWord } from '../model/canonical.ts'
import { decodeFingerprint } from '../model/codec-fingerprint.ts'
import { assertMapping, type Fingerprint } from '../model/fingerprint.ts'
import { joinImages } from '../model/learner.ts'
import { foreignAmong } from '../model/ownership.ts'
import { type Image, programKeyOf } from '../model/stream.ts'
import { linuxMapping, type Mapping } from '../syscall/mapping.ts'
import { readFingerprint, readFingerprintText } from './fingerprint-file.ts'
import type { FingerprintText, Trust } from './trust.ts'

const HEAD_BYTES = 16_384
const KEY_HASH_DIGITS = 12
const IMAGE_HASH_DIGITS = 8
/** What a fingerprint consists of. */
const PARTS = ['.tfp', '.tfl', '.libraries']

/** The folder of the store below tracefp's home. */
export function fingerprintFolder(home: string): string {
  return join(home, 'fingerprints')
}

/** A name that is that of a file in the store. @throws UsageError when it cannot be. */
export function storeName(name: string): string {
  const isFile = /^[^./\p{C}][^/\p{C}]{0,199}$/u.test(name)
  if (!isFile) throw new UsageError(`${name}: a name in the fingerprint store has no slash and begins with no dot`)
  return name
}

/** The file that a newly learned program gets. `name` is the user's, else it is made of the program's key. @throws UsageError. */
export function fileForProgram(folder: string, key: string, name?: string): string {
  if (name !== undefined) return join(folder, `${storeName(name)}.tfp`)
  const hash = sha256Of(key).slice(0, KEY_HASH_DIGITS)
  const file = basename(key.split(' ').at(-1) ?? key).replace(/[^\w.+-]/g, '')
  return join(folder, `${file === '' ? 'program' : file}-${hash}.tfp`)
}

/**
 * Before anything begins for which nothing else is taken. Each file is looked at when it is.
 * @throws TracefpError TFP_ERR_STORE: others may write to the store.
 */
export function assertOwnStore(folder: string): void {
  assertOwn([dirname(folder), folder])
}

export interface StoredFingerprint {
  readonly file: string
  readonly fingerprint: Fingerprint
}

/**
 * What the store holds for the program that runs, best first: learned of this very image, of one that may be it (a hash is
 * not known), of another (before an update, say); among equals the newest.
 * Those that are not believed are left out; when none is left, the first refusal is thrown. `depth`: see decodeFingerprint.
 * @throws FormatError, TracefpError TFP_ERR_MODEL_*: one of them is damaged; TFP_ERR_STORE: others may write it.
 */
export function storedFor(
  folder: string,
  image: Image,
  mapping: Mapping = linuxMapping(),
  trust: Trust | null = null,
  depth?: number,
): StoredFingerprint[] {
  const key = programKeyOf(image)
  const rated = believed(filesForProgram(folder, key), trust).map(({ file, text }) => {
    const fingerprint = decodeFingerprint(text, file, depth)
    assertMapping(fingerprint, mapping, file)
    return { file, fingerprint, fit: fitOf(fingerprint.programs.get(key)?.image, image), changedAt: changedAt(file) }
  })
  return rated.sort((a, b) => b.fit - a.fit || b.changedAt - a.changedAt)
}

/**
 * The names of the executables that the store has fingerprints for, without folders. `onDamaged`: told of a file that cannot be
 * read, or that others may write, which is then left out.
 * @throws FormatError, TracefpError TFP_ERR_MODEL_*, TFP_ERR_FILE, TFP_ERR_STORE.
 */
export function storedNames(folder: string, onDamaged?: (error: TracefpError) => void): string[] {
  const names = filesOf(folder).flatMap((file) => {
    try {
      assertOwn(partsOf(file))
      return rootNames(readFingerprint(file))
    } catch (error) {
      if (onDamaged === undefined || !(error instanceof TracefpError)) throw error
      onDamaged(error)
      return []
    }
  })
  return [...new Set(names)]
}

/** Those of the programs that it was learned for. */
export function rootNames({ roots, programs }: Fingerprint): string[] {
  return roots.flatMap((key) => {
    const path = programs.get(key)?.image.path
    return path === undefined ? [] : [basename(path)]
  })
}

function believed(files: readonly string[], trust: Trust | null): FingerprintText[] {
  assertOwn(files.flatMap(partsOf))
  const texts = files.map((file) => ({ file, text: readFingerprintText(file) }))
  if (trust === null) return texts
  const refusals = trust.judge(texts)
  const left = texts.filter((_, index) => refusals[index] === null)
  const [refusal] = refusals
  if (left.length === 0 && refusal !== undefined && refusal !== null) throw refusal
  return left
}

/**
 * The file in which learning goes on: one of this image, else a new one. A program that was updated begins anew.
 * @throws as storedFor.
 */
export function fileToLearnInto(
  folder: string,
  image: Image,
  name: string | null,
  mapping: Mapping = linuxMapping(),
): string {
  assertOwnStore(folder)
  const file = choose(folder, image, name, mapping)
  assertOwn(partsOf(file))
  return file
}

function choose(folder: string, image: Image, name: string | null, mapping: Mapping): string {
  const key = programKeyOf(image)
  if (name !== null) return fileForProgram(folder, key, name)
  const stored = storedFor(folder, image, mapping)[0]
  if (stored !== undefined && fitOf(stored.fingerprint.programs.get(key)?.image, image) > OTHER) return stored.file
  const file = fileForProgram(folder, key)
  if (stored === undefined && !existsSync(file)) return file
  const hashes = [image.sha256, image.script?.sha256 ?? null].filter((hash) => hash !== null)
  return [file.slice(0, -'.tfp'.length), ...hashes.map((hash) => hash.slice(0, IMAGE_HASH_DIGITS))]
    .join('-')
    .concat('.tfp')
}

const OTHER = 0
const MAY_BE = 1
const SAME = 2

function fitOf(learned: Image | undefined, image: Image): number {
  if (learned === undefined) return MAY_BE
  if (joinImages(learned, image) === undefined) return OTHER
  const isKnown = learned.sha256 !== null && image.sha256 !== null
  return isKnown && (learned.script?.sha256 ?? null) === (image.script?.sha256 ?? null) ? SAME : MAY_BE
}

function changedAt(file: string): number {
  return statSync(file, { throwIfNoEntry: false })?.mtimeMs ?? 0
}

/** The files of the store that were learned for program `key`, in order of name. A file that cannot be read is skipped. */
export function filesForProgram(folder: string, key: string): string[] {
  return filesOf(folder).filter((file) => readHead(file).includes(`\nroot ${writeWord(key)}\n`))
}

function filesOf(folder: string): string[] {
  let names: string[]
  try {
    names = readdirSync(folder)
  } catch {
    return []
  }
  assertOwnStore(folder)
  return names
    .filter((name) => name.endsWith('.tfp'))
    .sort()
    .map((name) => join(folder, name))
}

function partsOf(file: string): string[] {
  const stem = file.slice(0, -'.tfp'.length)
  return PARTS.map((part) => `${stem}${part}`)
}

/** @throws TracefpError TFP_ERR_STORE. */
function assertOwn(paths: readonly string[]): void {
  const foreign = foreignAmong(paths)
  if (foreign === null) return
  throw new TracefpError('TFP_ERR_STORE', `no fingerprint is taken from ${foreign.path}: ${foreign.why}`)
}

function readHead(file: string): string {
  let fd: number
  try {
    // A pipe would be waited for.
    fd = openSync(file, constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOCTTY)
  } catch {
    return ''
  }
  try {
    if (!fstatSync(fd).isFile()) return ''
    const bytes = Buffer.alloc(HEAD_BYTES)
    return bytes.toString('utf8', 0, readSync(fd, bytes, 0, HEAD_BYTES, 0))
  } catch {
    return ''
  } finally {
    closeSync(fd)
  }
}
