import { createHash } from 'node:crypto'
import { expect, test, vi } from 'vitest'
import { type Addon, loadAddon } from '../../src/addon/addon.ts'

const given = vi.hoisted(() => ({ addon: null as Partial<Addon> | null }))

vi.mock('../../src/addon/addon.ts', async (importOriginal) => {
  const original = await importOriginal<typeof import('../../src/addon/addon.ts')>()
  return { ...original, loadAddon: () => given.addon ?? original.loadAddon() }
})

/** The module as it is where the addon is this one; null: the real one. */
async function hashesOf(addon: Partial<Addon> | null): Promise<typeof import('../../src/addon/hash.ts')> {
  given.addon = addon
  vi.resetModules()
  return await import('../../src/addon/hash.ts')
}

const DATA: readonly (string | Uint8Array)[] = [
  '',
  'abc',
  'é, 世界, \ud800',
  new Uint8Array(0),
  Uint8Array.from({ length: 100_000 }, (_, at) => at % 251),
  new Uint8Array([1, 2, 3, 4]).subarray(1, 3),
]

test.each([
  ['of the addon', null],
  ['of Node, where the addon has none', { randomBytes: (count: number) => new Uint8Array(count) }],
])('the hash %s is SHA-256', async (_, addon) => {
  const { sha256Of } = await hashesOf(addon)
  for (const data of DATA) expect(sha256Of(data)).toBe(createHash('sha256').update(data).digest('hex'))
})

test('the addon has a hash in this Node', async () => {
  await hashesOf(null)
  expect(loadAddon().sha256).toBeTypeOf('function')
})

test.each([0, 1, 16, 256, 257, 5000])('%i random bytes are as many, and not the same twice', async (count) => {
  const { randomBytes } = await hashesOf(null)
  const [one, other] = [randomBytes(count), randomBytes(count)]
  expect([one.length, other.length]).toEqual([count, count])
  if (count >= 16) expect(Buffer.from(one).equals(other)).toBe(false)
})
