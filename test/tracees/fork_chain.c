// A chain of forty forks, each the child of the one before, is forty tracks.
//= main: clone wait4
//= fork*39: clone wait4 exit_group exited(0)
//= fork: getppid exit_group exited(0)
//= births fork 40
#include "tracee.h"

int main(void) {
  mark(1);
  for (int depth = 0; depth <= 40; depth++) {
    pid_t child = depth == 40 ? -1 : raw_fork();
    if (child == 0) continue;
    if (child > 0) wait_for(child, 0);
    if (child < 0) sys(getppid);
    if (depth > 0) sys(exit_group, 0);
    break;
  }
  mark(2);
  return 0;
}
