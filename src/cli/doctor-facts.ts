// What `tracefp doctor` finds out about this machine. Nothing is judged here; what can be tried is tried, not looked up.

import { execFile } from 'node:child_process'
import { mkdtempSync, readFileSync, rmdirSync, statSync } from 'node:fs'
import { availableParallelism, cpus, release } from 'node:os'
import { dirname, join } from 'node:path'
import { PACKAGE_ROOT } from '../package.ts'
import { tracefpHome } from '../store/home.ts'
import { type BpfFacts, bpfFacts } from './doctor-bpf.ts'
import type { Trial } from './doctor-trial.ts'

/** A trial that did not come to a result. */
export interface FailedTrial {
  /** `addon`: could not be loaded. `unreadable`: that user may not read tracefp or Node. `refused`: or may not be had. */
  readonly problem: 'addon' | 'unreadable' | 'refused' | 'timeout' | 'died'
  readonly detail: string
}

export interface Facts {
  readonly tracefp: string
  readonly node: string
  readonly platform: string
  readonly arch: string
  readonly kernel: string
  /** Null: the C library is not glibc. */
  readonly glibc: string | null
  readonly uid: number
  /** A trivial program under the engine, as whoever runs doctor. */
  readonly own: Trial | FailedTrial
  /** The same as user nobody; null: doctor does not run as root, so `own` answers it. */
  readonly nobody: Trial | FailedTrial | null
  /** The process that traces tracefp itself; null: none. */
  readonly tracer: { readonly pid: number; readonly name: string } | null
  readonly noNewPrivs: boolean
  /** A seccomp filter is on tracefp itself, as in a container. */
  readonly isFiltered: boolean
  readonly hasPtraceCapability: boolean
  /** kernel.yama.ptrace_scope; null: no Yama. */
  readonly ptraceScope: number | null
  /** What the kernel's seccomp can do; null: it does not say. */
  readonly seccompActions: readonly string[] | null
  readonly cpuCount: number
  /** CPUs that this process may use. */
  readonly usableCpuCount: number
  /** Null: /proc is not mounted. */
  readonly proc: { readonly hidepid: string } | null
  readonly store: StoreFacts
  readonly hasVdso: boolean
  readonly bpf: BpfFacts
}

export interface StoreFacts {
  readonly home: string
  readonly exists: boolean
  /** Why nothing can be written; empty: it can. */
  readonly problem: string
  /** Others may write there. */
  readonly isOpen: boolean
}

const TRIAL = join(PACKAGE_ROOT, 'lib', 'cli', 'doctor-trial.js')
const TRIAL_TIMEOUT_MS = 20_000
const NOBODY = 65_534
const CAP_SYS_PTRACE = 19n

export async function gatherFacts(tracefp: string): Promise<Facts> {
  const uid = process.geteuid?.() ?? 0
  // One after the other: each measures time.
  const own = await tryEngine(null)
  const nobody = uid === 0 ? await tryEngine(NOBODY) : null
  const status = readText('/proc/self/status')
  return {
    tracefp,
    node: process.version,
    platform: process.platform,
    arch: process.arch,
    kernel: release(),
    glibc: glibcVersion(),
    uid,
    own,
    nobody,
    tracer: tracerOf(status),
    noNewPrivs: fieldOf(status, 'NoNewPrivs') === '1',
    isFiltered: Number(fieldOf(status, 'Seccomp')) > 0,
    hasPtraceCapability: ((BigInt(`0x${fieldOf(status, 'CapEff') || '0'}`) >> CAP_SYS_PTRACE) & 1n) === 1n,
    ptraceScope: numberOf(readText('/proc/sys/kernel/yama/ptrace_scope')),
    seccompActions: wordsOf(readText('/proc/sys/kernel/seccomp/actions_avail')),
    cpuCount: cpus().length,
    usableCpuCount: availableParallelism(),
    proc: status === '' ? null : { hidepid: hidepidOf(readText('/proc/self/mountinfo')) },
    store: tryStore(tracefpHome()),
    hasVdso: readText('/proc/self/maps').includes('[vdso]'),
    bpf: bpfFacts(),
  }
}

