// How fingerprints grow and how fast they are: size and time to load after 100 and after 10,000 runs, and records checked a second
// at depth 2 and at depth 6. Real runs of sqlite3 are recorded and drawn from; the Nth run does something that no other does with chance
// 3/N, as the curve of docs/evaluation.md falls, or always with the chance that --news gives.
//
//   node scripts/measure-fingerprints.mjs [--runs 10000] [--news 0.05] [--json FILE]

import { writeFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { Checker } from '../lib/match/checker.js'
import { Recorder } from '../lib/match/recorder.js'
import { Walker } from '../lib/match/walker.js'
import { decodeFingerprint, encodeFingerprint } from '../lib/model/codec-fingerprint.js'
import { encodeLedger } from '../lib/model/codec-ledger.js'
import { makeSettings } from '../lib/model/fingerprint.js'
import { RunObservation } from '../lib/model/learner.js'
import { Ledger } from '../lib/model/ledger.js'
import { TransitionTable } from '../lib/model/table.js'
import { newUlid } from '../lib/model/ulid.js'
import { Tape } from './evaluate/logs.mjs'
import { mapping, observe } from './evaluate/observe.mjs'
import { makePlace } from './evaluate/place.mjs'
import { makeRandom } from './evaluate/random.mjs'
import { SQLITE } from './evaluate/workloads-tools.mjs'

const RECORDED = 60
const ROUNDS = 15
const settings = makeSettings(mapping, { depth: 6 })
const random = makeRandom('fingerprints')

const sorted = (values) => [...values].sort((a, b) => a - b)
const median = (values) => sorted(values)[values.length >> 1]
/** Of times: what others did on the machine is not in it. */
const best = (values) => sorted(values)[0]
const seconds = (work) => {
  const startedAt = process.hrtime.bigint()
  work()
  return Number(process.hrtime.bigint() - startedAt) / 1e9
}

async function recordRuns() {
  const place = makePlace()
  const tapes = []
  try {
    SQLITE.prepare?.(place)
    for (let i = 0; i < RECORDED; i++) {
      place.renew()
      const tape = new Tape(`${i}`)
      await observe(place, await SQLITE.run(place, makeRandom(`sqlite/${i}`)), [tape])
      tapes.push(tape)
    }
  } finally {
    place.remove()
  }
  return tapes
}

function deltaOf(tape) {
  const info = {
    id: '',
    at: '2026-01-01T00:00:00.000Z',
    scenario: 'usual',
    host: 'host',
    kernel: '6.18',
    tool: 't',
    command: ['c'],
  }
  const run = new RunObservation(settings, info)
  const walker = new Walker(new Recorder(run, mapping), { mapping, tracks: 'thread' })
  tape.play(walker)
  walker.finish()
  return run.finish()
}

/** A run with one transition that no other has: two of its calls after each other, with a call of any depth before. */
function withNews(delta) {
  const programs = new Map()
  for (const [key, program] of delta.programs) {
    const contexts = [...program.transitions.keys()]
    const to = [...(program.transitions.get(random.pick(contexts)) ?? [])][0]
    const transitions = new Map(program.transitions)
    const context = random.pick(contexts)
    transitions.set(context, new Set([...transitions.get(context), to]))
    programs.set(key, { ...program, transitions })
  }
  return { ...delta, programs }
}

function grow(deltas, count, news) {
  const ledger = Ledger.empty(settings)
  for (let i = 0; i < count; i++) {
    const delta = random.pick(deltas)
    const own = random.chance(news ?? Math.min(1, 3 / (i + 1))) ? withNews(delta) : delta
    ledger.addRun({ ...own, info: { ...delta.info, id: newUlid() } })
  }
  return ledger
}

function load(text) {
  const fingerprint = decodeFingerprint(text, 'measured')
  for (const program of fingerprint.programs.values()) TransitionTable.compile(program, mapping, 2)
  return fingerprint
}

function checkAll(fingerprint, tapes, depth, tables) {
  let recordCount = 0
  for (const tape of tapes) {
    const checker = new Checker({ fingerprints: [fingerprint], mapping, depth, tables })
    const walker = new Walker(checker, { mapping, tracks: 'thread' })
    tape.play(walker)
    walker.finish()
    recordCount += walker.recordCount
  }
  return recordCount
}

async function main() {
  const { values } = parseArgs({
    options: { runs: { type: 'string', default: '10000' }, news: { type: 'string' }, json: { type: 'string' } },
  })
  const tapes = await recordRuns()
  const deltas = tapes.map(deltaOf)
  const sizes = [100, Number(values.runs)].map((runCount) => {
    const ledger = grow(deltas, runCount, values.news === undefined ? undefined : Number(values.news))
    const text = encodeFingerprint(ledger.fingerprint(mapping))
    return {
      runCount,
      text,
      ledgerBytes: encodeLedger(ledger, mapping).length,
      transitions: ledger.transitionCount,
      ms: [],
    }
  })
  // In turns, so that both meet the same machine.
  for (let round = -3; round < ROUNDS; round++) {
    for (const size of sizes) {
      const took = seconds(() => load(size.text)) * 1000
      if (round >= 0) size.ms.push(took)
    }
  }
  for (const { runCount, text, ledgerBytes, transitions, ms } of sizes) {
    console.log(
      `${runCount} runs: ${transitions} transitions, ${text.length} bytes, ledger ${ledgerBytes} bytes, loaded in ${best(ms).toFixed(1)} ms`,
    )
  }
  console.log(`loading takes ${(best(sizes[1].ms) / best(sizes[0].ms)).toFixed(2)} times as long`)
  const fingerprint = load(sizes[0].text)
  const speeds = new Map([2, 6].map((depth) => [depth, { tables: new Map(), rates: [] }]))
  const once = Array.from({ length: 20 }, () => tapes).flat()
  for (let round = -2; round < ROUNDS; round++) {
    for (const [depth, { tables, rates }] of speeds) {
      let records = 0
      const took = seconds(() => {
        records = checkAll(fingerprint, once, depth, tables)
      })
      if (round >= 0) rates.push(records / took)
    }
  }
  const [two, six] = [...speeds.values()].map(({ rates }) => median(rates))
  console.log(
    `checked a second: ${(two / 1e6).toFixed(1)} million records at depth 2, ${(six / 1e6).toFixed(1)} at depth 6 (${(six / two).toFixed(2)} of it)`,
  )
  if (values.json !== undefined) {
    const told = sizes.map(({ text, ...size }) => ({ ...size, bytes: text.length, ms: best(size.ms) }))
    writeFileSync(values.json, `${JSON.stringify({ sizes: told, speeds: { 2: two, 6: six } }, null, 2)}\n`)
  }
}

await main()
