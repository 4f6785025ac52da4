// CLONE_VM|CLONE_VFORK, as posix_spawn uses it: a process of its own, so a forked track and no thread.
//= main: clone wait4 getppid
//= fork: getppid exit exited(3)
//= births thread 0
#include "tracee.h"

static _Alignas(64) char stack[32768];

static int run(void* unused) {
  (void)unused;
  sys(getppid);
  return 3;
}

int main(void) {
  int status = 0;
  mark(1);
  pid_t child = clone(run, stack + sizeof stack, CLONE_VM | CLONE_VFORK | SIGCHLD, 0);
  wait_for(child, &status);
  sys(getppid);
  mark(2);
  return WEXITSTATUS(status) != 3;
}
