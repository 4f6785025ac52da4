// A SIGCONT with a handler is a frame after the stop; the stop itself is nothing.
//= main: clone wait4 kill wait4
//= fork: getpid kill [SIGCONT getppid rt_sigreturn] getpid exit_group exited(0)
#include "tracee.h"

static void on_continue(int signal) {
  (void)signal;
  sys(getppid);
}

int main(void) {
  int status = 0;
  handle(SIGCONT, on_continue, SA_RESTART);
  mark(1);
  pid_t child = raw_fork();
  if (child == 0) {
    syscall(SYS_kill, sys(getpid), SIGSTOP);
    sys(getpid);
    sys(exit_group, 0);
  }
  sys(wait4, child, &status, WUNTRACED, 0);
  int is_stopped = WIFSTOPPED(status) && WSTOPSIG(status) == SIGSTOP;
  sys(kill, child, SIGCONT);
  wait_for(child, &status);
  mark(2);
  return !is_stopped || status != 0;
}
