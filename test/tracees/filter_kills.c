// A call for which the program's own filter kills is no record; the track ends by SIGSYS.
//= main: clone wait4
//= fork: getpid killed(SIGSYS)
// strace sees the getppid that is never run.
#include "filter.h"
#include "tracee.h"

int main(void) {
  int status = 0;
  no_core();
  mark(1);
  pid_t child = raw_fork();
  if (child == 0) {
    mark(2);
    set_filter(SYS_getppid, SECCOMP_RET_KILL_PROCESS, 0);
    mark(1);
    sys(getpid);
    sys(getppid);
    sys(exit_group, 0);
  }
  wait_for(child, &status);
  mark(2);
  return !(WIFSIGNALED(status) && WTERMSIG(status) == SIGSYS);
}
