// A call that the program's own filter refuses is never run and no record; the program goes on.
//= main: getpid getpid gettid
// strace sees the refused getppid: its stop comes before the filters.
#include "filter.h"
#include "tracee.h"

int main(void) {
  if (set_filter(SYS_getppid, SECCOMP_RET_ERRNO | EACCES, 0) != 0) return 1;
  mark(1);
  sys(getpid);
  long result = sys(getppid);
  int error = errno;
  sys(getpid);
  sys(gettid);
  mark(2);
  return !(result == -1 && error == EACCES);
}
