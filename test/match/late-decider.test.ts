// What becomes of who was stopped by the kernel when nobody is left to decide.
import { expect, test } from 'vitest'
import type { Checker } from '../../src/match/checker.ts'
import { LateDecider } from '../../src/match/late-decider.ts'
import type { Miss } from '../../src/match/miss.ts'

const miss = (tgid: number): Miss => ({ tgid, tid: tgid, isAlarm: true, action: 'alert' }) as Miss

test('a miss that is told after the session was let go stops nobody, and revives who was stopped', () => {
  const told: number[] = []
  const revived: number[] = []
  const signals: [number, string][] = []
  const late = new LateDecider(() => ({ settle: (it: Miss) => it }) as unknown as Checker, {
    policy: 'ask',
    ask: () => new Promise(() => {}),
    tell: ({ tgid }) => told.push(tgid),
    reach: ({ tgid }) => [tgid],
    signal: (reach, signal) => signals.push([reach?.[0] ?? 0, signal]),
    revive: ({ tgid }) => revived.push(tgid),
    onFailure: () => {},
  })
  late.onMiss(miss(1))
  expect([told, signals]).toEqual([[], [[1, 'SIGSTOP']]])
  late.release()
  late.onMiss(miss(2))
  expect(signals).toEqual([
    [1, 'SIGSTOP'],
    [1, 'SIGCONT'],
  ])
  expect([told, revived]).toEqual([[1, 2], [2]])
})
