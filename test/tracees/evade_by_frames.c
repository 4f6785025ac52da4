// Handlers that nest deeper than any tracer remembers do not confuse it.
//= count mkdir 0
//= timeout 20000
#include "evade.h"

enum { DEPTH = 5000 };
static volatile int depth;
static char stack[DEPTH * 6000 + 65536];

static void on_signal(int signal) {
  depth += 1;
  if (depth < DEPTH) raise(signal);
  last_step();
  _exit(0);
}

int main(int count, char** arguments) {
  stack_t own = {.ss_sp = stack, .ss_size = sizeof stack};
  struct sigaction action = {.sa_handler = on_signal, .sa_flags = SA_NODEFER | SA_ONSTACK};
  begin_evading(count, arguments);
  if (is_plain) return last_step() < 0;
  sigaltstack(&own, 0);
  sigaction(SIGUSR1, &action, 0);
  raise(SIGUSR1);
  return 1;
}
