// What a fingerprint says of single calls, for those who can enforce no more than that: a seccomp profile as container runtimes
// read it, and the SystemCallFilter= of systemd. The order of calls is lost; which program of the session makes them, too,
// since children inherit the filter. Calls that tracefp never records are allowed as well, or nothing would start.
import { TracefpError } from '../errors.ts'
import { baseNameOf, isSpecial } from '../syscall/mapping.ts'
import { writeWord } from './canonical.ts'
import { DEFAULT_TRANSPARENT, type Fingerprint, UNSEEN_CALLS } from './fingerprint.ts'

export interface AllowedCalls {
  /** ABI of the machine, and the others that were seen. */
  readonly abis: readonly string[]
  /** Names of calls that were seen, whatever the program and the ABI; sorted. */
  readonly seen: readonly string[]
  /** Names that were not recorded and are needed all the same; sorted, none of `seen`. */
  readonly needed: readonly string[]
  /** Programs whose calls these are. */
  readonly programs: readonly string[]
  /** What the filter does not say, or says wrongly; sentences. */
  readonly losses: readonly string[]
}

/** What happens to a call that is not allowed. */
export type ExportAction = 'errno' | 'kill' | 'log'

/** The launch, ends, and what the kernel calls in the program's place. */
const ALWAYS: readonly string[] = ['execve', 'exit', 'exit_group', 'restart_syscall', 'rt_sigreturn']
/** Answered by the vDSO, mostly: where it cannot, they are calls. */
const VDSO: readonly string[] = [...DEFAULT_TRANSPARENT, 'clock_getres', 'getrandom']
const I386_ALSO: readonly string[] = ['clock_gettime64', 'sigreturn']
/** Made by runc between loading the filter and starting the program, measured with strace (runc 1.1, with and without
 * no_new_privs), and what the Go runtime may do meanwhile. */
const RUNTIME: readonly string[] =
  `capget capset chdir close close_range epoll_ctl epoll_pwait faccessat2 fchown fcntl fstat
  fstatfs futex getcwd getdents64 getpid getppid madvise mmap munmap nanosleep newfstatat openat openat2 prctl read
  readlinkat rt_sigaction rt_sigprocmask sched_yield setgid setgroups setuid sigaltstack tgkill write`.split(/\s+/)

const ARCHITECTURES: Readonly<Record<string, string>> = {
  x86_64: 'SCMP_ARCH_X86_64',
  i386: 'SCMP_ARCH_X86',
  x32: 'SCMP_ARCH_X32',
  aarch64: 'SCMP_ARCH_AARCH64',
}
const SYSTEMD_ARCHITECTURES: Readonly<Record<string, string>> = {
  x86_64: 'x86-64',
  i386: 'x86',
  x32: 'x32',
  aarch64: 'arm64',
}
const ACTIONS: Readonly<Record<ExportAction, object>> = {
  errno: { defaultAction: 'SCMP_ACT_ERRNO', defaultErrnoRet: 1 },
  kill: { defaultAction: 'SCMP_ACT_KILL_PROCESS' },
  log: { defaultAction: 'SCMP_ACT_LOG' },
}
const NAMES_PER_LINE = 8

/** @throws TracefpError TFP_ERR_MODEL_MAPPING: it is not of Linux. */
export function allowedCalls(fingerprint: Fingerprint): AllowedCalls {
  const native = fingerprint.settings.mapping.replace(/^linux-/, '')
  if (ARCHITECTURES[native] === undefined) {
    const why = `the fingerprint was made with mapping ${fingerprint.settings.mapping}`
    throw new TracefpError('TFP_ERR_MODEL_MAPPING', `${why}: filters are for Linux`)
  }
  const abis = new Set([native])
  const seen = new Set<string>()
  const unnamed = new Set<string>()
  for (const program of fingerprint.programs.values()) {
    for (const symbol of program.alphabet) {
      if (isSpecial(symbol)) continue
      const colon = symbol.indexOf(':')
      const abi = colon < 0 ? native : symbol.slice(0, colon)
      const name = baseNameOf(symbol)
      if (ARCHITECTURES[abi] === undefined || /^sys_-?\d+$/.test(name)) unnamed.add(symbol)
      else seen.add(name)
      if (ARCHITECTURES[abi] !== undefined) abis.add(abi)
    }
  }
  const needed = [
    ...ALWAYS,
    ...VDSO,
    ...fingerprint.settings.transparent.map(baseNameOf),
    ...(abis.has('i386') ? I386_ALSO : []),
  ]
  return {
    abis: [...abis],
    seen: [...seen].sort(),
    needed: [...new Set(needed)].filter((name) => !seen.has(name)).sort(),
    programs: [...fingerprint.programs.keys()],
    losses: lossesOf(fingerprint, abis.size > 1, unnamed),
  }
}

