// A filter that answers RET_TRACE with number 0 for every call cannot hide what the calls are.
//= main: mkdir rmdir
//= arch x86_64
//= ptrace
// Without a tracer that asked for it RET_TRACE is ENOSYS, so nothing is said about what the calls return.
#include "filter.h"
#include "tracee.h"

int main(void) {
  if (set_filter(-1, SECCOMP_RET_TRACE | 0, 0) != 0) return 1;
  mark(1);
  sys(mkdir, "directory", 0755);
  sys(rmdir, "directory");
  mark(2);
  return 0;
}
