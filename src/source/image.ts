// Who runs in a process: path inside its root, SHA-256, build-id, script (design: identity). Read from /proc while the
// process waits at its exec, so nothing can change under us. Everything read here was chosen by the tracee: it is bounded.

import { createHash } from 'node:crypto'
import {
  type BigIntStats,
  closeSync,
  fstatSync,
  openSync,
  readFileSync,
  readlinkSync,
  readSync,
  statSync,
} from 'node:fs'
import { basename, resolve } from 'node:path'
import type { Image } from '../model/stream.ts'
import { readBuildId, readElfClass } from './elf.ts'
import { scriptOperandOf } from './interpreter.ts'

/** Remembers hashes by device, inode, size and times: hashing a 100 MB runtime takes a good part of a second. */
export interface ImageCache {
  get(key: string): string | undefined
  set(key: string, sha256: string): void
}

const MAX_CMDLINE_BYTES = 65_536
const MAX_PATH_BYTES = 4096
const HASH_CHUNK_BYTES = 1 << 20
const AT_EXECFN = 31n
const MULTI_CALL = new Set(['busybox', 'toybox', 'coreutils'])

/** Identity of process `tid`, which must be stopped. Parts that cannot be read are null. */
export function identifyImage(tid: number, cache: ImageCache): Image {
  const root = readLink(`/proc/${tid}/root`) ?? '/'
  const link = readLink(`/proc/${tid}/exe`)
  const path = link === null ? 'unknown' : insideRoot(link, root)
  const unread: Image = { path, sha256: null, buildId: null, script: null, argv0: null }
  const fd = tryOpen(`/proc/${tid}/exe`)
  if (fd === null) return unread
  try {
    const stats = fstatSync(fd, { bigint: true })
    const argv = readArgv(tid)
    return {
      path,
      sha256: hashOf(fd, stats, cache),
      buildId: readBuildId(fd),
      script: findScript(tid, fd, stats, path, root, argv, cache),
      argv0: MULTI_CALL.has(basename(path)) ? appletOf(argv) : null,
    }
  } catch {
    return unread
  } finally {
    closeSync(fd)
  }
}

function findScript(
  tid: number,
  fd: number,
  image: BigIntStats,
  path: string,
  root: string,
  argv: readonly string[],
  cache: ImageCache,
): Image['script'] {
  const cwd = insideRoot(readLink(`/proc/${tid}/cwd`) ?? '/', root)
  // A script started through its #! line: the kernel tells the name it was started by. Otherwise its interpreter's operand.
  const executed = readExecfn(tid, readElfClass(fd))
  for (const name of [executed, scriptOperandOf(basename(path), argv)]) {
    if (name === null || name === '') continue
    const found = locate(tid, name, cwd, root)
    if (found === null) continue
    const script = tryOpen(found.open)
    if (script === null) continue
    try {
      const stats = fstatSync(script, { bigint: true })
      if (!stats.isFile() || (stats.dev === image.dev && stats.ino === image.ino)) continue
      return { path: found.path, sha256: hashOf(script, stats, cache) }
    } finally {
      closeSync(script)
    }
  }
  return null
}

/** Where a name that the tracee used is for it (`path`) and for us (`open`). */
function locate(tid: number, name: string, cwd: string, root: string): { path: string; open: string } | null {
  // "self" in such a path is the tracee, not us.
  const own = /^\/(?:dev\/(fd\/\d+)|proc\/(?:self|thread-self)\/(.+))$/.exec(name)
  if (own !== null) {
    const open = `/proc/${tid}/${own[1] ?? own[2]}`
    const target = readLink(open)
    return target === null ? null : { path: insideRoot(target, root), open }
  }
  const path = resolve(cwd, name)
  return { path, open: `/proc/${tid}/root${path}` }
}

/** AT_EXECFN: the file name given to execve(2), for a script the script's own. */
function readExecfn(tid: number, elfClass: 32 | 64): string | null {
  const auxv = tryRead(`/proc/${tid}/auxv`, 4096)
  if (auxv === null) return null
  const wordBytes = elfClass / 8
  const word = (at: number): bigint => (wordBytes === 8 ? auxv.readBigUInt64LE(at) : BigInt(auxv.readUInt32LE(at)))
  for (let at = 0; at + 2 * wordBytes <= auxv.length; at += 2 * wordBytes) {
    if (word(at) === AT_EXECFN) return readString(tid, word(at + wordBytes))
  }
  return null
}

function readString(tid: number, address: bigint): string | null {
  const fd = tryOpen(`/proc/${tid}/mem`)
  if (fd === null) return null
  try {
    const bytes = Buffer.alloc(MAX_PATH_BYTES)
    // The string is near the top of the stack: the page after it may not exist, and then the read is short.
    const count = readSync(fd, bytes, 0, bytes.length, address)
    const end = bytes.subarray(0, count).indexOf(0)
    return end < 0 ? null : bytes.toString('utf8', 0, end)
  } catch {
    return null
  } finally {
    closeSync(fd)
  }
}

function readArgv(tid: number): string[] {
  const bytes = tryRead(`/proc/${tid}/cmdline`, MAX_CMDLINE_BYTES)
  return bytes === null ? [] : bytes.toString('utf8').split('\0').slice(0, -1)
}

function appletOf(argv: readonly string[]): string | null {
  const name = basename(argv[0] ?? '')
  const applet = MULTI_CALL.has(name) ? basename(argv[1] ?? name) : name
  return applet === '' ? null : applet
}

function hashOf(fd: number, stats: BigIntStats, cache: ImageCache): string | null {
  if (!stats.isFile()) return null
  const key = [stats.dev, stats.ino, stats.size, stats.mtimeNs, stats.ctimeNs].join(':')
  const known = cache.get(key)
  if (known !== undefined) return known
  const hash = createHash('sha256')
  const chunk = Buffer.allocUnsafe(Math.min(HASH_CHUNK_BYTES, Number(stats.size) + 1))
  for (let at = 0; ; ) {
    const count = readSync(fd, chunk, 0, chunk.length, at)
    if (count === 0) break
    hash.update(chunk.subarray(0, count))
    at += count
  }
  const sha256 = hash.digest('hex')
  cache.set(key, sha256)
  return sha256
}

function insideRoot(path: string, root: string): string {
  if (root === '/' || !path.startsWith(`${root}/`)) return path
  return path.slice(root.length)
}

function readLink(path: string): string | null {
  try {
    return readlinkSync(path)
  } catch {
    return null
  }
}

function tryOpen(path: string): number | null {
  try {
    // Never block on a FIFO that the tracee named as its script.
    if (!path.endsWith('/exe') && !path.endsWith('/mem') && !statSync(path).isFile()) return null
    return openSync(path, 'r')
  } catch {
    return null
  }
}

function tryRead(path: string, limit: number): Buffer | null {
  try {
    return readFileSync(path).subarray(0, limit)
  } catch {
    return null
  }
}
