// A program that kills itself has the kill as its last record.
//= main: getppid kill killed(SIGKILL)
//= exit SIGKILL
#include "tracee.h"

int main(void) {
  pid_t self = getpid();
  mark(1);
  sys(getppid);
  sys(kill, self, SIGKILL);
  sys(getppid);
  return 0;
}
