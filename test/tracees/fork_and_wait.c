// A fork is one call of the parent and one new track.
//= arch x86_64
//= main: fork wait4 getppid
//= fork: getppid exit_group exited(4)
#include "tracee.h"

int main(void) {
  int status = 0;
  mark(1);
  pid_t child = (pid_t)sys(fork);
  if (child == 0) {
    sys(getppid);
    sys(exit_group, 4);
  }
  wait_for(child, &status);
  sys(getppid);
  mark(2);
  return WEXITSTATUS(status) != 4;
}
