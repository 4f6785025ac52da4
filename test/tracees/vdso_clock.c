// The clock read through the vDSO is no call; the raw call is a record.
//= main: clock_gettime*3 getppid
#include "tracee.h"

int main(void) {
  struct timespec time;
  mark(1);
  // The coarse clock never leaves the vDSO, whatever clock source the machine has.
  for (int i = 0; i < 1000; i++) clock_gettime(CLOCK_MONOTONIC_COARSE, &time);
  for (int i = 0; i < 3; i++) sys(clock_gettime, CLOCK_MONOTONIC, &time);
  sys(getppid);
  mark(2);
  return 0;
}
