// A program that is being checked, as its host sees it: streams, misses as they happen, and in the end a report.

import type { Readable, Writable } from 'node:stream'
import type { Decision, Pin } from '../addon/addon.ts'
import type { LiveResult } from '../check.ts'
import { UsageError } from '../errors.ts'
import type { BurstOptions } from '../match/frame.ts'
import type { Miss } from '../match/miss.ts'
import type { Report } from '../match/report.ts'
import type { Outcome } from '../match/verdict.ts'
import { newUlid } from '../model/ulid.ts'
import { VERSION } from '../package.ts'
import { cgroupIdOf } from '../source/cgroup.ts'
import { launchOptionsOf, type ProgramBytes } from '../source/launch.ts'
import type { Engine } from '../source/live.ts'
import { pinFolderOf } from '../source/pin.ts'
import type { HeldProgram } from '../source/privileges.ts'
import type { Target } from '../source/target.ts'
import type { Evidence } from '../store/evidence.ts'
import { tracefpHome } from '../store/home.ts'
import { type Ask, askHandler, type MissHandler } from './decide.ts'
import type { Freezer, Release } from './freezer.ts'
import { startTaskIn, type TaskHandle, type TaskThread } from './start-task.ts'
import { openStreams, type Stdio, type Streams } from './stdio.ts'

/** How a program is started. Everything has the defaults of child_process.spawn, but for `stdio`. */
export interface ProgramOptions {
  readonly cwd?: string
  readonly env?: Readonly<Record<string, string | undefined>>
  /** Default `inherit`. */
  readonly stdio?: Stdio | readonly [Stdio, Stdio, Stdio]
  readonly uid?: number
  readonly gid?: number
  /** Aborting kills the program and everything it started; the report then says so. */
  readonly signal?: AbortSignal
  /** How calls are seen; default `auto`: notify, and trace where that is not possible. */
  readonly engine?: Engine
  /**
   * Whether tracer and program share one CPU, which makes a stop several times cheaper. `auto` (default) holds a process
   * there only while it has one thread and does not ask; `always` also holds threads and is visible to the program.
   */
  readonly pin?: Pin
  /** Where the fingerprint store is; default: see `tracefpHome`. */
  readonly home?: string
  /** `argv` and `env` byte for byte, where they need not be UTF-8. */
  readonly bytes?: ProgramBytes
  /**
   * Which thread follows the program; default `worker`. `process`: one of another process, which under engine ebpf gives up all
   * privileges but BPF, PERFMON, SYS_PTRACE and KILL. The program has those of this process; it is killed where that one dies.
   */
  readonly thread?: TaskThread
  /** `thread: 'process'`: why the privileges were kept. */
  readonly onPrivilegesKept?: (why: string) => void
  /** Engine ebpf: its process, which was made before. For command lines. */
  readonly held?: HeldProgram
  /** When the program is stopped by the terminal, stop this process too. For command lines. */
  readonly stopsWithProgram?: boolean
}

export interface CheckSessionOptions extends ProgramOptions {
  /** Engine ebpf: bytes of the kernel's ring, a power of two of at least 4,096. Default: 16 MiB. */
  readonly kernelRingBytes?: number
  /**
   * Engine ebpf, for what already runs: `keep`: the kernel goes on checking, and keeps what it finds, when this process or this
   * session ends; the next session about the same goes on with it. `end`: what is kept so is told, and then it ends.
   */
  readonly bpfPin?: 'keep' | 'end'
  /** Files to check against; default: those in the fingerprint store that were learned for the program. */
  readonly fingerprint?: string | readonly string[]
  /** Length of the sequences that are checked, at most what was learned; default 2. */
  readonly depth?: number
  /** `{ frame: 20, threshold: 5 }`: only five misses among twenty transitions of a track are an alarm. Default: every miss is. */
  readonly burst?: BurstOptions
  /**
   * Public keys, or files of them, that must all have signed a fingerprint for it to be used. One that is not signed so, was
   * altered, or is of an older epoch than one that was used before is refused (TFP_ERR_MODEL_SIGNATURE).
   */
  readonly requireSignature?: readonly string[]
  /** A capture to write beside, from which the report can be made again. What is there is replaced. */
  readonly record?: string
  /** A folder of the caller's, in which evidence of misses is kept while the session runs. Not with `record`. */
  readonly evidence?: string
  /**
   * What happens at a miss. `alert` (default): it is told, the program goes on. All others judge every call before it runs, and
   * refuse to run a program without a fingerprint. `deny`: the call fails with EPERM, as if it had not been made (where it
   * cannot fail: `kill`). `kill`: the program and everything it started. `freeze`: everything waits for `release`. A function
   * decides miss by miss.
   */
  readonly onMiss?: OnMiss
  /** How long a function may take to decide, in milliseconds; default 5,000, `Infinity` as long as it likes. */
  readonly onMissTimeout?: number
  /** What is done when a function fails or takes longer; default `deny`. */
  readonly onMissDefault?: Decision
  /** `freeze`: told at each miss at which everything now waits. */
  readonly onFreeze?: (miss: Miss, session: string) => void
  /** `freeze`: it was released and goes on. */
  readonly onThaw?: () => void
}

