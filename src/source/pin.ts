// Sessions of engine ebpf that outlive their tracefp: each is a folder of the BPF file system, named for what is followed, so that the
// same command finds it again.

import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { loadAddon, type Pinned } from '../addon/addon.ts'

const MOUNT = '/sys/fs/bpf'
const ROOT: string = join(MOUNT, 'tracefp')

export interface PinnedSession extends Pinned {
  readonly folder: string
}

/** Where a session is pinned that follows this. */
export function pinFolderOf(what: number | { readonly cgroupId: bigint } | 'host'): string {
  if (what === 'host') return join(ROOT, 'host')
  return join(ROOT, typeof what === 'number' ? `pid-${what}` : `cgroup-${what.cgroupId}`)
}

/** All that are there and may be read. */
export function pinnedSessions(): PinnedSession[] {
  return folders().flatMap((folder) => {
    const facts = loadAddon().pinned(folder)
    return facts === null ? [] : [{ ...facts, folder }]
  })
}

/** Folders in which something is pinned that nobody can go on with: who began or ended it was killed half-way. */
export function tornPins(): string[] {
  return folders().filter((folder) => loadAddon().pinned(folder) === null && namesIn(folder).length > 0)
}

function folders(): string[] {
  return namesIn(ROOT).map((name) => join(ROOT, name))
}

function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder).sort()
  } catch {
    return []
  }
}

/** What to say of an engine's failure that has to do with pins. Null: it has not. */
export function pinTrouble(operation: string, folder: string): string | null {
  switch (operation) {
    case 'pin(mount)':
      return `no BPF file system is mounted at ${MOUNT}: 'mount -t bpf bpf ${MOUNT}'`
    case 'pin(folder)':
      return `${folder}, or the folder it is in, belongs to another user or may be written by others: it is not used`
    case 'pin(locked)':
      return `${folder}: another tracefp reads it`
    case 'pin(nothing)':
      return `${folder}: nothing is pinned there`
    case 'pin(torn)':
      return `${folder}: some of what was pinned there was removed: 'rm -r ${folder}' ends the rest`
    case 'pin(stamp)':
      return `${folder}: another version of tracefp pinned it, which alone can go on with it; 'rm -r ${folder}' ends it`
    case 'pin(namespace)':
      return `${folder}: it was pinned in another pid namespace, by whose numbers it tells processes apart: go on there`
    default:
      return operation.startsWith('pin(') ? `${folder}: ${operation} failed` : null
  }
}
