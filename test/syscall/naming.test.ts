import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { TracefpError } from '../../src/errors.ts'
import { isSymbolText, UNSEEN_CALLS } from '../../src/model/fingerprint.ts'
import { ABI_CODES, ABI_NAMES, NAMED_ABI } from '../../src/syscall/abi.ts'
import { linuxMapping } from '../../src/syscall/mapping.ts'
import { MAX_UNKNOWN_NAMES, namingMapping, symbolTextOf } from '../../src/syscall/naming.ts'

const base = linuxMapping('x86_64')

test('the code of nameless calls is that of no ABI', () => {
  expect((ABI_NAMES as readonly string[])[NAMED_ABI]).toBeUndefined()
  expect(Object.values(ABI_CODES)).not.toContain(NAMED_ABI)
})

describe('a name that the mapping knows', () => {
  test('has the number of the mapping, of whatever ABI', () => {
    const naming = namingMapping(base)
    expect(naming.intern('write')).toEqual({ abi: ABI_CODES.x86_64, nr: 1 })
    expect(naming.intern('i386:read')).toEqual({ abi: ABI_CODES.i386, nr: 3 })
    expect(naming.intern('sys_0')).toEqual({ abi: ABI_CODES.x86_64, nr: 0 })
    expect(naming.unknownNames.size).toBe(0)
  })

  test('a number without a name keeps its number, and counts as unknown', () => {
    const naming = namingMapping(base)
    expect(naming.intern('sys_9999')).toEqual({ abi: ABI_CODES.x86_64, nr: 9999 })
    expect(naming.intern('i386:sys_-1')).toEqual({ abi: ABI_CODES.i386, nr: -1 })
    expect([...naming.unknownNames]).toEqual(['sys_9999', 'i386:sys_-1'])
  })
})

describe('a name that the mapping does not know', () => {
  test('is a symbol of its own, the same one each time', () => {
    const naming = namingMapping(base)
    const [a, b] = [naming.intern('frobnicate'), naming.intern('i386:frobnicate')]
    expect(naming.intern('frobnicate')).toBe(a)
    expect([naming.symbolOf(a.abi, a.nr), naming.symbolOf(b.abi, b.nr)]).toEqual(['frobnicate', 'i386:frobnicate'])
    expect([...naming.unknownNames]).toEqual(['frobnicate', 'i386:frobnicate'])
  })

  test('has the number under which a fingerprint that holds it was compiled, before the log brings it and after', () => {
    const naming = namingMapping(base)
    const compiled = naming.numberOf('frobnicate')
    expect(naming.unknownNames.size).toBe(0)
    expect(naming.intern('frobnicate')).toEqual(compiled)
    expect(naming.numberOf('frobnicate')).toEqual(compiled)
    expect(naming.numberOf('<exec>')).toBeUndefined()
  })

  test('changes no hash: it means the same to every object', () => {
    const symbols = ['read', 'frobnicate', 'i386:sys_9999']
    const naming = namingMapping(base)
    for (let i = 0; i < 10; i += 1) naming.intern(`other${i}`)
    naming.intern('frobnicate')
    expect(naming.hashOf(symbols)).toBe(base.hashOf(symbols))
  })
})

test('more unknown names than any system has calls are refused with the way out', () => {
  const naming = namingMapping(base)
  for (let i = 0; i < MAX_UNKNOWN_NAMES; i += 1) naming.intern(`call${i}`)
  naming.intern('call7')
  expect(() => naming.intern('one_more')).toThrow(TracefpError)
  expect(() => naming.intern('one_more')).toThrow(/--format or --mapping/)
})

test('any name becomes a text that can stand in a fingerprint, is no special, and is told from any other', () => {
  const name = fc.oneof(fc.string(), fc.string({ unit: 'binary' }), fc.constantFrom('', '->', '<exec>', 'a b', 'a%20b'))
  fc.assert(
    fc.property(name, name, (a, b) => {
      const text = symbolTextOf(a)
      expect([isSymbolText(text), text.startsWith('<')]).toEqual([true, false])
      const isWellFormed = [a, b].every((wanted) => Buffer.from(wanted).toString() === wanted)
      if (isWellFormed && a !== b) expect(symbolTextOf(b)).not.toBe(text)
    }),
  )
  expect(symbolTextOf('a'.repeat(1000))).toHaveLength(245)
  expect(symbolTextOf('a'.repeat(1000))).not.toBe(symbolTextOf('a'.repeat(1001)))
})

test('the names of every ABI stand as they are', () => {
  for (const name of UNSEEN_CALLS) expect(symbolTextOf(`i386:${name}`)).toBe(`i386:${name}`)
})
