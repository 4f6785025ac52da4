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
    fc.property(fc.array(fc.nat(200), { minLength: 1 }), (indexes) => {
      const text = RunSet.of(indexes).toString()
      const read = RunSet.parse(text, 201)
      expect(read?.toString()).toBe(text)
      expect(read?.count).toBe(new Set(indexes).size)
    }),
  )
})

test('touching runs are one range', () => {
  expect(RunSet.of([4, 0, 1, 2, 6]).toString()).toBe('1-3,5,7')
})

test('many scattered runs are written as bits', () => {
  const odd = RunSet.of(Array.from({ length: 5000 }, (_, i) => i * 2))
  expect(odd.toString()).toMatch(/^=[\w-]{1667}$/)
  expect(RunSet.parse(odd.toString(), 10_000)).toEqual(odd)
  expect(RunSet.parse(odd.toString(), 9_000)).toBeUndefined()
})

test('sets do what sets do', () => {
  const some = fc.array(fc.nat(100)).map((indexes) => [new Set(indexes), RunSet.of(indexes)] as const)
  const sorted = (indexes: Iterable<number>): number[] => [...indexes].sort((a, b) => a - b)
  fc.assert(
    fc.property(some, some, fc.nat(100), ([a, setA], [b, setB], index) => {
      expect([...setA.union(setB)]).toEqual(sorted(new Set([...a, ...b])))
      expect([...setA.intersection(setB)]).toEqual(sorted([...a].filter((i) => b.has(i))))
      expect([...setA.without(setB)]).toEqual(sorted([...a].filter((i) => !b.has(i))))
      expect(setA.isWithin(setB)).toBe([...a].every((i) => b.has(i)))
      expect([setA.has(index), setA.with(index).has(index)]).toEqual([a.has(index), true])
      expect(setA.first).toBe(sorted(a)[0] ?? -1)
    }),
  )
})

test('a set that was added to is another one', () => {
  const set = RunSet.of([5])
  expect([[...set.with(4)], [...set]]).toEqual([[4, 5], [5]])
})

test('the same runs in another order are the same set', () => {
  expect(RunSet.of([0, 2, 3]).renumbered([7, -1, 1, -1]).toString()).toBe('2,8')
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
  '=Dw',
  '=',
  '=/w',
  '=VQU=',
])('%j is not canonical for ten runs', (text) => {
  expect(RunSet.parse(text, 10)).toBeUndefined()
})
