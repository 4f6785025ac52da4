// A call through int 0x80 is judged as what it is there: 39 is mkdir for i386 and getpid for x86_64.
//= arch x86_64
//= count i386:mkdir 0
//= count i386:getppid 1
#include "evade.h"

static char name[] = "escaped";

static long int80(long number, long first, long second) {
  long result;
  __asm__ volatile("int $0x80"
                   : "=a"(result)
                   : "a"(number), "b"(first), "c"(second)
                   : "memory", "r8", "r9", "r10", "r11");
  return result;
}

int main(int count, char** arguments) {
  begin_evading(count, arguments);
  sys(getpid);
  if (is_plain) return last_step() < 0;
  // Built without PIE the name has an address of 32 bits.
  if (attacks) int80(39, (long)name, 0755);
  int80(64, 0, 0);
  return 0;
}
