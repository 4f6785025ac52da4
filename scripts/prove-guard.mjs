// Proves guard mode, as a command of its own: what is denied does not happen, and programs that try to evade it do not.
//
//   node scripts/prove-guard.mjs [--runs 100] [--rounds 3] [--attack NAME] [--only effects|attacks] [--write]
//
// --write puts the tables into docs/guard.md. Exit code 1: something got through.

import { readFileSync, writeFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { replaceMarked } from './evaluate/page.mjs'
import { proveAttacks } from './guard/attacks.mjs'
import { POLICIES, proveEffects } from './guard/effects.mjs'
import { makePlace } from './guard/place.mjs'

const PAGE = new URL('../docs/guard.md', import.meta.url)
const { values } = parseArgs({
  options: {
    runs: { type: 'string', default: '100' },
    rounds: { type: 'string', default: '3' },
    attack: { type: 'string' },
    only: { type: 'string' },
    write: { type: 'boolean', default: false },
  },
})
const say = (text) => console.error(text)
const place = makePlace()
process.on('exit', () => place.remove())

const parts = {}
const troubles = []
if (values.only !== 'attacks') {
  const rows = await proveEffects(place, { runCount: Number(values.runs), say })
  parts.effects = effectsTable(rows)
  for (const { call, engine, deny, kill, alert, runCount, strange } of rows) {
    if (deny + kill > 0) troubles.push(`${call} happened under ${engine}`)
    if (alert !== runCount) troubles.push(`${call} did not happen under ${engine} where nothing was done about it`)
    if (strange > 0) troubles.push(`${strange} reports of ${call} under ${engine} are not as they should be`)
  }
}
if (values.only !== 'effects') {
  const rows = await proveAttacks(place, { only: values.attack, roundCount: Number(values.rounds), say })
  parts.attacks = attacksTable(rows)
  for (const { name, results, hasEscaped } of rows) {
    if (hasEscaped) troubles.push(`${name} got through`)
    if (Object.values(results).some((result) => result.includes('took too long'))) troubles.push(`${name} hangs`)
  }
}
for (const text of Object.values(parts)) console.log(`${text}\n`)
if (values.write) {
  const page = Object.entries(parts).reduce((text, [name, part]) => replaceMarked(text, name, part), read())
  writeFileSync(PAGE, page)
}
for (const trouble of troubles) console.log(`failed: ${trouble}`)
console.log(troubles.length === 0 ? 'nothing got through' : `${troubles.length} failures`)
process.exitCode = troubles.length === 0 ? 0 : 1

function read() {
  return readFileSync(PAGE, 'utf8')
}

function effectsTable(rows) {
  const lines = rows.map((row) => {
    return `| ${row.call} | ${row.engine} | ${POLICIES.map((policy) => `${row[policy]} of ${row.runCount}`).join(' | ')} |`
  })
  return ['| call | engine | alert | deny | kill |', '|---|---|---:|---:|---:|', ...lines].join('\n')
}

/** Where all four of a kind agree, one word says it. */
function attacksTable(rows) {
  const cell = (row, way, policy) => {
    const [notify, trace] = ['notify', 'trace'].map((engine) => row.results[`${way} ${engine} ${policy}`])
    return notify === trace ? notify : `${notify}; trace: ${trace}`
  }
  const lines = rows.map((row) => {
    const cells = ['known', 'unknown'].flatMap((way) => ['deny', 'kill'].map((policy) => cell(row, way, policy)))
    return `| ${row.sentence} \`${row.name}\` | ${cells.join(' | ')} |`
  })
  return ['| attack | way known: deny | kill | way unknown: deny | kill |', '|---|---|---|---|---|', ...lines].join(
    '\n',
  )
}
