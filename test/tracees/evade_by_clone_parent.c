// A child that is made for the tracer (CLONE_PARENT of its own child) is judged like any other.
//= count mkdir 0
#include "evade.h"

int main(int count, char** arguments) {
  begin_evading(count, arguments);
  if (is_plain) return last_step() < 0;
  if (sys(clone, CLONE_PARENT | SIGCHLD, 0, 0, 0, 0) == 0) {
    last_step();
    _exit(0);
  }
  return 0;
}
