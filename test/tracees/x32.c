// A number with the x32 bit is a symbol of the x32 ABI, whether the kernel has that ABI or not.
//= arch x86_64
//= main: x32:getppid getpid x32:sys_9999
//= count getppid 0
#include "tracee.h"

int main(void) {
  mark(1);
  syscall(0x4000006e);
  sys(getpid);
  syscall(0x40000000 + 9999);
  mark(2);
  return 0;
}
