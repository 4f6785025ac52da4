// Fingerprints and ledgers as files. A file is replaced whole or not at all, whatever kills the writer; the ledger is
// written first and wins when the two disagree; two processes that learn into one file take turns.

import { writeFile } from 'node:fs'
import { open, readdir, readFile, realpath, rename, rm, stat } from 'node:fs/promises'
import { basename, dirname, join, resolve } from 'node:path'
import { promisify } from 'node:util'
import { randomBytes } from '../addon/hash.ts'
import { FormatError, TracefpError } from '../errors.ts'
import type { Mapping } from '../syscall/mapping.ts'
import { MAX_TEXT_LENGTH } from './canonical.ts'
import { decodeFingerprint, encodeFingerprint } from './codec-fingerprint.ts'
import { decodeLedger, encodeLedger } from './codec-ledger.ts'
import { assertMapping, assertSameSettings, type Fingerprint, type Settings } from './fingerprint.ts'
import { nextAfter } from './language.ts'
import { Ledger } from './ledger.ts'
import { type LockOptions, withLock } from './lock.ts'
import { OWN_MODE } from './ownership.ts'
import { writePlaceOf } from './write-place.ts'

export interface LedgerUpdate<T> {
  /** What the callback returned. */
  readonly result: T
  readonly ledger: Ledger
  readonly fingerprint: Fingerprint
}

/** `NAME.tfl` beside `NAME.tfp`. */
export function ledgerPathOf(fingerprintPath: string): string {
  return fingerprintPath.endsWith('.tfp') ? `${fingerprintPath.slice(0, -4)}.tfl` : `${fingerprintPath}.tfl`
}

/**
 * Reads a fingerprint; with a mapping also checks that it was made with the same numbers.
 * @throws FormatError TFP_ERR_MODEL_*; TracefpError TFP_ERR_MODEL_MAPPING, TFP_ERR_FILE.
 */
export async function readFingerprintFile(path: string, mapping?: Mapping): Promise<Fingerprint> {
  const text = await readText(path)
  if (text === undefined) throw new TracefpError('TFP_ERR_FILE', `${path}: there is no such file`)
  const fingerprint = decodeFingerprint(text, path)
  if (mapping !== undefined) assertMapping(fingerprint, mapping, path)
  return fingerprint
}

/** Reads the ledger beside a fingerprint. @throws TracefpError TFP_ERR_MODEL_LEDGER when there is none. */
export async function readLedgerFile(fingerprintPath: string, mapping: Mapping): Promise<Ledger> {
  const path = ledgerPathOf(fingerprintPath)
  const text = await readText(path)
  if (text === undefined) throw missingLedger(fingerprintPath, path)
  return decodeLedger(text, path, mapping)
}

/**
 * Changes the ledger of `path` (a `.tfp`) under its lock, then writes `.tfl` and `.tfp`. Starts an empty one when neither
 * file is there. When `change` throws, nothing is written.
 * @throws TracefpError TFP_ERR_MODEL_LEDGER: a fingerprint without its ledger, or with that of another one.
 * @throws TracefpError TFP_ERR_MODEL_SETTINGS, TFP_ERR_MODEL_MAPPING: it was made with other settings.
 * @throws TracefpError TFP_ERR_MODEL_LOCKED: another process holds it too long.
 */
export async function updateLedger<T>(
  path: string,
  settings: Settings,
  mapping: Mapping,
  change: (ledger: Ledger) => T | Promise<T>,
  options: LockOptions = {},
): Promise<LedgerUpdate<T>> {
  return await inFile(path, () =>
    withLock(`${path}.lock`, options, async () => {
      const ledger = await loadForUpdate(path, settings, mapping)
      const result = await change(ledger)
      return { result, ledger, fingerprint: await writeBoth(path, ledger, mapping) }
    }),
  )
}

/**
 * Writes another ledger, or what `change` makes of the one that is there, under the lock of `path` (a `.tfp`): `.tfl`, then `.tfp`.
 * @throws as updateLedger.
 */
export async function replaceLedger(
  path: string,
  change: Ledger | ((ledger: Ledger) => Ledger),
  mapping: Mapping,
  options: LockOptions = {},
): Promise<{ readonly ledger: Ledger; readonly fingerprint: Fingerprint }> {
  return await inFile(path, () =>
    withLock(`${path}.lock`, options, async () => {
      const ledger = typeof change === 'function' ? change(await readLedgerFile(path, mapping)) : change
      return { ledger, fingerprint: await writeBoth(path, ledger, mapping) }
    }),
  )
}

/**
 * Replaces a file: a temporary one in the same folder is filled, synced and renamed over it. Readers see the old text or the
 * new one. A symbolic link stays, its target is replaced. What is no regular file is written to. `newMode`: of a file that was not
 * there, less the umask.
 * @throws TracefpError TFP_ERR_FILE.
 */
