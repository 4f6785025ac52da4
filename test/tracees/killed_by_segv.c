// A program that touches memory it does not have is killed by SIGSEGV, with no frame.
//= main: getppid killed(SIGSEGV)
//= exit SIGSEGV
#include "tracee.h"

int main(void) {
  int* volatile nowhere = 0;
  no_core();
  mark(1);
  sys(getppid);
  return *nowhere;
}
