// Limits that leave no memory, no files and no processes bind the program and not the tracer.
//= main: prlimit64*4 getppid*100 clone wait4
//= fork: getppid exit_group exited(0)
#include <sys/resource.h>
#include "tracee.h"

int main(void) {
  static const int names[] = {RLIMIT_NOFILE, RLIMIT_AS, RLIMIT_DATA, RLIMIT_FSIZE};
  struct rlimit none = {0, 0};
  int status = 1;
  mark(1);
  for (int i = 0; i < 4; i++) sys(prlimit64, 0, names[i], &none, 0);
  repeat_getppid(100);
  pid_t child = raw_fork();
  if (child == 0) {
    sys(getppid);
    sys(exit_group, 0);
  }
  if (child > 0) wait_for(child, &status);
  mark(2);
  return status;
}
