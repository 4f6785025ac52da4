// What kind of file system a file is on, told without asking the file system: a FUSE server that is itself traced, or does
// not answer, would hold up whoever asks it. The kernel's own table (mountinfo) cannot block.

import { readFileSync, statfsSync } from 'node:fs'

/** Reading these may never end, wait for somebody, or say something else each time. FUSE has subtypes (`fuse.sshfs`). */
const UNREADABLE =
  /^(?:proc|sysfs|fuse|fuseblk|fuse\..*|tracefs|debugfs|securityfs|configfs|cgroup2?|bpf|efivarfs|binfmt_misc|autofs)$/
/** The same by magic number, for files of mounts that are in no table: procfs, sysfs, FUSE. */
const UNREADABLE_MAGIC: readonly number[] = [0x9fa0, 0x62656572, 0x65735546]

/** Who has read a page of a shared mapping may then write it, and the times of the file stay what they were. */
const TIMELESS = /^(?:tmpfs|ramfs|rootfs|devtmpfs|hugetlbfs)$/
const TIMELESS_MAGIC: readonly number[] = [0x01021994, 0x858458f6, 0x958458f6]

interface Mount {
  readonly id: string
  readonly point: string
  readonly type: string
  /** Of an overlay: the folders that it shows, as who mounted it named them. */
  readonly layers: readonly string[]
}

/** The mounts that a process sees; points are inside its root. */
export class Mounts {
  readonly #mounts: readonly Mount[]

  /** @param text - of mountinfo. */
  constructor(text: string) {
    this.#mounts = parseMounts(text)
  }

  /** Type of the file system that holds `path`, an absolute path without links; empty when unknown. */
  typeOf(path: string): string {
    let found: Mount | undefined
    for (const mount of this.#mounts) {
      const isBelow = mount.point === '/' || path === mount.point || path.startsWith(`${mount.point}/`)
      // Of two mounts on one point the later hides the earlier.
      if (isBelow && mount.point.length >= (found?.point.length ?? 0)) found = mount
    }
    return found?.type ?? ''
  }

  /** Whether what `path` names may be looked at. */
  isReadable(path: string): boolean {
    return !UNREADABLE.test(this.typeOf(path))
  }

  /** Whether the content of an open file (O_PATH is enough) on the mount of that id may be read. */
  isReadableFile(fd: number, mountId: string): boolean {
    return !this.#isOf(UNREADABLE, UNREADABLE_MAGIC, fd, mountId)
  }

  /** Whether a file that may be read, as above, cannot be changed without a change of its times. */
  keepsTimes(fd: number, mountId: string): boolean {
    if (this.#isOf(TIMELESS, TIMELESS_MAGIC, fd, mountId)) return false
    const layers = this.#mounts.find(({ id }) => id === mountId)?.layers ?? []
    return !layers.some((layer) => TIMELESS.test(this.typeOf(layer)))
  }

  #isOf(names: RegExp, magics: readonly number[], fd: number, mountId: string): boolean {
    const mount = this.#mounts.find((candidate) => candidate.id === mountId)
    // Else a memfd, or a mount of another namespace.
    return mount === undefined ? magics.includes(magicOf(fd)) : names.test(mount.type)
  }
}

/** The same of a file whose mount is not looked for. */
export function keepsTimes(fd: number): boolean {
  return isTimed(magicOf(fd))
}

/** The same of a file system, by its magic number. */
export function isTimed(magic: number): boolean {
  return !TIMELESS_MAGIC.includes(magic)
}

function magicOf(fd: number): number {
  return statfsSync(`/proc/self/fd/${fd}`).type
}

/** Which mount an open file is on: the kernel's own book, no file system is asked. Empty: not known. */
export function mountIdOf(fd: number): string {
  return /^mnt_id:\s*(\d+)$/m.exec(readFileSync(`/proc/self/fdinfo/${fd}`, 'latin1'))?.[1] ?? ''
}

/** `ID PARENT DEVICE ROOT POINT OPTIONS [optional]... - TYPE SOURCE OPTIONS`; spaces in it are octal. */
function parseMounts(text: string): Mount[] {
  return text.split('\n').flatMap((line) => {
    const match = /^(\d+) \S+ \S+ \S+ (\S+) .*? - (\S+) (?:\S+ (\S+))?/.exec(line)
    if (match === null) return []
    const [, id, point, type, options = ''] = match as unknown as [string, string, string, string, string?]
    return [{ id, point: unescaped(point), type, layers: type === 'overlay' ? layersOf(options) : [] }]
  })
}

function layersOf(options: string): string[] {
  return [...options.matchAll(/(?:^|,)(?:upperdir|(?:lower|data)dir\+?)=([^,]*)/g)].flatMap(([, paths]) =>
    (paths as string).split(':').map(unescaped),
  )
}

function unescaped(text: string): string {
  return text.replace(/\\([0-7]{3})/g, (_, octal) => String.fromCharCode(parseInt(octal, 8)))
}
