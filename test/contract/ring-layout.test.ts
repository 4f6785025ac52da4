import { execFileSync } from 'node:child_process'
import { expect, test } from 'vitest'
import { loadAddon } from '../../src/addon/addon.ts'
import * as layout from '../../src/ring/layout.gen.ts'

test('every offset and constant of the ring is where the compiler put it', () => {
  const native = loadAddon().ringLayout()
  const generated = Object.fromEntries(Object.entries(layout).filter(([, value]) => typeof value === 'number'))
  expect(generated).toEqual(native)
})

test('the generated layout is what layout.h says', () => {
  const check = (): Buffer => execFileSync(process.execPath, ['scripts/generate-ring-layout.mjs', '--check'])
  expect(check).not.toThrow()
})
