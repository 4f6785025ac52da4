// A call that the program sends back to itself (syscall user dispatch) and makes in the handler is judged there.
//= arch x86_64
//= count mkdir 0
#include "evade.h"

static volatile char selector;  // 0 = allow, 1 = block

static void on_dispatch(int signal) {
  (void)signal;
  selector = 0;
  last_step();
}

int main(int count, char** arguments) {
  begin_evading(count, arguments);
  if (is_plain) return last_step() < 0;
  handle(SIGSYS, on_dispatch, 0);
  sys(prctl, 59 /* PR_SET_SYSCALL_USER_DISPATCH */, 1, 0, 0, &selector);
  selector = 1;
  sys(gettid);
  return 0;
}
