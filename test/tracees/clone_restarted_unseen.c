// A clone that a process signal interrupts, which another thread then takes, is repeated without any stop, and counted once.
//= count clone 2002
#include "tracee.h"

enum { CLONES = 2000 };
static volatile int is_over;
static struct thread busy, born;

static int spin(void* none) {
  (void)none;
  while (!is_over) sys(getppid);
  return 0;
}
static int end(void* none) {
  (void)none;
  return 0;
}

int main(void) {
  pid_t own = getpid();
  pid_t child = fork_helper();
  if (child == 0) {
    for (int i = 0; i < 20000 && getppid() == own; i++) { kill(own, SIGWINCH); for (volatile int k = 0; k < 3000; k++); }
    _exit(0);
  }
  start_thread(&busy, spin, 0);
  for (int i = 0; i < CLONES; i++) {
    if (start_thread(&born, end, 0) < 0) return 1;
    join_thread(&born);
  }
  is_over = 1;
  kill(child, SIGKILL);
  wait_for(child, 0);
  return 0;
}
