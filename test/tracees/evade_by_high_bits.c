// Rubbish in the upper half of the number does not make another call of it.
//= arch x86_64
//= count mkdir 0
#include "evade.h"

int main(int count, char** arguments) {
  begin_evading(count, arguments);
  if (is_plain) return last_step() < 0;
  syscall(0x7f00000000L + SYS_getppid);
  if (attacks) syscall(0x7f00000000L + SYS_mkdir, "escaped", 0755);
  return 0;
}
