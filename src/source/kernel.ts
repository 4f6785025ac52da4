// Whether this process may have programs of its own in the kernel: what engine ebpf needs, without trying it.

import { existsSync, readFileSync } from 'node:fs'

const CAP_SYS_ADMIN = 21n
const CAP_PERFMON = 38n
const CAP_BPF = 39n

/** How a process that runs is joined: by the kernel, where that works and nothing is to be stopped before it runs. */
export function engineToJoin(engine: 'auto' | 'ebpf' | 'trace', onMiss: string): 'ebpf' | 'trace' {
  if (engine !== 'auto') return engine
  return onMiss === 'alert' && mayLoadPrograms() ? 'ebpf' : 'trace'
}

/** True: it is worth trying. */
export function mayLoadPrograms(): boolean {
  if (process.arch !== 'x64' || !existsSync('/sys/kernel/btf/vmlinux')) return false
  const effective = /^CapEff:\t([0-9a-f]+)$/m.exec(readFileSync('/proc/self/status', 'latin1'))?.[1] ?? '0'
  const has = (capability: bigint): boolean => ((BigInt(`0x${effective}`) >> capability) & 1n) === 1n
  return has(CAP_SYS_ADMIN) || (has(CAP_BPF) && has(CAP_PERFMON))
}
