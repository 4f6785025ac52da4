// A child killed while it makes calls ends its track by SIGKILL.
//= main: clone nanosleep kill wait4
//= fork: getppid+ killed(SIGKILL)
#include "tracee.h"

int main(void) {
  int status = 0;
  mark(1);
  pid_t child = raw_fork();
  while (child == 0) sys(getppid);
  sleep_ms(100);
  sys(kill, child, SIGKILL);
  wait_for(child, &status);
  mark(2);
  return !(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
}
