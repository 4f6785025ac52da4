import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { makeSettings, type ProgramFingerprint } from '../../src/model/fingerprint.ts'
import { TransitionTable } from '../../src/model/table.ts'
import { WORD } from '../../src/model/table-layout.ts'
import { ABI_CODES } from '../../src/syscall/abi.ts'
import { createMapping } from '../../src/syscall/mapping.ts'
import type { SyscallTable } from '../../src/syscall/tables.ts'
import { ledgerOf, mapping, runOf } from './making.ts'

function learned(depth: number, ...tracks: readonly string[]): ProgramFingerprint {
  const run = runOf('A', tracks, { settings: makeSettings(mapping, { depth }) })
  return ledgerOf(run).fingerprint(mapping).programs.get('/bin/ls')!
}

function tableOf(...tracks: readonly string[]): TransitionTable {
  return TransitionTable.compile(learned(2, ...tracks), mapping)
}

/** Walks as the matcher does; the symbols at which the table said no. */
function missesOf(table: TransitionTable, track: string): string[] {
  const [start = '', ...rest] = track.split(' ')
  let state = table.resync(symbolNamed(table, start))
  const misses: string[] = []
  for (const text of rest) {
    const symbol = symbolNamed(table, text)
    if (state >= 0 && !table.allows(state, symbol)) misses.push(text)
    state = symbol < 0 ? -1 : state < 0 ? table.resync(symbol) : table.next(state, symbol)
  }
  return misses
}

function symbolNamed(table: TransitionTable, text: string): number {
  const number = mapping.numberOf(text)
  return number === undefined ? table.specialOf(text) : table.symbolOf(number.abi, number.nr)
}

describe('a call', () => {
  const table = tableOf(
    '<exec> read i386:read x32:rt_sigaction sys_9999 sys_-1 i386:sys_-1 unknown:sys_7 sys_2147483647',
  )

  test.each([
    [ABI_CODES.x86_64, 0, 'read'],
    [ABI_CODES.i386, 3, 'i386:read'],
    [ABI_CODES.x32, 512, 'x32:rt_sigaction'],
    [ABI_CODES.x86_64, 9999, 'sys_9999'],
    [ABI_CODES.x86_64, -1, 'sys_-1'],
    [ABI_CODES.i386, -1, 'i386:sys_-1'],
    [0, 7, 'unknown:sys_7'],
    [ABI_CODES.x86_64, 2147483647, 'sys_2147483647'],
  ])('of ABI %i number %i is %s', (abi, nr, text) => {
    expect(table.symbols[table.symbolOf(abi, nr)]).toBe(text)
  })

  test.each([
    [ABI_CODES.x86_64, 3],
    [ABI_CODES.i386, 0],
    [ABI_CODES.aarch64, 0],
    [ABI_CODES.x86_64, 1024],
    [ABI_CODES.x32, -1],
    [0, 0],
    [5, 0],
    [8, 0],
    [1000, 7],
    [-1, 0],
    [ABI_CODES.x86_64, -2147483648],
  ])('of ABI %i number %i was never seen', (abi, nr) => {
    expect(table.symbolOf(abi, nr)).toBe(-1)
  })
})

test('a pair is allowed exactly when it was learned', () => {
  const names = ['<exec>', '<end>', ...Array.from({ length: 70 }, (_, nr) => mapping.symbolOf(1, nr))]
  const pair = fc.tuple(fc.constantFrom(...names), fc.constantFrom(...names))
  fc.assert(
    fc.property(fc.array(pair, { minLength: 1, maxLength: 60 }), (pairs) => {
      const table = tableOf(...pairs.map((both) => both.join(' ')))
      const wanted = new Set(pairs.map((both) => both.join(' ')))
      expect(table.transitionCount).toBe(wanted.size)
      for (const [state, from] of table.symbols.entries()) {
        for (const [symbol, to] of table.symbols.entries()) {
          expect(table.allows(state, symbol)).toBe(wanted.has(`${from} ${to}`))
        }
      }
    }),
    { numRuns: 30 },
  )
})

