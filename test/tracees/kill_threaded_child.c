// SIGKILL of a process with five busy threads ends all its tracks.
//= main: clone nanosleep kill wait4
//= fork: clone*4 getppid+ killed(SIGKILL)
//= thread*4: getppid+ killed(SIGKILL)
// strace prints `???`, or the name of another thread's call, for a thread that is killed before it could read its stop.
#include "tracee.h"

static struct thread threads[4];

static int run(void* unused) {
  (void)unused;
  while (sys(getppid) >= 0) continue;
  return 0;
}

int main(void) {
  int status = 0;
  mark(1);
  pid_t child = raw_fork();
  if (child == 0) {
    for (int i = 0; i < 4; i++) start_thread(&threads[i], run, 0);
    run(0);
  }
  sleep_ms(200);
  sys(kill, child, SIGKILL);
  wait_for(child, &status);
  mark(2);
  return !(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
}
