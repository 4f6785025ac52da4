// What a call can do, if somebody else than the program decides about it, to confidentiality, integrity and availability:
// 0 nothing, 1 little, 2 much, 3 all. In the spirit of the threat levels that Bernaschi, Gabrielli and Mancini gave to system
// calls and of Arshad's classes; the numbers are ours, and each is an upper bound, since arguments are not seen.

import { baseNameOf } from '../syscall/mapping.ts'

export interface Effect {
  readonly confidentiality: number
  readonly integrity: number
  readonly availability: number
}

/** Digits: confidentiality, integrity, availability. Names that differ by `32`, `64` and `_time64` at their end stand once. */
const TABLE: Readonly<Record<string, string>> = {
  // Other code runs, in this program or in the kernel.
  '333': `execve execveat ptrace process_vm_writev init_module finit_module create_module kexec_load kexec_file_load bpf
    uselib modify_ldt iopl ioperm vm86 vm86old open_by_handle_at security tuxcall afs_syscall vserver`,
  // Rights of the process.
  '332': `setuid setgid setreuid setregid setresuid setresgid setfsuid setfsgid setgroups capset setns pivot_root chroot mount
    move_mount open_tree open_tree_attr fsopen fsmount fsconfig fspick mount_setattr userfaultfd uprobe uretprobe keyctl
    io_uring_setup io_uring_enter io_uring_register pidfd_getfd`,
  // Memory that can be executed, code that was built in memory.
  '232': `mprotect pkey_mprotect remap_file_pages memfd_create unshare personality mknod mknodat`,
  '231': `chmod fchmod fchmodat fchmodat2 chown fchown lchown fchownat setxattr lsetxattr fsetxattr setxattrat file_setattr
    add_key`,
  // The net, and other processes' memory.
  '320': `connect sendto sendmsg sendmmsg socketcall sendfile process_vm_readv`,
  '310': `socket socketpair bind listen accept accept4 perf_event_open memfd_secret kcmp lookup_dcookie`,
  '311': `ipc request_key name_to_handle_at fanotify_init fanotify_mark`,
  '220': `recvfrom recvmsg recvmmsg splice tee vmsplice copy_file_range shmat`,
  // Files are opened, read.
  '222': 'open openat openat2 creat ioctl fcntl prctl seccomp sysfs _sysctl nfsservctl lsm_set_self_attr',
  '200': `read readv pread64 preadv preadv2 getdents readdir readlink readlinkat getxattr lgetxattr fgetxattr getxattrat
    listxattr llistxattr flistxattr listxattrat syslog mq_timedreceive msgrcv getpmsg io_getevents io_pgetevents
    inotify_init inotify_init1 inotify_add_watch get_kernel_syms query_module process_madvise`,
  // Files are written, made, removed.
  '023': `unlink unlinkat rmdir truncate ftruncate rename renameat renameat2 delete_module umount umount2 swapoff`,
  '022': `write writev pwrite64 pwritev pwritev2 link linkat symlink symlinkat fallocate removexattr lremovexattr fremovexattr
    removexattrat mq_unlink io_submit`,
  '021': `mkdir mkdirat utime utimes utimensat futimesat umask mq_open mq_timedsend msgsnd putpmsg shmget shmctl msgget msgctl
    semget semctl semop semtimedop setsockopt quotactl quotactl_fd acct mq_getsetattr`,
  '033': `settimeofday clock_settime stime adjtimex clock_adjtime sethostname setdomainname`,
  // Others, or the machine, stop.
  '003': 'reboot swapon vhangup bdflush',
  '013': `kill tkill tgkill rt_sigqueueinfo rt_tgsigqueueinfo pidfd_send_signal process_mrelease`,
  '002': `setrlimit prlimit64 ulimit sched_setscheduler sched_setattr sched_setparam ioprio_set setpriority nice mlock mlock2
    mlockall fork vfork clone clone3 exit exit_group set_mempolicy mbind migrate_pages move_pages
    set_mempolicy_home_node flock lock sync syncfs fsync fdatasync sync_file_range msync shutdown`,
  // Memory and descriptors of its own.
  '111': `mmap mmap2 mremap brk map_shadow_stack rt_sigreturn sigreturn arch_prctl set_thread_area dup dup2 dup3 chdir fchdir
    break prof profil mpx`,
  '011': `munmap madvise rt_sigaction sigaction signal rt_sigprocmask sigprocmask sigaltstack ssetmask setsid setpgid
    pkey_alloc pkey_free shmdt munlock munlockall io_setup io_destroy io_cancel stty timer_create timerfd_create
    pipe pipe2 eventfd eventfd2 signalfd signalfd4 epoll_create epoll_create1 epoll_ctl epoll_ctl_old pidfd_open mseal`,
  '001': `close close_range sched_setaffinity alarm setitimer timer_settime timer_delete timerfd_settime mq_notify nanosleep
    clock_nanosleep pause poll ppoll select pselect6 _newselect epoll_wait epoll_pwait epoll_pwait2 epoll_wait_old futex
    futex_wait futex_wake futex_waitv futex_requeue rt_sigsuspend sigsuspend rt_sigtimedwait sched_yield wait4 waitid
    waitpid inotify_rm_watch readahead fadvise64 fadvise64_64 idle rseq_slice_yield`,
  // Asks something about files and others.
  '100': `stat lstat fstat newfstatat fstatat64 statx oldstat oldlstat oldfstat statfs fstatfs statmount listmount listns ustat
    access faccessat faccessat2 getcwd getpeername getsockname getsockopt mincore cachestat file_getattr
    lsm_get_self_attr lsm_list_modules get_mempolicy`,
  // Asks something about itself.
  '000': `getpid gettid getppid getpgid getpgrp getsid getuid geteuid getgid getegid getresuid getresgid getgroups capget uname
    olduname oldolduname sysinfo getrlimit ugetrlimit getrusage times time gettimeofday ftime clock_gettime clock_getres
    getcpu getrandom getpriority getitimer timer_gettime timer_getoverrun timerfd_gettime sched_getaffinity
    sched_getattr sched_getparam sched_getscheduler sched_get_priority_max sched_get_priority_min
    sched_rr_get_interval ioprio_get get_thread_area set_tid_address set_robust_list get_robust_list rseq membarrier
    restart_syscall rt_sigpending sigpending sgetmask lseek _llseek gtty landlock_create_ruleset
    landlock_add_rule landlock_restrict_self`,
}

