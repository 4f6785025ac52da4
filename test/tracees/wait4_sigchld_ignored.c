// With SIGCHLD ignored wait4 waits until the child is gone and fails with ECHILD: one record, no frame.
//= main: clone wait4 getppid
//= fork: nanosleep exit_group exited(3)
//= count SIGCHLD 0
#include "tracee.h"

int main(void) {
  handle(SIGCHLD, SIG_IGN, 0);
  mark(1);
  pid_t child = raw_fork();
  if (child == 0) {
    sleep_ms(50);
    sys(exit_group, 3);
  }
  long got = wait_for(child, 0), error = errno;
  sys(getppid);
  mark(2);
  return !(got == -1 && error == ECHILD);
}
