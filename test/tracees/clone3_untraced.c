// A child made with CLONE_UNTRACED by clone3 escapes no one, although the flag is in memory.
//= main: clone3 wait4?
//= maybe untraced
//= ptrace
// strace follows no such child and says nothing; without a tracer the directory is made and the exit code is 1.
#include "tracee.h"

int main(void) {
  unsigned long arguments[8] = {CLONE_UNTRACED, 0, 0, 0, SIGCHLD, 0, 0, 0};  // struct clone_args, first version
  mark(1);
  pid_t child = (pid_t)sys(clone3, arguments, sizeof arguments);
  int error = errno;
  if (child == 0) {
    mark(2);
    mkdir("escaped", 0755);
    _exit(0);
  }
  if (child > 0) wait_for(child, 0);
  mark(2);
  if (child < 0 && error != EPERM && error != ENOSYS) return 2;
  return access("escaped", F_OK) == 0;
}
