// Second table: what comes from outside and is not the program's doing must not make a transition. Programs are learned in
// peace and checked while another process stops and continues them and sends signals that they ignore.

import { readdirSync, readFileSync } from 'node:fs'
import { constants } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { check, learn } from '../../lib/index.js'
import { VARIANTS } from './observe.mjs'
import { compile, environment } from './place.mjs'
import { makeRandom } from './random.mjs'
import { BASH, PYTHON } from './workloads-runtimes.mjs'
import { SQLITE } from './workloads-tools.mjs'

/** Ignored unless the program has a handler. */
const HARMLESS = ['SIGWINCH', 'SIGURG', 'SIGCHLD', 'SIGCONT']

const TRACEE = {
  name: 'noise.c',
  what: 'C: a 3 ms timer with SA_RESTART, a SIGCHLD handler, sleeps, poll, a pipe',
  needs: [],
  prepare: (place) =>
    compile(['-O1', '-o', join(place.root, 'noise'), fileURLToPath(new URL('noise.c', import.meta.url))]),
  run: (place, random) => ({ argv: [join(place.root, 'noise'), String(random.int(3, 8))] }),
}
const RUN_LIMIT_MS = 60_000
/** Who wins the race for Python's lock is a matter of time, and a stop takes time. */
const QUIET_PYTHON = {
  ...PYTHON,
  name: 'python3, futex left out',
  settings: { transparent: VARIANTS.races.transparent },
}
const PROGRAMS = [TRACEE, BASH, PYTHON, QUIET_PYTHON, SQLITE]

export async function measureNoise(place, { learnCount, checkCount, seed, say }) {
  const rows = []
  for (const program of PROGRAMS) {
    program.prepare?.(place)
    const file = join(place.root, `noise-${rows.length}.tfp`)
    const common = { stdio: 'ignore', cwd: place.work, home: place.home }
    const start = async (phase, i) => {
      place.renew()
      const { argv, env } = await program.run(place, makeRandom(`${seed}/noise/${program.name}/${phase}/${i}`))
      return {
        argv,
        options: { ...common, signal: AbortSignal.timeout(RUN_LIMIT_MS), env: { ...environment(place), ...env } },
      }
    }
    for (let i = 0; i < learnCount; i++) {
      const { argv, options } = await start('learn', i)
      await learn(argv, { ...options, file, ...(program.settings === undefined ? {} : { settings: program.settings }) })
    }
    const row = { name: program.name, what: program.what, learnCount, checkCount, stopCount: 0, signalCount: 0 }
    for (const pass of ['peaceful', 'repeated', 'noisy']) {
      const found = { runCount: 0, missCount: 0, misses: [], failedCount: 0 }
      for (let i = 0; i < checkCount; i++) {
        // The same runs three times: what only the third ones have is of the noise, if the second ones have no such thing.
        const { argv, options } = await start('check', i)
        const session = check(argv, { ...options, fingerprint: file })
        const noise = pass === 'noisy' ? new Noise(await session.pid, makeRandom(`${seed}/${i}`)) : null
        const report = await session.report
        if (noise !== null) {
          await noise.end()
          row.stopCount += noise.stopCount
          row.signalCount += noise.signalCount
        }
        if (report.exit.code !== 0) found.failedCount += 1
        if (report.missCount > 0) found.runCount += 1
        found.missCount += report.missCount
        found.misses.push(
          ...report.misses.map(({ image, from, to, context }) => ({ image, from, to, context, run: i })),
        )
      }
      row[pass] = found
    }
    row.chanceCount = withoutThose(row.repeated.misses, row.peaceful.misses).length
    row.causedCount = withoutThose(row.noisy.misses, row.peaceful.misses).length
    say(`${row.name}: ${row.stopCount} stops, ${row.signalCount} signals, ${row.causedCount} misses caused`)
    rows.push(row)
  }
  return rows
}

/** Misses that the same runs did not have before. */
function withoutThose(later, before) {
  const keyOf = ({ run, image, from, to }) => [run, image, from, to].join()
  const known = before.map(keyOf)
  return later.filter((miss) => {
    const at = known.indexOf(keyOf(miss))
    if (at >= 0) known.splice(at, 1)
    return at < 0
  })
}

/** Stops, continues and signals a process and what it started, at random moments, until it is gone. */
class Noise {
  stopCount = 0
  signalCount = 0
  #isOver = false
  #done

  constructor(root, random) {
    this.#done = this.#run(root, random)
  }

  async end() {
    this.#isOver = true
    await this.#done
  }

  async #run(root, random) {
    while (!this.#isOver) {
      await sleep(random.int(0, 6))
      const pid = random.pick(treeOf(root))
      if (pid === undefined) return
      if (random.chance(0.5)) {
        if (!send(pid, 'SIGSTOP')) continue
        this.stopCount += 1
        await sleep(random.int(0, 5))
        send(pid, 'SIGCONT')
      } else {
        const caught = caughtSignals(pid)
        const signal = random.pick(
          HARMLESS.filter((name) => (caught >> BigInt(constants.signals[name] - 1)) % 2n === 0n),
        )
        if (signal !== undefined && send(pid, signal)) this.signalCount += 1
      }
    }
  }
}

function send(pid, signal) {
  try {
    return process.kill(pid, signal)
  } catch {
    return false
  }
}

/** The process and its descendants. A process that is being looked at may be gone. */
function treeOf(root) {
  try {
    const children = readdirSync(`/proc/${root}/task`).flatMap((tid) =>
      readFileSync(`/proc/${root}/task/${tid}/children`, 'utf8').trim().split(' '),
    )
    return [root, ...children.filter((pid) => pid !== '').flatMap((pid) => treeOf(Number(pid)))]
  } catch {
    return []
  }
}

function caughtSignals(pid) {
  try {
    return BigInt(`0x${/^SigCgt:\s*(\S+)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))[1]}`)
  } catch {
    return ~0n
  }
}
