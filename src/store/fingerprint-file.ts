// Reads a fingerprint at once, for where a tracee waits: at its exec, when the program is known and not yet running.

import { readFileSync } from 'node:fs'
import { TracefpError } from '../errors.ts'
import { decodeFingerprint } from '../model/codec-fingerprint.ts'
import { assertMapping, type Fingerprint } from '../model/fingerprint.ts'
import { linuxMapping, type Mapping } from '../syscall/mapping.ts'

/** @throws FormatError, TracefpError TFP_ERR_MODEL_*, TFP_ERR_FILE. */
export function readFingerprint(file: string, mapping: Mapping = linuxMapping()): Fingerprint {
  let text: string
  try {
    text = readFileSync(file, 'latin1')
  } catch (cause) {
    throw new TracefpError('TFP_ERR_FILE', `${file}: ${(cause as Error).message}`, { cause })
  }
  const fingerprint = decodeFingerprint(text, file)
  assertMapping(fingerprint, mapping, file)
  return fingerprint
}
