// The JSON of a session: scripts read it, so its fields and their order are a contract.
import { expect, test } from 'vitest'
import { check, FACTS, image, learn, simple } from './stream-script.ts'

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

test('a session in which nothing was judged is inconclusive, and says why', () => {
  const notesOf = (script: string) => {
    const { report, outcome } = check(fingerprint, script, {}, { joinImage: image('/bin/a') })
    return [outcome, report.notes.filter(({ code }) => code === 'nothing_checked').map(({ message }) => message)]
  }
  const threads = Array.from({ length: 300 }, (_, tid) => `${tid + 2} born join\n${tid + 2}: read`).join('\n')
  expect(notesOf(threads)).toEqual([
    'inconclusive',
    ['nothing was checked: among 300 calls of 300 tracks is no transition that could be judged'],
  ])
  const timeOnly = 'nothing was checked: among 1 call of 1 track is no transition that could be judged'
  expect(notesOf('1 born exec\n1 exec /bin/a\n1: gettimeofday')).toEqual(['inconclusive', [timeOnly]])
  expect(notesOf('1 born exec\n1 exec /bin/a')).toEqual(['inconclusive', ['nothing was checked: no call was seen']])
  expect(notesOf(`${threads}\n2: exit_group`)).toEqual(['authentic', []])
})

test('where there is a miss, or no fingerprint, that is the reason', () => {
  const codes = (script: string): string[] => check(fingerprint, script).report.notes.map(({ code }) => code)
  expect(codes('1 born exec\n1 exec /bin/b')).toEqual(['no_fingerprint'])
  expect(codes('1 born exec\n1 exec /bin/a\n1 exec /bin/b')).not.toContain('nothing_checked')
})
