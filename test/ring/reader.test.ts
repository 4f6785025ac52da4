import { expect, test } from 'vitest'
import { loadAddon, type NativeSession } from '../../src/addon/addon.ts'
import { READER_ASLEEP_OFFSET, RECORD_KIND, RING_STATE } from '../../src/ring/layout.gen.ts'
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

test.each([0, 0xfffffff8])(
  'calls of one tracee in a row are told at once, others one by one, from start %i',
  (start) => {
    const call = RECORD_KIND.call | (1 << 8)
    const restart = call | (1 << 16)
    const i386 = RECORD_KIND.call | (3 << 8)
    const records = [
      [7, 1, call],
      [7, 2, call],
      [8, 3, call],
      [7, 4, call],
      [7, 5, restart],
      [7, 6, call],
      [7, -7, call],
      [7, 8, i386],
      [7, 9, RECORD_KIND.signal],
      [7, 10, call],
    ] as const
    const reader = new RingReader(16, start)
    for (const [i, [tid, value, third]] of records.entries())
      reader.words.set([tid, value >>> 0, third, 0], 64 + ((start + i) & 15) * 4)
    reader.words[16] = start + records.length // head
    const told: unknown[] = []
    const count = reader.drain(
      (tid, value) => told.push([tid, value]),
      9,
      (tid, abi, numbers, length) => told.push([tid, abi, [...numbers.slice(0, length)]]),
    )
    expect(count).toBe(9)
    expect(told).toEqual([
      [7, 1, [1, 2]],
      [8, 1, [3]],
      [7, 1, [4]],
      [7, 5],
      [7, 1, [6, -7]],
      [7, 3, [8]],
      [7, 9],
    ])
  },
)

test('a reader may sleep only when the ring is empty', () => {
  const reader = new RingReader(16)
  const asleep = READER_ASLEEP_OFFSET / 4
  expect([reader.sleep(), reader.words[asleep]]).toEqual([true, 1])
  reader.words[16] = 1 // head
  // Whoever does not sleep need not be woken.
  expect([reader.sleep(), reader.words[asleep]]).toEqual([false, 0])
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
