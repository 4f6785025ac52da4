// The JSON values of a capture: what is written, and whether what was read is such a value. Fingerprints are made of them,
// so nothing is let through that a fingerprint file could not hold.

import type { Image } from '../../model/stream.ts'
import type { LoggedSession } from '../log/log-reader.ts'

/** What is known when a session begins. */
export type CaptureSession = Omit<LoggedSession, 'endedAt'>

export interface CaptureTrailer {
  /** RFC 3339. */
  readonly endedAt: string
}

export function isCaptureSession(value: unknown): value is CaptureSession {
  if (!hasFields(value, [...TEXTS, 'session', 'startedAt', 'uid', 'rootPpid', 'argv', 'rootAncestors'])) return false
  const { session, startedAt, uid, rootPpid, argv, rootAncestors } = value
  return (
    TEXTS.every((name) => isText(value[name])) &&
    isText(session) &&
    /^[0-7][0-9A-HJKMNP-TV-Z]{25}$/.test(session) &&
    isTime(startedAt) &&
    isId(uid) &&
    isId(rootPpid) &&
    isTexts(argv) &&
    isTexts(rootAncestors)
  )
}

export function isCaptureTrailer(value: unknown): value is CaptureTrailer {
  return hasFields(value, ['endedAt']) && isTime(value['endedAt'])
}

export function isImage(value: unknown): value is Image {
  if (!hasFields(value, ['path', 'sha256', 'buildId', 'script', 'argv0'])) return false
  const { path, sha256, buildId, script, argv0 } = value
  return (
    isText(path) &&
    isHash(sha256) &&
    (buildId === null || (isText(buildId) && /^(?:[0-9a-f]{2}){1,64}$/.test(buildId))) &&
    (script === null || isScript(script)) &&
    (argv0 === null || isText(argv0))
  )
}

/** `[code, message]` of a note. */
export function isNote(value: unknown): value is [code: string, message: string] {
  return isTexts(value) && value.length === 2
}

const TEXTS = ['name', 'engine', 'host', 'machineId', 'bootId', 'kernel'] as const

function isScript(value: unknown): boolean {
  return hasFields(value, ['path', 'sha256']) && isText(value['path']) && isHash(value['sha256'])
}

/** These fields and no other. */
function hasFields(value: unknown, names: readonly string[]): value is Record<string, unknown> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return false
  return Object.keys(value).length === names.length && names.every((name) => Object.hasOwn(value, name))
}

function isText(value: unknown): value is string {
  return typeof value === 'string'
}

function isTexts(value: unknown): value is string[] {
  return Array.isArray(value) && value.every(isText)
}

function isHash(value: unknown): boolean {
  return value === null || (isText(value) && /^[0-9a-f]{64}$/.test(value))
}

function isId(value: unknown): boolean {
  return Number.isInteger(value) && (value as number) >= 0 && (value as number) <= 0xffff_ffff
}

/** As toISOString writes it. */
function isTime(value: unknown): boolean {
  if (!isText(value)) return false
  const ms = Date.parse(value)
  return Number.isFinite(ms) && new Date(ms).toISOString() === value
}
