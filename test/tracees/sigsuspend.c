// A pending signal that rt_sigsuspend lets through is a frame after that one call.
//= main: kill rt_sigsuspend [SIGUSR1 getppid rt_sigreturn] getpid
#include "tracee.h"

static void on_signal(int signal) {
  (void)signal;
  sys(getppid);
}

int main(void) {
  unsigned long mask = 1UL << (SIGUSR1 - 1), none = 0;
  pid_t self = getpid();
  handle(SIGUSR1, on_signal, SA_RESTART);
  sys(rt_sigprocmask, SIG_BLOCK, &mask, 0, 8);
  mark(1);
  sys(kill, self, SIGUSR1);
  long result = sys(rt_sigsuspend, &none, 8);
  int error = errno;
  sys(getpid);
  mark(2);
  return !(result == -1 && error == EINTR);
}
