// What identity needs to know of a process, read while it waits, and the mounts it sees.

import { loadAddon, type ProcessFacts } from '../addon/addon.ts'
import { Mounts } from './mounts.ts'

export interface Process extends Omit<ProcessFacts, 'mountinfo' | 'mountsVersion'> {
  readonly mounts: Mounts
  /** Whether a path means the same to it as to us: its root and its mounts are ours. */
  readonly isAtHome: boolean
}

/** Of our own namespace, where nearly every program is, and of the last process that was elsewhere. */
let own = { version: 0, mounts: new Mounts('') }
let other = { text: '', mounts: new Mounts('') }

/** The caller closes `place`. Of a process that is gone nothing is known, and that is told as empty texts. */
export function readProcess(tid: number): Process {
  const { mountinfo, mountsVersion: version, ...facts } = loadAddon().processFacts(tid, own.version)
  if (version === 0) {
    if (mountinfo !== null && mountinfo !== other.text) other = { text: mountinfo, mounts: new Mounts(mountinfo) }
    return { ...facts, mounts: other.mounts, isAtHome: false }
  }
  if (mountinfo !== null) own = { version, mounts: new Mounts(mountinfo) }
  return { ...facts, mounts: own.mounts, isAtHome: true }
}
