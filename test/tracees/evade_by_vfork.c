// A child that shares its parent's memory while that waits (vfork) is judged like any other.
//= count mkdir 0
#include "evade.h"

static char stack[65536];

static int run_child(void* unused) {
  (void)unused;
  last_step();
  sys(exit_group, 0);
  return 0;
}

int main(int count, char** arguments) {
  begin_evading(count, arguments);
  if (is_plain) return last_step() < 0;
  pid_t child = clone(run_child, stack + sizeof stack, CLONE_VM | CLONE_VFORK | SIGCHLD, 0);
  if (child > 0) wait_for(child, 0);
  return 0;
}
