// A poll with a time limit that a stop interrupts goes on by restart_syscall and is one record.
//= main: ppoll getppid
#include "tracee.h"

int main(void) {
  struct timespec limit = {0, 300000000};
  pid_t parent = getpid();
  if (fork_helper() == 0) {
    sleep_ms(60);
    kill(parent, SIGSTOP);
    sleep_ms(60);
    kill(parent, SIGCONT);
    _exit(0);
  }
  mark(1);
  sys(ppoll, 0, 0, &limit, 0, 8);
  sys(getppid);
  mark(2);
  return 0;
}
