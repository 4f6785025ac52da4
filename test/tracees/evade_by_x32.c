// A number with the x32 bit is no call of x86_64, and no other number either.
//= arch x86_64
//= count mkdir 0
#include "evade.h"

int main(int count, char** arguments) {
  begin_evading(count, arguments);
  if (is_plain) return last_step() < 0;
  syscall(0x40000000 + SYS_getppid);
  if (attacks) syscall(0x40000000 + SYS_mkdir, "escaped", 0755);
  return 0;
}
