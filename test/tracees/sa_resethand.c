// SA_RESETHAND: the first signal is a frame, the second one kills.
//= main: clone wait4
//= fork: getpid kill [SIGUSR1 getppid rt_sigreturn] kill killed(SIGUSR1)
#include "tracee.h"

static void on_signal(int signal) {
  (void)signal;
  sys(getppid);
}

int main(void) {
  int status = 0;
  handle(SIGUSR1, on_signal, SA_RESETHAND);
  mark(1);
  pid_t child = raw_fork();
  if (child == 0) {
    pid_t self = (pid_t)sys(getpid);
    sys(kill, self, SIGUSR1);
    sys(kill, self, SIGUSR1);
    sys(exit_group, 0);
  }
  wait_for(child, &status);
  mark(2);
  return !(WIFSIGNALED(status) && WTERMSIG(status) == SIGUSR1);
}
