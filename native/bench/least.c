// The least that a way of seeing each call of a program can cost: it is told of every call, keeps its number in memory, and does
// no more. least notify|trace COMMAND... ; for programs of one thread that start no others. What tracefp costs is held
// against it, on the same machine in the same run.
#define _GNU_SOURCE
#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#ifndef SECCOMP_IOCTL_NOTIF_SET_FLAGS
#define SECCOMP_IOCTL_NOTIF_SET_FLAGS SECCOMP_IOW(4, __u64)
#endif
#ifndef SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV
#define SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV (1UL << 5)
#endif
#define SYNC_WAKE_UP 1UL
#define NUMBERS 65536

static volatile uint32_t numbers[NUMBERS];
static uint32_t count;
// Shared with the child: the number of its listener, once it has one.
static volatile int* listener;

static long install(uint32_t action, unsigned long flags) {
  struct sock_filter filter[] = {{BPF_RET | BPF_K, 0, 0, action}};
  struct sock_fprog program = {1, filter};
  prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
  return syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, flags, &program);
}

static void keep(uint32_t number) { numbers[count++ % NUMBERS] = number; }

static int notify(pid_t child) {
  while (*listener == 0) usleep(100);
  const int process = (int)syscall(SYS_pidfd_open, child, 0);
  const int fd = (int)syscall(SYS_pidfd_getfd, process, *listener, 0);
  if (fd < 0) return 2;
  if (ioctl(fd, SECCOMP_IOCTL_NOTIF_SET_FLAGS, SYNC_WAKE_UP) != 0) return 2;
  for (;;) {
    struct seccomp_notif call;
    memset(&call, 0, sizeof call);
    if (ioctl(fd, SECCOMP_IOCTL_NOTIF_RECV, &call) != 0) {
      if (errno == EINTR) continue;
      return errno == ENOENT ? 0 : 2;
    }
    keep((uint32_t)call.data.nr);
    struct seccomp_notif_resp answer = {call.id, 0, 0, SECCOMP_USER_NOTIF_FLAG_CONTINUE};
    (void)ioctl(fd, SECCOMP_IOCTL_NOTIF_SEND, &answer);
    if (call.data.nr == SYS_exit_group) return 0;
  }
}

static int trace(pid_t child) {
  int status;
  if (waitpid(child, &status, __WALL) != child || !WIFSTOPPED(status)) return 2;
  if (ptrace(PTRACE_SETOPTIONS, child, 0, PTRACE_O_TRACESECCOMP | PTRACE_O_EXITKILL) != 0) return 2;
  for (int signal = 0;;) {
    if (ptrace(PTRACE_CONT, child, 0, signal) != 0) return 2;
    if (waitpid(child, &status, __WALL) != child) return 2;
    if (!WIFSTOPPED(status)) return 0;
    signal = 0;
    if (status >> 8 == (SIGTRAP | PTRACE_EVENT_SECCOMP << 8)) {
      struct __ptrace_syscall_info info;
      if (ptrace(PTRACE_GET_SYSCALL_INFO, child, sizeof info, &info) < 0) return 2;
      keep((uint32_t)info.seccomp.nr);
    } else if (status >> 16 == 0) {
      signal = WSTOPSIG(status) == SIGTRAP ? 0 : WSTOPSIG(status);
    }
  }
}

int main(int argument_count, char** arguments) {
  if (argument_count < 3) return 2;
  const int is_notify = strcmp(arguments[1], "notify") == 0;
  listener = mmap(0, sizeof *listener, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  if (!is_notify) {
    cpu_set_t one;  // a stop that wakes another CPU costs ten times as much
    CPU_ZERO(&one);
    CPU_SET(sched_getcpu(), &one);
    sched_setaffinity(0, sizeof one, &one);
  }
  const pid_t child = fork();
  if (child < 0) return 2;
  if (child == 0) {
    if (is_notify) {
      const unsigned long flags = SECCOMP_FILTER_FLAG_NEW_LISTENER | SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV;
      *listener = (int)install(SECCOMP_RET_USER_NOTIF, flags);
    } else {
      ptrace(PTRACE_TRACEME, 0, 0, 0);
      raise(SIGSTOP);
      install(SECCOMP_RET_TRACE, 0);
    }
    execvp(arguments[2], arguments + 2);
    _exit(127);
  }
  int result = is_notify ? notify(child) : trace(child);
  if (result != 0) kill(child, SIGKILL);
  int status;
  if (is_notify && waitpid(child, &status, 0) == child && !WIFEXITED(status)) result = 2;
  return result;
}
