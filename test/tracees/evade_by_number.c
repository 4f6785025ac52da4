// A filter of its own that gives every call the number 0 hides none of them from a guard.
//= count mkdir 0
//= ptrace
#include "evade.h"
#include "filter.h"

int main(int count, char** arguments) {
  begin_evading(count, arguments);
  if (!is_plain && set_filter(-1, SECCOMP_RET_TRACE | 0, 0) != 0) return 1;
  last_step();
  return 0;
}
