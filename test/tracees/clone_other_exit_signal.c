// A child whose exit signal is SIGUSR1 is a forked track, and its end one frame of the parent.
//= main: clone wait4 getppid [SIGUSR1 rt_sigreturn]*
//= fork: nanosleep exit_group exited(2)
//= count SIGUSR1 1
#include "tracee.h"

static void on_signal(int signal) { (void)signal; }

int main(void) {
  int status = 0;
  handle(SIGUSR1, on_signal, SA_RESTART);
  mark(1);
  pid_t child = (pid_t)sys(clone, SIGUSR1, 0, 0, 0, 0);
  if (child == 0) {
    sleep_ms(50);
    sys(exit_group, 2);
  }
  wait_for(child, &status);
  sys(getppid);
  mark(2);
  return WEXITSTATUS(status) != 2;
}
