// A child forked in a handler copies the frame and returns from it too.
//= main: kill [SIGUSR1 clone rt_sigreturn] wait4
//= fork: getpid rt_sigreturn getppid exit_group exited(5)
#include "tracee.h"

static volatile pid_t child;

static void on_signal(int signal) {
  (void)signal;
  child = raw_fork();
  if (child == 0) sys(getpid);
}

int main(void) {
  int status = 0;
  pid_t self = getpid();
  handle(SIGUSR1, on_signal, 0);
  mark(1);
  sys(kill, self, SIGUSR1);
  if (child == 0) {
    sys(getppid);
    sys(exit_group, 5);
  }
  wait_for(child, &status);
  mark(2);
  return WEXITSTATUS(status) != 5;
}
