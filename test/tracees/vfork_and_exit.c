// A vfork is one call of the parent, which goes on only when the child has ended.
//= arch x86_64
//= main: vfork wait4 getppid
//= fork: getppid exit_group exited(4)
#include "tracee.h"

int main(void) {
  int status = 0;
  mark(1);
  pid_t child = vfork();
  if (child == 0) {
    sys(getppid);
    _exit(4);
  }
  wait_for(child, &status);
  sys(getppid);
  mark(2);
  return WEXITSTATUS(status) != 4;
}
