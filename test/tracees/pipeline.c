// Two processes joined by a pipe are two tracks, whatever the order in which they run.
//= main: clone close clone close wait4*2
//= fork: write*50 exit_group
//= fork: close read*51 exit_group exited(50)
#include "tracee.h"

int main(void) {
  int ends[2], status = 0;
  char byte;
  if (pipe(ends) != 0) return 1;
  mark(1);
  pid_t reader = raw_fork();
  if (reader == 0) {
    int total = 0;
    sys(close, ends[1]);
    while (sys(read, ends[0], &byte, 1) == 1) total++;
    sys(exit_group, total);
  }
  sys(close, ends[0]);
  pid_t writer = raw_fork();
  if (writer == 0) {
    for (int i = 0; i < 50; i++) sys(write, ends[1], "x", 1);
    sys(exit_group, 0);
  }
  sys(close, ends[1]);
  wait_for(writer, 0);
  wait_for(reader, &status);
  mark(2);
  return WEXITSTATUS(status) != 50;
}
