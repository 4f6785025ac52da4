// A 5 kHz timer whose handler makes no call leaves 50,000 calls exactly 50,000.
//= main: getppid*50000 [SIGALRM rt_sigreturn]*
//= count SIGALRM 20..
//= count getppid 50000
//= timeout 60000
#include "tracee.h"

static volatile int ticks;

static void on_alarm(int signal) {
  (void)signal;
  ticks++;
}

int main(void) {
  struct itimerval every = {{0, 200}, {0, 200}}, never = {{0, 0}, {0, 0}};
  handle(SIGALRM, on_alarm, 0);
  setitimer(ITIMER_REAL, &every, 0);
  mark(1);
  repeat_getppid(50000);
  mark(2);
  setitimer(ITIMER_REAL, &never, 0);
  return ticks == 0;
}
