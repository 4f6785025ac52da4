// A program that spins without a call is killed when the session ends.
//= main: getppid killed(SIGKILL)
//= timeout 1500
//= exit SIGKILL
#include "tracee.h"

int main(void) {
  mark(1);
  sys(getppid);
  while (getenv("PATH") != (char*)-1) continue;
  return 0;
}
