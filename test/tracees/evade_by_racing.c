// Threads that change the number and the arguments of a call while it is made change nothing that a guard has seen.
//= count mkdir 0
#include "evade.h"

static struct thread thread;
static volatile long number = SYS_getppid;
static volatile int is_over, is_on;
static char name[] = "escaped";

static int change(void* unused) {
  (void)unused;
  while (!is_over) {
    number = attacks && number == SYS_getppid ? SYS_mkdir : SYS_getppid;
    name[0] ^= 1;
    is_on = 1;
  }
  return 0;
}

int main(int count, char** arguments) {
  begin_evading(count, arguments);
  if (is_plain) return last_step() < 0;
  start_thread(&thread, change, 0);
  while (!is_on && thread.alive) continue;
  for (int i = 0; i < 5000; i++) syscall(number, name, 0755);
  is_over = 1;
  join_thread(&thread);
  return 0;
}