test('nothing is allowed where state or symbol is unknown', () => {
  const table = tableOf('read close')
  expect([table.allows(0, -1), table.allows(-1, 0), table.allows(-1, -1)]).toEqual([false, false, false])
})

test('specials that were learned have symbols, others have none', () => {
  const table = tableOf('<exec> read', '<signal:14> write <end>')
  expect(table.symbols[table.specialOf('<signal:14>')]).toBe('<signal:14>')
  expect(table.symbols[table.specialOf('<end>')]).toBe('<end>')
  expect([table.specialOf('<thread>'), table.specialOf('<signal:15>'), table.specialOf('')]).toEqual([-1, -1, -1])
})

test('at depth 2 the state after a symbol is the symbol', () => {
  const table = tableOf('read close openat')
  for (let symbol = 0; symbol < 3; symbol += 1)
    expect([table.next(0, symbol), table.resync(symbol)]).toEqual([symbol, symbol])
})

test('the header says what a native reader needs', () => {
  const table = tableOf('<exec> read', '<signal:14> i386:read <end>', 'read sys_5000')
  const header = new Uint32Array(table.buffer, 0, 32)
  const signed = new Int32Array(table.buffer, 0, 32)
  expect(Buffer.from(table.buffer, 0, 4).toString()).toBe('TFTB')
  expect([header[WORD.byteLength], header[WORD.depth], header[WORD.next]]).toEqual([table.buffer.byteLength, 2, 0])
  expect([signed[WORD.exec], signed[WORD.end]]).toEqual([table.specialOf('<exec>'), table.specialOf('<end>')])
  expect([signed[WORD.thread], signed[WORD.fork]]).toEqual([-1, -1])
  const signals = new Int16Array(table.buffer, header[WORD.signals], 65)
  expect([signals[14], signals[15]]).toEqual([table.specialOf('<signal:14>'), -1])
  const lookup = new Int16Array(table.buffer, header[WORD.lookup], 1024 * header[WORD.blockCount]!)
  const block = (abi: number): number => header[WORD.abiBlock + abi]! * 1024
  expect(lookup[block(ABI_CODES.i386) + 3]).toBe(table.symbolOf(ABI_CODES.i386, 3))
  expect([block(ABI_CODES.aarch64), block(0)]).toEqual([0, 0])
  const extras = [...new Int32Array(table.buffer, header[WORD.extras], 3 * header[WORD.extraCount]!)]
  expect(extras).toEqual([ABI_CODES.x86_64, 5000, table.symbolOf(ABI_CODES.x86_64, 5000)])
  for (const word of [WORD.rows, WORD.lookup, WORD.extras, WORD.signals, WORD.text]) expect(header[word]! % 64).toBe(0)
})

describe('a table from another thread', () => {
  test('is the same table', () => {
    const table = tableOf('<exec> read close', '<signal:14> write')
    const other = TransitionTable.fromBuffer(table.buffer)
    expect(other.symbols).toEqual(table.symbols)
    expect(other.successorsOf(other.symbolOf(1, 0))).toEqual(table.successorsOf(table.symbolOf(1, 0)))
    expect([other.depth, other.transitionCount]).toEqual([2, 3])
  })

  test('is refused when it is none', () => {
    const refused = expect.objectContaining({ code: 'TFP_ERR_MODEL_FORMAT' })
    expect(() => TransitionTable.fromBuffer(new SharedArrayBuffer(0))).toThrow(refused)
    expect(() => TransitionTable.fromBuffer(new SharedArrayBuffer(4096))).toThrow(refused)
    for (const word of [WORD.version, WORD.byteLength, WORD.stateCount, WORD.rows, WORD.text]) {
      const copy = new SharedArrayBuffer(tableOf('read close').buffer.byteLength)
      new Uint8Array(copy).set(new Uint8Array(tableOf('read close').buffer))
      new Uint32Array(copy)[word]! += 0x100000
      expect(() => TransitionTable.fromBuffer(copy)).toThrow(refused)
    }
  })
})

