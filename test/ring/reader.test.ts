import { expect, test } from 'vitest'
import { loadAddon, type NativeSession } from '../../src/addon/addon.ts'
import { RECORD_KIND, RING_STATE } from '../../src/ring/layout.gen.ts'
import { RingReader } from '../../src/ring/reader.ts'

/** Plays `count` call records through a ring of 16 that starts at `start`; answers the values in order of arrival. */
async function play(count: number, start: number): Promise<number[]> {
  const script = new Uint32Array(count * 4)
  for (let i = 0; i < count; i++) script.set([7, i, RECORD_KIND.call | (1 << 8), 0], i * 4)
  const reader = new RingReader(16, start)
  const seen: number[] = []
  let native: NativeSession | undefined
  await new Promise<void>((resolve) => {
    const look = (): void => {
      const state = reader.state
      const read = reader.drain((_tid, value) => seen.push(value))
      if (read === 0 && state === RING_STATE.ended) return resolve()
      if (read > 0 || !reader.sleep() || state === RING_STATE.ended) setImmediate(look)
    }
    native = new (loadAddon().NativeSession)({ engine: 'scripted', ring: reader.words, onDoorbell: look, script })
  })
  native?.finish()
  return seen
}

test.each([0, 0xfffffff0, 0xffffffff])(
  'every record of an engine arrives once, in order, from start %i',
  async (start) => {
    const seen = await play(5000, start)
    expect(seen).toEqual(Array.from({ length: 5000 }, (_, i) => i))
  },
)

test('the limit of a drain leaves the rest in the ring', () => {
  const reader = new RingReader(16)
  reader.words[16] = 10 // head
  expect(reader.drain(() => {}, 4)).toBe(4)
  expect(reader.drain(() => {})).toBe(6)
  expect(reader.drain(() => {})).toBe(0)
})

test('a reader may sleep only when the ring is empty', () => {
  const reader = new RingReader(16)
  expect(reader.sleep()).toBe(true)
  reader.words[16] = 1 // head
  expect(reader.sleep()).toBe(false)
})

test('an addon refuses a ring of another layout', () => {
  const reader = new RingReader(16)
  reader.words[1] = 99 // version
  const start = (): NativeSession =>
    new (loadAddon().NativeSession)({
      engine: 'scripted',
      ring: reader.words,
      onDoorbell: () => {},
      script: new Uint32Array(),
    })
  expect(start).toThrow(/another layout/)
})
