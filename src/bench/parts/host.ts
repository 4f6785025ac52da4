// What a program feels that embeds tracefp: the delay of its event loop while a session makes records as fast as it can, in turns with
// an idle control; and how often a session in which nothing happens wakes it.

import { spawn } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { monitorEventLoopDelay } from 'node:perf_hooks'
import { setTimeout as sleep } from 'node:timers/promises'
import { CheckSession, type CheckSessionOptions } from '../../session/check-session.ts'
import { learnProgram } from '../../session/learn-program.ts'
import { median } from '../measure.ts'
import type { Part, PartContext } from '../part.ts'
import type { PartResult, Ratio } from '../result.ts'

export const HOST: Part = { name: 'host', title: 'What the host feels', run }

const RESOLUTION_MS = 1
const SETTLE_MS = 500
const P99_LIMIT = 2
/** Nothing but calls: read and write in turns. */
const ENDLESS = ['dd', 'if=/dev/zero', 'of=/dev/null', 'bs=1', 'count=1000000000000', 'status=none']
/** Each `umask` is a miss that the host decides about. */
const MISSES = ['sh', '-c', 'while :; do umask 0; done']
const IDLE = ['sleep', '1000']

interface Felt {
  readonly p50: number
  readonly p99: number
  readonly max: number
  readonly recordsPerSecond: number
  readonly wakesPerSecond: number
}

/** Starts it; gives a function that ends it and tells how many records it made. */
type Start = () => () => Promise<number>

async function run({ quick, folder, tell }: PartContext): Promise<PartResult> {
  const home = join(folder, 'host-home')
  const files = new Map([ENDLESS, MISSES, IDLE].map((argv, i) => [argv, join(folder, `host-${i}.tfp`)]))
  const learn = async (argv: readonly string[], file: string): Promise<void> => {
    await learnProgram(argv, { home, stdio: 'ignore', file })
  }
  await learn(ENDLESS.with(4, 'count=10'), files.get(ENDLESS) as string)
  await learn(['sh', '-c', 'exit 0'], files.get(MISSES) as string)
  await learn(['sleep', '0'], files.get(IDLE) as string)
  const session = (options: CheckSessionOptions, argv: readonly string[] = ENDLESS): Start => {
    return () => {
      const running = new CheckSession(argv, {
        home,
        stdio: 'ignore',
        fingerprint: files.get(argv as string[]) as string,
        ...options,
      })
      return async () => {
        running.stop()
        return (await running.report).recordCount
      }
    }
  }
  const bare: Start = () => {
    const child = spawn(ENDLESS[0] as string, ENDLESS.slice(1), { stdio: 'ignore' })
    return async () => {
      child.kill('SIGKILL')
      return 0
    }
  }
  const kinds: Record<string, Start> = {
    idle: () => async () => 0,
    'dd, not watched': bare,
    notify: session({ engine: 'notify' }),
    trace: session({ engine: 'trace' }),
    ...(quick ? {} : { 'notify, guarded': session({ engine: 'notify', onMiss: 'deny' }) }),
    ...(quick ? {} : { 'notify, asked at each miss': session({ engine: 'notify', onMiss: () => 'deny' }, MISSES) }),
    'notify, a program that sleeps': session({ engine: 'notify' }, IDLE),
  }
  const [rounds, seconds] = quick ? [2, 0.5] : [5, 3]
  const felt: Record<string, Felt[]> = {}
  for (let round = 1; round <= rounds; round += 1) {
    tell(`host: round ${round} of ${rounds}`)
    for (const [name, start] of Object.entries(kinds)) {
      felt[name] ??= []
      felt[name].push(await feel(start, seconds))
    }
  }
  return resultOf(felt, rounds, seconds)
}

async function feel(start: Start, seconds: number): Promise<Felt> {
  const begun = performance.now()
  const end = start()
  await sleep(SETTLE_MS)
  const delay = monitorEventLoopDelay({ resolution: RESOLUTION_MS })
  delay.enable()
  await sleep(seconds * 1000)
  delay.disable()
  // Without the timer of the monitor, which wakes the loop itself.
  const wakesBefore = wakes()
  await sleep(SETTLE_MS)
  const wakesPerSecond = ((wakes() - wakesBefore) * 1000) / SETTLE_MS
  const elapsed = (performance.now() - begun) / 1000
  const ms = (nanoseconds: number): number => nanoseconds / 1e6
  const recordsPerSecond = (await end()) / elapsed
  const [p50, p99, max] = [ms(delay.percentile(50)), ms(delay.percentile(99)), ms(delay.max)]
  return { p50, p99, max, recordsPerSecond, wakesPerSecond }
}

/** How often threads of this process have begun to wait. */
function wakes(): number {
  let count = 0
  for (const tid of readdirSync('/proc/self/task')) {
    try {
      const status = readFileSync(`/proc/self/task/${tid}/status`, 'utf8')
      count += Number(/^voluntary_ctxt_switches:\s*(\d+)/m.exec(status)?.[1] ?? 0)
    } catch {}
  }
  return count
}

function resultOf(felt: Readonly<Record<string, readonly Felt[]>>, rounds: number, seconds: number): PartResult {
  const of = (name: string, what: keyof Felt): number => median((felt[name] ?? []).map((each) => each[what]))
  const names = Object.keys(felt)
  const rows = names.map((name) => [
    name,
    of(name, 'recordsPerSecond').toFixed(0),
    ...(['p50', 'p99', 'max'] as const).map((what) => of(name, what).toFixed(2)),
    (of(name, 'p99') / of('idle', 'p99')).toFixed(2),
    name.endsWith('sleeps') || name === 'idle' ? of(name, 'wakesPerSecond').toFixed(0) : '',
  ])
  const ratios = ['notify', 'trace'].map(
    (name): Ratio => ({
      id: `host.${name}-p99`,
      what: `p99 of the delay, ${name} at full rate / idle`,
      value: of(name, 'p99') / of('idle', 'p99'),
      target: { atMost: P99_LIMIT },
    }),
  )
  const bars = names.map((label) => ({ label, value: of(label, 'p99') }))
  return {
    name: 'host',
    title: HOST.title,
    what: `Delay of the event loop in ms, as its timer of 1 ms sees it; ${rounds} rounds of ${seconds} s in turns, medians.`,
    tables: [{ caption: '', columns: ['', 'records/s', 'p50', 'p99', 'max', 'p99 to idle', 'wake-ups/s'], rows }],
    ratios,
    charts: [{ name: 'host', title: 'p99 of the delay of the event loop', unit: 'ms', isLogarithmic: false, bars }],
    skipped: [],
    samples: {},
  }
}
