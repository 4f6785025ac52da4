// Clones that a fast timer interrupts are repeated by the kernel (ERESTARTNOINTR) and counted once.
//= main: (clone wait4)*50 [SIGALRM rt_sigreturn]*
//= fork*50: exit_group
#include "tracee.h"

static void on_alarm(int signal) { (void)signal; }

int main(void) {
  struct itimerval every = {{0, 3000}, {0, 3000}}, never = {{0, 0}, {0, 0}};
  int reaped = 0;
  handle(SIGALRM, on_alarm, SA_RESTART);
  setitimer(ITIMER_REAL, &every, 0);
  mark(1);
  for (int i = 0; i < 50; i++) {
    pid_t child = raw_fork();
    if (child == 0) sys(exit_group, 0);
    reaped += wait_for(child, 0) == child;
  }
  mark(2);
  setitimer(ITIMER_REAL, &never, 0);
  return reaped != 50;
}
