// A loop of 1000 getppid calls is seen call by call.
//= main: getppid*1000
#include "tracee.h"

int main(void) {
  mark(1);
  repeat_getppid(1000);
  mark(2);
  return 0;
}
