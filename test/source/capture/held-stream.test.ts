// Held streams: what is told again is what was told.
import fc from 'fast-check'
import { expect, test, vi } from 'vitest'
import { HeldStream } from '../../../src/source/capture/held-stream.ts'
import { keeper, type Told, tell } from './streams.ts'

const IMAGE = { path: '/usr/bin/server', sha256: null, buildId: null, script: null, argv0: null }
const tid = fc.integer({ min: 1, max: 4_194_304 })
const step = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.tuple(fc.constant('onCall'), tid, fc.integer({ min: 0, max: 255 }), fc.integer(), fc.boolean()),
  },
  fc.tuple(fc.constant('onBirth'), tid, tid, tid, fc.constantFrom('fork', 'thread'), fc.constantFrom(undefined, IMAGE)),
  fc.tuple(fc.constant('onExec'), tid, tid, fc.constant(IMAGE)),
  fc.tuple(fc.constant('onRefused'), tid),
  fc.tuple(fc.constant('onDecided'), tid, fc.constantFrom('allow', 'deny', 'kill')),
  fc.tuple(fc.constant('onSignal'), tid, fc.nat(64)),
  fc.tuple(fc.constant('onExit'), tid, fc.nat(255), fc.nat(64)),
  fc.tuple(fc.constant('onGap'), tid, fc.nat()),
  fc.tuple(fc.constant('onNote'), fc.constant({ code: 'a', message: 'b', inconclusive: true })),
)

function toldBy(play: (to: ReturnType<typeof keeper>) => void): unknown[] {
  const told: [string, ...Told][] = []
  play(keeper(told, () => 'it'))
  return told
}

test('what was told is told again in its order, whatever it was', () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      const held = new HeldStream(60)
      for (const each of steps) tell(held, each as unknown as Told)
      const direct = toldBy((to) => {
        for (const each of steps) tell(to, each as unknown as Told)
      })
      expect(toldBy((to) => held.tell(to, () => {}))).toEqual(direct)
    }),
    { numRuns: 500 },
  )
})

test('it tells when each was told first', () => {
  vi.useFakeTimers({ now: 1000 })
  const held = new HeldStream(3)
  held.onCall(1, 1, 0, false)
  vi.setSystemTime(2000)
  held.onSignal(1, 14)
  vi.setSystemTime(3000)
  held.onCall(1, 1, 1, false)
  vi.useRealTimers()
  const times: number[] = []
  held.tell(
    keeper([], () => 'it'),
    (time) => times.push(time),
  )
  expect(times).toEqual([1000, 2000, 3000])
})

test('it is full when there is no room for another call, of anything', () => {
  const calls = new HeldStream(3)
  const others = new HeldStream(3)
  for (let i = 0; i < 3; i++) {
    expect([calls.isFull, others.isFull]).toEqual([false, false])
    calls.onCall(1, 1, i, false)
    others.onSignal(1, 14)
  }
  expect([calls.isFull, others.isFull]).toEqual([true, true])
})

test('of calls in a row it takes as many as it has room for, and tells them one by one', () => {
  const held = new HeldStream(4, () => 5)
  held.onCall(1, 1, 9, true)
  expect(held.onCalls(2, 3, Int32Array.of(0, 10, -1, 30, 40, 50), 1, 3)).toBe(2)
  expect(held.onCalls(2, 1, Int32Array.of(30, 40, 50), 0, 3)).toBe(1)
  expect(held.isFull).toBe(true)
  const told = toldBy((to) => held.tell(to, (time) => expect(time).toBe(5)))
  expect(told).toEqual([
    ['it', 'onCall', 1, 1, 9, true],
    ['it', 'onCall', 2, 3, 10, false],
    ['it', 'onCall', 2, 3, -1, false],
    ['it', 'onCall', 2, 1, 30, false],
  ])
})
