// From facts to the lines of `tracefp doctor`: what works, what is missing, what that costs and what to do. Pure.

import { constants } from 'node:os'
import { printable } from '../match/printable.ts'
import type { Facts, FailedTrial } from './doctor-facts.ts'
import type { Trial } from './doctor-trial.ts'

/** `note`: worth knowing, and `run` works all the same. */
export type Status = 'ok' | 'missing' | 'note'

export interface Check {
  readonly id: string
  readonly status: Status
  readonly message: string
  /** What the missing thing costs; empty where nothing is missing. */
  readonly cost: string
  readonly remedy: string
}

export interface Diagnosis {
  /** Whether `run` and `learn` work here. */
  readonly works: boolean
  readonly checks: readonly Check[]
}

const NODE_NEEDED = '20.17'
const KERNEL_OF_NOTIFY = '6.6'
const KERNEL_NEEDED = '5.3'
const KERNEL_OF_SYNC_WAKE_UP = '6.6'
const GLIBC_OF_PREBUILDS = '2.34'
const NOTHING_RUNS = 'run and learn do not work'
const DEAR_STOP_US = 20

export function diagnose(facts: Facts): Diagnosis {
  const { own } = facts
  return {
    works: isTrial(own) && own.failedOperation === '' && own.callCount > 0,
    checks: [
      nodeCheck(facts),
      kernelCheck(facts),
      libcCheck(facts),
      addonCheck(facts),
      engineCheck(facts),
      ptraceCheck(facts),
      callInfoCheck(facts),
      seccompCheck(facts),
      privilegesCheck(facts),
      unprivilegedCheck(facts),
      yamaCheck(facts),
      notificationCheck(facts),
      ebpfCheck(facts),
      ebpfKernelCheck(facts),
      followCheck(facts),
      pinCheck(facts),
      cpuCheck(facts),
      stopCostCheck(facts),
      procCheck(facts),
      storeCheck(facts),
      vdsoCheck(facts),
    ],
  }
}

function nodeCheck({ node }: Facts): Check {
  if (isAtLeast(node.slice(1), NODE_NEEDED)) return ok('node', node)
  return missing('node', `${node} is older than ${NODE_NEEDED}`, 'tracefp may fail anywhere', 'install a newer Node')
}

function kernelCheck({ kernel, platform, arch }: Facts): Check {
  if (platform !== 'linux') {
    return missing('kernel', `this is ${platform}`, NOTHING_RUNS, 'use Linux: a machine, a container or a VM of it')
  }
  const message = `Linux ${kernel} on ${arch}, engine trace needs ${KERNEL_NEEDED}, notify ${KERNEL_OF_NOTIFY}`
  if (isAtLeast(kernel, KERNEL_NEEDED)) return ok('kernel', message)
  return missing('kernel', message, NOTHING_RUNS, 'use a newer kernel')
}

function libcCheck({ glibc, own }: Facts): Check {
  if (glibc !== null && isAtLeast(glibc, GLIBC_OF_PREBUILDS)) return ok('libc', `glibc ${glibc}`)
  const what = glibc === null ? 'the C library is not glibc' : `glibc ${glibc}`
  const message = `${what}; the prebuilt addon needs glibc ${GLIBC_OF_PREBUILDS}`
  const cost = 'the prebuilt addon cannot be used'
  // An addon that was built here is as good.
  const build = isTrial(own) ? note : missing
  return build('libc', message, cost, "build it: 'npx node-gyp rebuild' in the package's folder")
}

function addonCheck({ own }: Facts): Check {
  if (isTrial(own)) {
    const origin = own.addonFile.includes('/prebuilds/') ? 'prebuilt' : 'built here'
    return ok('addon', `${own.addonFile} (${origin})`)
  }
  if (own.problem !== 'addon') return note('addon', 'not known: the trial did not tell', '', '')
  return missing('addon', own.detail, NOTHING_RUNS, "build it: 'npx node-gyp rebuild' in the package's folder")
}

function engineCheck({ own, tracefp }: Facts): Check {
  if (!isTrial(own)) {
    if (own.problem === 'addon') return missing('run', 'not tried without the addon', NOTHING_RUNS, 'see addon')
    const remedy = "see what 'TRACEFP_DEBUG=1 tracefp run -- true' says"
    return missing('run', `a trivial program could not be tried: ${own.detail}`, NOTHING_RUNS, remedy)
  }
  if (own.failedOperation !== '') {
    const message = `a trivial program could not be run: ${own.failedOperation}: ${own.errorText}`
    return missing('run', message, NOTHING_RUNS, 'see what is missing below')
  }
  if (own.callCount === 0) {
    const remedy = 'use another kernel or container runtime'
    return missing('run', 'a program ran, but none of its calls were seen', NOTHING_RUNS, remedy)
  }
  const seen = `tracefp ${tracefp}: a trivial program ran and ${own.callCount} calls of it were seen`
  if (own.engine === 'notify') return ok('run', `${seen}; engine notify (trace works too)`)
  const remedy = 'Linux 6.6 or newer has it, where no seccomp listener is above tracefp'
  return note('run', `${seen}; engine trace, notify is not possible`, 'a call costs about half as much again', remedy)
}

