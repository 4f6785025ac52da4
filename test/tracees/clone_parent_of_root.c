// CLONE_PARENT by the root program: the child of a stranger is still a track of the session.
//= main: clone close read
//= fork: getppid*5 exit_group exited(0)
#include "tracee.h"

int main(void) {
  int ends[2];
  char byte;
  if (pipe(ends) != 0) return 1;
  mark(1);
  if (sys(clone, CLONE_PARENT | SIGCHLD, 0, 0, 0, 0) == 0) {
    repeat_getppid(5);
    sys(exit_group, 0);
  }
  sys(close, ends[1]);
  long got = sys(read, ends[0], &byte, 1);  // the end of the pipe: the child is gone
  mark(2);
  return got != 0;
}