/** What is watched instead of a program of one's own: a process and all below it, by its pid; a cgroup; the whole host. */
export type Watched = number | { readonly cgroup: string } | { readonly host: true }

export type OnMiss = 'alert' | 'deny' | 'kill' | 'freeze' | MissHandler

const POLICIES: readonly unknown[] = ['alert', 'deny', 'kill', 'freeze']
const DECISION_MS = 5_000

export class CheckSession implements AsyncDisposable {
  /** Name of this session (ULID), as in its report. */
  readonly id: string
  readonly stdin: Writable | null
  readonly stdout: Readable | null
  readonly stderr: Readable | null
  /** Process id of the program, once its first image is known and before its first instruction. */
  readonly pid: Promise<number>
  /** Resolves when the program itself is gone. What it started may live on: the session then goes on too. */
  readonly rootExited: Promise<void>
  /** What came of it, when the last process of the session is gone. */
  readonly report: Promise<Report>
  /** `report`'s verdict with the lack of a fingerprint told apart: what exit codes are made of. */
  readonly outcome: Promise<Outcome>
  /** With the option `evidence`: files that are the caller's to keep or to remove. Null: there was no miss. */
  readonly evidence: Promise<Evidence | null>
  readonly #task: TaskHandle
  readonly #freezer: Promise<Freezer> | undefined
  readonly #misses: Miss[] = []
  #wake: (() => void)[] = []
  #isOver = false
  #hasRootExited = false

