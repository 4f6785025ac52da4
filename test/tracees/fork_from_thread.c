// A child forked by a thread descends from that thread's track.
//= main: clone futex* getppid
//= thread: clone wait4 exit exited(0)
//= fork: getpid exit_group exited(5)
#include "tracee.h"

static struct thread thread;

static int run(void* unused) {
  int status = 0;
  (void)unused;
  pid_t child = raw_fork();
  if (child == 0) {
    sys(getpid);
    sys(exit_group, 5);
  }
  wait_for(child, &status);
  return WEXITSTATUS(status) != 5;
}

int main(void) {
  mark(1);
  start_thread(&thread, run, 0);
  join_thread(&thread);
  sys(getppid);
  mark(2);
  return 0;
}
