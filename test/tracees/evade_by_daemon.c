// A grandchild in a session of its own, whose parents are gone, is judged like any other.
//= count mkdir 0
#include "evade.h"

int main(int count, char** arguments) {
  begin_evading(count, arguments);
  if (is_plain) return last_step() < 0;
  if (raw_fork() != 0) return 0;
  sys(setsid);
  if (raw_fork() != 0) _exit(0);
  sleep_ms(50);
  last_step();
  return 0;
}