  /**
   * `what`: a command, or what already runs.
   * @throws EngineError when there is no such command or it is not executable; UsageError.
   */
  constructor(what: readonly string[] | Watched, options: CheckSessionOptions = {}) {
    const onMiss = options.onMiss ?? 'alert'
    if (!POLICIES.includes(onMiss) && typeof onMiss !== 'function') {
      throw new UsageError(`onMiss: ${String(onMiss)}: expected ${POLICIES.join(', ')} or a function`)
    }
    const ask = this.#asker(onMiss, options)
    this.id = newUlid()
    const { target, streams } = isWatched(what) ? joined(what, options, this.id) : launched(what, options)
    if (typeof onMiss === 'function' && (target.kind === 'follow' || options.engine === 'ebpf')) {
      throw new UsageError(
        'engine ebpf sees a call when it can no longer be stopped: onMiss is alert, kill or freeze there',
      )
    }
    const home = options.home ?? tracefpHome()
    if (onMiss === 'freeze') {
      const facts = { session: this.id, pid: process.pid, command: isWatched(what) ? [nameOf(what)] : what }
      this.#freezer = import('./freezer.ts').then(({ Freezer }) => {
        return Freezer.open(home, facts, {
          onFreeze: (miss) => options.onFreeze?.(miss, this.id),
          onThaw: () => options.onThaw?.(),
        })
      })
      // Whoever could not be released must not freeze.
      this.#freezer.catch(() => this.stop())
    }
    this.stdin = streams.stdin
    this.stdout = streams.stdout
    this.stderr = streams.stderr
    const files = options.fingerprint ?? []
    let tellPid: (pid: number) => void = () => {}
    const pid = new Promise<number>((resolve) => {
      tellPid = resolve
    })
    let tellRootExited: () => void = () => {}
    this.rootExited = new Promise<void>((resolve) => {
      tellRootExited = resolve
    })
    this.#task = startTaskIn(
      options.thread ?? 'worker',
      {
        kind: 'check',
        options: {
          session: this.id,
          policy: onMiss === 'alert' || onMiss === 'deny' || onMiss === 'kill' ? onMiss : 'ask',
          target,
          files: typeof files === 'string' ? [files] : files,
          home,
          requireSignature: options.requireSignature ?? [],
          depth: options.depth ?? null,
          ...(options.burst === undefined ? {} : { burst: options.burst }),
          record: options.record ?? null,
          evidence: options.evidence ?? null,
        },
      },
      {
        onStart: (started) => {
          streams.closeProgramEnds()
          tellPid(started)
        },
        onRootExit: () => {
          this.#hasRootExited = true
          tellRootExited()
        },
        onMiss: (miss) => this.#add(miss),
        onQuestion: ask,
        onKept: (why) => options.onPrivilegesKept?.(why),
      },
    )
    const ended = this.#closing(followTask<LiveResult>(this.#task, streams, options.signal))
    this.report = ended.then(({ report }) => report)
    this.outcome = ended.then(({ outcome }) => outcome)
    this.evidence = ended.then(({ evidence }) => evidence)
    this.pid = Promise.race([pid, ended.then(() => pid)])
    // Whoever awaits one of them hears of a failure; the others must not end the host.
    for (const promise of [this.report, this.outcome, this.evidence, this.pid]) promise.catch(() => {})
    const over = (): void => {
      this.#isOver = true
      tellRootExited()
      this.#wakeAll()
    }
    ended.then(over, over)
  }

  /** The misses, as they happen; ends with the session. At most the first 1,000 are told, `report.missCount` has all. */
  async *misses(): AsyncGenerator<Miss, void, undefined> {
    for (let at = 0; ; ) {
      const miss = this.#misses[at]
      if (miss !== undefined) {
        at += 1
        yield miss
      } else if (this.#isOver) {
        await this.report
        return
      } else {
        await new Promise<void>((resolve) => this.#wake.push(resolve))
      }
    }
  }

  /** Sends a signal to the program (not to what it started). False when it is gone. */
  async kill(signal: NodeJS.Signals = 'SIGTERM'): Promise<boolean> {
    const pid = await this.pid
    if (this.#hasRootExited || this.#isOver) return false
    try {
      return process.kill(pid, signal)
    } catch {
      return false
    }
  }

  /** Kills the program and everything it started, or lets go of what was attached to; the report says how far it came. */
  stop(): void {
    this.#task.stop()
  }

  /** A frozen session goes on (until the next miss), or is killed. False: it is not frozen. */
  async release(release: Release): Promise<boolean> {
    return (await this.#freezer)?.release(release) ?? false
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.stop()
    await this.report.catch(() => {})
  }

  #asker(onMiss: OnMiss, options: CheckSessionOptions): Ask {
    if (typeof onMiss === 'function') {
      return askHandler(onMiss, options.onMissTimeout ?? DECISION_MS, options.onMissDefault ?? 'deny')
    }
    return async (miss, signal) => {
      const freezer = await this.#freezer
      return freezer === undefined ? { decision: 'kill', isDefault: true } : await freezer.ask(miss, signal)
    }
  }

  /** A session that could not be frozen fails with the reason, whatever became of the program. */
  async #closing<T>(ended: Promise<T>): Promise<T> {
    try {
      const result = await ended
      await this.#freezer
      return result
    } finally {
      this.#freezer?.then((freezer) => freezer.close()).catch(() => {})
    }
  }

  #add(miss: Miss): void {
    this.#misses.push(miss)
    this.#wakeAll()
  }

  #wakeAll(): void {
    for (const wake of this.#wake.splice(0)) wake()
  }
}

interface Prepared {
  readonly target: Target
  readonly streams: Streams
}

function launched(argv: readonly string[], options: CheckSessionOptions): Prepared {
  const { launch: plain, streams } = prepare(argv, options)
  const { kernelRingBytes } = options
  const launch = kernelRingBytes === undefined ? plain : { ...plain, kernelRingBytes }
  return { target: { kind: 'launch', launch, engine: options.engine ?? 'auto' }, streams }
}

/** Whether the process that follows is wholly tracefp's own. */
function isOurs(thread: TaskThread | undefined): boolean {
  return thread === 'this' || thread === 'process'
}

function isWatched(what: readonly string[] | Watched): what is Watched {
  return !Array.isArray(what)
}

/** `pid 41`, `cgroup system.slice/nginx.service`, `host` */
export function nameOf(what: Watched): string {
  if (typeof what === 'number') return `pid ${what}`
  return 'host' in what ? 'host' : `cgroup ${what.cgroup}`
}

