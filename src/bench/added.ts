// What watching adds to a program: what both cost together, minus what the program costs alone, minus the start-up of the watcher, which
// is what it adds to `true`. All that is subtracted and compared was measured in the same round: a machine that is slower for a minute is
// so for all of them.

import { cpuOf, least, median, type Samples } from './measure.ts'
import type { Sample } from './result.ts'

/** Names of contenders: program, then watcher. */
export const BARE = 'bare'
export const NOTHING = 'true'
/** A thousandth of a millisecond, where what was added is less than what measuring it is off by. */
const LEAST_MS = 0.001

export function nameOf(program: string, watcher: string): string {
  return `${program}: ${watcher}`
}

/** CPU that was added in each round, ms; for a server, to so much of its work as all are told for. */
export function addedCpu(samples: Samples, program: string, watcher: string): number[] {
  const at = (name: string, round: number): number => (samples[name] as readonly Sample[])[round]?.cpuMs ?? 0
  const bare = samples[nameOf(program, BARE)] ?? []
  return (samples[nameOf(program, watcher)] ?? []).map((sample, round) => {
    const startup = at(nameOf(NOTHING, watcher), round) - at(nameOf(NOTHING, BARE), round)
    return (sample.cpuMs - startup) / workOf(sample) - (bare[round]?.cpuMs ?? 0) / workOf(bare[round])
  })
}

/** The same of the least that each cost in any round. */
export function leastAdded(samples: Samples, program: string, watcher: string): number {
  const leastOf = (name: string, off: number): number =>
    least((samples[name] ?? []).map((sample) => (sample.cpuMs - off) / workOf(sample)))
  const startup = least(cpuOf(samples, nameOf(NOTHING, watcher))) - least(cpuOf(samples, nameOf(NOTHING, BARE)))
  return leastOf(nameOf(program, watcher), startup) - leastOf(nameOf(program, BARE), 0)
}

/** What a watcher adds as a part of what another does: the median of all rounds in which both were measured. */
export function shareOf(samples: Samples, program: string, watcher: string, other: string): number {
  const others = addedCpu(samples, program, other)
  return median(addedCpu(samples, program, watcher).map((added, round) => part(added, others[round] ?? 0)))
}

export function leastShare(samples: Samples, program: string, watcher: string, other: string): number {
  return part(leastAdded(samples, program, watcher), leastAdded(samples, program, other))
}

function part(added: number, other: number): number {
  return Math.max(added, LEAST_MS) / Math.max(other, LEAST_MS)
}

function workOf(sample: Sample | undefined): number {
  return sample?.work ?? 1
}
