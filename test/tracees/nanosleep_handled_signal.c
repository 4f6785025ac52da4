// A nanosleep that a handler interrupts is never restarted: the program sleeps again, which is a second record.
//= main: write nanosleep [SIGUSR1 rt_sigreturn] nanosleep
#include "tracee.h"

static void on_signal(int signal) { (void)signal; }

int main(void) {
  struct timespec time = {0, 500000000}, left = {0, 0};
  int ready[2];
  char byte;
  pid_t parent = getpid();
  if (pipe(ready) != 0) return 1;
  handle(SIGUSR1, on_signal, SA_RESTART);
  if (fork_helper() == 0) {
    if (read(ready[0], &byte, 1) != 1) _exit(1);
    sleep_ms(150);
    kill(parent, SIGUSR1);
    _exit(0);
  }
  mark(1);
  sys(write, ready[1], "x", 1);
  long first = sys(nanosleep, &time, &left);
  sys(nanosleep, &left, 0);
  mark(2);
  return first != -1;
}
