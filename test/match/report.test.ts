// The JSON of a session: scripts read it, so its fields and their order are a contract.
import { expect, test } from 'vitest'
import { check, FACTS, learn, simple } from './stream-script.ts'

const stream = simple('brk read exit_group')
const fingerprint = learn([stream])

test('the report has the documented fields in the documented order', () => {
  expect(Object.keys(check(fingerprint, stream).report)).toEqual([
    ...['schema', 'tracefp', 'session', 'name', 'source', 'host', 'machineId', 'bootId', 'uid', 'argv'],
    ...['startedAt', 'endedAt', 'exit', 'verdict', 'depth', 'recordCount', 'trackCount', 'transitionCount'],
    ...[
      'missCount',
      'alarmCount',
      'burst',
      'gapCount',
      'droppedCount',
      'unparsedLineCount',
      'programs',
      'misses',
      'notes',
    ],
  ])
})

test('a miss has the documented fields in the documented order', () => {
  const [miss] = check(fingerprint, simple('read')).report.misses
  expect(Object.keys(miss ?? {})).toEqual([
    ...['tid', 'tgid', 'ppid', 'ancestors', 'kind', 'image', 'index', 'at', 'context', 'from', 'to'],
    ...['depth', 'expected', 'path', 'severity', 'layer', 'burst', 'isAlarm', 'action'],
  ])
})

test('an authentic session counts what it did', () => {
  expect(check(fingerprint, stream).report).toEqual({
    schema: 1,
    ...FACTS,
    exit: { code: 0, signal: null },
    verdict: 'authentic',
    depth: 2,
    recordCount: 3,
    trackCount: 1,
    transitionCount: 4,
    missCount: 0,
    alarmCount: 0,
    burst: { frame: 20, threshold: null, score: 0 },
    gapCount: 0,
    droppedCount: 0,
    unparsedLineCount: 0,
    programs: [
      {
        image: '/bin/a',
        sha256: '00'.repeat(32),
        fingerprint: fingerprint.sha256,
        recordCount: 3,
        missCount: 0,
        coverage: 1,
      },
    ],
    misses: [],
    notes: [],
  })
})

test('a session whose end was not seen has no exit', () => {
  expect(check(fingerprint, '1 born exec\n1 exec /bin/a\n1: brk').report.exit).toEqual({ code: null, signal: null })
})

test('the exit is that of the root, also after an exec by another thread', () => {
  const text =
    '1 born exec\n1 exec /bin/a\n1: brk\n2 born thread 1\n1 exec /bin/a from 2\n3 born fork 1\n1 exits 4\n3 exits 9'
  expect(check(fingerprint, text).report.exit).toEqual({ code: 4, signal: null })
})
