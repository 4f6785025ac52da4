// A thread that ends before the leader ends its own track only.
//= main: clone futex* getppid*10
//= thread: getppid exit exited(9)
#include "tracee.h"

static struct thread thread;

static int run(void* unused) {
  (void)unused;
  sys(getppid);
  return 9;
}

int main(void) {
  mark(1);
  int tid = start_thread(&thread, run, 0);
  join_thread(&thread);
  repeat_getppid(10);
  mark(2);
  // The code of an exit_group replaces that of a thread that nobody has reaped yet.
  while (sys(tgkill, getpid(), tid, 0) == 0) sleep_ms(1);
  return 0;
}
