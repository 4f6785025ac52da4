// Which machine a session ran on, and who started it: for reports and for the provenance of runs.

import { readFileSync } from 'node:fs'
import { hostname, release } from 'node:os'

export interface HostFacts {
  readonly host: string
  /** Empty where the machine has none. */
  readonly machineId: string
  readonly bootId: string
  readonly kernel: string
  readonly uid: number
}

const MAX_ANCESTORS = 16

export function hostFacts(): HostFacts {
  return {
    host: hostname(),
    machineId: readLine('/etc/machine-id'),
    bootId: readLine('/proc/sys/kernel/random/boot_id'),
    kernel: release(),
    uid: process.geteuid?.() ?? 0,
  }
}

/** Names of the processes above a process of tracefp's, nearest first, tracefp itself the first of them. */
export function ancestorNames(pid: number = process.pid): string[] {
  const names: string[] = []
  for (let at = pid; at > 0 && names.length < MAX_ANCESTORS; ) {
    const status = readText(`/proc/${at}/status`)
    const name = /^Name:\t(.*)$/m.exec(status)?.[1]
    if (name === undefined) break
    names.push(at === process.pid ? 'tracefp' : name)
    at = Number(/^PPid:\t(\d+)$/m.exec(status)?.[1] ?? 0)
  }
  return names
}

/** Filters of seccomp that a process has; those that all processes of a container have are among them. */
export function filterCountOf(pid: number): number {
  return Number(/^Seccomp_filters:\t(\d+)$/m.exec(readText(`/proc/${pid}/status`))?.[1] ?? 0)
}

/** Who traces this process; null: nobody, or somebody outside of its pid namespace. */
export function ownTracer(): { readonly pid: number; readonly name: string } | null {
  const pid = Number(/^TracerPid:\t(\d+)$/m.exec(readText('/proc/self/status'))?.[1] ?? 0)
  return pid > 0 ? { pid, name: readLine(`/proc/${pid}/comm`) } : null
}

function readLine(path: string): string {
  return readText(path).trim()
}

function readText(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return ''
  }
}
