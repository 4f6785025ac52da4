// What is known of a live session when it begins: for its capture, and for the report that must be equal to that of a replay.

import { hostFacts } from '../host.ts'
import { factsOfTarget, type Target } from '../target.ts'
import type { CaptureSession } from './values.ts'

export interface LiveSession {
  /** ULID. */
  readonly session: string
  readonly target: Target
  /** The one that runs. */
  readonly engine: string
  /** RFC 3339. */
  readonly startedAt: string
}

export function captureSessionOf({ session, target, engine, startedAt }: LiveSession): CaptureSession {
  const { host, machineId, bootId, kernel, uid } = hostFacts()
  return {
    session,
    ...factsOfTarget(target),
    engine,
    host,
    machineId,
    bootId,
    kernel,
    uid,
    startedAt,
  }
}
