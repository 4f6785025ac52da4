import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { ABI_CODES, type AbiName } from '../../src/syscall/abi.ts'
import {
  baseNameOf,
  createMapping,
  isFrameReturn,
  isSpecial,
  linuxMapping,
  type Mapping,
} from '../../src/syscall/mapping.ts'
import type { SyscallTable } from '../../src/syscall/tables.ts'

const x86 = linuxMapping('x86_64')
const arm = linuxMapping('aarch64')

describe('symbolOf', () => {
  test('a native call is its bare name', () => {
    expect(x86.symbolOf(ABI_CODES.x86_64, 0)).toBe('read')
    expect(arm.symbolOf(ABI_CODES.aarch64, 63)).toBe('read')
  })

  test('a foreign call has its ABI in front, so i386 getppid is not x86-64 semget', () => {
    expect(x86.symbolOf(ABI_CODES.x86_64, 64)).toBe('semget')
    expect(x86.symbolOf(ABI_CODES.i386, 64)).toBe('i386:getppid')
    expect(x86.symbolOf(ABI_CODES.x32, 513)).toBe('x32:rt_sigreturn')
    expect(arm.symbolOf(ABI_CODES.x86_64, 0)).toBe('x86_64:read')
  })

  test('a number without a name is sys_N, whatever the number', () => {
    expect(x86.symbolOf(ABI_CODES.x86_64, 9999)).toBe('sys_9999')
    expect(x86.symbolOf(ABI_CODES.x86_64, -1)).toBe('sys_-1')
    expect(x86.symbolOf(ABI_CODES.x86_64, 337)).toBe('sys_337')
    expect(x86.symbolOf(ABI_CODES.i386, -2147483648)).toBe('i386:sys_-2147483648')
  })

  test('a number is never masked onto a legal one', () => {
    expect(x86.symbolOf(ABI_CODES.x86_64, 0x4000006e)).toBe(`sys_${0x4000006e}`)
    expect(x86.symbolOf(ABI_CODES.x32, 548)).toBe('x32:sys_548')
  })

  test('an ABI that is not known is named so', () => {
    expect(x86.symbolOf(0, 3)).toBe('unknown:sys_3')
    expect(x86.symbolOf(77, 3)).toBe('unknown:sys_3')
  })
})

describe('numberOf', () => {
  test('is the inverse of symbolOf for every ABI and number', () => {
    const abi = fc.integer({ min: 0, max: 4 })
    const nr = fc.oneof(fc.integer({ min: -3, max: 600 }), fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 }))
    fc.assert(
      fc.property(abi, nr, fc.constantFrom(x86, arm, linuxMapping('i386')), (code, number, mapping) => {
        expect(mapping.numberOf(mapping.symbolOf(code, number))).toEqual({ abi: code, nr: number })
      }),
    )
  })

  test('sys_N resolves although N has a name', () => {
    expect(x86.numberOf('sys_0')).toEqual({ abi: ABI_CODES.x86_64, nr: 0 })
    expect(x86.numberOf('i386:sys_3')).toEqual({ abi: ABI_CODES.i386, nr: 3 })
  })

  test.each([
    'nonsense',
    '',
    'sys_',
    'sys_007',
    'sys_-0',
    'sys_1e3',
    'sys_2147483648',
    'mips:read',
    'x86_64:read',
    '<exec>',
  ])('%j is no call', (text) => {
    expect(x86.numberOf(text)).toBeUndefined()
  })
})

describe('hashOf', () => {
  /** x86_64 numbers 0, 1 ... bear these names. */
  function mappingWith(...names: readonly (string | undefined)[]): Mapping {
    const numbers = new Map(names.flatMap((name, nr) => (name === undefined ? [] : [[name, nr]])))
    const table: SyscallTable = { names, numbers: numbers as Map<string, number> }
    return createMapping('test', 'x86_64', (abi: AbiName) =>
      abi === 'x86_64' ? table : { names: [], numbers: new Map() },
    )
  }

  test('stays when the table grows', () => {
    const symbols = ['read', 'write', 'sys_3']
    expect(mappingWith('read', 'write', 'open', 'mseal').hashOf(symbols)).toBe(
      mappingWith('read', 'write').hashOf(symbols),
    )
  })

  test('changes when one used number changes', () => {
    expect(mappingWith('write', 'read').hashOf(['read'])).not.toBe(mappingWith('read', 'write').hashOf(['read']))
  })

  test('changes when a used name is unknown', () => {
    expect(mappingWith('read').hashOf(['read', 'write'])).not.toBe(
      mappingWith('read', 'write').hashOf(['read', 'write']),
    )
  })

  test('depends neither on order, nor on repetition, nor on specials', () => {
    expect(x86.hashOf(['write', '<exec>', 'read', 'read'])).toBe(x86.hashOf(['read', 'write']))
  })

  test('tells the ABIs apart', () => {
    expect(new Set([x86.hashOf(['sys_3']), x86.hashOf(['i386:sys_3']), x86.hashOf(['read'])]).size).toBe(3)
  })
})

test('a frame ends by rt_sigreturn or sigreturn of whatever ABI', () => {
  for (const symbol of ['rt_sigreturn', 'i386:sigreturn', 'i386:rt_sigreturn', 'x32:rt_sigreturn']) {
    expect(isFrameReturn(symbol)).toBe(true)
  }
  expect(isFrameReturn('rt_sigaction')).toBe(false)
  expect(isFrameReturn('<signal:14>')).toBe(false)
})

test('specials are no calls and have no ABI', () => {
  expect(isSpecial('<signal:14>')).toBe(true)
  expect(isSpecial('read')).toBe(false)
  expect(baseNameOf('<signal:14>')).toBe('<signal:14>')
  expect(baseNameOf('i386:read')).toBe('read')
  expect(baseNameOf('read')).toBe('read')
})
