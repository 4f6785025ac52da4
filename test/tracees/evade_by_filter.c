// A filter of its own that refuses a call hides it, and it does not run either.
//= count mkdir 0
#include "evade.h"
#include "filter.h"

int main(int count, char** arguments) {
  begin_evading(count, arguments);
  if (!is_plain && set_filter(SYS_mkdirat, SECCOMP_RET_ERRNO | 0, 0) != 0) return 1;
  if (attacks) sys(mkdirat, AT_FDCWD, "escaped", 0755);
  sys(getppid);
  return 0;
}
