// A child that nobody waits for ends its track when it dies, not when it is reaped.
//= main: clone nanosleep getppid
//= fork: getppid exit_group exited(1)
#include "tracee.h"

int main(void) {
  mark(1);
  if (raw_fork() == 0) {
    sys(getppid);
    sys(exit_group, 1);
  }
  sleep_ms(100);
  sys(getppid);
  mark(2);
  return 0;
}
