// What a call can do, in groups for people who review a fingerprint. By name only: what a call does with its arguments is
// not known here, so `openat` reads though it may write. The first groups are those that an attack ends in.
import { baseNameOf, isSpecial } from './mapping.ts'

export type Ability =
  | 'exec'
  | 'trace'
  | 'kernel'
  | 'rights'
  | 'code'
  | 'connect'
  | 'unseen'
  | 'foreign'
  | 'input'
  | 'change'
  | 'process'
  | 'read'
  | 'memory'
  | 'network'
  | 'talk'
  | 'signal'
  | 'wait'
  | 'life'
  | 'other'

interface Group {
  /** In a sentence: what calls of this group do. */
  readonly text: string
  /** An attack ends in it. */
  readonly isTarget: boolean
  readonly names: string
}

/** In the order in which they are shown. */
const GROUPS: Readonly<Record<Ability, Group>> = {
  exec: {
    text: 'start another program',
    isTarget: true,
    names: 'execve execveat NtCreateUserProcess NtCreateProcess NtCreateProcessEx',
  },
  trace: {
    text: 'look into other processes, or change them',
    isTarget: true,
    names: `ptrace process_vm_readv process_vm_writev process_madvise pidfd_getfd kcmp perf_event_open
      NtWriteVirtualMemory NtReadVirtualMemory NtCreateThreadEx NtQueueApcThread NtSetContextThread NtOpenProcess`,
  },
  kernel: {
    text: 'change the kernel, mounts or the machine',
    isTarget: true,
    names: `init_module finit_module delete_module kexec_load kexec_file_load bpf mount umount umount2 move_mount open_tree
      fsopen fsconfig fsmount fspick mount_setattr pivot_root reboot swapon swapoff sethostname setdomainname settimeofday
      clock_settime adjtimex clock_adjtime quotactl acct iopl ioperm syslog NtLoadDriver`,
  },
  rights: {
    text: 'change rights, namespaces or the root',
    isTarget: true,
    names: `setuid setgid setreuid setregid setresuid setresgid setfsuid setfsgid setgroups setuid32 setgid32 setreuid32
      setregid32 setresuid32 setresgid32 setgroups32 setfsuid32 setfsgid32 capset unshare setns chroot personality seccomp
      keyctl add_key request_key open_by_handle_at landlock_restrict_self NtAdjustPrivilegesToken NtSetInformationToken`,
  },
  code: {
    text: 'change what memory can be executed',
    isTarget: true,
    names: `mprotect pkey_mprotect remap_file_pages memfd_create memfd_secret userfaultfd modify_ldt
      NtProtectVirtualMemory`,
  },
  connect: {
    text: 'reach the network',
    isTarget: true,
    names: 'socket socketcall connect bind listen sendto sendmsg sendmmsg',
  },
  unseen: {
    text: 'work that makes no calls',
    isTarget: true,
    names: 'io_uring_setup io_uring_enter io_uring_register',
  },
  foreign: { text: 'another ABI, or a number without a name', isTarget: true, names: '' },
  input: {
    text: 'take input',
    isTarget: false,
    names: `read readv pread64 preadv preadv2 recvfrom recvmsg recvmmsg recv accept accept4 mq_timedreceive msgrcv
      NtReadFile NtDeviceIoControlFile NtReplyWaitReceivePort`,
  },
  change: {
    text: 'write, or change files',
    isTarget: false,
    names: `write writev pwrite64 pwritev pwritev2 rename renameat renameat2 unlink unlinkat rmdir mkdir mkdirat mknod mknodat
      link linkat symlink symlinkat chmod fchmod fchmodat fchmodat2 chown fchown lchown fchownat truncate ftruncate creat
      fallocate setxattr lsetxattr fsetxattr removexattr lremovexattr fremovexattr utime utimes utimensat futimesat sendfile
      splice tee vmsplice copy_file_range sync fsync fdatasync syncfs sync_file_range NtWriteFile NtCreateFile
      NtSetInformationFile NtDeleteFile NtSetValueKey NtCreateKey NtDeleteKey`,
  },
  process: {
    text: 'make, end or govern processes and threads',
    isTarget: false,
    names: `clone clone3 fork vfork exit exit_group wait4 waitid waitpid kill tkill tgkill pidfd_open pidfd_send_signal prctl
      arch_prctl setpgid setsid setpriority sched_setscheduler sched_setparam sched_setattr sched_setaffinity prlimit64
      setrlimit set_tid_address set_robust_list rseq NtTerminateProcess NtTerminateThread NtCreateThread NtResumeThread`,
  },
  read: {
    text: 'open and look at files',
    isTarget: false,
    names: `open openat openat2 close close_range stat fstat lstat newfstatat statx statfs fstatfs access faccessat
      faccessat2 readlink readlinkat getdents getdents64 lseek dup dup2 dup3 fcntl flock ioctl umask chdir fchdir getcwd
      getxattr lgetxattr fgetxattr listxattr inotify_init1 inotify_add_watch fadvise64 readahead NtOpenFile NtClose
      NtQueryInformationFile NtQueryAttributesFile NtOpenKey NtOpenKeyEx NtQueryValueKey NtQueryKey`,
  },
  memory: {
    text: 'map memory',
    isTarget: false,
    names: `mmap mmap2 munmap mremap brk madvise mlock mlock2 munlock mlockall msync mincore membarrier shmget shmat shmdt
      shmctl NtAllocateVirtualMemory NtFreeVirtualMemory NtMapViewOfSection NtUnmapViewOfSection NtCreateSection`,
  },
  network: {
    text: 'use sockets that are there',
    isTarget: false,
    names: 'getsockname getpeername getsockopt setsockopt shutdown socketpair send',
  },
  talk: {
    text: 'pipes, events and queues',
    isTarget: false,
    names: `pipe pipe2 eventfd eventfd2 signalfd signalfd4 timerfd_create timerfd_settime timerfd_gettime epoll_create
      epoll_create1 epoll_ctl mq_open mq_timedsend msgget msgsnd msgctl semget semop semtimedop semctl futex
      futex_waitv NtAlpcSendWaitReceivePort NtSetEvent NtCreateEvent`,
  },
  signal: {
    text: 'signals and timers',
    isTarget: false,
    names: `rt_sigaction rt_sigprocmask rt_sigreturn sigreturn rt_sigpending rt_sigsuspend rt_sigqueueinfo
      rt_tgsigqueueinfo sigaltstack alarm setitimer getitimer timer_create timer_settime timer_delete`,
  },
  wait: {
    text: 'wait',
    isTarget: false,
    names: `poll ppoll select pselect6 epoll_wait epoll_pwait epoll_pwait2 nanosleep clock_nanosleep pause rt_sigtimedwait
      sched_yield restart_syscall NtWaitForSingleObject NtWaitForMultipleObjects NtDelayExecution`,
  },
  life: { text: 'begin and end', isTarget: false, names: '' },
  other: { text: 'other', isTarget: false, names: '' },
}

export const ABILITIES: readonly Ability[] = Object.keys(GROUPS) as Ability[]

const byName: ReadonlyMap<string, Ability> = new Map(
  ABILITIES.flatMap((ability) =>
    GROUPS[ability].names
      .split(/\s+/)
      .filter((name) => name !== '')
      .map((name): [string, Ability] => [name, ability]),
  ),
)

/** What the call can do. A call of another ABI is foreign, whatever it does: it is a way around whoever watches. */
export function abilityOf(symbol: string): Ability {
  if (isSpecial(symbol)) return 'life'
  const name = baseNameOf(symbol)
  if (symbol.includes(':') || name.startsWith('sys_')) return 'foreign'
  return byName.get(name) ?? 'other'
}

export function abilityText(ability: Ability): string {
  return GROUPS[ability].text
}

/** Whether attacks end in calls of this group. */
export function isTargetAbility(ability: Ability): boolean {
  return GROUPS[ability].isTarget
}

/** Whether an attack ends in such a call. */
export function isTarget(symbol: string): boolean {
  return isTargetAbility(abilityOf(symbol))
}

/** Whether what an attacker sends comes in by this call. */
export function isInput(symbol: string): boolean {
  return abilityOf(symbol) === 'input'
}
