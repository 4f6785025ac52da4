// An exit_group by a thread that is not the leader ends every track with its code.
//= main: clone read exited(7)
//= thread: nanosleep exit_group exited(7)
//= exit 7
#include "tracee.h"

static struct thread thread;

static int run(void* unused) {
  (void)unused;
  sleep_ms(100);
  return (int)sys(exit_group, 7);
}

int main(void) {
  int ends[2];
  char byte;
  if (pipe(ends) != 0) return 1;
  mark(1);
  start_thread(&thread, run, 0);
  return (int)sys(read, ends[0], &byte, 1);
}
