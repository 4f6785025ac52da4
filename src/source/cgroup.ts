// Names of cgroups (v2), wherever they are mounted, and the ids by which the kernel knows them.

import { readFileSync, statfsSync, statSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { UsageError } from '../errors.ts'

const CGROUP2_MAGIC = 0x63677270

/**
 * The id of a cgroup: `path` is a folder of a cgroup2 file system, or the name of one in it, such as
 * `system.slice/nginx.service`.
 * @throws UsageError when there is none.
 */
export function cgroupIdOf(path: string): bigint {
  // Below a mount that would be all of it: who gives a variable that is not set does not mean the whole machine.
  if (path === '') throw new UsageError('the name of the cgroup is empty')
  for (const folder of [resolve(path), ...cgroup2Mounts().map((mount) => join(mount, path))]) {
    try {
      if (statfsSync(folder).type === CGROUP2_MAGIC) return statSync(folder, { bigint: true }).ino
    } catch {
      // It may be one of the others.
    }
  }
  throw new UsageError(
    `${path}: there is no such cgroup (of version 2; the cgroup of a process stands in /proc/PID/cgroup)`,
  )
}

function cgroup2Mounts(): string[] {
  const lines = readFileSync('/proc/self/mountinfo', 'utf8').split('\n')
  return lines.flatMap((line) => {
    const [before, after] = line.split(' - ')
    const mount = before?.split(' ')[4]
    return after?.startsWith('cgroup2 ') === true && mount !== undefined ? [mount.replace(/\\040/g, ' ')] : []
  })
}
