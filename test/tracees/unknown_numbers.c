// Numbers without a call (-1, 548, 9999) are symbols of their own and never aliased onto a legal call.
//= main: getppid sys_-1 getppid sys_548 getppid sys_9999 getppid
#include "tracee.h"

int main(void) {
  static const long numbers[] = {-1, 548, 9999};
  mark(1);
  sys(getppid);
  for (int i = 0; i < 3; i++) {
    syscall(numbers[i]);
    sys(getppid);
  }
  mark(2);
  return 0;
}
