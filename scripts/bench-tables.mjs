// Writes the tables of README.md and docs/benchmarks.md anew from docs/bench/bench.json, which `npm run bench -- --out docs/bench`
// made: what stands between `<!-- bench: NAME -->` and `<!-- /bench -->` is replaced. NAME is a part, `PART/CAPTION` one of its
// tables, `targets` all ratios that have one, or `machine`.
//
//   node scripts/bench-tables.mjs [--check]      --check: changes nothing, exit code 1 where something would change

import { readFileSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { ratioTable, renderPart, renderTable } from '../lib/bench/render.js'
import { ROOT } from './toolchain.mjs'

const FILES = ['README.md', 'docs/benchmarks.md']
const MARKED = /(<!-- bench: ([^\n]+?) -->\n)[\s\S]*?(<!-- \/bench -->)/g
const result = JSON.parse(readFileSync(path.join(ROOT, 'docs/bench/bench.json'), 'utf8'))
const isCheck = process.argv.includes('--check')

for (const file of FILES) {
  const place = path.join(ROOT, file)
  const before = readFileSync(place, 'utf8')
  const after = before.replaceAll(MARKED, (_, begin, name, end) => `${begin}${textOf(name)}\n${end}`)
  if (after === before) continue
  if (isCheck) {
    console.error(`${file}: its tables are not those of docs/bench/bench.json: node scripts/bench-tables.mjs`)
    process.exitCode = 1
  } else writeFileSync(place, after)
}

function textOf(name) {
  if (name === 'machine') return machineText()
  if (name === 'targets') return renderTable(ratioTable(result.parts.flatMap(({ ratios }) => ratios).filter(isAimed)))
  const [partName, caption] = name.split('/', 2)
  const part = result.parts.find((each) => each.name === partName)
  if (part === undefined) throw new Error(`${name}: docs/bench/bench.json has no such part`)
  if (caption === undefined) return renderPart({ ...part, charts: part.charts.map(inFolder) }).trim()
  const table = part.tables.find((each) => each.caption.startsWith(caption))
  if (table === undefined) throw new Error(`${name}: there is no such table`)
  return renderTable(table)
}

function isAimed({ target }) {
  return target !== undefined
}

function inFolder(chart) {
  return { ...chart, name: `bench/${chart.name}` }
}

function machineText() {
  const { machine, at, tracefp } = result
  const day = new Date(at).toLocaleDateString('en-GB', { day: 'numeric', month: 'long', year: 'numeric' })
  const guest = machine.hypervisor === '' ? '' : ', a virtual machine'
  return `Measured on ${day} with tracefp ${tracefp} and Node ${machine.node}: ${machine.cpuCount} CPUs (${machine.cpu}), ${machine.memoryGb} GB, Linux ${machine.kernel}${guest}. Load when it began: ${machine.loadBefore.toFixed(1)}; figures move by a fifth from run to run.`
}
