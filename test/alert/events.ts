// Events for tests of what leaves tracefp.

import type { AlertEvent } from '../../src/alert/event.ts'
import { NOWHERE, scoreOf } from '../../src/alert/score.ts'
import { missOf } from '../store/reports.ts'

export const HOSTILE = 'a"]\\<!channel>&\u001b[31m\u202e\n$(id)`id`'

/** Always the same one, but for what is given. */
export function eventOf(given: Partial<AlertEvent> = {}): AlertEvent {
  const misses = given.misses ?? [missOf(), missOf({ tid: 11, from: 'close', to: 'exec:/bin/sh', kind: 'exec' })]
  return {
    schema: 1,
    kind: 'opened',
    id: '01KVRM5W3C1R8YH6Z4N2T7Q9XA',
    alert: '01KVRM5W3C1R8YH6Z4N2T7Q9XB',
    time: '2026-11-23T10:00:01.000Z',
    tracefp: '0.1.0',
    host: 'box.example',
    machineId: '3d1219c7c4c5404aaa1f6d2a48adfda4',
    bootId: '6423720c-c605-4d93-8bd1-09d5b8e86216',
    session: '01KVRM5W3C1R8YH6Z4N2T7Q9XC',
    name: './server',
    uid: 0,
    program: '/usr/bin/server',
    sha256: 'a'.repeat(64),
    fingerprint: 'f'.repeat(64),
    severity: 'critical',
    score: scoreOf(misses, () => NOWHERE),
    mode: 'alert',
    confidence: 'full',
    missCount: 5,
    suppressedCount: 3,
    misses,
    gapCount: 0,
    droppedCount: 0,
    ...given,
  }
}
