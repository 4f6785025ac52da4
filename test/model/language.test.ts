// Successor sets are listed only where they say more than those of shorter contexts. What they say must be what a plain list of
// all sequences says, at every depth.
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { contextsOf } from '../../src/model/contexts.ts'
import { makeSettings, type ProgramFingerprint } from '../../src/model/fingerprint.ts'
import {
  cutTo,
  isKnown,
  knownContexts,
  lastOf,
  lengthOf,
  nextAfter,
  sequenceCounts,
  suffixOf,
  wholeContexts,
} from '../../src/model/language.ts'
import { TransitionTable } from '../../src/model/table.ts'
import { ledgerOf, mapping, runOf } from './making.ts'

const NAMES = ['read', 'write', 'close', 'brk']

/** Tracks that begin, and some that were met mid-stream. */
const someTracks = fc.array(
  fc
    .tuple(
      fc.constantFrom('<exec>', '<thread>', ''),
      fc.array(fc.constantFrom(...NAMES), { minLength: 2, maxLength: 15 }),
    )
    .map(([start, calls]) => (start === '' ? calls : [start, ...calls])),
  { minLength: 1, maxLength: 5 },
)
const someDepth = fc.integer({ min: 2, max: 8 })

function learned(tracks: readonly (readonly string[])[], depth: number): ProgramFingerprint {
  const run = runOf(
    'A',
    tracks.map((track) => track.join(' ')),
    { settings: makeSettings(mapping, { depth }) },
  )
  return ledgerOf(run).fingerprint(mapping).programs.get('/bin/ls')!
}

/** Every sequence of 2 to `depth` symbols that occurs, the plain way: context -> symbols after it. */
function plain(tracks: readonly (readonly string[])[], depth: number): Map<string, Set<string>> {
  const after = new Map<string, Set<string>>()
  for (const track of tracks) {
    for (let at = 0; at < track.length; at += 1) {
      for (let length = 1; length < depth && length <= at + 1; length += 1) {
        const context = track.slice(at + 1 - length, at + 1).join(' ')
        const next = after.get(context) ?? new Set()
        after.set(context, next)
        if (at + 1 < track.length) next.add(track[at + 1] as string)
      }
    }
  }
  return after
}

function sortedOf(next: Iterable<string>): string[] {
  return [...next].sort()
}

test('the listed sets say what a plain list of all sequences says, and know the same contexts', () => {
  fc.assert(
    fc.property(someTracks, someDepth, (tracks, depth) => {
      const { successors } = learned(tracks, depth)
      const all = plain(tracks, depth)
      for (const [context, next] of all) {
        expect([context, sortedOf(nextAfter(successors, context)?.keys() ?? [])]).toEqual([context, sortedOf(next)])
        if (lengthOf(context) > 1) expect(isKnown(successors, context)).toBe(true)
      }
      const known = new Map(knownContexts(successors, depth))
      const followed = [...all].filter(([context, next]) => next.size > 0 || lengthOf(context) > 1)
      expect(sortedOf(known.keys())).toEqual(sortedOf(followed.map(([context]) => context)))
    }),
  )
})

test('no set is listed that its end says too, and every other one is', () => {
  fc.assert(
    fc.property(someTracks, someDepth, (tracks, depth) => {
      const { successors } = learned(tracks, depth)
      for (const [context, next] of plain(tracks, depth)) {
        const suffix = suffixOf(context)
        const inherited = suffix === undefined ? [] : sortedOf(plain(tracks, depth).get(suffix) ?? [])
        expect([context, successors.has(context)]).toEqual([context, sortedOf(next).join() !== inherited.join()])
      }
    }),
    { numRuns: 50 },
  )
})

test('cut to a lower depth they are what is learned at that depth', () => {
  fc.assert(
    fc.property(someTracks, someDepth, fc.nat(), (tracks, depth, lower) => {
      const shallow = 2 + (lower % (depth - 1))
      const cut = cutTo(learned(tracks, depth).successors, shallow)
      expect(cut).toEqual(learned(tracks, shallow).successors)
      expect([...cut.keys()]).toEqual([...learned(tracks, shallow).successors.keys()])
    }),
  )
})

test('whole contexts are enough to make the listed ones again', () => {
  fc.assert(
    fc.property(someTracks, someDepth, (tracks, depth) => {
      const { successors } = learned(tracks, depth)
      const again = contextsOf(wholeContexts(successors, depth), depth, Math.max)
      for (const [context, next] of knownContexts(successors, depth)) {
        if (next.size > 0) expect(sortedOf(again.get(context)?.keys() ?? [])).toEqual(sortedOf(next.keys()))
      }
    }),
  )
})

test('sequences are counted at each depth', () => {
  const program = learned(['<exec> read close read close brk'.split(' '), '<exec> brk'.split(' ')], 4)
  const counts = [2, 3, 4].map((depth) => {
    const ends = new Set<string>()
    for (const track of ['<exec> read close read close brk', '<exec> brk']) {
      const symbols = track.split(' ')
      for (let at = 1; at < symbols.length; at += 1) ends.add(lastOf(symbols.slice(0, at + 1).join(' '), depth))
    }
    return ends.size
  })
  expect(sequenceCounts(program.successors, 4)).toEqual(counts)
})

/** Judges as the plain list does: after what is not known the longest end counts that is. */
function judge(all: Map<string, Set<string>>, track: readonly string[], depth: number): (number | null)[] {
  return track.slice(1).map((symbol, before) => {
    let context: string | undefined = lastOf(track.slice(0, before + 1).join(' '), depth - 1)
    while (context !== undefined && !all.has(context)) context = suffixOf(context)
    if (context === undefined || all.get(context)?.has(symbol) === true) return null
    for (let length = 1; ; length += 1) if (all.get(lastOf(context, length))?.has(symbol) !== true) return length + 1
  })
}

test('a table of any depth judges as the plain list does, and names the lowest depth of a miss', () => {
  fc.assert(
    fc.property(someTracks, someTracks, someDepth, fc.nat(), (tracks, others, depth, lower) => {
      const checked = 2 + (lower % (depth - 1))
      const table = TransitionTable.compile(learned(tracks, depth), mapping, checked)
      const all = plain(tracks, checked)
      const symbolOf = (text: string): number => {
        const number = mapping.numberOf(text)
        return number === undefined ? table.specialOf(text) : table.symbolOf(number.abi, number.nr)
      }
      for (const track of [...tracks, ...others]) {
        // Only what has symbols: what comes after an unknown call begins anew, which is the walker's affair.
        const known = track.filter((text) => symbolOf(text) >= 0)
        let state = known[0] === undefined ? -1 : table.resync(symbolOf(known[0]))
        const found = known.slice(1).map((text) => {
          const symbol = symbolOf(text)
          const miss = table.allows(state, symbol) ? null : table.missDepth(state, symbol)
          state = table.next(state, symbol)
          expect(table.symbols[table.lastOf(state)]).toBe(text)
          return miss
        })
        expect(found).toEqual(judge(all, known, checked))
      }
    }),
    { numRuns: 200 },
  )
})
