// CLONE_PARENT: the grandchild becomes a child of its grandparent, which reaps both.
//= main: clone wait4*2
//= fork: clone exit_group
//= fork: getppid exit_group
#include "tracee.h"

int main(void) {
  int reaped = 0;
  mark(1);
  if (raw_fork() == 0) {
    if (sys(clone, CLONE_PARENT | SIGCHLD, 0, 0, 0, 0) == 0) sys(getppid);
    sys(exit_group, 0);
  }
  for (int i = 0; i < 2; i++) reaped += wait_for(-1, 0) > 0;
  mark(2);
  return reaped != 2;
}
