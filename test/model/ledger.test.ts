import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { encodeFingerprint } from '../../src/model/codec-fingerprint.ts'
import { decodeLedger, encodeLedger } from '../../src/model/codec-ledger.ts'
import { makeSettings } from '../../src/model/fingerprint.ts'
import { Ledger } from '../../src/model/ledger.ts'
import { createMapping, linuxMapping } from '../../src/syscall/mapping.ts'
import type { SyscallTable } from '../../src/syscall/tables.ts'
import { image, ledgerOf, mapping, runOf, settings } from './making.ts'

const names = ['<exec>', 'read', 'close', 'i386:read', 'sys_-1', '<signal:14>', '<end>']
const runs = fc.uniqueArray(fc.string({ minLength: 1, maxLength: 3 }), { minLength: 1, maxLength: 12 }).chain((ids) =>
  fc.tuple(
    ...ids.map((id) =>
      fc
        .record({
          track: fc.array(fc.constantFrom(...names), { minLength: 1, maxLength: 8 }),
          path: fc.constantFrom('/bin/ls', '/bin/a b', '/ü\n"'),
          execs: fc.array(fc.constantFrom('/bin/cat', '/x:y', ' /z '), { maxLength: 2 }),
        })
        .map(({ track, path, execs }) => runOf(id, [track.join(' ')], { image: image(path), execs })),
    ),
  ),
)

describe('the order in which runs are added', () => {
  test('does not show in a single byte of fingerprint or ledger', () => {
    const shuffled = runs.chain((list) =>
      fc.tuple(fc.constant(list), fc.shuffledSubarray(list, { minLength: list.length, maxLength: list.length })),
    )
    fc.assert(
      fc.property(shuffled, ([list, other]) => {
        const [a, b] = [ledgerOf(...list), ledgerOf(...other)]
        expect(encodeFingerprint(b.fingerprint(mapping))).toBe(encodeFingerprint(a.fingerprint(mapping)))
        expect(encodeLedger(b, mapping)).toBe(encodeLedger(a, mapping))
      }),
    )
  })

  test('does not show when the ledger was written and read in between', () => {
    fc.assert(
      fc.property(runs, fc.nat(12), (list, at) => {
        const first = decodeLedger(
          encodeLedger(ledgerOf(...list.slice(at), ...list.slice(0, 1)), mapping),
          'x',
          mapping,
        )
        for (const run of list) first.addRun(run)
        expect(encodeLedger(first, mapping)).toBe(encodeLedger(ledgerOf(...list), mapping))
      }),
    )
  })

  test('nor does a run that is added twice', () => {
    const run = runOf('A', ['read close'])
    const ledger = ledgerOf(run)
    expect(ledger.addRun(run)).toEqual({
      isNew: false,
      newTransitionCount: 0,
      newSequenceCount: 0,
      newExecCount: 0,
      transitionCount: 1,
    })
    expect(ledger.runs.length).toBe(1)
  })
})

test('a run says how much it brought that was new', () => {
  const ledger = ledgerOf(runOf('A', ['openat read close']))
  const added = ledger.addRun(runOf('B', ['openat read read close'], { execs: ['/bin/cat'] }))
  expect(added).toEqual({
    isNew: true,
    newTransitionCount: 1,
    newSequenceCount: 1,
    newExecCount: 1,
    transitionCount: 3,
  })
})

test('the fingerprint counts the runs that had a transition, not the times', () => {
  const ledger = ledgerOf(runOf('A', ['read read read close']), runOf('B', ['read close']))
  const program = ledger.fingerprint(mapping).programs.get('/bin/ls')!
  expect(Object.fromEntries(program.successors.get('read')!)).toEqual({ close: 2, read: 1 })
  expect(program.alphabet).toEqual(['close', 'read'])
})

test('only programs that were a root are roots', () => {
  const child = runOf('B', ['read close'], { image: image('/bin/cat') })
  const notRoot = new Map([...child.programs].map(([key, program]) => [key, { ...program, isRoot: false }]))
  const fingerprint = ledgerOf(runOf('A', ['read close']), { ...child, programs: notRoot }).fingerprint(mapping)
  expect([[...fingerprint.programs.keys()], fingerprint.roots]).toEqual([['/bin/cat', '/bin/ls'], ['/bin/ls']])
})

describe('a run is refused, and the ledger stays as it was,', () => {
  const known = (): Ledger => ledgerOf(runOf('A', ['read close'], { image: image('/bin/ls', 'a'.repeat(64)) }))

  test('when a program is another file than was learned', () => {
    const ledger = known()
    const before = encodeLedger(ledger, mapping)
    const run = runOf('B', ['read write'], { image: image('/bin/ls', 'b'.repeat(64)) })
    expect(() => ledger.addRun(run)).toThrow(expect.objectContaining({ code: 'TFP_ERR_MODEL_IDENTITY' }))
    expect(encodeLedger(ledger, mapping)).toBe(before)
  })

  test('when a program changed while the run went on', () => {
    const run = { ...runOf('B', ['read write']), changedImages: ['/bin/ls'] }
    expect(() => known().addRun(run)).toThrow(expect.objectContaining({ code: 'TFP_ERR_MODEL_IDENTITY' }))
  })

  test.each([{ depth: 3 }, { order: 'return' }, { tracks: 'log' }, { scope: 'set' }, { transparent: [] }] as const)(
    'when it was learned with %j',
    (wanted) => {
      const run = runOf('B', ['<exec> write'], { settings: makeSettings(mapping, wanted) })
      expect(() => known().addRun(run)).toThrow(expect.objectContaining({ code: 'TFP_ERR_MODEL_SETTINGS' }))
    },
  )

  test('when it was learned with another mapping', () => {
    const run = runOf('B', ['read write'], { settings: makeSettings(linuxMapping('aarch64')) })
    expect(() => known().addRun(run)).toThrow(expect.objectContaining({ code: 'TFP_ERR_MODEL_MAPPING' }))
  })
})

test('a call learned by its number and one learned by its name become one when the table has grown', () => {
  const table: SyscallTable = {
    names: ['read', 'mseal'],
    numbers: new Map([
      ['read', 0],
      ['mseal', 1],
    ]),
  }
  const grown = createMapping(mapping.name, 'x86_64', () => table)
  const ledger = ledgerOf(runOf('A', ['read sys_1 read']), runOf('B', ['read mseal read']))
  const successors = ledger.renamed(grown).fingerprint(grown).programs.get('/bin/ls')!.successors
  expect([...successors].map(([context, next]) => [context, Object.fromEntries(next)])).toEqual([
    ['mseal', { read: 2 }],
    ['read', { mseal: 2 }],
  ])
  expect(ledger.renamed(mapping)).not.toBe(ledger)
  expect(ledgerOf(runOf('A', ['read close'])).renamed(mapping).runs.length).toBe(1)
})

test('a ledger of another mapping makes no fingerprint', () => {
  const ledger = Ledger.empty(settings)
  expect(() => ledger.fingerprint(linuxMapping('aarch64'))).toThrow(
    expect.objectContaining({ code: 'TFP_ERR_MODEL_MAPPING' }),
  )
})
