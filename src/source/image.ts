// Who runs in a process: path inside its root, SHA-256, build-id, script (design: identity). Read from /proc while the
// process waits at its exec, so nothing can change under us. Everything read here was chosen by the tracee: it is bounded.

import { closeSync, fstatSync, openSync, readSync } from 'node:fs'
import { basename, resolve } from 'node:path'
import { pid as ownPid } from 'node:process'
import { type ExecImage, SHARING } from '../addon/addon.ts'
import type { Image } from '../model/stream.ts'
import {
  buildIdOf,
  hashOf,
  type ImageCache,
  type ImageFile,
  isSettled,
  withImageFile,
  withOpenImageFile,
} from './image-file.ts'
import { operandOf, scriptFilesOf, scriptOperandOf } from './interpreter.ts'
import { insideRoot, locate, readLink } from './locate.ts'
import { isTimed, type Mounts, mountIdOf } from './mounts.ts'
import { type Process, readProcess } from './process.ts'

export type { ImageCache } from './image-file.ts'

const MAX_PACKAGE_BYTES = 1_000_000
/**
 * File systems whose inodes are all that there is to a file, and whose times change with its content: ext2 to ext4, XFS, F2FS, SquashFS,
 * EROFS. Of a file of an overlay it is the one in the layer that the kernel tells. tmpfs does not know of all that is written through a
 * mapping, and a server changes what it serves.
 */
const KEEPS_TIMES: readonly number[] = [0xef53, 0x58465342, 0xf2f52010, 0x73717368, 0xe0f5e1e2]
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

/**
 * Identity of process `tid`, which must be stopped. Parts that cannot be read are null.
 * @param isFresh - it stands before its first instruction, so its arguments are as the kernel laid them down.
 */
export function identifyImage(tid: number, cache: ImageCache, isFresh = false): Image {
  const process = readProcess(tid)
  const { mounts, argv, executed } = process
  const root = process.root === '' ? '/' : process.root
  const path = process.exe === '' ? 'unknown' : insideRoot(process.exe, root)
  const cwd = insideRoot(process.cwd === '' ? '/' : process.cwd, root)
  // An interpreter that the kernel starts for a script has the name of it among its arguments.
  const isNoScript = isFresh && executed !== null && argv.indexOf(executed, 1) < 0
  const seen: Seen = { tid, mounts, path, root, cwd, argv, executed: isNoScript ? null : executed }
  return identify(seen, cache, (use) => openPlace(process, use))
}

export interface Identified {
  readonly image: Image
  /** Of SHARING: which other execs of the very same file need not be identified. */
  readonly sharing: number
}

/**
 * Identity of an exec at which nobody waits. Names and arguments are what the kernel told; a file is only what it was when it
 * is the same one, wherever it is found: by the process while that lives, else by its name.
 */
export function identifyExec(tid: number, began: ExecImage, cache: ImageCache): Identified {
  const { path, cwd } = began
  // What is changed after this is told by its time.
  const wasSettled = isSettled(began)
  let isUnchanged = false
  const ifSame =
    (use: (file: ImageFile) => Image) =>
    (file: ImageFile): Image | null => {
      const { stats } = file
      if (stats?.dev !== began.dev || stats.ino !== began.ino) return null
      isUnchanged =
        stats.size === began.size && stats.mtimeNs === began.mtimeNs && stats.ctimeNs === began.ctimeNs && wasSettled
      return use({ ...file, keepsTimes: file.keepsTimes && isTimed(began.fileSystem) })
    }
  const identified = (image: Image): Identified => ({
    image,
    sharing:
      isUnchanged && KEEPS_TIMES.includes(began.fileSystem) && image.sha256 !== null
        ? sharingOf(image, began)
        : SHARING.none,
  })
  const process = readProcess(tid)
  // Of one that ran before only it can tell how it began.
  const executed = began.script ?? process.executed
  const argv = began.script === null ? process.argv : began.argv
  const living = identify({ tid, mounts: process.mounts, path, root: '/', cwd, argv, executed }, cache, (use) =>
    openPlace(process, ifSame(use)),
  )
  // What was read of one that ended meanwhile may be half of it.
  if (living.sha256 !== null && readLink(`/proc/${tid}/exe`) !== null) return identified(living)
  const { place, mounts } = readProcess(ownPid)
  if (place >= 0) closeSync(place)
  // By its names nothing is known of a script where these lead elsewhere; of the program it is known whether it is the same.
  const isElsewhere = !isInOwnRoot(began)
  const gone = identify({ tid: ownPid, mounts, path, root: '/', cwd, argv, executed, isElsewhere }, cache, (use) =>
    withImageFile(`/proc/${ownPid}/root${path}`, mounts, ifSame(use)),
  )
  return identified(gone.sha256 === null ? living : gone)
}