/** Runs the trial in a child process, as another user where one is given. */
export function tryEngine(uid: number | null, entry: string = TRIAL): Promise<Trial | FailedTrial> {
  return new Promise((resolve) => {
    const ids = uid === null ? {} : { uid, gid: uid }
    const options = { cwd: '/', timeout: TRIAL_TIMEOUT_MS, killSignal: 'SIGKILL' as const, ...ids }
    try {
      execFile(process.execPath, [entry], options, (error, stdout, stderr) => {
        resolve(resultOf(stdout) ?? failureOf(error, stderr))
      })
    } catch (error) {
      resolve(failureOf(error, ''))
    }
  })
}

function resultOf(stdout: string): Trial | FailedTrial | undefined {
  try {
    const value = JSON.parse(stdout) as Trial | { readonly code: string; readonly message: string }
    if ('callCount' in value) return value
    return { problem: value.code === 'TFP_ERR_ADDON_MISSING' ? 'addon' : 'died', detail: value.message }
  } catch {
    return undefined
  }
}

function failureOf(error: unknown, stderr: string): FailedTrial {
  const facts = (error ?? {}) as { readonly code?: unknown; readonly killed?: boolean; readonly signal?: string }
  const reason = /^(?:\w*Error|\s+code): .*$/m.exec(stderr)?.[0] ?? ''
  if (facts.code === 'EACCES' || /EACCES|permission denied|Cannot find module/i.test(stderr)) {
    return { problem: 'unreadable', detail: reason || 'permission denied' }
  }
  if (facts.code === 'EPERM' || facts.code === 'EINVAL') return { problem: 'refused', detail: String(facts.code) }
  if (facts.killed === true) return { problem: 'timeout', detail: `no end after ${TRIAL_TIMEOUT_MS / 1000} s` }
  const how = facts.signal ? `killed by ${facts.signal}` : `exit ${String(facts.code ?? 0)}`
  return { problem: 'died', detail: reason === '' ? how : `${how}: ${reason}` }
}

/** Writes into tracefp's home, or where it would be made. */
export function tryStore(home: string): StoreFacts {
  let folder = home
  while (!isFolder(folder) && dirname(folder) !== folder) folder = dirname(folder)
  const exists = folder === home
  const isOpen = exists && (statSync(home).mode & 0o022) !== 0
  try {
    rmdirSync(mkdtempSync(join(folder, '.tracefp-doctor-')))
    return { home, exists, problem: '', isOpen }
  } catch (error) {
    return { home, exists, problem: (error as Error).message, isOpen }
  }
}

function isFolder(path: string): boolean {
  try {
    return statSync(path).isDirectory()
  } catch {
    return false
  }
}

/** `off`, or how /proc hides the processes of others. The last mount is the one on top. */
export function hidepidOf(mountinfo: string): string {
  const line = mountinfo.split('\n').findLast((one) => one.split(' ')[4] === '/proc' && one.includes(' - proc '))
  const value = /[ ,]hidepid=(\w+)/.exec(line ?? '')?.[1] ?? '0'
  return value === '0' ? 'off' : value
}

function tracerOf(status: string): Facts['tracer'] {
  const pid = Number(fieldOf(status, 'TracerPid'))
  return pid > 0 ? { pid, name: readText(`/proc/${pid}/comm`).trim() } : null
}

function glibcVersion(): string | null {
  // Without the network: its look-ups can take seconds. The types of Node 20 do not know it yet.
  const report = process.report as (NodeJS.Process['report'] & { excludeNetwork?: boolean }) | undefined
  if (report === undefined) return null
  report.excludeNetwork = true
  const { header } = report.getReport() as { readonly header?: { readonly glibcVersionRuntime?: string } }
  return header?.glibcVersionRuntime ?? null
}

function fieldOf(status: string, name: string): string {
  return new RegExp(`^${name}:\\s*(.*)$`, 'm').exec(status)?.[1] ?? ''
}

function numberOf(text: string): number | null {
  return text.trim() === '' ? null : Number(text)
}

function wordsOf(text: string): string[] | null {
  const words = text.split(/\s+/).filter((word) => word !== '')
  return words.length === 0 ? null : words
}

function readText(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return ''
  }
}
