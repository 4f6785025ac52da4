// Clones that a SIGCHLD interrupts and the kernel repeats are one record per child.
//= main: clone*100 wait4*100 [SIGCHLD rt_sigreturn]*
//= fork*100: exit_group exited(0)
#include "tracee.h"

static void on_child(int signal) { (void)signal; }

int main(void) {
  int reaped = 0;
  handle(SIGCHLD, on_child, SA_RESTART);
  mark(1);
  for (int i = 0; i < 100; i++) {
    if (raw_fork() == 0) sys(exit_group, 0);
  }
  for (int i = 0; i < 100; i++) reaped += wait_for(-1, 0) > 0;
  mark(2);
  return reaped != 100;
}