/** Of `joined`: whom engine ebpf follows. */
export function followTarget(
  what: Watched,
  options: Pick<CheckSessionOptions, 'thread' | 'kernelRingBytes' | 'bpfPin'>,
  session = '',
): Extract<Target, { kind: 'follow' }> {
  const { kernelRingBytes, bpfPin } = options
  const facts = { stamp: `tracefp ${VERSION}`, session, name: nameOf(what) }
  const common = {
    hidesHost: isOurs(options.thread),
    ...(kernelRingBytes === undefined ? {} : { kernelRingBytes }),
    ...(bpfPin === undefined ? {} : { pin: { folder: pinFolderFor(what), ends: bpfPin === 'end', ...facts } }),
  }
  if (typeof what === 'number') return { kind: 'follow', follow: { ...common, pid: what }, name: nameOf(what) }
  const whom = 'host' in what ? { names: [] } : { cgroup: cgroupIdOf(what.cgroup) }
  return { kind: 'follow', follow: { ...common, ...whom }, name: nameOf(what) }
}

/** Where it is pinned, once it is. */
export function pinFolderFor(what: Watched): string {
  if (typeof what === 'number') return pinFolderOf(what)
  return pinFolderOf('host' in what ? 'host' : { cgroupId: cgroupIdOf(what.cgroup) })
}

/** Of what was not started here. */
export const NO_STREAMS: Streams = {
  descriptors: [-1, -1, -1],
  stdin: null,
  stdout: null,
  stderr: null,
  closeProgramEnds: () => {},
}

function joined(what: Watched, options: CheckSessionOptions, session: string): Prepared {
  if (typeof what === 'number') {
    if (!Number.isInteger(what) || what < 1) throw new UsageError(`pid ${what}: expected a whole number of at least 1`)
    if (what === process.pid) throw new UsageError(`pid ${what} is tracefp itself, which cannot watch itself`)
  } else if (options.engine !== undefined && options.engine !== 'ebpf') {
    throw new UsageError(`${nameOf(what)}: only engine ebpf can watch that`)
  }
  if (options.signal?.aborted === true) throw options.signal.reason
  const streams = NO_STREAMS
  if (typeof what === 'number' && options.engine !== 'ebpf') {
    if (options.bpfPin !== undefined) throw new UsageError('only engine ebpf goes on without tracefp')
    return { target: { kind: 'attach', attach: { pid: what, hidesHost: isOurs(options.thread) } }, streams }
  }
  return { target: followTarget(what, options, session), streams }
}

/** What a session and a learning run need before their worker starts. */
export function prepare(
  argv: readonly string[],
  options: ProgramOptions,
): { launch: ReturnType<typeof launchOptionsOf>; streams: Streams } {
  if (argv.length === 0 || argv[0] === '') throw new UsageError('there is no command to run')
  if (options.signal?.aborted === true) throw options.signal.reason
  const streams = openStreams(options.stdio ?? 'inherit')
  try {
    const launch = launchOptionsOf({
      argv,
      // Where this process is may have no name (deleted, unreachable): it is inherited, not spelled.
      cwd: options.cwd ?? '',
      env: options.env ?? process.env,
      stdio: streams.descriptors,
      uid: options.uid ?? null,
      gid: options.gid ?? null,
      pin: options.pin ?? 'auto',
      stopsWithRoot: options.stopsWithProgram ?? false,
      // In a worker the process is its host's, and not ours to change.
      hidesHost: isOurs(options.thread),
      bytes: options.bytes,
      waiting: options.held,
    })
    return { launch, streams }
  } catch (error) {
    streams.closeProgramEnds()
    for (const stream of [streams.stdin, streams.stdout, streams.stderr]) stream?.destroy()
    throw error
  }
}

/**
 * The end of a task: the program's pipe ends and its stdin are closed whatever happens, and an abort kills the program. What
 * it wrote can still be read, unless the task failed.
 */
export async function followTask<T>(task: TaskHandle, streams: Streams, signal: AbortSignal | undefined): Promise<T> {
  const stop = (): void => task.stop()
  signal?.addEventListener('abort', stop, { once: true })
  try {
    return (await task.done) as T
  } catch (error) {
    for (const stream of [streams.stdout, streams.stderr]) stream?.destroy()
    throw error
  } finally {
    signal?.removeEventListener('abort', stop)
    streams.closeProgramEnds()
    streams.stdin?.destroy()
  }
}
