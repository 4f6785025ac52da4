// Is the estimate right? Real programs are learned, the share of runs that will bring something new is predicted from the learned
// runs alone (leave-one-out), and as many further runs of the same mix tell how many did. At depths 2, 3 and 6, from one stream.

import { Checker } from '../../lib/match/checker.js'
import { Recorder } from '../../lib/match/recorder.js'
import { Walker } from '../../lib/match/walker.js'
import { makeSettings } from '../../lib/model/fingerprint.js'
import { RunObservation } from '../../lib/model/learner.js'
import { Ledger } from '../../lib/model/ledger.js'
import { newUlid } from '../../lib/model/ulid.js'
import { mapping, observe } from './observe.mjs'
import { makeRandom } from './random.mjs'
import { MISSING, WORKLOADS } from './workloads.mjs'

export const DEPTHS = [2, 3, 6]
const settings = makeSettings(mapping, { depth: 6 })

/** A row per program: what was predicted and what was seen, by depth. */
export async function measureCalibration(place, { only, learnCount, checkCount, seed, say }) {
  if (MISSING.length > 0) say(`not on this machine: ${MISSING.join(', ')}`)
  const rows = []
  for (const workload of WORKLOADS) {
    if (only !== undefined && workload.name !== only) continue
    try {
      const row = await calibrate(place, workload, { learnCount, checkCount, seed })
      const told = row.depths.map(({ depth, newRuns, alarms }) => `depth ${depth}: ${newRuns} -> ${alarms}`)
      say(`${row.name}: ${told.join(', ')} (${row.seconds} s)`)
      rows.push(row)
    } catch (error) {
      process.exitCode = 1
      say(`${workload.name}: ${error.stack}`)
    }
  }
  return rows
}

async function calibrate(place, workload, { learnCount, checkCount, seed }) {
  workload.prepare?.(place)
  const startedAt = Date.now()
  const commandOf = async (phase, index) => {
    place.renew()
    return await workload.run(place, makeRandom(`${seed}/${workload.name}/${phase}/${index}`))
  }
  const ledger = Ledger.empty(settings)
  for (let i = 0; i < learnCount; i++) await learnRun(place, await commandOf('learn', i), ledger)
  const fingerprint = ledger.fingerprint(mapping)
  const alarms = new Map(DEPTHS.map((depth) => [depth, 0]))
  for (let i = 0; i < checkCount; i++) {
    for (const [depth, count] of await checkRun(place, await commandOf('check', i), fingerprint)) {
      if (count > 0) alarms.set(depth, alarms.get(depth) + 1)
    }
  }
  const { newRunCounts } = fingerprint.tally
  return {
    name: workload.name,
    learnCount,
    checkCount,
    depths: DEPTHS.map((depth) => ({ depth, newRuns: newRunCounts[depth - 2], alarms: alarms.get(depth) })),
    seconds: Math.round((Date.now() - startedAt) / 1000),
  }
}

async function learnRun(place, command, ledger) {
  const at = new Date().toISOString()
  const info = {
    id: newUlid(),
    at,
    scenario: 'default',
    host: '',
    kernel: '',
    tool: 'evaluation',
    command: command.argv,
  }
  const run = new RunObservation(settings, info)
  const walker = new Walker(new Recorder(run, mapping), { mapping, tracks: 'thread' })
  await observe(place, command, [walker])
  walker.finish()
  ledger.addRun(run.finish())
}

/** Misses by depth. */
async function checkRun(place, command, fingerprint) {
  const parts = DEPTHS.map((depth) => {
    const checker = new Checker({ fingerprints: [fingerprint], mapping, depth })
    return { depth, checker, walker: new Walker(checker, { mapping, tracks: 'thread' }) }
  })
  await observe(
    place,
    command,
    parts.map(({ walker }) => walker),
  )
  return parts.map(({ depth, checker, walker }) => {
    walker.finish()
    return [depth, checker.missCount]
  })
}
