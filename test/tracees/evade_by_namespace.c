// A child in namespaces of its own, where it has another number and other rights, is judged like any other.
//= count mkdir 0
#include "evade.h"

int main(int count, char** arguments) {
  begin_evading(count, arguments);
  if (is_plain) return last_step() < 0;
  pid_t child = (pid_t)sys(clone, CLONE_NEWUSER | CLONE_NEWPID | SIGCHLD, 0, 0, 0, 0);
  if (child == 0) {
    last_step();
    _exit(0);
  }
  if (child > 0) wait_for(child, 0);
  return 0;
}
