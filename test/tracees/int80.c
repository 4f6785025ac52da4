// A call through int 0x80 is a symbol of the i386 ABI, never the 64-bit call of the same number.
//= arch x86_64
//= main: getppid i386:getppid*10 i386:sys_9999
//= count getppid 1
//= count semget 0
#include "tracee.h"

static long int80(long number) {
  long result;
  __asm__ volatile("int $0x80" : "=a"(result) : "a"(number) : "memory", "r8", "r9", "r10", "r11");
  return result;
}

int main(void) {
  int right = 0;
  mark(1);
  long parent = sys(getppid);
  for (int i = 0; i < 10; i++) right += int80(64) == parent;
  int80(9999);
  mark(2);
  return right != 10;
}
