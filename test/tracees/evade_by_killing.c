// Who kills its tracer dies with it, and does nothing in between.
//= count mkdir 0
#include "evade.h"

static struct thread thread;
static volatile int is_over;

static int hurry(void* unused) {
  (void)unused;
  do last_step();
  while (attacks && !is_over);
  return 0;
}

int main(int count, char** arguments) {
  begin_evading(count, arguments);
  if (is_plain) return last_step() < 0;
  pid_t tracer = tracer_to_attack();
  start_thread(&thread, hurry, 0);
  sys(kill, tracer, SIGKILL);
  for (int i = 0; i < (attacks ? 10000 : 1); i++) last_step();
  is_over = 1;
  join_thread(&thread);
  return 0;
}
