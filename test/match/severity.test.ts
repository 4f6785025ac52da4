// The policy of severity.ts, and that a report's severity tells what was judged.
import { expect, test } from 'vitest'
import { isSensitive, isStrayReturn, severityOfCall, wasKnownCall } from '../../src/match/severity.ts'

test.each([
  'execve',
  'ptrace',
  'connect',
  'mprotect',
  'setuid',
  'init_module',
  'bpf',
  'mount',
  'i386:read',
  'sys_9999',
])('%s is sensitive', (symbol) => {
  expect(isSensitive(symbol)).toBe(true)
})

test.each(['read', 'close', 'brk', 'exit_group', '<signal:14>', '<end>'])('%s is not sensitive', (symbol) => {
  expect(isSensitive(symbol)).toBe(false)
})

test('an unseen call is worse than an unseen pair, a sensitive one worse than an ordinary one', () => {
  expect(severityOfCall('read', true)).toBe('low')
  expect(severityOfCall('read', false)).toBe('medium')
  expect(severityOfCall('connect', true)).toBe('high')
  expect(severityOfCall('connect', false)).toBe('critical')
  expect(['read', 'connect'].map((symbol) => severityOfCall(symbol, true, 3))).toEqual(['low', 'medium'])
})

test.each(['read', 'connect', 'i386:read', 'rt_sigreturn'])('whether %s was known can be read back', (symbol) => {
  expect(wasKnownCall(symbol, severityOfCall(symbol, true))).toBe(true)
  expect(wasKnownCall(symbol, severityOfCall(symbol, true, 4))).toBe(true)
  expect(wasKnownCall(symbol, severityOfCall(symbol, false))).toBe(false)
})

test('a rt_sigreturn without a frame is told apart from one that is only out of place', () => {
  expect(isStrayReturn('rt_sigreturn', 'high')).toBe(true)
  expect(isStrayReturn('rt_sigreturn', severityOfCall('rt_sigreturn', true))).toBe(false)
  expect(isStrayReturn('connect', 'high')).toBe(false)
})
