// A daemon forked twice is followed to its own end, after the root program is gone.
//= main: clone wait4
//= fork: setsid clone exit_group exited(0)
//= fork: nanosleep getppid*3 exit_group exited(8)
#include "tracee.h"

int main(void) {
  mark(1);
  pid_t child = raw_fork();
  if (child == 0) {
    sys(setsid);
    if (raw_fork() != 0) sys(exit_group, 0);
    sleep_ms(400);
    repeat_getppid(3);
    sys(exit_group, 8);
  }
  wait_for(child, 0);
  mark(2);
  return 0;
}
