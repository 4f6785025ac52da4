// Real programs under both engines, and each run played again through the guarded engine: the engines must not differ in what
// they see, and the native walk not from the matcher. Prints a table.
//
//   npx vitest run --config test/compare/vitest.config.mjs        COMPARE_RUNS=10: runs checked per program and engine
import { afterAll, describe, expect, test } from 'vitest'
import { observe } from '../../scripts/evaluate/observe.mjs'
import { makePlace } from '../../scripts/evaluate/place.mjs'
import { makeRandom } from '../../scripts/evaluate/random.mjs'
import { WORKLOADS } from '../../scripts/evaluate/workloads.mjs'
import { disagreements } from '../match/agreement.ts'
import { check, learn } from '../match/stream-script.ts'

const RUNS = Number(process.env['COMPARE_RUNS'] ?? 10)
const ENGINES = ['notify', 'trace']

/** A StreamHandler that keeps what it is told, to be told again. */
function keeper(steps) {
  return {
    onBirth: (...told) => void steps.push((to) => to.onBirth(...told)),
    onExec: (...told) => void steps.push((to) => to.onExec(...told)),
    onCall: (...told) => void steps.push((to) => to.onCall(...told)),
    onSignal: (...told) => void steps.push((to) => to.onSignal(...told)),
    onExit: (...told) => void steps.push((to) => to.onExit(...told)),
    onRefused: () => {},
    onGap: () => {},
    onNote: () => {},
  }
}

const place = makePlace()
const rows = []
afterAll(() => {
  place.remove()
  console.log(
    [
      '| program | records | alarms notify | alarms trace | misses played again | disagreements |',
      '|---|---:|---:|---:|---:|---:|',
      ...rows,
    ].join('\n'),
  )
})

describe.each(WORKLOADS.map((workload) => [workload.name, workload]))('%s', (name, workload) => {
  const run = async (phase, index, engine) => {
    place.renew()
    const command = await workload.run(place, makeRandom(`compare/${name}/${phase}/${index}`))
    const steps = []
    await observe(place, { ...command, engine }, [keeper(steps)])
    return steps
  }

  test('is seen alike by both engines, and judged alike before and after its calls', async () => {
    workload.prepare?.(place)
    const learned = []
    for (let i = 0; i < RUNS * 3; i++) learned.push(await run('learn', i, ENGINES[i % 2]))
    const fingerprint = learn(learned)
    const alarms = { notify: 0, trace: 0 }
    let recordCount = 0
    let askedCount = 0
    const found = []
    for (let i = 0; i < RUNS; i++) {
      for (const engine of ENGINES) {
        const steps = await run('check', i, engine)
        const { report } = check(fingerprint, steps)
        recordCount += report.recordCount
        if (report.missCount > 0) alarms[engine] += 1
        for (const held of [fingerprint, learn(learned.slice(0, 2), { depth: 3 })]) {
          const agreement = await disagreements(steps, held)
          found.push(...agreement.found)
          askedCount += agreement.asked
        }
      }
    }
    rows.push(`| ${name} | ${recordCount} | ${alarms.notify} | ${alarms.trace} | ${askedCount} | ${found.length} |`)
    expect(found).toEqual([])
    // Both draw from one distribution: a difference of 5 in 10 has a chance below 2 %.
    expect(Math.abs(alarms.notify - alarms.trace)).toBeLessThan(Math.max(5, RUNS / 2))
  })
})
