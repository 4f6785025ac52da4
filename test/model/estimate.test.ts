import { array, assert, boolean, integer, property } from 'fast-check'
import { describe, expect, test } from 'vitest'
import { minimalScenarios, newsOf } from '../../src/model/convergence.ts'
import { estimateOf, isFinished, quietRunsNeeded } from '../../src/model/estimate.ts'
import { makeSettings, type Tally } from '../../src/model/fingerprint.ts'
import { ledgerOf, mapping, runInfo, runOf } from './making.ts'

const tally = (newRunCount: number, runCount: number): Tally => ({ runCount, newRunCounts: [newRunCount] })

/** These properties are not asynchronous. */
function check(made: Parameters<typeof assert>[0], options: { readonly numRuns: number }): void {
  void assert(made, options)
}

describe('the chance of something new', () => {
  test('is the share of runs that hold what no other run holds', () => {
    expect(estimateOf(tally(3, 60)).probability).toBe(0.05)
  })

  // Clopper and Pearson's bounds of 90 %, from published tables.
  test.each([
    [0, 10, 0, 0.2589],
    [1, 10, 0.0051, 0.3942],
    [5, 20, 0.1041, 0.4556],
    [10, 10, 0.7411, 1],
    [0, 59, 0, 0.0495],
  ])('%i of %i lies between the bounds of the tables', (found, runs, lower, upper) => {
    const estimate = estimateOf(tally(found, runs))
    expect(estimate.lower).toBeCloseTo(lower, 4)
    expect(estimate.upper).toBeCloseTo(upper, 4)
  })

  test('is anything before the first run', () => {
    expect(estimateOf(tally(0, 0))).toMatchObject({ probability: 1, lower: 0, upper: 1 })
  })

  test('is low enough after 59 quiet runs, not after 58', () => {
    expect([58, 59].map((runs) => isFinished({ tally: tally(0, runs) }))).toEqual([false, true])
    expect(isFinished({ tally: null })).toBe(false)
  })

  test('so many quiet runs are needed, and not one less', () => {
    check(
      property(integer({ min: 0, max: 6 }), integer({ min: 0, max: 40 }), (found, more) => {
        const estimate = estimateOf(tally(found, found + more))
        const needed = quietRunsNeeded(estimate, 0.05)
        expect(estimateOf(tally(found, found + more + needed)).upper).toBeLessThan(0.05)
        if (needed > 0) expect(estimateOf(tally(found, found + more + needed - 1)).upper).toBeGreaterThanOrEqual(0.05)
      }),
      { numRuns: 40 },
    )
  })

  test('bounds are finite and in order, however many runs there are', () => {
    for (const runs of [1, 2, 1000, 10_000]) {
      for (const share of [0, 0.01, 0.5, 1]) {
        const { lower, probability, upper } = estimateOf(tally(Math.round(share * runs), runs))
        expect(lower).toBeLessThanOrEqual(probability)
        expect(upper).toBeGreaterThanOrEqual(probability)
        expect(upper).toBeLessThanOrEqual(1)
      }
    }
  })

  test('of a fingerprint is what leaving out each run in turn finds', () => {
    const settings = makeSettings(mapping, { depth: 4 })
    const track = array(integer({ min: 0, max: 2 }), { minLength: 1, maxLength: 6 })
    check(
      property(array(track, { minLength: 1, maxLength: 7 }), boolean(), (tracks, isDeep) => {
        const runs = tracks.map((calls, index) =>
          runOf(`r${index}`, [['<exec>', ...calls.map((call) => ['read', 'write', 'close'][call])].join(' ')], {
            settings,
          }),
        )
        const depth = isDeep ? 4 : 2
        const withNews = runs.filter((left) => {
          const others = ledgerOf(runOf('r', [], { settings }), ...runs.filter((run) => run !== left))
          const added = others.addRun(left)
          return depth === 2 ? added.newTransitionCount > 0 : added.newSequenceCount > 0
        })
        const { tally: found } = ledgerOf(...runs).fingerprint(mapping)
        expect(found?.newRunCounts[depth - 2]).toBe(withNews.length)
      }),
      { numRuns: 60 },
    )
  })
})

describe('how learning went', () => {
  const settings = makeSettings(mapping, { depth: 3 })
  const scenario = (id: string, name: string, track: string) =>
    runOf(id, [track], { settings, info: { ...runInfo(id), scenario: name } })

  test('each run is told with what no earlier run had, by depth', () => {
    const ledger = ledgerOf(
      scenario('r1', 'a', '<exec> read write'),
      scenario('r2', 'a', '<exec> read write'),
      scenario('r3', 'a', '<exec> write read write'),
    )
    expect(newsOf(ledger, [2, 3])).toEqual([
      { depth: 2, newCounts: [2, 0, 2] },
      { depth: 3, newCounts: [3, 0, 4] },
    ])
  })

  test('the fewest scenarios with nearly all transitions are found, not the first ones', () => {
    const ledger = ledgerOf(
      scenario('r1', 'a', '<exec> read write'),
      scenario('r2', 'b', '<exec> read close'),
      scenario('r3', 'c', '<exec> read write read close'),
      scenario('r4', 'd', '<exec> openat'),
    )
    expect(minimalScenarios(ledger, 1)).toEqual({
      scenarios: ['c', 'd'],
      transitionCount: 5,
      allCount: 5,
      isSmallest: true,
    })
    expect(minimalScenarios(ledger, 0.8).scenarios).toEqual(['c'])
  })

  test('with many scenarios a small set is found step by step, and said to be that', () => {
    const runs = Array.from({ length: 20 }, (_, at) => scenario(`r${at}`, `s${at}`, `<exec> sys_${500 + at}`))
    const found = minimalScenarios(ledgerOf(...runs), 0.5)
    expect(found).toMatchObject({ isSmallest: false, transitionCount: 10 })
    expect(found.scenarios).toHaveLength(10)
  })
})
