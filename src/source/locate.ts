// Where a name that a tracee used leads, for it: links are followed inside its root, and "self" in /proc is the tracee, not
// us. Nothing on a file system that may not be read is looked at.

import { lstatSync, readlinkSync } from 'node:fs'
import { resolve } from 'node:path'
import type { Mounts } from './mounts.ts'

const MAX_LINKS = 40
const MAX_STEPS = 4096

export interface Located {
  /** The name as an absolute path inside the tracee's root, links and all: what the program is known by. */
  readonly path: string
  /** Where we find the file; null: nowhere. It holds no links but those of the kernel. */
  readonly open: string | null
  /** A descriptor of the tracee: what `path` is depends on what it is open on. */
  readonly isDescriptor: boolean
}

export function locate(tid: number, name: string, cwd: string, mounts: Mounts): Located {
  const path = resolve('/', cwd, name)
  const pending = (name.startsWith('/') ? name : `${cwd}/${name}`).split('/')
  let at = ''
  let linkCount = 0
  for (let steps = 0; pending.length > 0; steps++) {
    const part = pending.shift() as string
    if (part === '' || part === '.') continue
    if (part === '..') {
      at = at.slice(0, Math.max(0, at.lastIndexOf('/')))
      continue
    }
    const here = `${at}/${part}`
    if (mounts.typeOf(here) === 'proc') {
      if (part === 'self' || part === 'thread-self') return locateOwn(tid, pending.join('/'), path)
      // /proc itself is such a place too; below it there is no script.
      if (here === '/proc') {
        at = here
        continue
      }
    }
    if (!mounts.isReadable(here) || steps > MAX_STEPS) return { path, open: null, isDescriptor: false }
    const link = isLink(`/proc/${tid}/root${here}`) ? readLink(`/proc/${tid}/root${here}`) : null
    if (link === null) {
      at = here
      continue
    }
    linkCount += 1
    if (linkCount > MAX_LINKS) return { path, open: null, isDescriptor: false }
    if (link.startsWith('/')) at = ''
    pending.unshift(...link.split('/'))
  }
  return { path, open: `/proc/${tid}/root${at}`, isDescriptor: false }
}

/** `fd/3` or `exe` of the tracee's own entry in /proc. */
function locateOwn(tid: number, rest: string, path: string): Located {
  const isDescriptor = /^fd\/\d+$/.test(rest)
  return { path, open: isDescriptor || rest === 'exe' ? `/proc/${tid}/${rest}` : null, isDescriptor }
}

export function insideRoot(path: string, root: string): string {
  if (root === '/' || !path.startsWith(`${root}/`)) return path
  return path.slice(root.length)
}

/** Asked first, since an error costs as much as ten answers. */
function isLink(path: string): boolean {
  try {
    return lstatSync(path, { throwIfNoEntry: false })?.isSymbolicLink() === true
  } catch {
    return false
  }
}

export function readLink(path: string): string | null {
  try {
    return readlinkSync(path)
  } catch {
    return null
  }
}
