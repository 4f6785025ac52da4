// The laws of joining: whoever learned what, in whatever order it comes together, the same bytes come out.
import { array, assert, constantFrom, integer, property, record, subarray, uniqueArray } from 'fast-check'
import { describe, expect, test } from 'vitest'
import { encodeFingerprint } from '../../src/model/codec-fingerprint.ts'
import { decodeLedger, encodeLedger } from '../../src/model/codec-ledger.ts'
import { makeSettings } from '../../src/model/fingerprint.ts'
import { joinLedgers, revokeRuns } from '../../src/model/join.ts'
import type { RunDelta } from '../../src/model/learner.ts'
import { Ledger } from '../../src/model/ledger.ts'
import { image, mapping, runInfo, runOf } from './making.ts'

const settings = makeSettings(mapping, { depth: 4 })
const CALLS = ['read', 'write', 'close', 'openat', '<end>']
const HASH = 'a'.repeat(64)

/** Runs that anybody may hold; the same id is always the same run. */
const pool = array(
  record({
    tracks: array(array(constantFrom(...CALLS), { minLength: 1, maxLength: 6 }), { minLength: 1, maxLength: 3 }),
    path: constantFrom('/bin/a', '/bin/b'),
    scenario: constantFrom('usual', 'odd'),
    isFaulty: constantFrom(false, false, true),
    execs: subarray(['/bin/x', '/bin/y']),
  }),
  { minLength: 1, maxLength: 8 },
).map((runs) =>
  runs.map(({ tracks, path, scenario, isFaulty, execs }, index): RunDelta => {
    const id = `run-${index}`
    const texts = tracks.map((calls) => ['<exec>', ...upToEnd(calls)].join(' '))
    const layer = isFaulty ? ('fault' as const) : ('normal' as const)
    const info = { ...runInfo(id), scenario, layer }
    return runOf(id, texts, { settings, image: image(path, HASH), info, execs })
  }),
)

function upToEnd(calls: readonly string[]): string[] {
  const end = calls.indexOf('<end>')
  return end < 0 ? [...calls] : calls.slice(0, end + 1)
}

/** What three people hold of it, in orders of their own, and what they revoked. */
const holdings = uniqueArray(integer({ min: 0, max: 7 }))
const held = record({
  runs: pool,
  who: array(record({ has: holdings, revoked: holdings }), { minLength: 3, maxLength: 3 }),
})

function ledgers({
  runs,
  who,
}: {
  runs: RunDelta[]
  who: { has: number[]; revoked: number[] }[]
}): [Ledger, Ledger, Ledger] {
  const made = who.map(({ has, revoked }) => {
    const ledger = Ledger.empty(settings)
    for (const index of has) if (runs[index] !== undefined) ledger.addRun(runs[index])
    // Two in three have revoked nothing.
    return revoked.length > 2
      ? revokeRuns(
          ledger,
          revoked.slice(0, 2).map((index) => `run-${index}`),
        )
      : ledger
  })
  return made as [Ledger, Ledger, Ledger]
}

const join = (a: Ledger, b: Ledger): Ledger => joinLedgers(a, b, 'the other')
const bytes = (ledger: Ledger): string => encodeLedger(ledger, mapping) + encodeFingerprint(ledger.fingerprint(mapping))
function same(a: Ledger, b: Ledger): void {
  expect(bytes(a)).toBe(bytes(b))
}

describe('joining ledgers', () => {
  const law = (check: (a: Ledger, b: Ledger, c: Ledger) => void): void =>
    assert(
      property(held, (drawn) => {
        check(...ledgers(drawn))
      }),
      { numRuns: 150 },
    )

  test('is commutative', () => law((a, b) => same(join(a, b), join(b, a))))

  test('is associative', () => law((a, b, c) => same(join(join(a, b), c), join(a, join(b, c)))))

  test('is idempotent, and nothing is left to join of what was joined', () =>
    law((a, b) => {
      same(join(a, a), a)
      same(join(join(a, b), b), join(a, b))
    }))

  test('is what adding all runs one by one gives, whatever the order', () =>
    law((a, b) => {
      const joined = join(a, b)
      const read = decodeLedger(encodeLedger(joined, mapping), 'x', mapping)
      same(read, joined)
      expect(joined.runs.map(({ id }) => id)).toEqual(
        [...new Set([...a.runs, ...b.runs].map(({ id }) => id))].filter((id) => !joined.revoked.includes(id)).sort(),
      )
    }))

  test('never brings back a revoked run, and revoking before or after gives the same', () =>
    law((a, b, c) => {
      const ids = c.runs.slice(0, 2).map(({ id }) => id)
      const joined = join(revokeRuns(a, ids), b)
      same(joined, revokeRuns(join(a, b), ids))
      for (const id of ids) expect(joined.has(id)).toBe(false)
    }))

  test('of a revoked run nothing is left that no other run brought', () =>
    assert(
      property(pool, (runs) => {
        const [first, ...rest] = runs
        const all = Ledger.empty(settings)
        for (const run of runs) all.addRun(run)
        const others = Ledger.empty(settings)
        for (const run of rest) others.addRun(run)
        const left = revokeRuns(all, [first?.info.id ?? ''])
        expect(encodeFingerprint(left.fingerprint(mapping))).toBe(encodeFingerprint(others.fingerprint(mapping)))
      }),
      { numRuns: 150 },
    ))
})
