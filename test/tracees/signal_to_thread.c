// A signal sent to one thread is a frame of that thread alone.
//= main: clone clone nanosleep tgkill nanosleep write write futex*
//= thread: read [SIGUSR1 getppid rt_sigreturn]* exit
//= thread: read exit
//= count SIGUSR1 1
#include "tracee.h"

static int ends[2];
static struct thread first, second;

static void on_signal(int signal) {
  (void)signal;
  sys(getppid);
}

static int run(void* unused) {
  char byte;
  (void)unused;
  sys(read, ends[0], &byte, 1);
  return 0;
}

int main(void) {
  pid_t self = getpid();
  if (pipe(ends) != 0) return 1;
  handle(SIGUSR1, on_signal, SA_RESTART);
  mark(1);
  start_thread(&first, run, 0);
  pid_t tid = start_thread(&second, run, 0);
  sleep_ms(50);
  sys(tgkill, self, tid, SIGUSR1);
  sleep_ms(50);
  sys(write, ends[1], "x", 1);
  sys(write, ends[1], "x", 1);
  join_thread(&first);
  join_thread(&second);
  mark(2);
  return 0;
}
