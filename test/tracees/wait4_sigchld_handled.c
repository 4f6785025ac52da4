// With a SIGCHLD handler wait4 returns the child first; the handler is one frame after it.
//= main: clone wait4 getppid [SIGCHLD getpid rt_sigreturn]*
//= fork: nanosleep exit_group exited(3)
//= count SIGCHLD 1
#include "tracee.h"

static void on_child(int signal) {
  (void)signal;
  sys(getpid);
}

int main(void) {
  int status = 0;
  handle(SIGCHLD, on_child, SA_RESTART);
  mark(1);
  pid_t child = raw_fork();
  if (child == 0) {
    sleep_ms(50);
    sys(exit_group, 3);
  }
  long got = wait_for(child, &status);
  sys(getppid);
  mark(2);
  return !(got == child && WEXITSTATUS(status) == 3);
}
