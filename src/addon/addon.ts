// Finds and loads the native addon, and gives it types. The only file that knows where a .node file is.

import { createRequire } from 'node:module'
import loadBuilt from 'node-gyp-build'
import { TracefpError } from '../errors.ts'
import { PACKAGE_ROOT } from '../package.ts'
import type { NativeBench } from './bench.ts'
import type { NativeLogScanner, Simd } from './log-scanner.ts'
import type { NativeTapePlayerConstructor } from './tape.ts'

/** Where tracer and tracee run. `auto`: on one CPU while a process has one thread, unnoticed by it. */
export type Pin = 'auto' | 'always' | 'never'

/** How records come about; `scripted` plays a written list, for tests. */
export type NativeEngine = 'notify' | 'trace' | 'ebpf' | 'attach' | 'scripted'

/** Calls that do not run but return what is documented of them when they fail: to see what a program does then. */
export interface Fault {
  readonly abi: number
  readonly nr: number
  /** The first such call of the session that fails, from 1. */
  readonly first: number
  /** And all after it. */
  readonly isLasting: boolean
  /** -errno, or a short count. */
  readonly result: number
}

export interface LaunchOptions {
  /** Resolved path of the executable; PATH is not searched. */
  readonly path: string
  readonly argv: readonly string[]
  /** `NAME=value` strings. */
  readonly env: readonly string[]
  /** The same as bytes, where they need not be UTF-8: these are what the program gets. */
  readonly argvBytes?: readonly Uint8Array[]
  readonly envBytes?: readonly Uint8Array[]
  /** Empty = the host's own. */
  readonly cwd: string
  /** Descriptors that become the program's 0, 1, 2; -1 = /dev/null. */
  readonly stdio: readonly [number, number, number]
  readonly uid: number | null
  readonly gid: number | null
  readonly pin: Pin
  /** Engine notify: hand the listener over as where pidfd_getfd(2) is forbidden. For tests. */
  readonly sendsListener?: boolean
  /**
   * Makes this process undumpable while the program runs, so that a program of the same user can neither trace it nor take
   * descriptors out of it. Only for processes that are wholly tracefp's own.
   */
  readonly hidesHost?: boolean
  /** In a terminal: stop this process too when the program stops, or its shell never sees the job stopped. */
  readonly stopsWithRoot: boolean
  readonly fault?: Fault
  /** Engine ebpf: what the kernel's ring holds, a power of two of at least 4,096; default 16 MiB, or 700,000 records. */
  readonly kernelRingBytes?: number
  /** Engine ebpf: the program's process, where it was made before; it was told all of the above then. */
  readonly held?: HeldChild
}

/** A process that waits before its exec: see `holdProgram`. */
export interface HeldChild {
  readonly pid: number
  /** Descriptors. Where the first one is closed, also by the end of its process, the child ends. */
  readonly gate: number
  readonly outcome: number
}

export interface AttachOptions {
  /** A process that runs; its threads and all processes below it are joined too. */
  readonly pid: number
  /** As in LaunchOptions. */
  readonly hidesHost?: boolean
}

/** Engine ebpf: what already runs, or begins later. One of the first three. */
export interface FollowOptions {
  /** A process that runs; its threads and all processes below it are followed too. */
  readonly pid?: number
  /** The id of a cgroup (v2): what runs in it or below it, and what begins there. */
  readonly cgroup?: bigint
  /** Whoever runs an executable whose file has one of these names (without folders), now or later. */
  readonly names?: readonly string[]
  /** As in LaunchOptions. */
  readonly hidesHost?: boolean
  readonly kernelRingBytes?: number
  readonly pin?: PinOptions
}

/** Engine ebpf: all goes on in the kernel when this process is gone, and who opens the same folder goes on with it. */
export interface PinOptions {
  /** Two levels below where the BPF file system is mounted; made where it is not there. */
  readonly folder: string
  /** What is pinned there is taken up, told, and ended. */
  readonly ends: boolean
  /** Only what was pinned with the same is taken up. */
  readonly stamp: string
  /** For who comes after us: the session, and what is followed. */
  readonly session: string
  readonly name: string
}

/** What a pinned session says of itself. */
export interface Pinned {
  readonly stamp: string
  readonly session: string
  readonly name: string
  /** When it was last read, in milliseconds since 1970. */
  readonly readAt: number
}

export interface EngineResult {
  readonly rootPid: number
  readonly exitCode: number
  readonly exitSignal: number
  /** Calls that `fault` answered. */
  readonly faultCount: number
  /** Engine ebpf: calls that the kernel repeats are seen by a kprobe, else by a program at every return of a call. */
  readonly hasKprobe: boolean
  /** The system call with which the launch failed; empty = it did not. */
  readonly failedOperation: string
  readonly errno: number
  readonly errorText: string
}

