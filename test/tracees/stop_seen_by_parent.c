// Job control stays visible: a parent sees its child stop, go on and end.
//= main: clone wait4 kill wait4 kill wait4
//= fork: getpid kill getppid* killed(SIGTERM)
#include "tracee.h"

int main(void) {
  int status = 0, right = 0;
  mark(1);
  pid_t child = raw_fork();
  if (child == 0) {
    syscall(SYS_kill, sys(getpid), SIGSTOP);
    while (sys(getppid) >= 0) continue;
  }
  sys(wait4, child, &status, WUNTRACED, 0);
  right += WIFSTOPPED(status);
  sys(kill, child, SIGCONT);
  sys(wait4, child, &status, WCONTINUED, 0);
  right += WIFCONTINUED(status);
  sys(kill, child, SIGTERM);
  wait_for(child, &status);
  right += WIFSIGNALED(status);
  mark(2);
  return right != 3;
}
