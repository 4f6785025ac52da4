// A storm of SIGSTOP and SIGCONT adds no record and takes none.
//= main: getppid*5000
//= count getppid 5000
#include "tracee.h"

int main(void) {
  pid_t parent = getpid();
  pid_t child = fork_helper();
  if (child == 0) {
    for (int i = 0; i < 50; i++) {
      kill(parent, SIGSTOP);
      sleep_ms(1);
      kill(parent, SIGCONT);
      sleep_ms(1);
    }
    _exit(0);
  }
  mark(1);
  repeat_getppid(5000);
  mark(2);
  return wait_for(child, 0) != child;
}
