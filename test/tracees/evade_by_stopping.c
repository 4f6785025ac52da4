// While its tracer is stopped, nothing that is to be judged goes on.
//= count mkdir 0
// Whoever attacks with it lets the tracer go on after a while.
#include "evade.h"

int main(int count, char** arguments) {
  begin_evading(count, arguments);
  if (is_plain) return last_step() < 0;
  pid_t tracer = tracer_to_attack();
  for (int i = 0; i < 3; i++) {
    sys(kill, tracer, SIGSTOP);
    last_step();
  }
  return 0;
}
