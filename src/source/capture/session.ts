// What is known of a live session when it begins: for its capture, and for the report that must be equal to that of a replay.

import { basename } from 'node:path'
import type { LaunchOptions } from '../../addon/addon.ts'
import { ancestorNames, hostFacts } from '../host.ts'
import type { CaptureSession } from './values.ts'

export interface LiveSession {
  /** ULID. */
  readonly session: string
  readonly launch: LaunchOptions
  /** The one that runs. */
  readonly engine: string
  /** RFC 3339. */
  readonly startedAt: string
}

export function captureSessionOf({ session, launch, engine, startedAt }: LiveSession): CaptureSession {
  const { host, machineId, bootId, kernel, uid } = hostFacts()
  return {
    session,
    name: basename(launch.argv[0] as string),
    engine,
    host,
    machineId,
    bootId,
    kernel,
    uid,
    argv: launch.argv,
    startedAt,
    rootPpid: process.pid,
    rootAncestors: ancestorNames(),
  }
}
