// A child with exit signal 0 is a forked track like any other.
//= main: clone wait4
//= fork: getppid exit_group exited(2)
#include "tracee.h"

int main(void) {
  int status = 0;
  mark(1);
  pid_t child = (pid_t)sys(clone, 0, 0, 0, 0, 0);
  if (child == 0) {
    sys(getppid);
    sys(exit_group, 2);
  }
  wait_for(child, &status);
  mark(2);
  return WEXITSTATUS(status) != 2;
}
