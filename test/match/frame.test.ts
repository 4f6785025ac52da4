// The locality frame: misses among the last transitions of one track.
import { array, assert, boolean, integer, property } from 'fast-check'
import { expect, test } from 'vitest'
import { LocalityFrame } from '../../src/match/frame.ts'
import { check, learn, simple } from './stream-script.ts'

const calls = (count: number): string => Array<string>(count).fill('read').join(' ')
const fingerprint = learn([
  simple(`${calls(3)} exit_group`),
  simple(`write ${calls(2)} exit_group`),
  simple('close read'),
])
/** `read -> write` was never seen, `write -> read` was. */
const odd = (between: number): string => `write ${calls(between)}`

test('is what counting by hand gives', () => {
  void assert(
    property(array(boolean(), { maxLength: 80 }), integer({ min: 1, max: 25 }), (isMiss, length) => {
      const frame = new LocalityFrame()
      for (const [at, is] of isMiss.entries()) {
        if (!is) continue
        const wanted = isMiss.slice(Math.max(0, at - length + 1), at + 1).filter(Boolean).length
        expect(frame.add(at, length)).toBe(wanted)
      }
    }),
  )
})

test('misses close together are a burst, misses far apart are none', () => {
  const scores = [1, 9, 30].map(
    (between) => check(fingerprint, simple(`${calls(3)} ${odd(between)} ${odd(between)} ${odd(between)}`)).report.burst,
  )
  expect(scores.map((burst) => burst?.score)).toEqual([3, 2, 1])
})

test('below the threshold misses are told in the report and are no alarm', () => {
  const { report } = check(fingerprint, simple(`${calls(2)} ${odd(30)} ${odd(1)} exit_group`), {
    burst: { threshold: 3 },
  })
  expect(report).toMatchObject({ verdict: 'authentic', missCount: 2, alarmCount: 0 })
  expect(report.burst).toEqual({ frame: 20, threshold: 3, score: 1 })
  expect(report.notes).toMatchObject([{ code: 'no_burst' }])
})

test('the miss that fills the frame is the alarm', () => {
  const { report } = check(fingerprint, simple(`${calls(2)} ${odd(1)} ${odd(1)} ${odd(1)} exit_group`), {
    burst: { threshold: 3, frame: 10 },
  })
  expect(report.misses.map(({ burst, isAlarm }) => [burst, isAlarm])).toEqual([
    [1, false],
    [2, false],
    [3, true],
  ])
  expect(report.verdict).toBe('abnormal')
})

test('each track has a frame of its own', () => {
  const start = '1 born exec\n1 exec /bin/a\n2 born thread 1'
  const known = learn([`${start}\n1: read write\n2: read write`])
  const { report } = check(known, `${start}\n1: read\n2: read\n1: read\n2: read`, { burst: { threshold: 2 } })
  expect(report.misses.map(({ burst }) => burst)).toEqual([1, 1])
})

test('transparent calls take no place in a frame', () => {
  const between = Array<string>(30).fill('gettimeofday').join(' ')
  const { report } = check(fingerprint, simple(`read write ${between} read write`))
  expect(report.burst?.score).toBe(2)
})

test('another program than any that was learned is an alarm without a burst', () => {
  const known = learn(['1 born exec\n1 exec /bin/a\n1: execve\n1 exec /bin/b\n1: read'])
  const { report } = check(known, '1 born exec\n1 exec /bin/a\n1: execve\n1 exec /bin/c\n1: read', {
    burst: { threshold: 5 },
  })
  expect(report).toMatchObject({ verdict: 'abnormal', alarmCount: 1 })
})
