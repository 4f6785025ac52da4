// First table: what was denied did not happen. One program, one call between two others that was never learned; looked at
// from outside, in sessions of their own.

import { existsSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { check, learn } from '../../lib/index.js'

const EFFECTS = {
  mkdir: (file) => existsSync(file),
  open: (file) => existsSync(file),
  unlink: (file) => !existsSync(file),
  write: (_file, output) => output !== '',
  clone: (file) => existsSync(file),
  execve: (file) => existsSync(file),
}
export const POLICIES = ['alert', 'deny', 'kill']

/** Rows: call, engine, policy, in how many of `runCount` runs it happened. */
export async function proveEffects(place, { runCount, say }) {
  const program = place.compile('guarded_call')
  const maker = place.compile('makes_directory')
  const file = join(place.root, 'effects.tfp')
  const common = { home: join(place.root, 'home-of-effects') }
  for (let i = 0; i < 3; i++) await learn([program], { ...common, file, stdio: 'ignore' })
  const rows = []
  for (const engine of ['notify', 'trace']) {
    for (const [call, hasHappened] of Object.entries(EFFECTS)) {
      const row = { call, engine, runCount, strange: 0 }
      for (const onMiss of POLICIES) {
        row[onMiss] = 0
        for (let i = 0; i < runCount; i++) {
          place.renew()
          const target = join(place.work, 'target')
          if (call === 'unlink') writeFileSync(target, '')
          const session = check([program, call, call === 'execve' ? maker : target], {
            ...common,
            fingerprint: file,
            engine,
            onMiss,
            cwd: place.work,
            stdio: ['ignore', 'pipe', 'ignore'],
          })
          let output = ''
          for await (const chunk of session.stdout) output += chunk
          const report = await session.report
          if (hasHappened(target, output)) row[onMiss] += 1
          if (!isAsExpected(report, onMiss)) row.strange += 1
        }
      }
      say(`${engine} ${call}: happened ${POLICIES.map((policy) => `${row[policy]} (${policy})`).join(', ')}`)
      rows.push(row)
    }
  }
  return rows
}

/** Denied once, told once, and what follows is no miss; killed: by SIGKILL. */
function isAsExpected({ missCount, misses, exit }, onMiss) {
  if (onMiss === 'alert') return missCount > 0
  if (missCount !== 1 || misses[0].action !== onMiss) return false
  return onMiss === 'kill' ? exit.signal === 'SIGKILL' : exit.code === 1
}
