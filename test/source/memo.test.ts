import { expect, test } from 'vitest'
import { Memo } from '../../src/source/memo.ts'

test('an answer is made once, and made anew when too many others came between', () => {
  const asked: string[] = []
  const memo = new Memo((text) => {
    asked.push(text)
    return text.length
  })
  expect([memo.of('abc'), memo.of('abc'), memo.of('')]).toEqual([3, 3, 0])
  expect(asked).toEqual(['abc', ''])
  for (let word = 0; word < 1000; word += 1) expect(memo.of(`${word}`)).toBe(`${word}`.length)
  expect(memo.of('abc')).toBe(3)
  expect(asked.filter((text) => text === 'abc')).toHaveLength(2)
})