function ptraceCheck(facts: Facts): Check {
  const { own } = facts
  if (!isTrial(own)) return untested('ptrace')
  if (!own.failedOperation.startsWith('ptrace') || isCallInfo(own)) return ok('ptrace', 'programs can be seized')
  const [why, remedy] = ptraceCause(facts, own)
  return missing('ptrace', `${own.failedOperation}: ${own.errorText}: ${why}`, NOTHING_RUNS, remedy)
}

/** Why ptrace is refused, and what to do; the surest cause first. */
function ptraceCause(facts: Facts, own: Trial): [why: string, remedy: string] {
  const { tracer, ptraceScope, isFiltered, hasPtraceCapability } = facts
  if (tracer !== null) {
    return [
      `process ${tracer.pid} (${tracer.name}) traces tracefp, and a program can have one tracer only`,
      'start tracefp outside of it',
    ]
  }
  if (own.errno === constants.errno.ENOSYS) {
    return ['the machine is emulated or sandboxed, without ptrace', 'use the machine itself, or a VM']
  }
  if (ptraceScope === 3) {
    return [
      'kernel.yama.ptrace_scope is 3, which forbids it until the next boot',
      'set it to 1 or 0 at boot (sysctl.d)',
    ]
  }
  if (ptraceScope === 2 && !hasPtraceCapability) {
    return ['kernel.yama.ptrace_scope is 2, which leaves it to CAP_SYS_PTRACE', 'run as root, or set it to 1 or 0']
  }
  if (isFiltered) {
    return [
      'a seccomp filter is on tracefp, as containers have it',
      "add the capability: 'docker run --cap-add SYS_PTRACE', or securityContext.capabilities.add in Kubernetes",
    ]
  }
  return [
    'a security module refuses it, or Node may be executed but not read by this user',
    'see the audit log, and the permissions of the node executable',
  ]
}

function callInfoCheck({ own }: Facts): Check {
  const id = 'call-info'
  if (!isTrial(own)) return untested(id)
  if (isCallInfo(own)) {
    return missing(id, `${own.failedOperation}: ${own.errorText}`, NOTHING_RUNS, `use Linux ${KERNEL_NEEDED} or newer`)
  }
  return own.callCount > 0 ? ok(id, 'PTRACE_GET_SYSCALL_INFO tells each call and its ABI') : untested(id)
}

function seccompCheck({ own, seccompActions }: Facts): Check {
  if (!isTrial(own)) return untested('seccomp')
  if (own.callCount > 0) return ok('seccomp', 'the filter loads, and RET_TRACE stops every call')
  const isRefused = own.failedOperation === 'seccomp' || own.failedOperation.startsWith('prctl')
  if (!isRefused && seccompActions?.includes('trace') !== false) return untested('seccomp')
  const message = isRefused ? `${own.failedOperation}: ${own.errorText}` : 'the kernel has no RET_TRACE'
  const remedy = 'use a kernel with CONFIG_SECCOMP_FILTER; in a container allow the seccomp call'
  return missing('seccomp', message, NOTHING_RUNS, remedy)
}

function privilegesCheck({ own, noNewPrivs }: Facts): Check {
  const id = 'no-new-privs'
  const cost = 'setuid programs (sudo, su, ping) gain no privileges under tracefp'
  if (noNewPrivs) return note(id, 'set on tracefp itself, so on all it starts', cost, 'start tracefp without it')
  if (!isTrial(own)) return untested(id)
  if (!own.notes.includes('no_new_privs')) return ok(id, 'not needed here: setuid programs work under tracefp')
  return note(id, 'set on every program that runs under tracefp', cost, 'run tracefp as root where that matters')
}

