// Second table: programs that try to get one call past the guard (test/tracees/evade_by_*.c), under both engines, denied and
// killed, and with two fingerprints: one that knows all but that call, and one that does not know their way there either.

import { appendFileSync, chmodSync, copyFileSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

const TRACEES = new URL('../../test/tracees/', import.meta.url)
const LEARN_COUNT = 5
/** What the harness puts into the working directory; anything else was made by the attack. */
const PUT_THERE = ['stranger', 'tool']

export function listAttacks() {
  return readdirSync(TRACEES)
    .filter((file) => /^evade_by_.*\.c$/.test(file))
    .map((file) => {
      const text = readFileSync(new URL(file, TRACEES), 'utf8')
      const arch = /^\/\/= arch (\S+)/m.exec(text)?.[1]
      return { name: file.replace(/\.c$/, ''), sentence: text.slice(3, text.indexOf('\n')), arch }
    })
    .filter(({ arch }) => arch === undefined || (arch === 'x86_64') === (process.arch === 'x64'))
}

/** Rows: one per attack, a result per fingerprint, engine and policy. */
export async function proveAttacks(place, { only, roundCount, say }) {
  const rows = []
  for (const attack of listAttacks().filter(({ name }) => only === undefined || name.includes(only))) {
    const program = place.compile(attack.name)
    const fingerprints = {}
    for (const way of ['known', 'unknown']) {
      const file = join(place.root, 'home', `${attack.name}-${way}.tfp`)
      for (const mode of way === 'known' ? ['plain', ''] : ['plain']) {
        place.renew()
        put(place, program, false)
        const args = mode === '' ? [] : [mode]
        const { stderr } = await place.tracefp('learn', '-o', file, '--runs', `${LEARN_COUNT}`, '--', program, ...args)
        fingerprints[way] = { file, said: stderr }
      }
    }
    const row = { ...attack, results: {}, hasEscaped: false }
    for (const way of ['known', 'unknown']) {
      for (const engine of ['notify', 'trace']) {
        for (const policy of ['deny', 'kill']) {
          const results = new Set()
          for (let round = 0; round < roundCount; round++) {
            results.add(await tryOnce(place, program, fingerprints[way].file, engine, policy))
          }
          const worst = results.has('GOT THROUGH') ? 'GOT THROUGH' : [...results].join(' or ')
          if (worst === 'GOT THROUGH') row.hasEscaped = true
          row.results[`${way} ${engine} ${policy}`] = worst
        }
      }
    }
    say(`${attack.name}: ${[...new Set(Object.values(row.results))].join(', ')}`)
    rows.push(row)
  }
  return rows
}

async function tryOnce(place, program, fingerprint, engine, policy) {
  place.renew()
  put(place, program, true)
  const args = ['run', '-f', fingerprint, '--engine', engine, '--on-miss', policy]
  const { signal, stderr, isLate } = await place.tracefp(...args, '--', program, 'attack')
  if (readdirSync(place.work).some((name) => !PUT_THERE.includes(name))) return 'GOT THROUGH'
  if (isLate) return 'took too long'
  return signal === 'SIGKILL' ? 'died with its tracer' : wordFor(stderr)
}

/** From what tracefp says: a report may be more than it can still write. */
function wordFor(said) {
  if (/(?: -> exec:| image changed:).*; killed$/m.test(said)) return 'killed at its exec'
  if (/; killed$/m.test(said)) return 'killed'
  if (/; denied$/m.test(said)) return 'denied'
  if (/CLONE_UNTRACED/.test(said)) return 'refused'
  if (/^tracefp: (?:authentic|inconclusive)/m.test(said)) return 'no effect'
  throw new Error(`this was not expected: ${said}`)
}

/** Programs for those that execute one: a stranger, and a tool, which is another one when attacked with. */
function put(place, program, isAttack) {
  for (const name of PUT_THERE) {
    copyFileSync(program, join(place.work, name))
    chmodSync(join(place.work, name), 0o755)
  }
  if (isAttack) appendFileSync(join(place.work, 'tool'), 'changed')
}
