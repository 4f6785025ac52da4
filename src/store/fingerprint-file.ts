// Reads a fingerprint at once, for where a tracee waits: at its exec, when the program is known and not yet running.

import { TracefpError } from '../errors.ts'
import { MAX_TEXT_LENGTH } from '../model/canonical.ts'
import { decodeFingerprint } from '../model/codec-fingerprint.ts'
import { assertMapping, type Fingerprint } from '../model/fingerprint.ts'
import { linuxMapping, type Mapping } from '../syscall/mapping.ts'
import { readBounded } from './bounded-file.ts'
import type { Trust } from './trust.ts'

/** @throws FormatError, TracefpError TFP_ERR_MODEL_*, TFP_ERR_FILE. */
export function readFingerprint(file: string, mapping: Mapping = linuxMapping()): Fingerprint {
  const fingerprint = decodeFingerprint(readFingerprintText(file), file)
  assertMapping(fingerprint, mapping, file)
  return fingerprint
}

/** The files that somebody named; not their mappings. @throws as readFingerprint, and the refusal of the first not believed. */
export function readGivenFingerprints(files: readonly string[], trust: Trust | null, depth?: number): Fingerprint[] {
  const texts = files.map((file) => ({ file, text: readFingerprintText(file) }))
  const refused = trust?.judge(texts).find((refusal) => refusal !== null)
  if (refused !== undefined && refused !== null) throw refused
  return texts.map(({ file, text }) => decodeFingerprint(text, file, depth))
}

/** @throws TracefpError TFP_ERR_FILE. */
export function readFingerprintText(file: string): string {
  try {
    return readBounded(file, MAX_TEXT_LENGTH, 'larger than 64 MiB').text
  } catch (cause) {
    throw new TracefpError('TFP_ERR_FILE', `${file}: ${(cause as Error).message}`, { cause })
  }
}
