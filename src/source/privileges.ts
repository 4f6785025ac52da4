// What engine ebpf needs of root, and giving up the rest. Capabilities belong to threads, of which Node has many before anybody is
// asked, so the process begins anew without what it is not to have. Only command lines may: a host is not ours to replace.

import { readFileSync } from 'node:fs'
import { loadAddon } from '../addon/addon.ts'

const KILL = 5n
const SYS_PTRACE = 19n
const PERFMON = 38n
const BPF = 39n
/** Says that this process began anew already: where privileges come from the executable, it has them again. */
const BEGUN = 'TRACEFP_BEGUN_ANEW'

/** `stops`: processes of others are to be killed or frozen. */
export function neededByEbpf(stops: boolean): bigint {
  return maskOf([SYS_PTRACE, PERFMON, BPF, ...(stops ? [KILL] : [])])
}

/** Of a process; empty text: it cannot be read. */
export function permittedOf(status: string): bigint {
  return BigInt(`0x${/^CapPrm:\t([0-9a-f]+)$/m.exec(status)?.[1] ?? '0'}`)
}

/**
 * Every thread of this process has no capabilities but these when this returns: the first time it does not, and the process begins
 * anew. A text: that failed.
 */
export function keepOnly(kept: bigint): string | null {
  const permitted = permittedOf(readFileSync('/proc/self/status', 'latin1'))
  const hasBegun = process.env[BEGUN] === `${process.pid}`
  delete process.env[BEGUN]
  if ((permitted & ~kept) === 0n) return null
  if (hasBegun) return 'they come back with every program: they belong to the executable'
  // With CAP_SYS_ADMIN alone the others would not do: the kernel takes it for them, but it is the most that there is.
  if ((permitted & kept & maskOf([PERFMON, BPF])) !== maskOf([PERFMON, BPF]))
    return 'BPF and PERFMON are not among them'
  process.env[BEGUN] = `${process.pid}`
  return loadAddon().beginAnewWith(kept)
}

function maskOf(capabilities: readonly bigint[]): bigint {
  return capabilities.reduce((mask, capability) => mask | (1n << capability), 0n)
}