/** What becomes of a tracee that waits: values of NativeSession.answer. */
export const DECISION: { readonly allow: 0; readonly deny: 1; readonly kill: 2 } = { allow: 0, deny: 1, kill: 2 }
/** `deny`: the call fails with EPERM. `kill`: the session ends. */
export type Decision = keyof typeof DECISION

/** What the kernel knew of an exec at which nobody waits: the process may be gone by now, or be another program. */
export interface ExecImage {
  /** As of stat(2). */
  readonly dev: bigint
  readonly ino: bigint
  /** Of the file, when it began; of a file of an overlay: of the one in the layer, as far as `fileSystem`. */
  readonly size: bigint
  readonly mtimeNs: bigint
  readonly ctimeNs: bigint
  /** Its magic number, as of statfs(2). */
  readonly fileSystem: number
  /** Of what runs; 0: it has none. */
  readonly number: number
  /** An exec of the same number was answered before, with a sharing: file and path are the same, and what that says. */
  readonly isKnown: boolean
  /** Inside the root of its process. */
  readonly path: string
  readonly cwd: string
  /** That root: its inode, and the number of its mount. */
  readonly rootIno: bigint
  readonly rootMount: number
  /** What execve was given, where an interpreter runs it; empty: none does; null: it ran already, and is to be asked. */
  readonly script: string | null
  /** The first 4 KiB of them; empty where it ran already. */
  readonly argv: readonly string[]
  /** The process that it is a child of. */
  readonly parent: number
}

/** Engine ebpf, beside a table: bits of NativeSession.answer and replaceTable. As native/engine/ebpf/kernel/shared.h. */
export const VIEW: {
  /** Who runs it is followed no longer. */
  readonly letGo: 1
  /** The kernel sends SIGKILL to who makes a call that the table does not allow. */
  readonly kill: 2
  /** SIGSTOP. */
  readonly stop: 4
  /** After such a call the next ones are told, too. */
  readonly tellAfter: 8
  /** Of more than 1,000 such calls of a track in a second the rest is counted. */
  readonly flood: 16
} = { letGo: 1, kill: 2, stop: 4, tellAfter: 8, flood: 16 }

/**
 * Engine ebpf: which execs of the same file, unchanged, by the same path begin the same program. As native/engine/ebpf/kernel/shared.h.
 */
export const SHARING: {
  readonly none: 0
  /** All. */
  readonly any: 1
  /** Those with the same first argument. */
  readonly byName: 2
  /** Those with the same second argument, from the same folder where that is a relative path. */
  readonly byOperand: 3
  /** Those of a script by that name, for which the kernel starts an interpreter. */
  readonly byScript: 4
} = { none: 0, any: 1, byName: 2, byOperand: 3, byScript: 4 }

/** A running engine: a native thread that writes records into `ring`. */
export interface NativeSession {
  /**
   * The reader has dealt with a record that is a question (an exec; a call that was asked about), the `question`th of the
   * session, counted from 1. `table`: after an exec, what the new program is judged by; its memory must stay as it is.
   * `flags`: engine ebpf, bits of VIEW. `sharing`: engine ebpf, of SHARING.
   */
  answer(question: number, decision: number, table: Uint8Array | null, flags?: number, sharing?: number): void
  /** Engine ebpf: of what begins from now on nothing is known. */
  forgetImages(): void
  /** Of a question that is an exec and was not answered yet; null: its tracee waits, and /proc tells it. */
  execImage(question: number): ExecImage | null
  /**
   * Engine ebpf: what is judged by `old` is judged by `now` from its next call on, at once on all CPUs, as if nothing of it had
   * been told. False: there is no room for it.
   */
  replaceTable(old: Uint8Array, now: Uint8Array, flags: number): boolean
  /** Engine ebpf: a signal for a process that is followed; `tgid` 0: for all. */
  signal(tgid: number, signal: number): void
  /** Engine ebpf, where `follow` has names: these, too, whoever runs them already or begins to. */
  followNames(names: readonly string[]): void
  /** Engine ebpf: nothing stays pinned when this session ends. */
  unpin(): void
  /** Kills every tracee (`attach`, `follow`: lets them go); the ring's state becomes `ended` soon. */
  stop(): void
  /** Joins the thread. Call it once, after the ring's state is `ended` or `failed` and the ring is drained. */
  finish(): void
  result(): EngineResult
}

