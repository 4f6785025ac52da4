// A leader that ends before its thread leaves a track that goes on, and the process ends as the thread says.
//= main: clone exit
//= thread: nanosleep getppid*10 exit_group exited(6)
//= exit 6
#include "tracee.h"

static struct thread thread;

static int run(void* unused) {
  (void)unused;
  sleep_ms(100);
  repeat_getppid(10);
  return (int)sys(exit_group, 6);
}

int main(void) {
  mark(1);
  start_thread(&thread, run, 0);
  return (int)sys(exit, 0);
}
