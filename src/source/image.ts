// Who runs in a process: path inside its root, SHA-256, build-id, script (design: identity). Read from /proc while the
// process waits at its exec, so nothing can change under us. Everything read here was chosen by the tracee: it is bounded.

import { closeSync, openSync, readFileSync, readSync } from 'node:fs'
import { basename } from 'node:path'
import type { ExecImage } from '../addon/addon.ts'
import type { Image } from '../model/stream.ts'
import { elfFactsOf, hashOf, type ImageCache, type ImageFile, withImageFile } from './image-file.ts'
import { scriptFilesOf, scriptOperandOf } from './interpreter.ts'
import { insideRoot, locate, readLink } from './locate.ts'
import { Mounts } from './mounts.ts'

export type { ImageCache } from './image-file.ts'

const MAX_CMDLINE_BYTES = 65_536
const MAX_PATH_BYTES = 4096
const MAX_PACKAGE_BYTES = 1_000_000
const AT_EXECFN = 31n
/** One file that is many programs, by the name it is called by or by its first argument. */
const MULTI_CALL = new Set([
  'busybox',
  'toybox',
  'coreutils',
  'dropbearmulti',
  'kmod',
  'lvm',
  'xtables-legacy-multi',
  'xtables-nft-multi',
])
/** One file that is many programs by the name it is called by only. Which of them is the file differs by distribution. */
const MANY_NAMES = /^(?:(?:redis|valkey)-(?:server|sentinel|check-rdb|check-aof)|systemctl)$/

/** Identity of process `tid`, which must be stopped. Parts that cannot be read are null. */
export function identifyImage(tid: number, cache: ImageCache): Image {
  const root = readLink(`/proc/${tid}/root`) ?? '/'
  const link = readLink(`/proc/${tid}/exe`)
  const path = link === null ? 'unknown' : insideRoot(link, root)
  const cwd = insideRoot(readLink(`/proc/${tid}/cwd`) ?? '/', root)
  return identify(
    { tid, exe: `/proc/${tid}/exe`, path, root, cwd, argv: readArgv(tid), executed: null, is: () => true },
    cache,
  )
}

/**
 * Identity of an exec at which nobody waits. Names and arguments are what the kernel told; a file is only what it was when it
 * is the same one, wherever it is found: by the process while that lives, else by its name.
 */
export function identifyExec(tid: number, began: ExecImage, cache: ImageCache): Image {
  const is = ({ stats }: ImageFile): boolean => stats?.dev === began.dev && stats.ino === began.ino
  const { path, cwd, argv, script: executed } = began
  const living = identify({ tid, exe: `/proc/${tid}/exe`, path, root: '/', cwd, argv, executed, is }, cache)
  // What was read of one that ended meanwhile may be half of it.
  if (living.sha256 !== null && readLink(`/proc/${tid}/exe`) !== null) return living
  const own = process.pid
  const gone = identify({ tid: own, exe: `/proc/${own}/root${path}`, path, root: '/', cwd, argv, executed, is }, cache)
  return gone.sha256 === null ? living : gone
}

/** A process as far as it is known. */
interface Seen {
  /** Whose root and links names are looked up in. */
  readonly tid: number
  /** Where we find the file. */
  readonly exe: string
  readonly path: string
  readonly root: string
  readonly cwd: string
  readonly argv: readonly string[]
  /** The name given to execve where it is a script's, else empty; null: the process tells it. */
  readonly executed: string | null
  /** Whether a file is the one that was executed. */
  readonly is: (file: ImageFile) => boolean
}

function identify(seen: Seen, cache: ImageCache): Image {
  const { tid, path, argv } = seen
  const unread: Image = { path, sha256: null, buildId: null, script: null, argv0: null }
  const mounts = new Mounts(tid)
  try {
    const image = withImageFile(seen.exe, mounts, (file) => {
      if (!seen.is(file)) return null
      return {
        path,
        sha256: hashOf(file, cache),
        buildId: elfFactsOf(file)?.buildId ?? null,
        script: findScript(seen, file, mounts, cache),
        argv0: appletOf(basename(path), argv),
      }
    })
    return image ?? unread
  } catch {
    return unread
  }
}

function findScript(seen: Seen, image: ImageFile, mounts: Mounts, cache: ImageCache): Image['script'] {
  const { tid, path, root, cwd, argv } = seen
  const read = (name: string): { script: NonNullable<Image['script']>; isImage: boolean; isFound: boolean } => {
    const { path, open, isDescriptor } = locate(tid, name, cwd, mounts)
    const seen =
      open === null ? null : withImageFile(open, mounts, (file) => ({ ...file, sha256: hashOf(file, cache) }))
    const isFound = seen?.stats?.isFile() === true
    const target = isDescriptor && isFound ? readLink(open as string) : null
    return {
      script: { path: target === null ? path : insideRoot(target, root), sha256: seen?.sha256 ?? null },
      isImage: isFound && seen?.stats?.dev === image.stats?.dev && seen?.stats?.ino === image.stats?.ino,
      isFound,
    }
  }
  // A script started through its #! line: the kernel tells the name it was started by, and hands it to the interpreter.
  const executed = seen.executed ?? readExecfn(tid, elfFactsOf(image)?.elfClass ?? 64)
  if (executed !== null && executed !== '' && executed !== path) {
    const { script, isImage, isFound } = read(executed)
    if (!isImage && (isFound || argv.indexOf(executed, 1) > 0)) return script
  }
  const operand = scriptOperandOf(basename(path), argv)
  if (operand === null || operand === '') return null
  const files = scriptFilesOf(basename(path), operand, (folder) => mainOfPackage(tid, folder, cwd, mounts))
  for (const file of files) {
    const { script, isFound } = read(file)
    if (isFound) return script
  }
  return read(operand).script
}

/** What `node FOLDER` runs: `main` of its package.json. */
function mainOfPackage(tid: number, folder: string, cwd: string, mounts: Mounts): string | null {
  const { open } = locate(tid, `${folder}/package.json`, cwd, mounts)
  if (open === null) return null
  return withImageFile(open, mounts, ({ fd: openForReading, stats }) => {
    if (stats?.isFile() !== true || stats.size > MAX_PACKAGE_BYTES) return null
    const fd = openForReading()
    if (fd === null) return null
    const bytes = Buffer.alloc(Number(stats.size))
    readSync(fd, bytes, 0, bytes.length, 0)
    try {
      const { main } = JSON.parse(bytes.toString()) as { main?: unknown }
      return typeof main === 'string' ? main : null
    } catch {
      return null
    }
  })
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

/** Which of its programs a file that is many was called as; null: it is one program. */
export function appletOf(file: string, argv: readonly string[]): string | null {
  const isMultiCall = MULTI_CALL.has(file)
  if (!isMultiCall && !MANY_NAMES.test(file)) return null
  // A server may have written its state over its arguments: `redis-server *:6379`.
  const name = basename((argv[0] ?? '').split(' ', 1)[0] as string)
  const applet = isMultiCall && MULTI_CALL.has(name) ? basename(argv[1] ?? name) : name
  return applet === '' ? null : applet
}

function tryOpen(path: string): number | null {
  try {
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
