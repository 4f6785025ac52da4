// A file whose content is identity: opened and hashed so that nothing its owner does to it can hold us up. It is looked at
// through O_PATH first, which waits for nobody and opens no device; then the very same file is opened for reading.

import { createHash } from 'node:crypto'
import { type BigIntStats, closeSync, constants, fstatSync, openSync, readSync } from 'node:fs'
import { readBuildId } from './elf.ts'
import { type Mounts, mountIdOf } from './mounts.ts'

/** Remembers hashes by device, inode, size and times: hashing a 100 MB runtime takes a good part of a second. */
export interface ImageCache {
  get(key: string): string | undefined
  set(key: string, sha256: string): void
}

export interface ImageFile {
  /** Null: on a file system that is better not asked. */
  readonly stats: BigIntStats | null
  /** Whether its times say that it was changed. */
  readonly keepsTimes: boolean
  /** Opens it for reading when it is first asked; null: it may not be read, or is no regular file. */
  readonly fd: () => number | null
}

const O_PATH = 0o10000000
const O_CLOEXEC = 0o2000000
const MAX_HASH_BYTES = 1n << 30n
const HASH_CHUNK_BYTES = 1 << 20

/** Calls `use` with the file while it is open; null when there is no such file. */
export function withImageFile<T>(path: string, mounts: Mounts, use: (file: ImageFile) => T): T | null {
  const place = tryOpen(path, O_PATH | O_CLOEXEC)
  return place === null ? null : withOpenImageFile(place, mountIdOf(place), mounts, use)
}

/** The same with a file that was opened with O_PATH, and is closed here; `mountId` of its mount. */
export function withOpenImageFile<T>(place: number, mountId: string, mounts: Mounts, use: (file: ImageFile) => T): T {
  let fd: number | null | undefined
  try {
    if (!mounts.isReadableFile(place, mountId)) return use({ stats: null, keepsTimes: false, fd: () => null })
    const stats = fstatSync(place, { bigint: true })
    return use({
      stats,
      keepsTimes: mounts.keepsTimes(place, mountId),
      fd: () => {
        if (fd === undefined) fd = stats.isFile() ? tryOpen(`/proc/self/fd/${place}`, READ) : null
        return fd
      },
    })
  } finally {
    if (typeof fd === 'number') closeSync(fd)
    closeSync(place)
  }
}

/** O_NONBLOCK: a lease that somebody holds on the file would make us wait for him. */
const READ = constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOCTTY | O_CLOEXEC

/** Null: it cannot be read, is too large, or grows while it is read. */
export function hashOf({ stats, keepsTimes, fd: open }: ImageFile, cache: ImageCache): string | null {
  if (stats === null || !stats.isFile() || stats.size > MAX_HASH_BYTES) return null
  const key = versionOf(stats)
  const known = keepsTimes ? cache.get(key) : undefined
  if (known !== undefined) return known
  const fd = open()
  if (fd === null) return null
  const size = Number(stats.size)
  const hash = createHash('sha256')
  const chunk = Buffer.allocUnsafe(Math.min(HASH_CHUNK_BYTES, size + 1))
  for (let at = 0; ; ) {
    const count = readSync(fd, chunk, 0, chunk.length, at)
    if (count === 0) break
    hash.update(chunk.subarray(0, count))
    at += count
    if (at > size) return null
  }
  const sha256 = hash.digest('hex')
  if (keepsTimes && isSettled(stats) && versionOf(fstatSync(fd, { bigint: true })) === key) cache.set(key, sha256)
  return sha256
}

/** Kernels count these times in ticks, of 10 ms at most. */
const SETTLED_NS = 100_000_000n

/** What was changed just now may be changed once more with the same times: nothing of it is remembered. */
export function isSettled({ ctimeNs }: { readonly ctimeNs: bigint }): boolean {
  return BigInt(Date.now()) * 1_000_000n - ctimeNs > SETTLED_NS
}

/** As long as this is the same, so is the content, for all that a user can do. */
function versionOf({ dev, ino, size, mtimeNs, ctimeNs }: BigIntStats): string {
  return `${dev}:${ino}:${size}:${mtimeNs}:${ctimeNs}`
}

const MAX_KNOWN_BUILD_IDS = 512
const knownBuildIds = new Map<string, string | null>()

/** Of its ELF header; null: there is none, or it may not be read. */
export function buildIdOf({ stats, keepsTimes, fd: open }: ImageFile): string | null {
  if (stats === null) return null
  const key = versionOf(stats)
  const known = keepsTimes ? knownBuildIds.get(key) : undefined
  if (known !== undefined) return known
  const fd = open()
  if (fd === null) return null
  if (knownBuildIds.size >= MAX_KNOWN_BUILD_IDS) knownBuildIds.clear()
  const buildId = readBuildId(fd)
  if (isSettled(stats)) knownBuildIds.set(key, buildId)
  return buildId
}

function tryOpen(path: string, flags: number): number | null {
  try {
    return openSync(path, flags)
  } catch {
    return null
  }
}
