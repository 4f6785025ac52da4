// Evidence of an abnormal session, one file: everything that is needed to judge it again, and to know what happened without
// the machine it happened on. Gzipped JSON, version 1; its hash stands in the session's row and so in the chain.

import { closeSync, constants, fsyncSync, openSync, readFileSync, renameSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { gunzipSync, gzipSync } from 'node:zlib'
import { sha256Of } from '../addon/hash.ts'
import type { AlertEvent } from '../alert/event.ts'
import { TracefpError } from '../errors.ts'
import type { Report } from '../match/report.ts'
import { removeFile } from '../model/remove-file.ts'
import type { SeenProcess } from '../source/capture/window.ts'
import { syncFolder } from './inbox.ts'
import { makePrivateFolder } from './private-folder.ts'

/** What a live session leaves behind, beside its report. */
export interface Evidence {
  /** Files of captures, in the order of time. */
  readonly captures: readonly string[]
  /** The one capture is of the whole session. */
  readonly isWhole: boolean
  /** The files were made for this, and go once they are packed. */
  readonly isOurs: boolean
  readonly processes: readonly SeenProcess[]
  /** Texts of the fingerprints that judged, in their order. */
  readonly fingerprints: readonly string[]
}

/** How text of a log is to be read. */
export interface LogPart {
  readonly format: string
  /** Name of a built-in one; null: as the log or the fingerprint says. */
  readonly mapping: string | null
  /** Which of the sessions in it, from 0. */
  readonly session: number
  /** Number of its first line in the log. */
  readonly firstLine: number
}

export interface Bundle {
  readonly evidence: 1
  readonly tracefp: string
  readonly node: string
  readonly kernel: string
  readonly madeAt: string
  /** Head of the chain when it was made. */
  readonly previous: string
  readonly report: Report
  readonly alerts: readonly AlertEvent[]
  readonly processes: readonly SeenProcess[]
  readonly isWhole: boolean
  /** Base64; `report`: what checking it says, as JSON. */
  readonly captures: readonly {
    readonly bytes: string
    readonly report: string
    /** They are text of a log. */
    readonly log?: LogPart
  }[]
  readonly fingerprints: readonly string[]
}

const MAX_BUNDLE_BYTES = 256 << 20
const NEW = constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW

/** Makes the folder of evidence. @throws TracefpError TFP_ERR_STORE. */
export function openEvidenceFolder(folder: string): void {
  makePrivateFolder(folder)
}

/** On the disk when this returns. @throws TracefpError TFP_ERR_STORE. */
export function writeBundle(folder: string, bundle: Bundle): { readonly file: string; readonly sha256: string } {
  makePrivateFolder(folder)
  const bytes = gzipSync(JSON.stringify(bundle))
  const file = `${bundle.report.session}.tfe`
  const temporary = join(folder, `.${process.pid}.${file}.tmp`)
  try {
    removeFile(temporary)
    const fd = openSync(temporary, NEW, 0o600)
    try {
      for (let at = 0; at < bytes.length; ) at += writeSync(fd, bytes, at)
      fsyncSync(fd)
    } finally {
      closeSync(fd)
    }
    renameSync(temporary, join(folder, file))
    syncFolder(folder)
  } catch (cause) {
    removeFile(temporary)
    throw new TracefpError('TFP_ERR_STORE', `${folder}: ${(cause as Error).message}`, { cause })
  }
  return { file, sha256: sha256Of(bytes) }
}

/** @throws TracefpError TFP_ERR_STORE_EVIDENCE: it is none; TFP_ERR_FILE. */
export function readBundle(path: string): Bundle {
  let bytes: Buffer
  try {
    bytes = readFileSync(path)
  } catch (cause) {
    throw new TracefpError('TFP_ERR_FILE', `${path}: ${(cause as Error).message}`, { cause })
  }
  let bundle: Partial<Bundle>
  try {
    bundle = JSON.parse(gunzipSync(bytes, { maxOutputLength: MAX_BUNDLE_BYTES }).toString())
  } catch (cause) {
    throw new TracefpError('TFP_ERR_STORE_EVIDENCE', `${path}: this is no evidence, or it is damaged`, { cause })
  }
  if (bundle?.evidence !== 1) {
    throw new TracefpError('TFP_ERR_STORE_EVIDENCE', `${path}: evidence of another version than 1`)
  }
  const { captures, fingerprints } = bundle
  const isWell =
    typeof bundle.report === 'object' &&
    bundle.report !== null &&
    Array.isArray(captures) &&
    captures.every((one) => typeof one?.bytes === 'string' && typeof one.report === 'string') &&
    Array.isArray(fingerprints) &&
    fingerprints.every((text) => typeof text === 'string')
  if (!isWell) throw new TracefpError('TFP_ERR_STORE_EVIDENCE', `${path}: evidence without what must be in it`)
  return bundle as Bundle
}
