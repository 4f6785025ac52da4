// Eight threads of 1000 calls each are eight tracks of exactly 1000.
//= main: clone*8 futex*
//= thread*8: getppid*1000 exit exited(0)
//= births thread 8
//= count getppid 8000
//= timeout 60000
#include "tracee.h"

static struct thread threads[8];

static int run(void* unused) {
  (void)unused;
  repeat_getppid(1000);
  return 0;
}

int main(void) {
  mark(1);
  for (int i = 0; i < 8; i++) start_thread(&threads[i], run, 0);
  for (int i = 0; i < 8; i++) join_thread(&threads[i]);
  mark(2);
  return 0;
}
