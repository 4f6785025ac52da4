// A child that is asked for untraced by clone3, with flags that another thread keeps changing, does not escape.
//= maybe untraced
// The tracer looks at the flags when the call is entered, the kernel a moment later. Who wins is killed for it.
#include "evade.h"

static struct thread thread;
static volatile unsigned long arguments3[8] = {0, 0, 0, 0, SIGCHLD, 0, 0, 0};  // struct clone_args, first version
static volatile int is_over;

static int change(void* unused) {
  (void)unused;
  while (!is_over) arguments3[0] ^= CLONE_UNTRACED;
  return 0;
}

int main(int count, char** arguments) {
  begin_evading(count, arguments);
  if (is_plain) return last_step() < 0;
  pid_t racer = raw_fork();
  if (racer != 0) return wait_for(racer, 0) != racer;
  start_thread(&thread, change, 0);
  for (int i = 0; i < 200; i++) {
    pid_t child = (pid_t)sys(clone3, arguments3, sizeof arguments3);
    if (child == 0) {
      last_step();
      _exit(0);
    }
    if (child > 0) wait_for(child, 0);
  }
  is_over = 1;
  join_thread(&thread);
  return 0;
}
