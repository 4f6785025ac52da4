// First table: varied but normal runs of real programs; what was learned, and how many of further such runs raise an alarm.

import { checkRun, emptyLedgers, learnRun, mapping } from './observe.mjs'
import { makeRandom } from './random.mjs'

/** Runs of the learning curve: the last run of each part. */
const PARTS = [1, 5, 10, 20, 50, 100]

/** Learns `learnCount` runs of a workload and checks `checkCount` more. */
export async function evaluate(place, workload, { learnCount, checkCount, seed, say }) {
  workload.prepare?.(place)
  const ledgers = emptyLedgers()
  const records = []
  const added = []
  const startedAt = Date.now()
  const next = async (phase, index, work) => {
    place.renew()
    const command = await workload.run(place, makeRandom(`${seed}/${workload.name}/${phase}/${index}`))
    const result = await work(command)
    if (result.exit.code !== 0) say(`${workload.name} ${phase} ${index}: ended with ${JSON.stringify(result.exit)}`)
    return result
  }
  for (let i = 0; i < learnCount; i++) {
    const run = await next('learn', i, (command) => learnRun(place, command, ledgers))
    records.push(run.added.thread.recordCount)
    added.push(run.added.thread.newTransitionCount)
  }
  const fingerprints = Object.fromEntries(
    Object.entries(ledgers).map(([name, ledger]) => [name, ledger.fingerprint(mapping)]),
  )
  const alarms = Object.fromEntries(Object.keys(ledgers).map((name) => [name, new Alarms()]))
  for (let i = 0; i < checkCount; i++) {
    const run = await next('check', i, (command) => checkRun(place, command, fingerprints))
    records.push(run.found.thread.recordCount)
    for (const [name, found] of Object.entries(run.found)) alarms[name].add(i, found)
  }
  records.sort((a, b) => a - b)
  return {
    name: workload.name,
    what: workload.what,
    learnCount,
    checkCount,
    records: { least: records[0], median: records[records.length >> 1], most: records.at(-1) },
    programCount: ledgers.thread.programs.size,
    transitionCount: ledgers.thread.transitionCount,
    logTransitionCount: ledgers.log.transitionCount,
    estimate: estimateOf(fingerprints.thread),
    curve: PARTS.filter((end) => end <= Math.max(learnCount, 1)).map((end, part) => ({
      from: part === 0 ? 1 : PARTS[part - 1] + 1,
      to: end,
      newCount: added.slice(part === 0 ? 0 : PARTS[part - 1], end).reduce((sum, count) => sum + count, 0),
    })),
    alarms: Object.fromEntries(Object.entries(alarms).map(([name, found]) => [name, found.summary(place)])),
    seconds: Math.round((Date.now() - startedAt) / 1000),
  }
}

/** Share of runs that hold what no other run holds: what the next run is expected to do. */
function estimateOf({ tally }) {
  return tally.runCount === 0 ? 0 : tally.newRunCounts[0] / tally.runCount
}

/** Runs with misses, and which ones how often. */
class Alarms {
  runCount = 0
  missCount = 0
  inconclusiveCount = 0
  #kinds = new Map()

  add(run, { missCount, misses, isInconclusive }) {
    if (isInconclusive) this.inconclusiveCount += 1
    if (missCount === 0) return
    this.runCount += 1
    this.missCount += missCount
    for (const miss of misses) {
      const key = [miss.kind, miss.image, miss.from, miss.to].join('\t')
      const known = this.#kinds.get(key) ?? {
        runs: new Set(),
        missCount: 0,
        context: miss.context,
        expected: miss.expected,
      }
      known.runs.add(run)
      known.missCount += 1
      this.#kinds.set(key, known)
    }
  }

  summary(place) {
    const kinds = [...this.#kinds].map(([key, { runs, missCount, context, expected }]) => {
      const [kind, image, from, to] = key.split('\t')
      const short = image.replaceAll(`${place.root}/`, '')
      return { kind, image: short, from, to, runCount: runs.size, runs: [...runs], missCount, context, expected }
    })
    kinds.sort((a, b) => b.runCount - a.runCount || b.missCount - a.missCount)
    const { runCount, missCount, inconclusiveCount } = this
    return { runCount, missCount, inconclusiveCount, kinds }
  }
}