function unprivilegedCheck({ own, nobody, uid }: Facts): Check {
  const id = 'unprivileged'
  if (nobody === null) {
    const works = isTrial(own) && own.failedOperation === '' && own.callCount > 0
    return works ? ok(id, `tracefp works without root (uid ${uid})`) : untested(id)
  }
  const cost = 'only root can use tracefp here'
  if (!isTrial(nobody)) {
    if (nobody.problem === 'unreadable') {
      const message = `not tried: user nobody cannot read tracefp or Node: ${nobody.detail}`
      return note(id, message, cost, 'install them where everybody can read')
    }
    if (nobody.problem === 'addon') return untested(id)
    return note(id, `not tried as user nobody: ${nobody.detail}`, '', 'run doctor as an ordinary user')
  }
  if (nobody.failedOperation === '' && nobody.callCount > 0) return ok(id, 'tracefp works for user nobody too')
  const what = `${nobody.failedOperation}: ${nobody.errorText}`
  if (isTrial(own) && own.failedOperation !== '') return note(id, `it fails for user nobody too: ${what}`, '', '')
  return note(id, `for user nobody it fails: ${what}`, cost, 'run doctor as that user for the cause')
}

function yamaCheck({ ptraceScope, hasPtraceCapability }: Facts): Check {
  const id = 'yama'
  if (ptraceScope === null) return ok(id, 'no kernel.yama.ptrace_scope: no restriction')
  const message = `kernel.yama.ptrace_scope is ${ptraceScope}`
  if (ptraceScope <= 1) return ok(id, `${message}: a program that tracefp starts may be traced`)
  if (ptraceScope === 2 && hasPtraceCapability) return ok(id, `${message}: CAP_SYS_PTRACE is there`)
  return missing(id, message, NOTHING_RUNS, 'set it to 1 or 0 (sysctl.d)')
}

function notificationCheck({ kernel, seccompActions }: Facts): Check {
  const id = 'user-notification'
  const has = seccompActions?.includes('user_notif') === true
  if (has && isAtLeast(kernel, KERNEL_OF_SYNC_WAKE_UP)) return ok(id, 'the kernel has it, with synchronous wake-up')
  const message = has
    ? `the kernel has it, without synchronous wake-up (Linux ${KERNEL_OF_SYNC_WAKE_UP})`
    : 'the kernel does not offer it'
  return note(id, `${message}; engine trace does not need it`, '', '')
}

function ebpfCheck({ own, arch }: Facts): Check {
  if (!isTrial(own)) return untested('ebpf')
  if (own.ebpf === '' && own.hasKprobe) return ok('ebpf', 'engine ebpf works; repeated calls are seen by a kprobe')
  if (own.ebpf === '') {
    const how = 'checks guess which calls the kernel repeats; learn and record look at every return, some 45 ns a call'
    return ok('ebpf', `engine ebpf works; the kernel has no kprobes (CONFIG_KPROBES): ${how}`)
  }
  const remedy =
    arch === 'x64'
      ? 'run as root (capabilities BPF and PERFMON), on Linux 5.17 or newer with BTF (/sys/kernel/btf/vmlinux)'
      : 'there is no engine ebpf for this architecture yet'
  return note('ebpf', `engine ebpf is not possible: ${own.ebpf}`, 'other engines add microseconds to each call', remedy)
}

function ebpfKernelCheck({ bpf, arch }: Facts): Check {
  const id = 'ebpf-kernel'
  const { missing: lacks, lockdown, unprivilegedDisabled, hasKprobes } = bpf
  const cost = 'engine ebpf is not possible'
  if (arch !== 'x64') return note(id, `there is no engine ebpf for ${arch} yet`, cost, 'other engines work')
  if (lacks.length > 0) return note(id, `the kernel lacks ${lacks.join(', ')}`, cost, 'use a newer kernel, with these')
  if (lockdown === 'confidentiality') {
    const remedy = 'boot with lockdown=integrity or without lockdown'
    return note(id, 'lockdown is confidentiality, which lets no program read kernel memory', cost, remedy)
  }
  const parts = [
    'BTF, ring buffer, task storage, bpf_loop and bpf_send_signal are there',
    ...(hasKprobes ? [] : ['no kprobes']),
    ...(lockdown === null ? [] : [`lockdown ${lockdown}`]),
    ...(unprivilegedDisabled === null ? [] : [`unprivileged_bpf_disabled ${unprivilegedDisabled}`]),
  ]
  return ok(id, parts.join('; '))
}

function followCheck({ bpf }: Facts): Check {
  if (bpf.hasCgroup2) return ok('cgroup2', 'mounted: attach --cgroup can name what it follows')
  const remedy = 'mount -t cgroup2 none /sys/fs/cgroup/unified'
  return note('cgroup2', 'not mounted', 'attach --cgroup and learn --cgroup do not work', remedy)
}

