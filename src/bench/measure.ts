// How anything is measured: in turns, A B C A B C, so that all meet the same machine; the first rounds are dropped; CPU and wall; medians
// and minima. On a noisy machine only ratios of one run mean anything.

import { type SpawnSyncOptions, spawnSync } from 'node:child_process'
import { loadAddon } from '../addon/addon.ts'
import { TracefpError } from '../errors.ts'
import type { Sample } from './result.ts'

export interface Contender {
  readonly name: string
  /** One measurement. */
  readonly run: () => Sample | Promise<Sample>
  /** Dear: once is enough. */
  readonly isOnce?: boolean
}

export interface Rounds {
  readonly warmUp: number
  readonly kept: number
}

export type Samples = Record<string, Sample[]>

/** `tell` hears of each round. */
export async function inTurns(
  contenders: readonly Contender[],
  rounds: Rounds,
  tell: (round: number, of: number) => void = () => {},
): Promise<Samples> {
  const samples: Samples = {}
  for (let round = -rounds.warmUp; round < rounds.kept; round += 1) {
    for (const { name, run, isOnce } of contenders) {
      if (isOnce === true && round !== 0) continue
      const sample = await run()
      if (round < 0) continue
      samples[name] ??= []
      samples[name].push(sample)
    }
    tell(round + rounds.warmUp + 1, rounds.warmUp + rounds.kept)
  }
  return samples
}

/** What `work` costs in this process. */
export function costOf(work: () => unknown): Sample {
  const before = process.cpuUsage()
  const start = performance.now()
  work()
  const wallMs = performance.now() - start
  const { user, system } = process.cpuUsage(before)
  return { cpuMs: (user + system) / 1000, wallMs }
}

/** What a command costs, with all that it waits for. Its output is thrown away. @throws TracefpError when it ends with another code. */
export function costOfCommand(
  command: readonly string[],
  options: SpawnSyncOptions = {},
  codes: readonly number[] = [0],
): Sample {
  const { bench } = loadAddon()
  const before = bench.childCpuUs()
  const start = performance.now()
  const done = spawnSync(command[0] as string, command.slice(1), { stdio: 'ignore', timeout: 120_000, ...options })
  const wallMs = performance.now() - start
  if (done.error !== undefined || !codes.includes(done.status ?? -1)) {
    const how = done.error?.message ?? (done.signal === null ? `exit code ${done.status}` : done.signal)
    throw new TracefpError('TFP_ERR_BENCH', `${command.join(' ')}: ${how}`)
  }
  return { cpuMs: (bench.childCpuUs() - before) / 1000, wallMs }
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b)
  const middle = sorted.length >> 1
  return sorted.length % 2 === 1
    ? (sorted[middle] as number)
    : ((sorted[middle - 1] as number) + (sorted[middle] as number)) / 2
}

export function least(values: readonly number[]): number {
  return Math.min(...values)
}

export function cpuOf(samples: Samples, name: string): number[] {
  return (samples[name] ?? []).map(({ cpuMs }) => cpuMs)
}

export function wallOf(samples: Samples, name: string): number[] {
  return (samples[name] ?? []).map(({ wallMs }) => wallMs)
}

export function geometricMean(values: readonly number[]): number {
  return Math.exp(values.reduce((sum, value) => sum + Math.log(Math.max(value, 0.001)), 0) / values.length)
}
