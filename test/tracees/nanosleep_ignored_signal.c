// A nanosleep during which ignored signals arrive is one record, and no handler starts.
//= main: nanosleep getppid
//= count SIGUSR1 0
//= count SIGCHLD 0
#include "tracee.h"

int main(void) {
  pid_t parent = getpid();
  handle(SIGUSR1, SIG_IGN, 0);
  if (fork_helper() == 0) {
    for (int i = 0; i < 3; i++) {
      sleep_ms(40);
      kill(parent, SIGUSR1);
    }
    _exit(0);
  }
  mark(1);
  sleep_ms(300);
  sys(getppid);
  mark(2);
  return 0;
}