test('a number that got its name after learning is one symbol, under the new name', () => {
  const table: SyscallTable = { names: ['read', 'mseal'], numbers: new Map(Object.entries({ read: 0, mseal: 1 })) }
  const grown = createMapping(mapping.name, 'x86_64', () => table)
  const compiled = TransitionTable.compile(learned(2, 'sys_1 read', 'read mseal'), grown)
  expect(compiled.symbols).toEqual(['mseal', 'read'])
  expect([compiled.allows(0, 1), compiled.allows(1, 0), compiled.allows(0, 0)]).toEqual([true, true, false])
})

test('a program that never did anything has an empty table', () => {
  const table = TransitionTable.compile(learned(2), mapping)
  expect([table.symbolCount, table.symbolOf(1, 0), table.specialOf('<exec>')]).toEqual([0, -1, -1])
})

describe('depth', () => {
  const track = '<exec> openat read close openat write close <end>'

  test('3 sees what 2 cannot: every pair is known, four sequences of three are not', () => {
    const mixed = '<exec> openat write close openat read close <end>'
    expect(missesOf(TransitionTable.compile(learned(2, track), mapping), mixed)).toEqual([])
    expect(missesOf(TransitionTable.compile(learned(3, track), mapping), mixed)).toEqual([
      'write',
      'openat',
      'read',
      '<end>',
    ])
  })

  test.each([2, 3, 4, 5, 8])('%i accepts what was learned', (depth) => {
    expect(missesOf(TransitionTable.compile(learned(depth, track), mapping), track)).toEqual([])
  })

  test('of checking may be lower than that of learning, and is then the same as learning there', () => {
    const symbols = fc.constantFrom('read', 'write', 'close', 'openat')
    const tracks = fc.array(fc.array(symbols, { minLength: 1, maxLength: 12 }), { minLength: 1, maxLength: 4 })
    fc.assert(
      fc.property(tracks, fc.array(symbols, { minLength: 1, maxLength: 20 }), (lists, probe) => {
        const texts = lists.map((list) => `<exec> ${list.join(' ')} <end>`)
        for (const depth of [2, 3, 4]) {
          const direct = TransitionTable.compile(learned(depth, ...texts), mapping)
          const lowered = TransitionTable.compile(learned(5, ...texts), mapping, depth)
          const walk = `<exec> ${probe.join(' ')} <end>`
          expect(missesOf(lowered, walk)).toEqual(missesOf(direct, walk))
          for (const text of texts) expect(missesOf(lowered, text)).toEqual([])
        }
      }),
      { numRuns: 40 },
    )
  })

  test('after a miss the longest known suffix counts, so one wrong call is one miss', () => {
    const table = TransitionTable.compile(learned(4, '<exec> openat read close mmap write exit_group <end>'), mapping)
    expect(missesOf(table, '<exec> openat read mmap write exit_group <end>')).toEqual(['mmap'])
  })

  test('a sequence that ended in learning allows nothing after it', () => {
    const two = TransitionTable.compile(learned(2, '<exec> read close', '<thread> write read'), mapping)
    expect(missesOf(two, '<exec> read close read')).toEqual(['read'])
    const three = TransitionTable.compile(learned(3, '<exec> read close', '<thread> write close read'), mapping)
    expect(missesOf(three, '<exec> read close read')).toEqual(['read'])
  })

  test('beyond bounds is refused', () => {
    for (const depth of [1, 9, 2.5, Number.NaN]) {
      expect(() => TransitionTable.compile(learned(2, 'read close'), mapping, depth)).toThrow(
        expect.objectContaining({ code: 'TFP_ERR_USAGE' }),
      )
    }
  })
})
