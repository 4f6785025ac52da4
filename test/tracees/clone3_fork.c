// A child made by clone3 is a forked track.
//= main: clone3 wait4
//= fork: getppid exit_group exited(2)
#include "tracee.h"

int main(void) {
  unsigned long arguments[8] = {0};  // struct clone_args, first version
  int status = 0;
  arguments[4] = SIGCHLD;
  mark(1);
  pid_t child = (pid_t)sys(clone3, arguments, sizeof arguments);
  if (child == 0) {
    sys(getppid);
    sys(exit_group, 2);
  }
  wait_for(child, &status);
  mark(2);
  return WEXITSTATUS(status) != 2;
}