/** A profile of the OCI runtime specification, `linux.seccomp`: docker, podman and Kubernetes read it as a file. */
export function toSeccomp(calls: AllowedCalls, action: ExportAction, forRuntime: boolean): object {
  const known = new Set([...calls.seen, ...calls.needed])
  const runtime = forRuntime ? RUNTIME.filter((name) => !known.has(name)) : []
  const rules = [calls.seen, calls.needed, runtime].filter((names) => names.length > 0)
  return {
    ...ACTIONS[action],
    architectures: calls.abis.map((abi) => ARCHITECTURES[abi]),
    syscalls: rules.map((names) => ({ names, action: 'SCMP_ACT_ALLOW' })),
  }
}

/** A drop-in of a systemd unit. `source`: where the fingerprint is from, for its head. */
export function toSystemd(calls: AllowedCalls, action: ExportAction, source: string): string {
  const lines = [
    `# Made by tracefp export systemd from ${source}.`,
    `# For /etc/systemd/system/NAME.service.d/tracefp.conf; calls of ${calls.programs.map(writeWord).join(', ')}.`,
    ...calls.losses.map((loss) => `# Lost: ${loss}.`),
    '[Service]',
    `SystemCallArchitectures=${calls.abis.map((abi) => SYSTEMD_ARCHITECTURES[abi]).join(' ')}`,
    ...filterLines(calls.seen),
    '# Not recorded by tracefp and needed all the same:',
    ...filterLines(calls.needed),
  ]
  if (action === 'errno') lines.push('SystemCallErrorNumber=EPERM')
  if (action === 'log')
    lines.push('SystemCallErrorNumber=EPERM', '# systemd cannot let a call through and log it: see SystemCallLog=')
  return `${lines.join('\n')}\n`
}

function filterLines(names: readonly string[]): string[] {
  const lines: string[] = []
  for (let at = 0; at < names.length; at += NAMES_PER_LINE) {
    lines.push(`SystemCallFilter=${names.slice(at, at + NAMES_PER_LINE).join(' ')}`)
  }
  return lines
}

function lossesOf(fingerprint: Fingerprint, hasForeign: boolean, unnamed: ReadonlySet<string>): string[] {
  const losses = ['the order of calls: any allowed call may come at any time']
  const { programs } = fingerprint
  if (programs.size > 1) losses.push(`which of the ${programs.size} programs makes a call: each may make those of all`)
  losses.push('which programs may be executed: execve is allowed, of any file')
  if (hasForeign) losses.push('the ABI of a call: every name is allowed in all of the ABIs that were seen')
  if (unnamed.size > 0) losses.push(`calls without a name, which are refused: ${[...unnamed].sort().join(' ')}`)
  const unlearned = new Set(
    [...programs.values()].flatMap(({ execs }) => [...execs.keys()]).filter((key) => !programs.has(key)),
  )
  if (unlearned.size > 0 && fingerprint.settings.scope === 'program') {
    losses.push(
      `the calls of programs that are executed and were not learned: ${[...unlearned].sort().map(writeWord).join(' ')}`,
    )
  }
  const unseen = UNSEEN_CALLS.filter((name) => [...programs.values()].some(({ alphabet }) => alphabet.includes(name)))
  if (unseen.length > 0) losses.push(`what is done by ${unseen.join(', ')}: that work makes no calls`)
  return losses
}
