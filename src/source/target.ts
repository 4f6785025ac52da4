// What a live session is about: a program that is started, or a process that already runs.

import { readFileSync, readlinkSync } from 'node:fs'
import { basename } from 'node:path'
import type { AttachOptions, EngineResult, FollowOptions, LaunchOptions } from '../addon/addon.ts'
import { EngineError } from '../errors.ts'
import { ancestorNames } from './host.ts'
import { assertBpf, assertLaunched } from './launch.ts'
import type { Engine, LiveOptions } from './live.ts'
import { pinTrouble } from './pin.ts'

export type Target =
  | { readonly kind: 'launch'; readonly launch: LaunchOptions; readonly engine: Engine }
  | { readonly kind: 'attach'; readonly attach: AttachOptions }
  /** Engine ebpf. `name`: of what is followed, for reports. */
  | { readonly kind: 'follow'; readonly follow: FollowOptions; readonly name: string }

/** The options of a LiveSource that say what it follows. */
export function liveOptionsOf(target: Target): Pick<LiveOptions, 'engine' | 'launch' | 'attach' | 'follow'> {
  if (target.kind === 'follow') return { engine: 'ebpf', follow: target.follow }
  if (target.kind === 'launch') return { engine: target.engine, launch: target.launch }
  return { engine: 'attach', attach: target.attach }
}

/** What reports say of it. */
export interface TargetFacts {
  readonly name: string
  readonly argv: readonly string[]
  readonly rootPpid: number
  /** Names of the processes above, nearest first. */
  readonly rootAncestors: readonly string[]
}

/** @throws EngineError where /proc is not about the processes that we know by their numbers. */
export function factsOfTarget(target: Target): TargetFacts {
  assertOwnProc()
  if (target.kind === 'follow') {
    const { pid } = target.follow
    return pid === undefined ? { name: target.name, argv: [], rootPpid: 0, rootAncestors: [] } : factsOfProcess(pid)
  }
  if (target.kind === 'attach') return factsOfProcess(target.attach.pid)
  const { argv } = target.launch
  return { name: basename(argv[0] as string), argv, rootPpid: process.pid, rootAncestors: ancestorNames() }
}

/** @throws EngineError when the engine could not start, join or follow it. */
export function assertBegun(result: EngineResult, target: Target): void {
  if (target.kind === 'follow') assertFollowed(result, target)
  else if (target.kind === 'launch') assertLaunched(result, target.launch)
  else assertAttached(result, target.attach.pid)
}

const EPERM = 1
const ESRCH = 3

function assertFollowed(result: EngineResult, { name, follow }: Target & { kind: 'follow' }): void {
  const { failedOperation: operation, errno, errorText } = result
  if (operation === '') return
  const trouble = pinTrouble(operation, follow.pin?.folder ?? '')
  if (trouble !== null) throw new EngineError('TFP_ERR_ENGINE_FAILED', `${name}: ${trouble}`, errno, trouble)
  if (operation === 'attach') {
    throw new EngineError('TFP_ERR_ENGINE_FAILED', `${name}: there is no such process`, errno, '')
  }
  assertBpf(result)
  throw new EngineError('TFP_ERR_ENGINE_FAILED', `${name}: ${operation}: ${errorText}`, errno, '')
}

function assertAttached({ failedOperation: operation, errno, errorText }: EngineResult, pid: number): void {
  if (operation === '') return
  if (operation === 'attach(own child)') {
    const hint = 'attach from another process, or start it with check()'
    const message = `pid ${pid} is a child of this process, which would take its stops for its end: ${hint}`
    throw new EngineError('TFP_ERR_ENGINE_FAILED', message, errno, hint)
  }
  const hint = hintOf(pid, operation, errno)
  const code = errno === EPERM ? 'TFP_ERR_ENGINE_PTRACE' : 'TFP_ERR_ENGINE_FAILED'
  throw new EngineError(code, `pid ${pid}: ${operation}: ${errorText}${hint === '' ? '' : `: ${hint}`}`, errno, hint)
}

function hintOf(pid: number, operation: string, errno: number): string {
  if (operation !== 'ptrace(PTRACE_SEIZE)') return ''
  if (errno === ESRCH) return 'there is no such process'
  const tracer = Number(/^TracerPid:\t(\d+)$/m.exec(readText(`/proc/${pid}/status`))?.[1] ?? 0)
  if (tracer > 0) return `it already has a tracer, process ${tracer}; a process can have only one`
  return 'only root, or its own user where kernel.yama.ptrace_scope is 0, may attach to a process'
}

function assertOwnProc(): void {
  let self: string
  try {
    self = readlinkSync('/proc/self')
  } catch {
    // There is none: what stands in it is not known, but nothing is taken for something else.
    return
  }
  if (self === `${process.pid}`) return
  const hint = "'mount -t proc proc /proc', or 'unshare --mount-proc'"
  throw new EngineError('TFP_ERR_ENGINE_FAILED', `/proc is that of another pid namespace: ${hint}`, 0, hint)
}

function factsOfProcess(pid: number): TargetFacts {
  const status = readText(`/proc/${pid}/status`)
  // What a program wrote over its arguments may leave a tail of nothing.
  const argv = readText(`/proc/${pid}/cmdline`).replace(/\0+$/, '').split('\0')
  const rootPpid = Number(/^PPid:\t(\d+)$/m.exec(status)?.[1] ?? 0)
  const name =
    argv[0] === undefined || argv[0] === '' ? (/^Name:\t(.*)$/m.exec(status)?.[1] ?? `${pid}`) : basename(argv[0])
  return { name, argv, rootPpid, rootAncestors: ancestorNames(rootPpid) }
}

function readText(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return ''
  }
}
