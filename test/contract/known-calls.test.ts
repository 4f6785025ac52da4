import { expect, test } from 'vitest'
import { loadAddon } from '../../src/addon/addon.ts'
import { ABI_CODES, type LinuxAbiName } from '../../src/syscall/abi.ts'
import { linuxMapping } from '../../src/syscall/mapping.ts'

const ABIS: readonly LinuxAbiName[] = ['x86_64', 'i386', 'x32', 'aarch64']

test.each(ABIS)('the numbers that the engine knows by heart are those of the table: %s', (abi) => {
  const mapping = linuxMapping(abi === 'aarch64' ? 'aarch64' : 'x86_64')
  const known = loadAddon().knownCallNumbers(ABI_CODES[abi])
  for (const [name, nr] of Object.entries(known)) {
    const prefix = abi === mapping.nativeAbi ? '' : `${abi}:`
    const inTable = mapping.numberOf(`${prefix}${name}`)
    expect([name, nr]).toEqual([name, inTable?.nr ?? -1])
  }
})

test('an ABI that the engine does not know has no numbers', () => {
  expect(new Set(Object.values(loadAddon().knownCallNumbers(0)))).toEqual(new Set([-1]))
})