let ownRoot: { readonly ino: bigint; readonly mount: number } | undefined

/** What it called a file has that name here: it had our own root, in our own mount namespace. */
function isInOwnRoot({ rootIno, rootMount }: ExecImage): boolean {
  if (ownRoot === undefined) {
    const root = openSync('/', 'r')
    ownRoot = { ino: fstatSync(root, { bigint: true }).ino, mount: Number(mountIdOf(root)) }
    closeSync(root)
  }
  return rootIno === ownRoot.ino && rootMount === ownRoot.mount
}

/** What the identity was made of, beside the file: the kernel is told by what to know it again. */
function sharingOf({ script: named }: Image, { path, cwd, script, argv }: ExecImage): number {
  // Of one that ran before it is not known how it began. A script is what it is named as, or may be another one next time.
  if (script === null || named?.sha256 === null) return SHARING.none
  const isPlain = (name: string): boolean => named === null || named.path === resolve('/', cwd, name)
  if (script !== '') return named !== null && isPlain(script) ? SHARING.byScript : SHARING.none
  const file = basename(path)
  if (isMany(file)) return MULTI_CALL.has(basename(argv[0] ?? '')) ? SHARING.none : SHARING.byName
  const operand = operandOf(file, argv)
  if (operand === null) return SHARING.any
  return operand.saidBy <= 1 && isPlain(operand.script ?? '') ? SHARING.byOperand : SHARING.none
}

/** A process as far as it is known. */
interface Seen {
  /** Whose root and links names are looked up in. */
  readonly tid: number
  readonly mounts: Mounts
  readonly path: string
  readonly root: string
  readonly cwd: string
  readonly argv: readonly string[]
  /** The name given to execve; empty, or null, where it is not known: then it is no script's. */
  readonly executed: string | null
  /** `tid` is not it, and has another root. */
  readonly isElsewhere?: boolean
}

function openPlace<T>({ place, mountId, mounts }: Process, use: (file: ImageFile) => T | null): T | null {
  return place < 0 ? null : withOpenImageFile(place, mountId, mounts, use)
}

function identify(seen: Seen, cache: ImageCache, open: (use: (file: ImageFile) => Image) => Image | null): Image {
  const { path, argv } = seen
  const unread: Image = { path, sha256: null, buildId: null, script: null, argv0: null }
  try {
    const image = open((file) => ({
      path,
      sha256: hashOf(file, cache),
      buildId: buildIdOf(file),
      script: findScript(seen, file, cache),
      argv0: appletOf(basename(path), argv),
    }))
    return image ?? unread
  } catch {
    return unread
  }
}

function findScript(seen: Seen, image: ImageFile, cache: ImageCache): Image['script'] {
  const { tid, mounts, path, root, cwd, argv, executed, isElsewhere } = seen
  const unread = (name: string): ReturnType<typeof locate> => ({
    path: resolve('/', cwd, name),
    open: null,
    isDescriptor: false,
  })
  const read = (name: string): { script: NonNullable<Image['script']>; isImage: boolean; isFound: boolean } => {
    const { path, open, isDescriptor } = isElsewhere === true ? unread(name) : locate(tid, name, cwd, mounts)
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
  if (executed !== null && executed !== '' && executed !== path) {
    const { script, isImage, isFound } = read(executed)
    if (!isImage && (isFound || argv.indexOf(executed, 1) > 0)) return script
  }
  const operand = scriptOperandOf(basename(path), argv)
  if (operand === null || operand === '') return null
  if (isElsewhere === true) return read(operand).script
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

function isMany(file: string): boolean {
  return MULTI_CALL.has(file) || MANY_NAMES.test(file)
}

/** Which of its programs a file that is many was called as; null: it is one program. */
export function appletOf(file: string, argv: readonly string[]): string | null {
  if (!isMany(file)) return null
  // A server may have written its state over its arguments: `redis-server *:6379`.
  const name = basename((argv[0] ?? '').split(' ', 1)[0] as string)
  const applet = MULTI_CALL.has(file) && MULTI_CALL.has(name) ? basename(argv[1] ?? name) : name
  return applet === '' ? null : applet
}
