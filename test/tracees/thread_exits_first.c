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
  start_thread(&thread, run, 0);
  join_thread(&thread);
  repeat_getppid(10);
  mark(2);
  return 0;
}
