// Reports for tests of the store.

import type { Miss } from '../../src/match/miss.ts'
import type { Report, Result } from '../../src/match/report.ts'
import { newUlid } from '../../src/model/ulid.ts'

export function missOf(given: Partial<Miss> = {}): Miss {
  return {
    tid: 10,
    tgid: 10,
    ppid: 1,
    ancestors: ['sh'],
    kind: 'call',
    image: '/usr/bin/server',
    index: 7,
    at: '2026-11-23T10:00:01.000Z',
    context: ['openat', 'read'],
    from: 'read',
    to: 'execve',
    depth: 2,
    expected: ['close'],
    path: [],
    severity: 'critical',
    layer: null,
    burst: 1,
    isAlarm: true,
    action: 'alert',
    ...given,
  } as Miss
}

export function resultOf(misses: readonly Miss[] = [], given: Partial<Report> = {}): Result {
  const report = {
    schema: 1,
    tracefp: '0.1.0',
    session: newUlid(),
    name: './server',
    source: { kind: 'live', engine: 'notify', format: null, order: 'entry' },
    host: 'box',
    machineId: 'm',
    bootId: 'b',
    uid: 0,
    argv: ['./server', '--port', '8080'],
    startedAt: new Date().toISOString(),
    endedAt: new Date().toISOString(),
    exit: { code: 0, signal: null },
    verdict: misses.length > 0 ? 'abnormal' : 'authentic',
    depth: 2,
    recordCount: 100,
    trackCount: 1,
    transitionCount: 99,
    missCount: misses.length,
    gapCount: 0,
    droppedCount: 0,
    unparsedLineCount: 0,
    programs: [
      {
        image: '/usr/bin/server',
        sha256: 'a'.repeat(64),
        fingerprint: 'f'.repeat(64),
        recordCount: 100,
        missCount: misses.length,
        coverage: 0.5,
      },
    ],
    misses,
    notes: [],
    ...given,
  } as unknown as Report
  return { report, outcome: report.verdict }
}
