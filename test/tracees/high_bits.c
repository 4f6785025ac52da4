// The kernel reads 32 bits of the number: rubbish in the upper half does not hide the call.
//= arch x86_64
//= main: getpid getppid getpid
#include "tracee.h"

int main(void) {
  long result;
  mark(1);
  sys(getpid);
  __asm__ volatile("syscall" : "=a"(result) : "a"(0x7f00000000L + SYS_getppid) : "rcx", "r11", "memory");
  sys(getpid);
  mark(2);
  return result <= 0;
}
