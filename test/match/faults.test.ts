// What was seen while calls were made to fail: told, at low severity, and no alarm.
import { describe, expect, test } from 'vitest'
import { missLine } from '../../src/match/explain.ts'
import { type Fingerprint, makeSettings } from '../../src/model/fingerprint.ts'
import { Ledger } from '../../src/model/ledger.ts'
import { check, MAPPING, record, simple } from './stream-script.ts'

function learn(normal: readonly string[], faulty: readonly string[], depth = 2): Fingerprint {
  const ledger = Ledger.empty(makeSettings(MAPPING, { depth }))
  for (const stream of normal) ledger.addRun(record(stream, { depth }).run.finish())
  for (const stream of faulty) {
    const delta = record(stream, { depth }).run.finish()
    ledger.addRun({ ...delta, info: { ...delta.info, layer: 'fault' } })
  }
  return ledger.fingerprint(MAPPING)
}

const NORMAL = simple('openat write close exit_group')
const FAULTY = simple('openat write unlink exit_group')

describe('a run as it was seen while calls failed', () => {
  const { report, outcome } = check(learn([NORMAL], [FAULTY]), FAULTY)

  test('is authentic, and what is unusual about it is told all the same', () => {
    expect(outcome).toBe('authentic')
    expect(report).toMatchObject({ verdict: 'authentic', missCount: 1, alarmCount: 0 })
    expect(report.misses).toMatchObject([
      { from: 'write', to: 'unlink', layer: 'fault', severity: 'low', isAlarm: false, burst: 0 },
    ])
    expect(report.notes).toMatchObject([{ code: 'fault_layer' }])
  })

  test('is told in words of its own', () => {
    expect(missLine(report.misses[0]!)).toMatch(/^tracefp: low: .* write -> unlink; known from runs in which calls/)
  })
})

test('without the fault layer the same run is abnormal', () => {
  expect(check(learn([NORMAL], []), FAULTY).outcome).toBe('abnormal')
})

test('what neither layer knows is an alarm, beside what the fault layer knows', () => {
  const { report } = check(learn([NORMAL], [FAULTY]), simple('openat openat write unlink exit_group'))
  expect(report).toMatchObject({ verdict: 'abnormal', missCount: 2, alarmCount: 1 })
})

test('two layers make no third: a step from the one into the other at greater depth is judged as a whole', () => {
  const fingerprint = learn([simple('read write close exit_group')], [simple('write close read exit_group')], 3)
  // close -> read is known of faults after `write`, and only so: after `read write close` it is not, at depth 4.
  expect(check(fingerprint, simple('write close read exit_group')).outcome).toBe('authentic')
  expect(check(fingerprint, simple('close read exit_group')).outcome).toBe('abnormal')
})

test('programs that were executed only while calls failed are of the fault layer too', () => {
  const faulty = '1 born exec\n1 exec /bin/a\n1: openat execve\n1 exec /bin/b\n1: exit_group\n1 exits 0'
  const { report } = check(learn([NORMAL], [faulty]), faulty)
  expect(report.misses.map(({ to, layer }) => [to, layer])).toEqual([
    ['execve', 'fault'],
    ['exec:/bin/b', 'fault'],
    ['exit_group', 'fault'],
  ])
})

test('a forged signal frame is an alarm, whatever was seen', () => {
  const faulty = simple('openat rt_sigreturn exit_group')
  expect(check(learn([NORMAL], [faulty]), faulty).outcome).toBe('abnormal')
})
