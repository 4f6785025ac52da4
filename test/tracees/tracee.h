// What every tracee shares: marks around the part that is compared, raw calls, raw threads. Whatever runs between the
// marks goes through syscall(2) or glibc's clone(), which make exactly the call they are asked for in every libc.
#ifndef TRACEE_H
#define TRACEE_H
#ifndef _GNU_SOURCE
#error "compile with -D_GNU_SOURCE, as test/live/tracees.ts does"
#endif
#include <errno.h>
#include <fcntl.h>
#include <linux/futex.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define sys(call, ...) syscall(SYS_##call, ##__VA_ARGS__)

// 1 begins and 2 ends what is compared of the calling track; 3 leaves the whole track out, for children that only help.
// These numbers exist on no ABI: ENOSYS.
static inline void mark(int n) { syscall(5000 + n); }

// A fork as one `clone`, on every architecture and libc.
static inline pid_t raw_fork(void) { return (pid_t)sys(clone, SIGCHLD, 0, 0, 0, 0); }

// A child that only helps: its track is not compared.
static inline pid_t fork_helper(void) {
  pid_t child = raw_fork();
  if (child == 0) mark(3);
  return child;
}

static inline void repeat_getppid(int times) {
  for (int i = 0; i < times; i++) sys(getppid);
}

static inline void sleep_ms(long ms) {
  struct timespec time = {ms / 1000, ms % 1000 * 1000000};
  sys(nanosleep, &time, 0);
}

static inline pid_t wait_for(pid_t pid, int* status) { return (pid_t)sys(wait4, pid, status, __WALL, 0); }

static inline void handle(int signal, void (*handler)(int), int flags) {
  struct sigaction action = {.sa_handler = handler, .sa_flags = flags};
  sigaction(signal, &action, 0);
}

// A thread with a stack of its own, and no call but `clone` in the caller and `exit` in itself.
struct thread {
  _Alignas(64) char stack[32768];
  int alive;
};

static inline int start_thread(struct thread* thread, int (*run)(void*), void* argument) {
  int flags = CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD | CLONE_SYSVSEM | CLONE_CHILD_CLEARTID;
  __atomic_store_n(&thread->alive, 1, __ATOMIC_SEQ_CST);
  int tid = clone(run, thread->stack + sizeof thread->stack, flags, argument, 0, 0, &thread->alive);
  if (tid < 0) thread->alive = 0;
  return tid;
}

// Waits in `futex`, as often as it takes: write `futex*` for the caller.
static inline void join_thread(struct thread* thread) {
  while (__atomic_load_n(&thread->alive, __ATOMIC_SEQ_CST) != 0) sys(futex, &thread->alive, FUTEX_WAIT, 1, 0, 0, 0);
}

static inline void no_core(void) { prctl(PR_SET_DUMPABLE, 0); }

#endif
