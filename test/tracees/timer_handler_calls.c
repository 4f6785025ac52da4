// A 5 kHz timer whose handler makes a call adds frames and takes nothing from the 50,000 calls around it.
//= main: getppid*50000 [SIGALRM getpid rt_sigreturn]*
//= count SIGALRM 20..
//= count getppid 50000
//= timeout 60000
#include "tracee.h"

static void on_alarm(int signal) {
  (void)signal;
  sys(getpid);
}

int main(void) {
  struct itimerval every = {{0, 200}, {0, 200}}, never = {{0, 0}, {0, 0}};
  handle(SIGALRM, on_alarm, SA_RESTART);
  setitimer(ITIMER_REAL, &every, 0);
  mark(1);
  repeat_getppid(50000);
  mark(2);
  setitimer(ITIMER_REAL, &never, 0);
  return 0;
}
