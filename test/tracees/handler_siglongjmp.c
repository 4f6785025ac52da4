// A handler left by siglongjmp never returns: 1000 frames are begun and none is closed.
//= main: (kill SIGUSR1 getpid)*1000 getppid
#include <setjmp.h>
#include "tracee.h"

static sigjmp_buf place;

static void on_signal(int signal) {
  (void)signal;
  sys(getpid);
  siglongjmp(place, 1);
}

int main(void) {
  static volatile int times;
  pid_t self = getpid();
  handle(SIGUSR1, on_signal, SA_NODEFER);
  mark(1);
  sigsetjmp(place, 0);
  if (times++ < 1000) sys(kill, self, SIGUSR1);
  sys(getppid);
  mark(2);
  return 0;
}
