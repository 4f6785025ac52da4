// A child that leaves the session and closes every descriptor is followed all the same.
//= main: clone wait4
//= fork: setsid close*1024 getppid*3 exit_group exited(0)
#include "tracee.h"

int main(void) {
  int status = 1;
  mark(1);
  pid_t child = raw_fork();
  if (child == 0) {
    sys(setsid);
    for (int i = 0; i < 1024; i++) sys(close, i);
    repeat_getppid(3);
    sys(exit_group, 0);
  }
  wait_for(child, &status);
  mark(2);
  return status;
}
