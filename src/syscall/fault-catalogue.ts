// Errors that calls are documented to return (man-pages 6): those that programs meet in real life, when a disk is full, a file is
// missing, a right is lacking, a peer is gone or a limit is reached. Not here: brk, whose failure is no errno, and futex, whose
// callers would wait for ever.

import { constants } from 'node:os'

export interface DocumentedFault {
  /** Name of the call. */
  readonly call: string
  /** `ENOSPC`; `0` and `1` are short counts. */
  readonly error: string
  /** What the call returns: -errno, or a short count. */
  readonly result: number
  /** What causes it does not go away by itself: it may fail from some call on. */
  readonly canLast: boolean
}

const LASTING: readonly string[] = `EACCES EAFNOSUPPORT ECONNREFUSED EIO EMFILE ENETUNREACH ENOMEM ENOSPC EROFS`.split(
  ' ',
)

/** Calls, then the errors of each of them. */
const TABLE: readonly (readonly [calls: string, errors: string])[] = [
  ['open openat openat2 creat', 'ENOENT EACCES EMFILE ENOSPC'],
  ['read pread64 readv preadv preadv2', '0 EINTR EIO'],
  ['write pwrite64 writev pwritev pwritev2', 'ENOSPC EIO EPIPE EINTR 1'],
  ['close', 'EIO'],
  ['fsync fdatasync sync_file_range msync', 'EIO ENOSPC'],
  ['fallocate', 'ENOSPC EOPNOTSUPP'],
  ['truncate ftruncate', 'EIO EACCES'],
  ['stat lstat newfstatat statx access faccessat faccessat2 readlink readlinkat chdir statfs', 'ENOENT EACCES'],
  ['getcwd', 'ENOENT'],
  ['getdents getdents64', 'ENOENT EIO'],
  ['mkdir mkdirat', 'EEXIST EACCES ENOSPC'],
  ['rmdir', 'ENOTEMPTY EACCES'],
  ['unlink unlinkat', 'ENOENT EACCES'],
  ['rename renameat renameat2', 'EXDEV EACCES ENOENT ENOSPC'],
  ['link linkat symlink symlinkat mknod mknodat', 'EEXIST EPERM ENOSPC'],
  ['chmod fchmod fchmodat chown fchown lchown fchownat utimensat', 'EPERM EROFS'],
  ['sendfile copy_file_range splice', '0 EINVAL EIO'],
  ['getxattr lgetxattr fgetxattr listxattr llistxattr', 'EOPNOTSUPP ENODATA'],
  ['lseek', 'ESPIPE'],
  ['ioctl', 'ENOTTY'],
  ['fcntl', 'EMFILE EAGAIN'],
  ['flock', 'EWOULDBLOCK EINTR'],
  ['dup dup3 pipe pipe2 epoll_create1 eventfd2 memfd_create inotify_init1 timerfd_create signalfd4', 'EMFILE'],
  ['dup2', 'EBUSY'],
  ['socket', 'EMFILE EACCES EAFNOSUPPORT'],
  ['connect', 'ECONNREFUSED ETIMEDOUT ENETUNREACH EINTR'],
  ['bind', 'EADDRINUSE EACCES'],
  ['listen', 'EADDRINUSE'],
  ['accept accept4', 'EMFILE ECONNABORTED EINTR'],
  ['sendto sendmsg sendmmsg', 'ECONNRESET EPIPE EINTR'],
  ['recvfrom recvmsg recvmmsg', '0 ECONNRESET EINTR'],
  ['poll ppoll select pselect6 epoll_wait epoll_pwait epoll_pwait2', 'EINTR'],
  ['nanosleep clock_nanosleep', 'EINTR'],
  ['mmap mremap', 'ENOMEM'],
  ['mprotect', 'ENOMEM EACCES'],
  ['clone vfork fork', 'EAGAIN ENOMEM'],
  ['clone3', 'EAGAIN ENOSYS'],
  ['execve execveat', 'ENOENT EACCES'],
  ['wait4 waitid', 'EINTR ECHILD'],
  ['kill tgkill', 'ESRCH EPERM'],
  ['setrlimit prlimit64 setgroups setpriority', 'EPERM'],
  ['setuid setgid setresuid setresgid', 'EPERM EAGAIN'],
  ['getrandom', 'EINTR'],
]

const byCall = new Map<string, readonly DocumentedFault[]>()

/** What a call is known to fail with; empty: it is not in the table. */
export function faultsOf(call: string): readonly DocumentedFault[] {
  if (byCall.size === 0) {
    for (const [calls, errors] of TABLE) {
      for (const name of calls.split(' '))
        byCall.set(
          name,
          errors.split(' ').map((error) => faultOf(name, error)),
        )
    }
  }
  return byCall.get(call) ?? []
}

function faultOf(call: string, error: string): DocumentedFault {
  const errno = constants.errno[error as keyof typeof constants.errno]
  return { call, error, result: errno === undefined ? Number(error) : -errno, canLast: LASTING.includes(error) }
}
