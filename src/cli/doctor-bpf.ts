// What engine ebpf needs of the kernel, one by one: named where it is missing. Read, not tried: what is tried is whether all of it works.

import { existsSync, readFileSync } from 'node:fs'
import { type PinnedSession, pinnedSessions, tornPins } from '../source/pin.ts'

export interface BpfFacts {
  /** Names of what the kernel lacks. */
  readonly missing: readonly string[]
  /** It has kprobes. */
  readonly hasKprobes: boolean
  readonly hasCgroup2: boolean
  readonly hasBpffs: boolean
  /** `none`, `integrity`, `confidentiality`; null: the kernel has no lockdown. */
  readonly lockdown: string | null
  /** kernel.unprivileged_bpf_disabled; null: it does not say. */
  readonly unprivilegedDisabled: number | null
  readonly pinned: readonly PinnedSession[]
  /** Folders. */
  readonly torn: readonly string[]
}

/** What it is called, and a function of the kernel that is there with it. */
const NEEDED: readonly [name: string, symbol: string][] = [
  ['bpf(2)', '__x64_sys_bpf'],
  ['the ring buffer', 'bpf_ringbuf_query'],
  ['task storage', 'bpf_task_storage_get'],
  ['bpf_loop (Linux 5.17)', 'bpf_loop'],
  ['bpf_send_signal', 'bpf_send_signal'],
  ['iterators over tasks', 'bpf_iter_run_prog'],
]

export interface BpfSources {
  readonly kallsyms: string
  readonly mountinfo: string
  readonly lockdown: string
  readonly unprivileged: string
  readonly hasBtf: boolean
}

export function bpfFacts(): BpfFacts {
  return {
    ...bpfFactsOf({
      kallsyms: readText('/proc/kallsyms'),
      mountinfo: readText('/proc/self/mountinfo'),
      lockdown: readText('/sys/kernel/security/lockdown'),
      unprivileged: readText('/proc/sys/kernel/unprivileged_bpf_disabled'),
      hasBtf: existsSync('/sys/kernel/btf/vmlinux'),
    }),
    pinned: orNone(pinnedSessions),
    torn: orNone(tornPins),
  }
}

export function bpfFactsOf(sources: BpfSources): Omit<BpfFacts, 'pinned' | 'torn'> {
  const { kallsyms, mountinfo, lockdown, unprivileged, hasBtf } = sources
  const has = (symbol: string): boolean => new RegExp(`^\\S+ \\S ${symbol}$`, 'm').test(kallsyms)
  // A kernel that names none of its functions says nothing.
  const lacks = kallsyms === '' ? [] : NEEDED.filter(([, symbol]) => !has(symbol)).map(([name]) => name)
  return {
    missing: hasBtf ? lacks : ['BTF (CONFIG_DEBUG_INFO_BTF)', ...lacks],
    hasKprobes: has('register_kprobe'),
    hasCgroup2: / - cgroup2 /.test(mountinfo),
    hasBpffs: /^(?:\S+ ){4}\/sys\/fs\/bpf .* - bpf /m.test(mountinfo),
    lockdown: /\[(\w+)\]/.exec(lockdown)?.[1] ?? null,
    unprivilegedDisabled: unprivileged.trim() === '' ? null : Number(unprivileged),
  }
}

function orNone<T>(read: () => T[]): T[] {
  try {
    return read()
  } catch {
    // Without the addon nothing is read, which has a line of its own.
    return []
  }
}

function readText(path: string): string {
  try {
    return readFileSync(path, 'latin1')
  } catch {
    return ''
  }
}
