// A child whose parent was killed before it could announce it: under guard it does not run unjudged.
//= timeout 20000
//= count mkdir 0
// The timer's SIGKILL comes from the kernel at any moment, so now and then in the middle of clone.
#include "evade.h"

static void fork_until_killed(int ns) {
  struct sigevent event = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGKILL};
  struct itimerspec when = {.it_value = {0, ns}};
  timer_t timer;
  if (timer_create(CLOCK_MONOTONIC, &event, &timer) != 0 || timer_settime(timer, 0, &when, 0) != 0) _exit(1);
  for (;;) {
    if (raw_fork() != 0) continue;
    last_step();
    _exit(0);
  }
}

int main(int count, char** arguments) {
  pid_t busy[3];
  begin_evading(count, arguments);
  if (is_plain) return last_step() < 0;
  for (int i = 0; i < 3; i++) {
    busy[i] = raw_fork();
    while (busy[i] == 0) sys(getppid);
  }
  for (int round = 0; round < 25; round++) {
    int ends[2];
    char byte;
    if (pipe(ends) != 0) return 1;
    if (raw_fork() == 0) {
      close(ends[0]);
      fork_until_killed(10000000 + round * 300000);
    }
    close(ends[1]);
    if (read(ends[0], &byte, 1) != 0) return 2;  // its end: the killed one and all its children are gone
    close(ends[0]);
  }
  for (int i = 0; i < 3; i++) kill(busy[i], SIGKILL);
  return 0;
}
