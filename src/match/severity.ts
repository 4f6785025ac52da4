// How bad a miss is. A small fixed policy, so that a reader of a report can tell from it what was judged:
//
//                     known pair,        known call,     call never seen
//                     unseen sequence    unseen pair     in this program
//   ordinary call     low                low             medium
//   sensitive call    medium             high            critical
//
//   exec of an unexpected program: critical    another image: high    end of a frame that is none: high    end: low
import { baseNameOf, isFrameReturn } from '../syscall/mapping.ts'

export type Severity = 'low' | 'medium' | 'high' | 'critical'

/** Calls that start programs, reach the net, change rights, memory protection or the kernel, or look into others. */
const SENSITIVE: ReadonlySet<string> = new Set(
  `execve execveat ptrace process_vm_readv process_vm_writev process_madvise pidfd_getfd kcmp
  socket socketcall connect bind listen accept accept4 sendto sendmsg sendmmsg
  mprotect pkey_mprotect remap_file_pages memfd_create memfd_secret userfaultfd
  setuid setgid setreuid setregid setresuid setresgid setfsuid setfsgid setgroups capset
  setuid32 setgid32 setreuid32 setregid32 setresuid32 setresgid32 setgroups32
  init_module finit_module delete_module kexec_load kexec_file_load bpf perf_event_open
  mount umount umount2 move_mount open_tree fsopen fsmount mount_setattr pivot_root chroot unshare setns
  open_by_handle_at chmod fchmod fchmodat fchmodat2 chown fchown lchown fchownat unlink unlinkat mknod mknodat
  iopl ioperm modify_ldt reboot swapon swapoff sethostname setdomainname settimeofday clock_settime quotactl acct
  keyctl add_key request_key personality seccomp io_uring_setup io_uring_enter io_uring_register`
    .split(/\s+/)
    .filter((name) => name !== ''),
)

/** A call through another ABI and a number without a name count as sensitive: both are ways around a checker. */
export function isSensitive(symbol: string): boolean {
  const name = baseNameOf(symbol)
  return symbol.includes(':') ? !symbol.startsWith('<') : SENSITIVE.has(name) || name.startsWith('sys_')
}

/** `depth`: the lowest one at which it is a miss; above 2 the pair was seen. */
export function severityOfCall(symbol: string, isKnown: boolean, depth: number = 2): Severity {
  if (!isSensitive(symbol)) return isKnown ? 'low' : 'medium'
  if (!isKnown) return 'critical'
  return depth > 2 ? 'medium' : 'high'
}

export const EXEC_SEVERITY: Severity = 'critical'
export const IMAGE_SEVERITY: Severity = 'high'
export const STRAY_SEVERITY: Severity = 'high'
export const END_SEVERITY: Severity = 'low'

/** Whether the program was ever seen to make the call of a miss of kind `call`: the table above read backwards. */
export function wasKnownCall(symbol: string, severity: Severity): boolean {
  if (severity === 'medium') return isSensitive(symbol)
  return severity === 'low' || (severity === 'high' && (isSensitive(symbol) || isFrameReturn(symbol)))
}

/** A rt_sigreturn without a frame: an ordinary call, so only that makes it high. */
export function isStrayReturn(symbol: string, severity: Severity): boolean {
  return isFrameReturn(symbol) && !isSensitive(symbol) && severity === STRAY_SEVERITY
}
