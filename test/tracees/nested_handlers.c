// A handler interrupted by another handler: two frames, the inner one closed first.
//= main: kill [SIGUSR1 kill [SIGUSR2 getppid rt_sigreturn] getppid rt_sigreturn] getpid
#include "tracee.h"

static pid_t self;

static void on_inner(int signal) {
  (void)signal;
  sys(getppid);
}

static void on_outer(int signal) {
  (void)signal;
  sys(kill, self, SIGUSR2);
  sys(getppid);
}

int main(void) {
  self = getpid();
  handle(SIGUSR1, on_outer, 0);
  handle(SIGUSR2, on_inner, 0);
  mark(1);
  sys(kill, self, SIGUSR1);
  sys(getpid);
  mark(2);
  return 0;
}
