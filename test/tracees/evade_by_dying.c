// A process that is killed while a call of it is judged does not make that call.
//= count mkdir 0
#include "evade.h"

int main(int count, char** arguments) {
  begin_evading(count, arguments);
  if (is_plain) return last_step() < 0;
  for (int i = 0; i < 20; i++) {
    pid_t child = raw_fork();
    if (child == 0) {
      for (;;) last_step();
    }
    sys(kill, child, SIGKILL);
    wait_for(child, 0);
  }
  return 0;
}
