// The formula of severity, and the table it stands on.

import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { effectOf, effectOfName } from '../../src/alert/effects.ts'
import { NOWHERE, scoreOf, severityOf } from '../../src/alert/score.ts'
import { ntNames } from '../../src/syscall/nt-names.ts'
import { missOf } from '../store/reports.ts'

const table = new URL('../../native/syscall/syscalls.csv', import.meta.url)

describe('the table of effects', () => {
  test('has every call of every ABI', () => {
    const names = readFileSync(table, 'utf8')
      .trim()
      .split('\n')
      .slice(1)
      .map((line) => line.split(',')[0] as string)
    expect(names.length).toBeGreaterThan(400)
    expect(names.filter((name) => effectOfName(name) === undefined)).toEqual([])
  })

  test('has each name once', () => {
    const source = readFileSync(new URL('../../src/alert/effects.ts', import.meta.url), 'utf8')
    const text = source.slice(source.indexOf('const TABLE'), source.indexOf('/** Services of Windows'))
    const names = text.replace(/\/\/.*/g, '').match(/(?<=[\s`'])[_a-z][a-z0-9_]*(?=[\s`'])/g) as string[]
    expect(names.filter((name, index) => names.indexOf(name) !== index)).toEqual([])
  })

  test('knows services of Windows by their first word', () => {
    const unknown = ntNames().filter((name) => {
      const { confidentiality: c, integrity: i, availability: a } = effectOf(name.startsWith('Nt') ? name : `Nt${name}`)
      return `${c}${i}${a}` === ''
    })
    expect(unknown).toEqual([])
    expect(effectOf('NtWriteVirtualMemory')).toEqual({ confidentiality: 2, integrity: 3, availability: 2 })
  })

  test('another ABI and a number without a name are suspicious', () => {
    const some = { confidentiality: 2, integrity: 2, availability: 2 }
    expect([effectOf('i386:getpid'), effectOf('sys_999'), effectOf('no_such_call')]).toEqual([some, some, some])
  })
})

describe('the score', () => {
  const value = (...misses: Parameters<typeof missOf>[0][]): number => scoreOf(misses.map(missOf), () => NOWHERE).value

  test('grows with what the call can do, with how new it is, and with a burst', () => {
    const getpid = value({ to: 'getpid', severity: 'low' })
    const write = value({ to: 'write', severity: 'low' })
    const execve = value({ to: 'execve', severity: 'high' })
    expect([getpid, write, execve]).toEqual([0, 5.33, 9])
    expect(value({ to: 'execve', severity: 'critical' })).toBe(13.5)
    expect(value({ to: 'execve', severity: 'medium', depth: 4 })).toBeLessThan(execve)
    expect(value({ to: 'write', severity: 'low', burst: 6 })).toBe(10.66)
    expect(value({ to: 'write', severity: 'low', layer: 'fault' })).toBeLessThan(write)
  })

  test('is lower for what was missed elsewhere, and much lower where it was allowed', () => {
    const miss = missOf({ to: 'write', severity: 'low' })
    const [seen, allowed] = [0, 1].map(
      (allowedCount) => scoreOf([miss], () => ({ sessionCount: 3, allowedCount })).value,
    )
    expect([seen, allowed]).toEqual([2.67, 0.53])
  })

  test('is that of the worst miss, and says its formula', () => {
    const score = scoreOf([missOf({ to: 'getpid', severity: 'low' }), missOf()], () => NOWHERE)
    expect(score.miss).toBe(1)
    expect(score.text).toBe(
      '13.5 = impact 9 (execve: C3 I3 A3) x novelty 1.5 (call never seen) x burst 1 (1 in the frame)',
    )
  })

  test('becomes a severity by the thresholds', () => {
    const thresholds = { medium: 3, high: 6, critical: 9 }
    expect([0, 3, 6, 9].map((score) => severityOf(score, thresholds))).toEqual(['low', 'medium', 'high', 'critical'])
  })
})
