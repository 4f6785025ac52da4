// A program that asks to be traced is refused while it is traced; the call is a record.
//= main: ptrace getppid
//= ptrace
// Outside a tracer the call succeeds, and the parent becomes the tracer: then the exit code is 1.
#include "tracee.h"

int main(void) {
  mark(1);
  long result = sys(ptrace, 0 /* PTRACE_TRACEME */, 0, 0, 0);
  int error = errno;
  sys(getppid);
  mark(2);
  return !(result == -1 && error == EPERM);
}
