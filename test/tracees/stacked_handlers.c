// Two signals unblocked at once: the kernel stacks both frames before a handler runs, the later one on top.
//= main: kill kill rt_sigprocmask SIGUSR1 SIGUSR2 getppid rt_sigreturn getpid rt_sigreturn gettid
#include "tracee.h"

static void on_first(int signal) {
  (void)signal;
  sys(getpid);
}

static void on_second(int signal) {
  (void)signal;
  sys(getppid);
}

int main(void) {
  unsigned long both = 1UL << (SIGUSR1 - 1) | 1UL << (SIGUSR2 - 1);
  pid_t self = getpid();
  handle(SIGUSR1, on_first, 0);
  handle(SIGUSR2, on_second, 0);
  sys(rt_sigprocmask, SIG_BLOCK, &both, 0, 8);
  mark(1);
  sys(kill, self, SIGUSR1);
  sys(kill, self, SIGUSR2);
  sys(rt_sigprocmask, SIG_UNBLOCK, &both, 0, 8);
  sys(gettid);
  mark(2);
  return 0;
}
