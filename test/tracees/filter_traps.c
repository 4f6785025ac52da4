// A call that the program's own filter turns into SIGSYS is no record; its handler is a frame.
//= main: getpid [SIGSYS gettid rt_sigreturn] getpid
// strace sees the getppid that is never run.
#include "filter.h"
#include "tracee.h"

static void on_trap(int signal) {
  (void)signal;
  sys(gettid);
}

int main(void) {
  handle(SIGSYS, on_trap, 0);
  if (set_filter(SYS_getppid, SECCOMP_RET_TRAP, 0) != 0) return 1;
  mark(1);
  sys(getpid);
  sys(getppid);
  sys(getpid);
  mark(2);
  return 0;
}
