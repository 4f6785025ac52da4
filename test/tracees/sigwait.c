// A signal fetched by rt_sigtimedwait starts no frame, although a handler is set.
//= main: kill rt_sigtimedwait getppid
//= count SIGUSR1 0
#include "tracee.h"

static void on_signal(int signal) { (void)signal; }

int main(void) {
  unsigned long mask = 1UL << (SIGUSR1 - 1);
  pid_t self = getpid();
  handle(SIGUSR1, on_signal, 0);
  sys(rt_sigprocmask, SIG_BLOCK, &mask, 0, 8);
  mark(1);
  sys(kill, self, SIGUSR1);
  long got = sys(rt_sigtimedwait, &mask, 0, 0, 8);
  sys(getppid);
  mark(2);
  return got != SIGUSR1;
}
