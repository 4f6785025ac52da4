// In a pid namespace of its own a child calls itself 1; its track has the tid that the tracer's namespace gives.
//= main: clone wait4
//= fork: getpid getppid*3 exit_group
// Without the right to make one the child is an ordinary one.
#include "tracee.h"

int main(void) {
  int status = 1;
  // Asked for outside the marks, by a child that ends at once: is it allowed here?
  pid_t probe = (pid_t)sys(clone, CLONE_NEWPID | SIGCHLD, 0, 0, 0, 0);
  if (probe == 0) {
    mark(3);
    _exit(0);
  }
  if (probe > 0) wait_for(probe, 0);
  mark(1);
  pid_t child = (pid_t)sys(clone, (probe > 0 ? CLONE_NEWPID : 0) | SIGCHLD, 0, 0, 0, 0);
  if (child == 0) {
    int is_first = sys(getpid) == 1;
    repeat_getppid(3);
    sys(exit_group, probe > 0 && !is_first);
  }
  wait_for(child, &status);
  mark(2);
  return status;
}