function pinCheck({ bpf }: Facts): Check {
  const id = 'pins'
  if (!bpf.hasBpffs) {
    return note(id, 'no BPF file system at /sys/fs/bpf', 'attach --pin does not work', 'mount -t bpf bpf /sys/fs/bpf')
  }
  const { pinned, torn } = bpf
  if (pinned.length + torn.length === 0) return ok(id, 'a BPF file system is mounted; nothing is pinned')
  const told = pinned.map(({ name, folder, readAt, stamp }) => {
    const version = printable(stamp.replace(/ [0-9a-f]+$/, ''))
    return `${printable(name)} (${version}, last read ${new Date(Math.min(readAt, 8.64e15)).toISOString()}, ${printable(folder)})`
  })
  told.push(...torn.map((folder) => `half of a session, which only 'rm -r ${printable(folder)}' ends`))
  const remedy =
    "'tracefp attach --unpin' with the same --pid, --cgroup or --host tells and ends it; so does rm -r, untold"
  return note(id, `pinned: ${told.join('; ')}`, 'what is pinned costs as if tracefp ran', remedy)
}

function cpuCheck({ cpuCount, usableCpuCount }: Facts): Check {
  const message = `${usableCpuCount} of ${cpuCount} can be used`
  if (usableCpuCount > 1) return ok('cpus', message)
  const cost = 'the check shares a CPU with the program: its own work adds to the run time'
  return note('cpus', message, cost, 'give tracefp a second CPU where speed matters')
}

function stopCostCheck({ own }: Facts): Check {
  const id = 'stop-cost'
  if (!isTrial(own) || own.failedOperation !== '') return untested(id)
  if (own.addedUsPerCall === null) return note(id, 'not measured: there is no dd', '', '')
  const message = `a system call takes ${own.addedUsPerCall.toFixed(1)} us under the engine (dd, one byte per call)`
  if (own.addedUsPerCall <= DEAR_STOP_US) return ok(id, message)
  const cost = 'programs that make many calls are slowed down by a multiple of that'
  return note(id, message, cost, "busy machine, or wake-ups across CPUs: compare 'tracefp run --pin always'")
}

function procCheck({ proc, uid }: Facts): Check {
  if (proc === null) {
    return missing('proc', '/proc is not mounted', 'no program can be identified', 'mount -t proc proc /proc')
  }
  if (proc.hidepid === 'off' || uid === 0) return ok('proc', `/proc is mounted, hidepid ${proc.hidepid}`)
  const cost = 'processes above tracefp are not named in reports'
  return note('proc', `/proc is mounted with hidepid=${proc.hidepid}`, cost, 'mount it with gid= of a group of yours')
}

function storeCheck({ store }: Facts): Check {
  const { home, exists, problem, isOpen } = store
  if (problem !== '') {
    const cost = 'learn needs -o FILE, run needs -f FILE'
    return note('store', `${home} cannot be written: ${problem}`, cost, 'set TRACEFP_HOME to a folder of yours')
  }
  if (isOpen) {
    const cost = 'others can change fingerprints; hashes of programs are not kept between runs'
    return note('store', `${home} can be written by others`, cost, `chmod go-w ${home}`)
  }
  return ok('store', exists ? `${home} can be written` : `${home} is not there yet and can be made`)
}

function vdsoCheck({ hasVdso }: Facts): Check {
  const names = 'clock_gettime, gettimeofday, time and getcpu'
  return hasVdso
    ? ok('vdso', `there: ${names} mostly make no system call, so they are not seen`)
    : ok('vdso', `none: ${names} are system calls, and are left out of transitions`)
}

export function isTrial(trial: Trial | FailedTrial): trial is Trial {
  return 'callCount' in trial
}

function isCallInfo({ failedOperation }: Trial): boolean {
  return failedOperation.includes('GET_SYSCALL_INFO')
}

/** Compares the numbers at the start of two versions: '6.18.5-amd64' with '5.3'. */
function isAtLeast(version: string, needed: string): boolean {
  const [have, want] = [version, needed].map((text) => text.split(/[.-]/).map((part) => Number.parseInt(part, 10)))
  const [major, minor] = [(have?.[0] ?? 0) - (want?.[0] ?? 0), (have?.[1] ?? 0) - (want?.[1] ?? 0)]
  return major > 0 || (major === 0 && minor >= 0)
}

function ok(id: string, message: string): Check {
  return { id, status: 'ok', message, cost: '', remedy: '' }
}

function missing(id: string, message: string, cost: string, remedy: string): Check {
  return { id, status: 'missing', message, cost, remedy }
}

function note(id: string, message: string, cost: string, remedy: string): Check {
  return { id, status: 'note', message, cost, remedy }
}

function untested(id: string): Check {
  return note(id, 'not reached by the trial', '', '')
}
