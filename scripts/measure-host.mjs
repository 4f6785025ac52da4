// What an embedding host feels of a session at full record rate: the delay of its event loop, in turns with an idle control.
//
//   node scripts/measure-host.mjs [--rounds 5] [--seconds 4]
//
// Exit code 1: the p99 of a kind is more than twice that of the control (medians of the rounds).

import { spawn } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { monitorEventLoopDelay } from 'node:perf_hooks'
import { setTimeout as sleep } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { check, learn } from '../lib/index.js'

const RESOLUTION_MS = 1
const LIMIT = 2
const { values } = parseArgs({
  options: { rounds: { type: 'string', default: '5' }, seconds: { type: 'string', default: '4' } },
})
const [rounds, seconds] = [Number(values.rounds), Number(values.seconds)]
const folder = mkdtempSync(join(tmpdir(), 'tracefp-host-'))
process.on('exit', () => rmSync(folder, { recursive: true, force: true }))
const common = { home: join(folder, 'home'), stdio: 'ignore' }
const fingerprint = join(folder, 'dd.tfp')
/** Nothing but calls: read and write in turns. */
const command = (count) => ['dd', 'if=/dev/zero', 'of=/dev/null', 'bs=1', `count=${count}`, 'status=none']
const ENDLESS = command(1e12)
for (let i = 0; i < 3; i++) await learn(command(10), { ...common, file: fingerprint })

/** Name -> starts it; gives a function that ends it and tells how many records it made. */
const kinds = {
  idle: () => async () => 0,
  'dd, not watched': () => {
    const child = spawn(ENDLESS[0], ENDLESS.slice(1), { stdio: 'ignore' })
    return async () => {
      child.kill('SIGKILL')
      return 0
    }
  },
  notify: () => session({ engine: 'notify' }),
  trace: () => session({ engine: 'trace' }),
  'notify, guarded': () => session({ engine: 'notify', onMiss: 'deny' }),
  'notify, onMiss asked': () => session({ engine: 'notify', onMiss: async () => 'deny' }, ['sh', '-c', MISSES]),
}
/** Each `umask` is a miss that the host decides about. */
const MISSES = 'while :; do umask 0; done'
await learn(['sh', '-c', 'exit 0'], { ...common, file: join(folder, 'sh.tfp') })

function session(options, argv = ENDLESS) {
  const file = argv === ENDLESS ? fingerprint : join(folder, 'sh.tfp')
  const running = check(argv, { ...common, fingerprint: file, ...options })
  return async () => {
    running.stop()
    return (await running.report).recordCount
  }
}

async function measure(start) {
  const end = start()
  await sleep(700)
  const delay = monitorEventLoopDelay({ resolution: RESOLUTION_MS })
  const began = performance.now()
  delay.enable()
  await sleep(seconds * 1_000)
  delay.disable()
  const elapsed = (performance.now() - began + 700) / 1_000
  const ms = (nanoseconds) => nanoseconds / 1e6
  const rate = (await end()) / elapsed
  return { p50: ms(delay.percentile(50)), p99: ms(delay.percentile(99)), max: ms(delay.max), rate }
}

const results = Object.fromEntries(Object.keys(kinds).map((name) => [name, []]))
for (let round = 1; round <= rounds; round++) {
  console.error(`round ${round} of ${rounds}`)
  for (const [name, start] of Object.entries(kinds)) results[name].push(await measure(start))
}

const median = (list) => list.toSorted((a, b) => a - b)[Math.floor(list.length / 2)]
const of = (name, what) => median(results[name].map((result) => result[what]))
console.log('| delay of the host, ms | records/s | p50 | p99 | max | p99 to idle |')
console.log('|---|---:|---:|---:|---:|---:|')
for (const name of Object.keys(kinds)) {
  const cells = [...['p50', 'p99', 'max'].map((what) => of(name, what).toFixed(2))]
  const ratio = of(name, 'p99') / of('idle', 'p99')
  console.log(`| ${name} | ${Math.round(of(name, 'rate'))} | ${cells.join(' | ')} | ${ratio.toFixed(2)} |`)
  if (ratio > LIMIT) process.exitCode = 1
}
