// A child that is asked for untraced, by clone, is refused.
//= note untraced
//= count mkdir 0
//= ptrace
#include "evade.h"

int main(int count, char** arguments) {
  begin_evading(count, arguments);
  if (is_plain) return last_step() < 0;
  pid_t child = (pid_t)sys(clone, CLONE_UNTRACED | SIGCHLD, 0, 0, 0, 0);
  if (child == 0) {
    last_step();
    _exit(0);
  }
  if (child > 0) wait_for(child, 0);
  return 0;
}