export interface NativeSessionOptions {
  readonly engine: NativeEngine
  readonly ring: Uint32Array
  readonly onDoorbell: () => void
  /** Engine ebpf: every program is judged, so a repeated call may be told apart only where it would be a miss. */
  readonly guessesRestarts?: boolean
  /** Judge every call before it runs, and ask about misses. */
  readonly isGuarded?: boolean
  /** For `notify`, `trace` and `ebpf`. */
  readonly launch?: LaunchOptions
  /** For `attach`: calls by two ptrace stops each. */
  readonly attach?: AttachOptions
  /** For `ebpf`, in place of `launch`. */
  readonly follow?: FollowOptions
  /** Records for engine `scripted`, four words each. */
  readonly script?: Uint32Array
}

/** What identity needs to know of a process; an empty text is one that could not be read. */
export interface ProcessFacts {
  /** Where the links of its entry in /proc lead. */
  readonly root: string
  readonly exe: string
  readonly cwd: string
  /** At most 64 KiB of them. */
  readonly argv: readonly string[]
  /** AT_EXECFN: the file name given to execve(2). */
  readonly executed: string | null
  /** Its executable, opened with O_PATH: close it. -1: it could not be opened. */
  readonly place: number
  /** Of the mount that `place` is on. */
  readonly mountId: string
  /** The text of its mountinfo; null: it is the known one. */
  readonly mountinfo: string | null
  /** Of that table, where the process is in our own mount namespace and root; 0: it is elsewhere. */
  readonly mountsVersion: number
}

export interface Addon {
  readonly NativeSession: new (options: NativeSessionOptions) => NativeSession
  readonly LogScanner: new (simd: Simd | '') => NativeLogScanner
  readonly TapePlayer: NativeTapePlayerConstructor
  readonly bench: NativeBench
  /** In hexadecimal digits; undefined: this Node offers no OpenSSL. */
  readonly sha256?: (bytes: Uint8Array) => string
  /** At most 256. */
  randomBytes(count: number): Uint8Array
  makePipe(): [number, number]
  /** One datagram to a Unix socket, a path or `@name`; its errno, 0 when it was sent. Never waits. */
  sendDatagram(address: string, text: string): number
  /**
   * Replaces this process by itself, without any capabilities but these (a bit each), for good; it has these descriptors beside
   * 0 to 2 then. Returns only when it failed, and says why. Only for processes that are wholly tracefp's own.
   */
  beginAnewWith(kept: bigint, descriptors: readonly number[]): string
  /**
   * Makes the process of a program, with the privileges of this one as they are; it executes the program once it is told to,
   * by an engine that gets it in its LaunchOptions. In the main thread: it is this thread's child. @throws Error.
   */
  holdProgram(launch: LaunchOptions): HeldChild
  /**
   * For a program that runs again and again: a process that keeps the privileges of this one as they are, and makes one such
   * process after the other for the one that this becomes. The descriptor of its orders: closed, also by the end of this process,
   * it ends. @throws Error.
   */
  keepMaker(launch: LaunchOptions): number
  /** What it makes at an order. The one before has begun, or is gone. @throws Error: the maker is gone. */
  orderProgram(orders: number): HeldChild
  /** The errno with which access(2) would fail if there were no capabilities but these; 0: it would not. */
  accessWith(kept: bigint, path: string, mode: number): number
  /** Null: no session is pinned in this folder, or it may not be read. */
  pinned(folder: string): Pinned | null
  /** The first line of what the C library of this process says it is; empty: it is another than glibc. */
  libcBanner(): string
  /** `knownMounts`: the version of our own mounts that the caller has; 0: none. */
  processFacts(tid: number, knownMounts: number): ProcessFacts
  ringLayout(): Record<string, number>
  knownCallNumbers(abi: number): Record<string, number>
}

let loaded: Addon | undefined

/**
 * The native addon: `build/` of a checkout or `prebuilds/` of the package.
 * @throws TracefpError TFP_ERR_ADDON_MISSING when there is none for this machine.
 */
export function loadAddon(): Addon {
  loaded ??= load()
  return loaded
}

function load(): Addon {
  const override = process.env['TRACEFP_ADDON'] // a sanitizer or debug build
  try {
    if (override !== undefined) return createRequire(import.meta.url)(override) as Addon
    return loadBuilt(PACKAGE_ROOT) as Addon
  } catch (cause) {
    const machine = `${process.platform}-${process.arch}`
    throw new TracefpError(
      'TFP_ERR_ADDON_MISSING',
      `no native addon for ${machine} could be loaded; prebuilt for linux-x64 and linux-arm64 with glibc 2.34 or newer, ` +
        "elsewhere build it: 'npx node-gyp rebuild' in the package's folder (needs g++, make, python3)",
      { cause },
    )
  }
}
