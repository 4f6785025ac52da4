// A call that the program sends back to itself (syscall user dispatch) is not run and no record: only its frame is.
//= arch x86_64
//= main: prctl [SIGSYS getpid rt_sigreturn] getppid
#include "tracee.h"

static volatile char selector;  // 0 = allow, 1 = block

static void on_dispatch(int signal) {
  (void)signal;
  selector = 0;
  sys(getpid);
}

int main(void) {
  handle(SIGSYS, on_dispatch, 0);
  mark(1);
  sys(prctl, 59 /* PR_SET_SYSCALL_USER_DISPATCH */, 1, 0, 0, &selector);
  selector = 1;
  sys(gettid);
  sys(getppid);
  mark(2);
  return selector;
}