export async function writeAtomic(path: string, text: string, newMode = 0o666): Promise<void> {
  await inFile(path, async () => {
    const place = writePlaceOf(path)
    if (place.kind !== 'file') return await writeInPlace(place.kind === 'descriptor' ? place.fd : place.path, text)
    const target = place.path
    const mode = await stat(target).then(
      (s) => s.mode & 0o777,
      () => newMode,
    )
    const temporary = join(
      dirname(target),
      `.${basename(target)}.${process.pid}.${Buffer.from(randomBytes(6)).toString('hex')}.tmp`,
    )
    try {
      const file = await open(temporary, 'wx', mode)
      try {
        await file.writeFile(text)
        await file.sync()
      } finally {
        await file.close()
      }
      await rename(temporary, target)
    } catch (error) {
      await rm(temporary, { force: true })
      throw error
    }
    const folder = await open(dirname(target), 'r')
    try {
      await folder.sync()
    } finally {
      await folder.close()
    }
  })
}

const writeInPlace = promisify(writeFile)

async function writeBoth(path: string, ledger: Ledger, mapping: Mapping): Promise<Fingerprint> {
  const fingerprint = ledger.fingerprint(mapping)
  await removeLeftovers(path)
  await writeAtomic(ledgerPathOf(path), encodeLedger(ledger, mapping), OWN_MODE)
  await writeAtomic(path, encodeFingerprint(fingerprint), OWN_MODE)
  return fingerprint
}

async function loadForUpdate(path: string, settings: Settings, mapping: Mapping): Promise<Ledger> {
  const ledgerPath = ledgerPathOf(path)
  const [text, fingerprintText] = [await readText(ledgerPath), await readText(path)]
  if (text === undefined) {
    if (fingerprintText !== undefined) throw missingLedger(path, ledgerPath)
    return Ledger.empty(settings)
  }
  const ledger = decodeLedger(text, ledgerPath, mapping).renamed(mapping)
  assertSameSettings(ledger.settings, settings, path)
  if (fingerprintText !== undefined)
    assertBelongs(ledger, ledgerPath, decodeFingerprint(fingerprintText, path), path, mapping)
  return ledger
}

/** A crash between the two writes leaves a fingerprint that says less than the ledger; one that says more is a stranger. */
function assertBelongs(ledger: Ledger, ledgerPath: string, known: Fingerprint, path: string, mapping: Mapping): void {
  const derived = ledger.fingerprint(mapping)
  if (derived.sha256 === known.sha256 || isWithin(known, derived, mapping)) return
  const hint = `move ${ledgerPath} away, or delete ${path} to derive it again`
  throw new TracefpError('TFP_ERR_MODEL_LEDGER', `${path} holds what ${ledgerPath} does not: ${hint}`)
}

function isWithin(known: Fingerprint, derived: Fingerprint, mapping: Mapping): boolean {
  if (known.runCount > derived.runCount || known.faultRunCount > derived.faultRunCount) return false
  const rename = (text: string): string => {
    const number = mapping.numberOf(text)
    return number === undefined ? text : mapping.symbolOf(number.abi, number.nr)
  }
  for (const [key, program] of known.programs) {
    const other = derived.programs.get(key)
    if (other === undefined) return false
    for (const exec of program.execs.keys()) if (!other.execs.has(exec)) return false
    for (const [context, next] of program.successors) {
      const otherNext = nextAfter(other.successors, context.split(' ').map(rename).join(' '))
      for (const symbol of next.keys()) if (otherNext?.has(rename(symbol)) !== true) return false
    }
  }
  return true
}

/** Temporary files of writers that were killed. */
async function removeLeftovers(path: string): Promise<void> {
  for (const target of [path, ledgerPathOf(path)]) {
    const real = await realpath(target).catch(() => resolve(target))
    const prefix = `.${basename(real)}.`
    for (const name of await readdir(dirname(real))) {
      const pid = name.startsWith(prefix) && /^([0-9]+)\.[0-9a-f]{12}\.tmp$/.exec(name.slice(prefix.length))?.[1]
      if (pid && !(await isAlive(pid))) await rm(join(dirname(real), name), { force: true })
    }
  }
}

async function isAlive(pid: string): Promise<boolean> {
  return await stat(`/proc/${pid}`).then(
    () => true,
    () => false,
  )
}

/** Undefined: no such file. The text has one character per byte; what is not ASCII is refused by the decoders. */
async function readText(path: string): Promise<string | undefined> {
  return await inFile(path, async () => {
    const facts = await stat(path).catch((error: unknown) => {
      if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined
      throw error
    })
    if (facts === undefined) return undefined
    if (!facts.isFile()) throw new TracefpError('TFP_ERR_FILE', `${path}: not a regular file`)
    if (facts.size > MAX_TEXT_LENGTH) throw new FormatError('TFP_ERR_MODEL_FORMAT', 'larger than 64 MiB', path, 0)
    return await readFile(path, 'latin1')
  })
}

/** Errors of the file system become TFP_ERR_FILE; others pass. */
async function inFile<T>(path: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (error) {
    if (error instanceof TracefpError || !(error instanceof Error) || !('syscall' in error)) throw error
    throw new TracefpError('TFP_ERR_FILE', `${path}: ${error.message}`, { cause: error })
  }
}

function missingLedger(path: string, ledgerPath: string): TracefpError {
  const hint = `bring the ledger back to go on learning, or learn into a new file with -o`
  return new TracefpError('TFP_ERR_MODEL_LEDGER', `${path} has no ledger (${ledgerPath}): ${hint}`)
}
