// What engine ebpf needs of root, and giving up the rest. Capabilities belong to threads, of which Node has many before anybody is
// asked, so the process begins anew without what it is not to have. Only command lines may: a host is not ours to replace. A
// program that is to have what is given up is made before, and waits; one that runs again and again has a maker, who does.

import { readFileSync, readlinkSync } from 'node:fs'
import { type HeldChild, type LaunchOptions, loadAddon } from '../addon/addon.ts'
import { EngineError } from '../errors.ts'
import { descriptorNamedBy } from '../model/write-place.ts'

const KILL = 5n
const SYS_PTRACE = 19n
const PERFMON = 38n
const BPF = 39n
/** Says that this process began anew already, and with which program: where privileges come from the executable, it has them again. */
const BEGUN = 'TRACEFP_BEGUN_ANEW'
const MADE = /^(\d+)(?: (?:maker (\d+)|(\d+) (\d+) (\d+)) (.+))?$/s

/** A program that waits before its exec. */
export interface HeldProgram extends HeldChild {
  /** What it will execute. */
  readonly path: string
}

/** Who begins with what is given up. */
export interface Program {
  readonly launch: LaunchOptions
  /** It runs more than once. */
  readonly isRepeated: boolean
}

/** Its process; where it is repeated, another one each time, when the one before has begun. @throws EngineError. */
export type TakeProgram = () => HeldProgram

/** `stops`: processes of others are to be killed or frozen. */
export function neededByEbpf(stops: boolean): bigint {
  return maskOf([SYS_PTRACE, PERFMON, BPF, ...(stops ? [KILL] : [])])
}

/** Of a process; empty text: it cannot be read. */
export function permittedOf(status: string): bigint {
  return BigInt(`0x${/^CapPrm:\t([0-9a-f]+)$/m.exec(status)?.[1] ?? '0'}`)
}

/** Once: whether this process began anew, with the program that was made before, or its maker. */
export function takeBegun(): { readonly take: TakeProgram | null } | null {
  const text = process.env[BEGUN] ?? ''
  delete process.env[BEGUN]
  const [, own, maker, pid, gate, outcome, path] = MADE.exec(text) ?? []
  if (own !== `${process.pid}`) return null
  if (path === undefined) return { take: null }
  if (maker !== undefined) return { take: () => order(Number(maker), path) }
  return { take: () => ({ pid: Number(pid), gate: Number(gate), outcome: Number(outcome), path }) }
}

function order(maker: number, path: string): HeldProgram {
  try {
    return { ...loadAddon().orderProgram(maker), path }
  } catch (error) {
    const why = `the process that starts it with its privileges is gone: ${(error as Error).message}`
    throw new EngineError('TFP_ERR_ENGINE_FAILED', `${path}: ${why}`, 0, '')
  }
}

/** This process has more than that. */
export function hasMoreThan(kept: bigint): boolean {
  return (ownPermitted() & ~kept) !== 0n
}

/** With CAP_SYS_ADMIN alone the others would not do: the kernel takes it for them, but it is the most that there is. */
export function canLoadPrograms(): boolean {
  const needed = maskOf([PERFMON, BPF])
  return (ownPermitted() & needed) === needed
}

/**
 * Every thread of this process has no capabilities but these when it begins anew, and the program is told so by takeBegun().
 * Returns only when it failed, and says why: this thread may have lost some by then. @throws Error: it has lost none.
 */
export function beginAnew(kept: bigint, program: Program | null): string {
  const addon = loadAddon()
  const descriptors = process.argv.flatMap(descriptorOf)
  let made = ''
  if (program?.isRepeated === true) {
    const maker = addon.keepMaker(program.launch)
    made = ` maker ${maker} ${program.launch.path}`
    descriptors.push(maker)
  } else if (program !== null) {
    const { pid, gate, outcome } = addon.holdProgram(program.launch)
    made = ` ${pid} ${gate} ${outcome} ${program.launch.path}`
    descriptors.push(gate, outcome)
  }
  process.env[BEGUN] = `${process.pid}${made}`
  return addon.beginAnewWith(kept, descriptors)
}

/** That a shell opened: Node keeps it from what it executes. */
function descriptorOf(argument: string): number[] {
  const descriptor = descriptorNamedBy(argument)
  if (descriptor === null) return []
  try {
    return readlinkSync(`/proc/self/fd/${descriptor}`).startsWith('anon_inode:') ? [] : [descriptor]
  } catch {
    return []
  }
}

function ownPermitted(): bigint {
  return permittedOf(readFileSync('/proc/self/status', 'latin1'))
}

function maskOf(capabilities: readonly bigint[]): bigint {
  return capabilities.reduce((mask, capability) => mask | (1n << capability), 0n)
}
