// A child made with CLONE_UNTRACED escapes no one: it is refused, or the session says so, and it makes no directory.
//= main: clone wait4?
//= maybe untraced
//= ptrace
// strace follows no such child and says nothing; without a tracer the directory is made and the exit code is 1.
#include "tracee.h"

int main(void) {
  mark(1);
  pid_t child = (pid_t)sys(clone, CLONE_UNTRACED | SIGCHLD, 0, 0, 0, 0);
  int error = errno;
  if (child == 0) {
    mark(2);
    mkdir("escaped", 0755);
    _exit(0);
  }
  if (child > 0) wait_for(child, 0);
  mark(2);
  if (child < 0 && error != EPERM) return 2;
  return access("escaped", F_OK) == 0;
}
