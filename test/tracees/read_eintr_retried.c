// A read that fails with EINTR and is tried again by the program is two records.
//= main: write read [SIGUSR1 rt_sigreturn] read
#include "tracee.h"

static void on_signal(int signal) { (void)signal; }

int main(void) {
  int data[2], ready[2];
  char byte;
  pid_t parent = getpid();
  if (pipe(data) != 0 || pipe(ready) != 0) return 1;
  handle(SIGUSR1, on_signal, 0);
  if (fork_helper() == 0) {
    if (read(ready[0], &byte, 1) != 1) _exit(1);
    sleep_ms(150);
    kill(parent, SIGUSR1);
    sleep_ms(50);
    _exit(write(data[1], "x", 1) != 1);
  }
  mark(1);
  sys(write, ready[1], "x", 1);
  long first = sys(read, data[0], &byte, 1), error = errno;
  long second = sys(read, data[0], &byte, 1);
  mark(2);
  return !(first == -1 && error == EINTR && second == 1);
}
