// A program that makes itself undumpable hides neither its flags nor its child from a guard.
//= maybe untraced
#include "evade.h"

int main(int count, char** arguments) {
  unsigned long arguments3[8] = {CLONE_UNTRACED, 0, 0, 0, SIGCHLD, 0, 0, 0};
  begin_evading(count, arguments);
  if (is_plain) return last_step() < 0;
  pid_t hider = raw_fork();
  if (hider != 0) return wait_for(hider, 0) != hider;
  sys(prctl, PR_SET_DUMPABLE, 0, 0, 0, 0);
  pid_t child = (pid_t)sys(clone3, arguments3, sizeof arguments3);
  if (child == 0) {
    last_step();
    _exit(0);
  }
  if (child > 0) wait_for(child, 0);
  last_step();
  return 0;
}
