// An exit_group while eight threads are busy ends all nine tracks.
//= main: clone*8 nanosleep exit_group exited(0)
//= thread*8: getppid+ exited(0)
// strace prints `???`, or the name of another thread's call, for a thread that is killed before it could read its stop.
#include "tracee.h"

static struct thread threads[8];

static int run(void* unused) {
  (void)unused;
  while (sys(getppid) >= 0) continue;
  return 0;
}

int main(void) {
  mark(1);
  for (int i = 0; i < 8; i++) start_thread(&threads[i], run, 0);
  sleep_ms(200);
  return (int)sys(exit_group, 0);
}
