// Runs real programs under tracefp and measures what it is worth: false alarms, noise, detection, completeness. Everything
// happens in one temporary directory and on the loopback interface; about a quarter of an hour on two cores.
//
//   node scripts/evaluate-programs.mjs [--learn 50] [--check 50] [--only PROGRAM] [--table NAME]... [--seed TEXT]
//                                      [--json FILE] [--page docs/evaluation.md]

import { readFileSync, writeFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { render, replaceMarked } from './evaluate/page.mjs'
import { makePlace } from './evaluate/place.mjs'

const TABLES = ['programs', 'noise', 'subverted', 'counts']
/** Asked for by name: their tables stand on another page. */
const MORE_TABLES = ['calibration', 'faults', 'faulted']
/** Runs per program in the tables that need fewer. */
const FEWER = 30
const say = (text) => process.stderr.write(`${text}\n`)

function readOptions() {
  const text = { type: 'string' }
  const { values } = parseArgs({
    options: {
      learn: { ...text, default: '50' },
      check: { ...text, default: '50' },
      seed: { ...text, default: '1' },
      table: { ...text, multiple: true, default: TABLES },
      only: text,
      json: text,
      page: text,
    },
  })
  const count = (name) => {
    const value = Number(values[name])
    if (!Number.isInteger(value) || value < 1) throw new Error(`--${name} needs a whole number above 0`)
    return value
  }
  const unknown = values.table.find((name) => ![...TABLES, ...MORE_TABLES].includes(name))
  if (unknown !== undefined) throw new Error(`there is no table ${unknown}: ${[...TABLES, ...MORE_TABLES].join(', ')}`)
  if (values.only !== undefined && values.page !== undefined) throw new Error('a page needs every program: no --only')
  const tables = values.only === undefined || values.table !== TABLES ? values.table : ['programs']
  return { ...values, tables, learnCount: count('learn'), checkCount: count('check') }
}

async function measurePrograms(place, { only, learnCount, checkCount, seed }) {
  const { evaluate } = await import('./evaluate/learning.mjs')
  const { MISSING, WORKLOADS } = await import('./evaluate/workloads.mjs')
  if (only !== undefined && !WORKLOADS.some(({ name }) => name === only)) {
    throw new Error(`there is no program ${only}: ${WORKLOADS.map(({ name }) => name).join('; ')}`)
  }
  if (MISSING.length > 0) say(`not on this machine: ${MISSING.join(', ')}`)
  const rows = []
  for (const workload of WORKLOADS) {
    if (only !== undefined && workload.name !== only) continue
    try {
      const row = await evaluate(place, workload, { learnCount, checkCount, seed, say })
      const { thread, log } = row.alarms
      say(
        `${row.name}: ${thread.runCount} alarms in ${checkCount} runs, ${log.runCount} in log order (${row.seconds} s)`,
      )
      rows.push(row)
    } catch (error) {
      process.exitCode = 1
      say(`${workload.name}: ${error.stack}`)
    }
  }
  return rows.length === 0 ? undefined : rows
}

async function measure(place, options) {
  const measured = {}
  const fewer = {
    ...options,
    learnCount: Math.min(FEWER, options.learnCount),
    checkCount: Math.min(FEWER, options.checkCount),
    say,
  }
  for (const name of options.tables) {
    if (name === 'programs') measured.programs = await measurePrograms(place, options)
    if (name === 'noise') measured.noise = await (await import('./evaluate/noise.mjs')).measureNoise(place, fewer)
    if (name === 'subverted') {
      measured.subverted = await (await import('./evaluate/subverted.mjs')).measureSubverted(place, fewer)
    }
    if (name === 'calibration') {
      measured.calibration = await (await import('./evaluate/calibration.mjs')).measureCalibration(place, {
        ...options,
        say,
      })
    }
    if (name === 'faults') {
      measured.faults = await (await import('./evaluate/faults.mjs')).measureFaults(place, { ...options, say })
    }
    if (name === 'faulted') {
      measured.faulted = await (await import('./evaluate/subverted.mjs')).measureFaulted(place, { ...options, say })
    }
    if (name === 'counts') measured.counts = await (await import('./evaluate/counts.mjs')).countCalls(place, fewer)
  }
  return measured
}

async function main() {
  const options = readOptions()
  const place = makePlace()
  // The engine's programs die with it.
  for (const [signal, code] of [
    ['SIGINT', 130],
    ['SIGTERM', 143],
  ]) {
    process.on(signal, () => {
      place.remove()
      process.exit(code)
    })
  }
  try {
    const measured = await measure(place, options)
    const parts = render(measured)
    if (options.json !== undefined) writeFileSync(options.json, `${JSON.stringify(measured, null, 2)}\n`)
    if (options.page === undefined) {
      process.stdout.write(`${Object.values(parts).join('\n\n')}\n`)
    } else {
      const page = Object.entries(parts).reduce(
        (text, [name, part]) => replaceMarked(text, name, part),
        readFileSync(options.page, 'utf8'),
      )
      writeFileSync(options.page, page)
    }
  } finally {
    place.remove()
  }
}

main().catch((error) => {
  process.exitCode = 1
  say(`evaluate-programs: ${error.message}`)
})
