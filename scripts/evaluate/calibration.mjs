// Is the estimate right? Runs of real programs are recorded, some of them learned, and from these alone it is predicted how many
// of the others bring something new (leave-one-out). Drawn at random, learned runs and others are exchangeable; the first learned
// and the later ones checked, as people do it, they are so only if nothing about the machine changed in between.

import { Checker } from '../../lib/match/checker.js'
import { Recorder } from '../../lib/match/recorder.js'
import { Walker } from '../../lib/match/walker.js'
import { estimateOf } from '../../lib/model/estimate.js'
import { makeSettings } from '../../lib/model/fingerprint.js'
import { RunObservation } from '../../lib/model/learner.js'
import { Ledger } from '../../lib/model/ledger.js'
import { newUlid } from '../../lib/model/ulid.js'
import { Tape } from './logs.mjs'
import { mapping, observe } from './observe.mjs'
import { makeRandom } from './random.mjs'
import { MISSING, WORKLOADS } from './workloads.mjs'

export const DEPTHS = [2, 3, 6]
const SPLITS = 20
const settings = makeSettings(mapping, { depth: 6 })

/** A row per program: what was predicted and what was seen, by depth. */
export async function measureCalibration(place, { only, learnCount, checkCount, seed, say }) {
  if (MISSING.length > 0) say(`not on this machine: ${MISSING.join(', ')}`)
  const rows = []
  for (const workload of WORKLOADS) {
    if (only !== undefined && workload.name !== only) continue
    try {
      const startedAt = Date.now()
      const tapes = await record(place, workload, { count: learnCount + checkCount, seed })
      const row = { name: workload.name, learnCount, checkCount, ...calibrated(tapes, learnCount, method(), seed) }
      const told = row.drawn.map((d) => `depth ${d.depth}: ${d.predicted.toFixed(3)} -> ${d.seen.toFixed(3)}`)
      say(`${row.name}: ${told.join(', ')} (${Math.round((Date.now() - startedAt) / 1000)} s)`)
      rows.push(row)
    } catch (error) {
      process.exitCode = 1
      say(`${workload.name}: ${error.stack}`)
    }
  }
  return rows
}

async function record(place, workload, { count, seed }) {
  workload.prepare?.(place)
  const tapes = []
  for (let i = 0; i < count; i++) {
    place.renew()
    const tape = new Tape(`${i}`)
    await observe(place, await workload.run(place, makeRandom(`${seed}/${workload.name}/${i}`)), [tape])
    tapes.push(tape)
  }
  return tapes
}

/**
 * `drawn`: means over splits drawn at random; `inTime`: the first ones learned, the rest checked. `method` learns tapes and checks
 * one at each depth.
 */
export function calibrated(tapes, learnCount, { learn, alarmsOf }, seed) {
  const compare = (order) => {
    const fingerprint = learn(order.slice(0, learnCount))
    const rest = order.slice(learnCount)
    const alarms = alarmsOf(fingerprint, rest)
    return DEPTHS.map((depth, at) => {
      const { probability, lower, upper } = estimateOf(fingerprint.tally, depth)
      return { depth, predicted: probability, lower, upper, seen: alarms[at] / rest.length }
    })
  }
  const splits = Array.from({ length: SPLITS }, (_, split) =>
    compare(makeRandom(`${seed}/split/${split}`).shuffled(tapes)),
  )
  const drawn = DEPTHS.map((depth, at) => {
    const mean = (pick) => splits.reduce((sum, split) => sum + pick(split[at]), 0) / SPLITS
    return {
      depth,
      predicted: mean(({ predicted }) => predicted),
      seen: mean(({ seen }) => seen),
      /** Share of splits in which more was seen than the upper bound says. */
      above: mean(({ seen, upper }) => (seen > upper ? 1 : 0)),
    }
  })
  return { drawn, inTime: compare(tapes) }
}

/** How the runs of real programs are learned and checked. */
function method() {
  const deltas = new Map()
  return {
    learn(tapes) {
      const ledger = Ledger.empty(settings)
      for (const tape of tapes) {
        if (!deltas.has(tape)) deltas.set(tape, deltaOf(tape))
        ledger.addRun(deltas.get(tape))
      }
      return ledger.fingerprint(mapping)
    },
    alarmsOf(fingerprint, tapes) {
      return DEPTHS.map((depth) => {
        const tables = new Map()
        return tapes.filter((tape) => {
          const checker = new Checker({ fingerprints: [fingerprint], mapping, depth, tables })
          const walker = new Walker(checker, { mapping, tracks: 'thread' })
          tape.play(walker)
          walker.finish()
          return checker.missCount > 0
        }).length
      })
    },
  }
}

function deltaOf(tape) {
  const info = { id: newUlid(), at: '', scenario: 'default', host: '', kernel: '', tool: 'evaluation', command: [] }
  const run = new RunObservation(settings, info)
  const walker = new Walker(new Recorder(run, mapping), { mapping, tracks: 'thread' })
  tape.play(walker)
  walker.finish()
  return run.finish()
}
