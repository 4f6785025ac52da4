// Many sessions of one log are checked one after the other: the table of a program is compiled for the first of them.
import { expect, test } from 'vitest'
import type { ProgramFingerprint } from '../../src/model/fingerprint.ts'
import type { TransitionTable } from '../../src/model/table.ts'
import { check, learn, simple } from './stream-script.ts'

test('checkers that are given the same tables compile once, and keep their counts apart', () => {
  const fingerprint = learn([simple('brk read exit_group')])
  const tables = new Map<ProgramFingerprint, TransitionTable>()
  const first = check(fingerprint, simple('read brk exit_group'), { tables })
  const [table] = tables.values()
  const second = check(fingerprint, simple('brk read exit_group'), { tables })
  expect([...tables.values()]).toEqual([table])
  expect(second.checker.programs[0]?.known?.table).toBe(table)
  expect([first.missed.length, second.missed.length]).toEqual([3, 0])
  expect(second.report.programs[0]?.coverage).toBe(1)
})
