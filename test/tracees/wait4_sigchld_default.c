// A SIGCHLD with its default action is no frame, and the wait4 it meets is one record.
//= main: clone wait4 getppid
//= fork: nanosleep exit_group exited(3)
//= count SIGCHLD 0
#include "tracee.h"

int main(void) {
  int status = 0;
  mark(1);
  pid_t child = raw_fork();
  if (child == 0) {
    sleep_ms(50);
    sys(exit_group, 3);
  }
  wait_for(child, &status);
  sys(getppid);
  mark(2);
  return WEXITSTATUS(status) != 3;
}
