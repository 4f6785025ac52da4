// Twenty queued real-time signals are twenty frames, one after the other.
//= main: rt_sigqueueinfo*20 rt_sigprocmask [SIG40 getppid rt_sigreturn]*20 getpid
#include "tracee.h"

static void on_signal(int signal) {
  (void)signal;
  sys(getppid);
}

int main(void) {
  unsigned long mask = 1UL << (40 - 1);
  pid_t self = getpid();
  siginfo_t info = {.si_signo = 40, .si_code = SI_QUEUE};
  handle(40, on_signal, 0);
  sys(rt_sigprocmask, SIG_BLOCK, &mask, 0, 8);
  mark(1);
  for (int i = 0; i < 20; i++) sys(rt_sigqueueinfo, self, 40, &info);
  sys(rt_sigprocmask, SIG_UNBLOCK, &mask, 0, 8);
  sys(getpid);
  mark(2);
  return 0;
}
