import fc from 'fast-check'
import { expect, test } from 'vitest'
import { RunSet } from '../../src/model/run-set.ts'

test('holds what was added, once', () => {
  fc.assert(
    fc.property(fc.array(fc.nat(40)), (indexes) => {
      const set = RunSet.of(indexes)
      expect([...set]).toEqual([...new Set(indexes)].sort((a, b) => a - b))
      expect(set.count).toBe(new Set(indexes).size)
    }),
  )
})

test('is the same after it was written and read', () => {
  fc.assert(
    fc.property(fc.array(fc.nat(40), { minLength: 1 }), (indexes) => {
      const text = RunSet.of(indexes).toString()
      const read = RunSet.parse(text, 41)
      expect(read?.toString()).toBe(text)
      expect(read?.count).toBe(new Set(indexes).size)
    }),
  )
})

test('touching runs are one range', () => {
  expect(RunSet.of([4, 0, 1, 2, 6]).toString()).toBe('1-3,5,7')
})

test('a union holds what either holds', () => {
  expect(RunSet.union(RunSet.of([1, 5]), RunSet.of([2, 5])).toString()).toBe('2-3,6')
})

test('a run that comes before others cannot be added', () => {
  expect(() => RunSet.of([5]).add(4)).toThrow(RangeError)
})

test.each([
  '',
  '0',
  '1,2',
  '2,1',
  '1-1',
  '3-2',
  '1-',
  '-1',
  '01',
  '1,,3',
  '1-99',
  '11',
  '1.5',
  '1 2',
  '1e1',
  '5-6,6-7',
])('%j is not canonical for ten runs', (text) => {
  expect(RunSet.parse(text, 10)).toBeUndefined()
})
