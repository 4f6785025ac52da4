// Tracks met mid-stream, learned and checked at a depth above 2: what was learned is authentic, from its first call on.
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { check, image, learn, learned, MAPPING, type Step, steps } from './stream-script.ts'

const NAMES = ['read', 'write', 'close', 'brk', 'openat']

/** A joined track of /bin/a that makes these calls. */
function joined(calls: readonly string[]): readonly Step[] {
  return [(handler) => handler.onBirth(1, 0, 1, 'join', image('/bin/a')), ...steps(`1: ${calls.join(' ')}`)]
}

test('the first calls are learned, as far as it is known what came before them', () => {
  expect(learned(learn([joined(['openat', 'read', 'close', 'brk'])], { depth: 3 }), '/bin/a')).toEqual([
    'close -> brk',
    'openat -> read',
    'read -> close',
  ])
  const both = [joined(['openat', 'read', 'close']), joined(['write', 'read', 'brk'])]
  expect(learned(learn(both, { depth: 3 }), '/bin/a')).toEqual([
    'openat -> read',
    'openat read -> close',
    'read -> brk close',
    'write -> read',
    'write read -> brk',
  ])
})

test('whatever was learned has no miss at any depth up to the learned one', () => {
  const calls = fc.array(fc.constantFrom(...NAMES), { minLength: 1, maxLength: 12 })
  fc.assert(
    fc.property(fc.array(calls, { minLength: 1, maxLength: 4 }), fc.integer({ min: 2, max: 6 }), (traces, depth) => {
      const fingerprint = learn(traces.map(joined), { depth })
      for (const trace of traces) {
        for (let checked = 2; checked <= depth; checked += 1) {
          expect(check(fingerprint, joined(trace), { depth: checked }).missed).toEqual([])
        }
      }
    }),
  )
})

test('what was never learned is still a miss after the first call', () => {
  const fingerprint = learn([joined(['openat', 'read', 'close', 'brk'])], { depth: 4 })
  expect(check(fingerprint, joined(['openat', 'close'])).missed).toEqual(['openat -> close'])
  expect(MAPPING.numberOf('<join>')).toBeUndefined()
})
