// Which finding outranks which.
import { expect, test } from 'vitest'
import { type Findings, outcomeOf, verdictOf } from '../../src/match/verdict.ts'

const FINE: Findings = {
  alarmCount: 0,
  transitionCount: 10,
  gapCount: 0,
  droppedCount: 0,
  isInconclusive: false,
  hasFingerprint: true,
}

test('nothing found is authentic', () => {
  expect(verdictOf(FINE)).toBe('authentic')
})

test.each([
  ['a gap', { gapCount: 1 }],
  ['a dropped record', { droppedCount: 1 }],
  ['a note', { isInconclusive: true }],
  ['that nothing was judged', { transitionCount: 0 }],
])('%s is inconclusive', (_, finding) => {
  expect(verdictOf({ ...FINE, ...finding })).toBe('inconclusive')
})

test('a miss outranks everything', () => {
  const worst = { ...FINE, alarmCount: 1, gapCount: 1, isInconclusive: true, hasFingerprint: false }
  expect(outcomeOf(worst)).toBe('abnormal')
})

test('the lack of a fingerprint is inconclusive in words and its own outcome', () => {
  expect(verdictOf({ ...FINE, hasFingerprint: false })).toBe('inconclusive')
  expect(outcomeOf({ ...FINE, hasFingerprint: false })).toBe('no_fingerprint')
  expect(outcomeOf({ ...FINE, hasFingerprint: false, gapCount: 1 })).toBe('inconclusive')
})
