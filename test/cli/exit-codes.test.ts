// Exit codes are read by scripts: they are written out here a second time on purpose.
import { expect, test } from 'vitest'
import { exitCodeOfError, exitCodeOfOutcome, kindOf } from '../../src/cli/exit-codes.ts'
import { EngineError, TracefpError, UsageError } from '../../src/errors.ts'

test('commands that start a program, and tracefp itself, keep out of the way of what programs use', () => {
  expect(['run', 'learn', 'attach', undefined, 'nonsense'].map(kindOf)).toEqual(Array(5).fill('program'))
  expect(['check', 'show', 'explain', 'doctor', 'completion'].map(kindOf)).toEqual(Array(5).fill('data'))
})

test('an outcome has the documented code', () => {
  const outcomes = ['abnormal', 'inconclusive', 'no_fingerprint', 'authentic'] as const
  expect(outcomes.map((outcome) => exitCodeOfOutcome(outcome, 'program', 7))).toEqual([100, 101, 102, 7])
  expect(outcomes.map((outcome) => exitCodeOfOutcome(outcome, 'data'))).toEqual([1, 3, 4, 0])
})

test('an error has the documented code', () => {
  const errors = [
    new UsageError('x'),
    new TracefpError('TFP_ERR_ENGINE_NOT_EXECUTABLE', 'x'),
    new TracefpError('TFP_ERR_ENGINE_NOT_FOUND', 'x'),
    new TracefpError('TFP_ERR_ENGINE_PTRACE', 'x'),
    new EngineError('TFP_ERR_ENGINE_ENDED', 'x', 2, ''),
    new Error('x'),
  ]
  expect(errors.map((error) => exitCodeOfError(error, 'program'))).toEqual([125, 126, 127, 125, 130, 125])
  expect(errors.map((error) => exitCodeOfError(error, 'data'))).toEqual([2, 5, 5, 5, 130, 5])
})
