// A child that asked for SIGKILL at its parent's death ends when the root program does.
//= main: clone read exit_group exited(0)
//= fork: prctl write read? killed(SIGKILL)
#include "tracee.h"

int main(void) {
  int ready[2], never[2];
  char byte;
  if (pipe(ready) != 0 || pipe(never) != 0) return 1;
  mark(1);
  if (raw_fork() == 0) {
    sys(prctl, PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
    sys(write, ready[1], "x", 1);
    sys(read, never[0], &byte, 1);
    sys(exit_group, 1);
  }
  sys(read, ready[0], &byte, 1);
  return (int)sys(exit_group, 0);
}