/** Services of Windows by the first word of their name. */
const NT_TABLE: Readonly<Record<string, string>> = {
  '333': 'Load Unload Impersonate Adjust Privilege Acquire Raise Replace Restore Debug System Vdm',
  '232': 'Create Protect Map Queue Resume Assign Modify Set Duplicate Write Rename Rollback Commit Save',
  '222': 'Open Device Fs Alpc Request Connect Accept Listen Secure Make',
  '200': 'Read Query Enumerate Get Compare Access Trace Find',
  '023': 'Delete Terminate Suspend Freeze Shutdown Remove Clear Flush Lock Cancel Unmap Free',
  '111': 'Allocate Extend Add Register Notify Alert Reply Complete Initialize Start',
}

/** Through another ABI, or a number without a name: whatever it is, it goes around somebody. */
const UNKNOWN: Effect = { confidentiality: 2, integrity: 2, availability: 2 }

const effects = new Map<string, Effect>()
const ntEffects = new Map<string, Effect>()
for (const [table, into] of [
  [TABLE, effects],
  [NT_TABLE, ntEffects],
] as const) {
  for (const [digits, names] of Object.entries(table)) {
    const [confidentiality, integrity, availability] = [...digits].map(Number) as [number, number, number]
    for (const name of names.trim().split(/\s+/)) into.set(name, { confidentiality, integrity, availability })
  }
}

/** Undefined: no table has the name. */
export function effectOfName(name: string): Effect | undefined {
  const plain = name.replace(/_time64$/, '')
  return effects.get(name) ?? effects.get(plain) ?? effects.get(plain.replace(/(?:32|64)$/, ''))
}

/** Of the destination of a miss: a call, `exec:PROGRAM`, `image:...`, or `<end>`. */
export function effectOf(symbol: string): Effect {
  if (symbol.startsWith('exec:')) return { confidentiality: 3, integrity: 3, availability: 3 }
  if (symbol.startsWith('image:')) return { confidentiality: 2, integrity: 3, availability: 2 }
  if (symbol.startsWith('<')) return { confidentiality: 0, integrity: 0, availability: 1 }
  const name = baseNameOf(symbol)
  const known = /^(?:Nt|Zw)[A-Z]/.test(name)
    ? (ntEffects.get(/^[A-Z][a-z]*/.exec(name.slice(2))?.[0] ?? '') ?? UNKNOWN)
    : effectOfName(name)
  if (known === undefined) return UNKNOWN
  return symbol.includes(':') ? worse(known, UNKNOWN) : known
}

function worse(a: Effect, b: Effect): Effect {
  return {
    confidentiality: Math.max(a.confidentiality, b.confidentiality),
    integrity: Math.max(a.integrity, b.integrity),
    availability: Math.max(a.availability, b.availability),
  }
}
