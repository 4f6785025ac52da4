// A nanosleep that SIGSTOP and SIGCONT interrupt goes on by restart_syscall and is one record.
//= main: nanosleep getppid
#include "tracee.h"

int main(void) {
  pid_t parent = getpid();
  if (fork_helper() == 0) {
    for (int i = 0; i < 3; i++) {
      sleep_ms(60);
      kill(parent, SIGSTOP);
      sleep_ms(20);
      kill(parent, SIGCONT);
    }
    _exit(0);
  }
  mark(1);
  sleep_ms(400);
  sys(getppid);
  mark(2);
  return 0;
}
