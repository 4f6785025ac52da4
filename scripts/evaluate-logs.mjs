// Public and recorded logs under tracefp: false alarms and detection, next to the paper's literal method.
//
//   node scripts/evaluate DIR                    depths 1, 2, 3 and 6
//   node scripts/evaluate-logs.mjs DIR [--depth 1|2|3|6]... [--splits 20] [--seed TEXT] [--json FILE] [--misses]
//
// DIR holds what there is of strace-programs/ (manifest.json, raw-logs.tar.gz), unm/, adfa-ld/ and maps/, or is one of them.

import { existsSync, writeFileSync } from 'node:fs'
import { basename, join, resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { evaluateNumbers } from './evaluate/log-numbers.mjs'
import { evaluatePrograms } from './evaluate/log-programs.mjs'
import { renderNumbers, renderPrograms } from './evaluate/log-tables.mjs'

const USAGE =
  'usage: node scripts/evaluate-logs.mjs DIR [--depth N]... [--splits N] [--seed TEXT] [--json FILE] [--misses]'
const say = (text) => process.stderr.write(`${text}\n`)

function readOptions() {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      depth: { type: 'string', multiple: true, default: ['2'] },
      splits: { type: 'string', default: '20' },
      seed: { type: 'string', default: '1' },
      json: { type: 'string' },
      misses: { type: 'boolean', default: false },
    },
  })
  const [folder] = positionals
  if (folder === undefined || positionals.length > 1) throw new Error(USAGE)
  const depths = values.depth.map(Number)
  if (depths.some((depth) => !Number.isInteger(depth) || depth < 1 || depth > 8)) throw new Error('--depth is 1 to 8')
  const splits = Number(values.splits)
  if (!Number.isInteger(splits) || splits < 1) throw new Error('--splits is a whole number above 0')
  return { ...values, folder: resolve(folder), depths, splits }
}

function main() {
  const { folder, depths, splits, seed, json, misses } = readOptions()
  const folderOf = (name) => {
    const inside = join(folder, name)
    if (existsSync(inside)) return inside
    return basename(folder) === name ? folder : null
  }
  const programs = folderOf('strace-programs')
  const found = []
  for (const depth of depths) {
    const table = programs === null ? null : evaluatePrograms(programs, { depth, splits, seed, say })
    const numbers = evaluateNumbers(folderOf, { depth, say })
    if (table === null && numbers.length === 0) throw new Error(`${folder}: no strace-programs, unm or adfa-ld there`)
    if (table !== null) process.stdout.write(renderPrograms(table, depth, misses))
    if (numbers.length > 0) process.stdout.write(renderNumbers(numbers, depth))
    found.push({ depth, programs: table, numbers })
  }
  if (json !== undefined) writeFileSync(json, `${JSON.stringify(found, null, 2)}\n`)
}

try {
  main()
} catch (error) {
  say(error.message)
  process.exitCode = 2
}
