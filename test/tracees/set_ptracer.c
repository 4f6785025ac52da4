// PR_SET_PTRACER, which names another process as the one that may trace, changes nothing for the tracer there is.
//= main: prctl getppid clone wait4
//= fork: getppid exit_group
#include "tracee.h"

int main(void) {
  pid_t self = getpid();
  mark(1);
  sys(prctl, PR_SET_PTRACER, self, 0, 0, 0);
  sys(getppid);
  pid_t child = raw_fork();
  if (child == 0) {
    sys(getppid);
    sys(exit_group, 0);
  }
  wait_for(child, 0);
  mark(2);
  return 0;
}
