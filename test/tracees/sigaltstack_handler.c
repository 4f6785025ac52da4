// A handler on an alternate stack is a frame like any other.
//= main: sigaltstack kill [SIGUSR1 getppid rt_sigreturn] getpid
#include "tracee.h"

static char stack[65536];
static int is_on_stack;

static void on_signal(int signal) {
  char here;
  (void)signal;
  is_on_stack = &here >= stack && &here < stack + sizeof stack;
  sys(getppid);
}

int main(void) {
  stack_t other = {.ss_sp = stack, .ss_size = sizeof stack};
  pid_t self = getpid();
  handle(SIGUSR1, on_signal, SA_ONSTACK);
  mark(1);
  sys(sigaltstack, &other, 0);
  sys(kill, self, SIGUSR1);
  sys(getpid);
  mark(2);
  return !is_on_stack;
}
