// A read that signals interrupt and SA_RESTART repeats is one record.
//= main: read getppid [SIGUSR1 rt_sigreturn]*
//= count SIGUSR1 1..
#include "tracee.h"

static void on_signal(int signal) { (void)signal; }

int main(void) {
  int ends[2];
  char byte;
  pid_t parent = getpid();
  if (pipe(ends) != 0) return 1;
  handle(SIGUSR1, on_signal, SA_RESTART);
  if (fork_helper() == 0) {
    for (int i = 0; i < 5; i++) {
      sleep_ms(30);
      kill(parent, SIGUSR1);
    }
    sleep_ms(30);
    _exit(write(ends[1], "x", 1) != 1);
  }
  mark(1);
  long got = sys(read, ends[0], &byte, 1);
  sys(getppid);
  mark(2);
  return got != 1;
}
