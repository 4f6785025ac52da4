// On what was measured: without it no number means anything.

import { readFileSync } from 'node:fs'
import { availableParallelism, cpus, loadavg, release, totalmem } from 'node:os'
import { versionOf } from './peers.ts'

export interface Machine {
  readonly cpu: string
  readonly cpuCount: number
  /** Instruction sets that the matchers and the scanner of logs have forms for. */
  readonly simd: readonly string[]
  readonly memoryGb: number
  readonly kernel: string
  /** What the hypervisor says of itself; empty: none was seen. */
  readonly hypervisor: string
  readonly node: string
  readonly loadBefore: number
  /** Of the peers that are there. */
  readonly versions: Readonly<Record<string, string>>
}

const SIMD = ['avx2', 'avx512bw', 'avx512vbmi', 'asimd'] as const

export function machineFacts(peers: readonly string[]): Machine {
  const info = textOf('/proc/cpuinfo')
  const flags = new Set(/^(?:flags|Features)\s*:\s*(.*)$/m.exec(info)?.[1]?.split(' '))
  return {
    cpu: cpus()[0]?.model.trim() ?? 'unknown',
    cpuCount: availableParallelism(),
    simd: SIMD.filter((name) => flags.has(name)),
    memoryGb: Math.round(totalmem() / 2 ** 30),
    kernel: release(),
    hypervisor: flags.has('hypervisor') ? textOf('/sys/devices/virtual/dmi/id/sys_vendor').trim() || 'unknown' : '',
    node: process.version,
    loadBefore: loadavg()[0] as number,
    versions: Object.fromEntries(peers.flatMap((peer) => versionOf(peer)).map(({ name, version }) => [name, version])),
  }
}

function textOf(file: string): string {
  try {
    return readFileSync(file, 'utf8')
  } catch {
    return ''
  }
}
