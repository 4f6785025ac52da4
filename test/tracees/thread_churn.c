// Two hundred threads, one after the other, are two hundred tracks that each begin and end.
//= main: clone*200 futex*
//= thread*200: getppid exit exited(0)
//= births thread 200
#include "tracee.h"

static struct thread thread;

static int run(void* unused) {
  (void)unused;
  sys(getppid);
  return 0;
}

int main(void) {
  mark(1);
  for (int i = 0; i < 200; i++) {
    start_thread(&thread, run, 0);
    join_thread(&thread);
  }
  mark(2);
  return 0;
}
