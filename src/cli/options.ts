// Options that several commands share.

import type { Command, Option } from 'commander'
import { UsageError } from '../errors.ts'
import type { BurstOptions } from '../match/frame.ts'
import type { Engine } from '../source/live.ts'
import { type Output, stdio } from './output.ts'

export const SIGNATURE_HELP =
  'use only fingerprints that this public key (file, or ed25519:...) signed; repeatable, then all of them must have'

export function engineOption(command: Command): Option {
  return command
    .createOption('--engine <name>', 'how calls are seen: auto = notify, or trace where that is not possible')
    .choices(['auto', 'notify', 'trace', 'ebpf'])
    .default('auto')
}

export function pinOption(command: Command): Option {
  return command
    .createOption('--pin <when>', 'hold program and tracer on one CPU: auto = unnoticed, while it has one thread')
    .choices(['auto', 'always', 'never'])
    .default('auto')
}

export const RING_HELP =
  "engine ebpf: the kernel's ring in MiB, a power of two; records that find no room are lost and counted (default: 16)"

export const KEEP_HELP = 'under ebpf: give up none (default: all but BPF, PERFMON, SYS_PTRACE, and KILL to stop)'

/** Only the command line's own process is ours to change. */
export function givesUpPrivileges(engine: Engine, keeps: boolean | undefined, output: Output): boolean {
  return engine === 'ebpf' && keeps !== true && output === stdio
}

/** MiB as bytes. */
export function ringSize(text: string): number {
  const mib = wholeNumber(text)
  if (mib > 1024 || (mib & (mib - 1)) !== 0) throw new UsageError(`${text}: expected 1, 2, 4, ... 1024`)
  return mib * 1_048_576
}

export interface FrameOptions {
  readonly frame?: number
  readonly threshold?: number
}

export const FRAME_HELP = 'transitions of a track that --threshold looks back over (default: 20)'
export const THRESHOLD_HELP = 'alarm only where so many of them are misses (default: at every miss)'

/** @throws UsageError. */
export function burstOf({ frame, threshold }: FrameOptions): { readonly burst?: BurstOptions } {
  if (frame === undefined && threshold === undefined) return {}
  if (threshold === undefined)
    throw new UsageError('--frame needs --threshold: how many misses among them are an alarm')
  if (threshold > (frame ?? 20))
    throw new UsageError(`--threshold ${threshold} can never be reached among ${frame ?? 20} transitions`)
  return { burst: { threshold, ...(frame === undefined ? {} : { frame }) } }
}

/** The name of a capture: stdout belongs to the program. */
export function captureFile(name: string): string {
  if (name === '-') throw new UsageError("a capture cannot go to stdout, which is the program's: name a file")
  return name
}

export function wholeNumber(text: string): number {
  if (!/^[1-9]\d{0,8}$/.test(text)) throw new UsageError(`${text}: expected a whole number of at least 1`)
  return Number(text)
}

/** A chance that can be reached, above 0 and below 1. */
export function chance(text: string): number {
  const value = /^\d*\.?\d+$/.test(text) ? Number(text) : 0
  if (value < 0.0001 || value >= 1) throw new UsageError(`${text}: expected a number like 0.05, from 0.0001 to below 1`)
  return value
}

/** An option that may be given several times. */
export function collect(value: string, before: readonly string[] = []): string[] {
  return [...before, value]
}

/** `a,b,c` as a list. */
export function nameList(text: string): string[] {
  const names = text.split(',').map((name) => name.trim())
  if (names.some((name) => !/^[\w:-]+$/.test(name)))
    throw new UsageError(`${text}: expected names like futex,sched_yield`)
  return names
}

const UNITS: Readonly<Record<string, number>> = { s: 1, m: 60, h: 3_600, d: 86_400 }
/** What a timer can hold. */
const LONGEST_S = 2_000_000

/** `90s`, `10m`, `8h`, `2d` in seconds. */
export function seconds(text: string): number {
  const [, count, unit] = /^(\d+(?:\.\d+)?)([smhd]?)$/.exec(text) ?? []
  const duration = Number(count) * (UNITS[unit === '' || unit === undefined ? 's' : unit] as number)
  if (count === undefined || duration <= 0)
    throw new UsageError(`${text}: expected a duration such as 90s, 10m, 8h, 2d`)
  if (duration > LONGEST_S) throw new UsageError(`${text}: the longest duration is 23 days`)
  return duration
}
